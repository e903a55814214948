//! What a reviewer is shown of a request's body.

use core::str;

use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::media::{Content, RequestForm};
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
