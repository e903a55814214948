//! What a reviewer is shown of a request's body, of its query, and of an answer.

use core::str;
use std::borrow::Cow;

use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::media::{Content, RequestForm, TextForm};
use crate::operation;
use mask::{Format, Framing, Masks, Pass};

/// How much a reviewer is shown, in bytes of JSON as it is written: no caller makes a question too large.
const MOST: usize = 24 << 10;

/// What is masked at once.
const PIECE: usize = 4 << 10;

/// The beginning of a body as a reviewer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::exchange) struct Shown {
    /// The text, with what the policy's masks look for hidden.
    pub(in crate::exchange) text: String,
    /// Whether more follows.
    pub(in crate::exchange) cut: bool,
}

/// What of a decoded body is text. Nothing where it has none, or can't be read.
pub(in crate::exchange) fn shown(
    body: &[u8],
    form: &RequestForm,
    compiled: &CompiledPolicy,
) -> Option<Shown> {
    let Some(masks) = compiled.shown_masks() else {
        // The policy hides nothing from anybody.
        return cut(body, form.has_no_text());
    };
    let text = match form.look(body, &masks.options().pass).ok()? {
        Content::Text(text) => text,
        Content::NoText => return None,
    };
    let framing = Framing {
        opaque_parts: false,
        ..text.framing
    };
    let written = masked(body, masks, (text.format, framing))?;
    cut(&written, false)
}

/// What of an answer is text, as it would go but with what was found hidden, too.
pub(in crate::exchange) fn shown_answer(
    body: &[u8],
    form: &TextForm,
    compiled: &CompiledPolicy,
) -> Option<Shown> {
    let is_text = matches!(
        form.format,
        Format::Json | Format::Text | Format::Html | Format::Xml | Format::Events | Format::Lines
    );
    let masks = compiled.shown_masks().filter(|_| is_text)?;
    let framing = Framing {
        opaque_parts: false,
        ..form.framing
    };
    let written = masked(body, masks, (form.format, framing))?;
    cut(&written, false)
}

/// Words in the names of parameters whose values are nobody's business.
const SECRETS: [&str; 6] = ["key", "token", "secret", "sig", "pass", "cred"];

/// A query as reviewers see it: without what keys clients send in it, and what the policy's masks look for.
pub(super) fn shown_query(query: &str, compiled: &CompiledPolicy) -> String {
    let hides = |text: &str| {
        compiled
            .shown_masks()
            .is_some_and(|masks| hides(masks, text))
    };
    let parts = query.split('&').map(|part| {
        let (name, _) = part.split_once('=').unwrap_or((part, ""));
        let lower = name.to_ascii_lowercase();
        if operation::query_texts(Some(name)).any(|text| hides(&text)) {
            return Cow::Borrowed("...");
        }
        let is_secret = SECRETS.iter().any(|word| lower.contains(word));
        match is_secret || operation::query_texts(Some(part)).any(|text| hides(&text)) {
            true => Cow::Owned([name, "=..."].concat()),
            false => Cow::Borrowed(part),
        }
    });
    parts.collect::<Vec<_>>().join("&")
}

/// Whether masks look for something in a text.
fn hides(masks: &Masks, text: &str) -> bool {
    let written = masked(text.as_bytes(), masks, (Format::Text, Framing::default()));
    written.is_none_or(|written| written != text.as_bytes())
}

/// As much of it as may be shown, and a little more, under the masks.
fn masked(body: &[u8], masks: &Masks, form: (Format, Framing)) -> Option<Vec<u8>> {
    let mut pass = Pass::new(masks, form, None);
    let mut out = Vec::new();
    for piece in body.chunks(PIECE) {
        pass.push(masks, piece, &mut out).ok()?;
        if out.len() > MOST {
            return Some(out);
        }
    }
    pass.finish(masks, &mut out).ok()?;
    Some(out)
}

/// The beginning that fits.
fn cut(bytes: &[u8], has_no_text: bool) -> Option<Shown> {
    if has_no_text {
        return None;
    }
    let beginning = bytes.get(..MOST.saturating_add(4)).unwrap_or(bytes);
    let text = match str::from_utf8(beginning) {
        Ok(text) => text,
        // It ends within a character.
        Err(error) if error.error_len().is_none() && beginning.len() < bytes.len() => {
            str::from_utf8(beginning.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let mut left = MOST;
    let fits = text.chars().take_while(|character| {
        let width = match character {
            '"' | '\\' | '\n' | '\r' | '\t' => 2,
            '\0'..='\u{1f}' => 6,
            _ => character.len_utf8(),
        };
        let rest = left.checked_sub(width);
        left = rest.unwrap_or_default();
        rest.is_some()
    });
    let text: String = fits.collect();
    let cut = text.len() < bytes.len();
    Some(Shown { text, cut })
}
