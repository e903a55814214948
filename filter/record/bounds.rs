//! How long what a record quotes may be.
//!
//! A caller chooses most of the texts, without a token too: unbounded, one caller's records would
//! push everybody else's out of Envoy's buffers. All bounds are in bytes of JSON as it is written,
//! so that escapes, six bytes for one, are no way around them.

use std::collections::BTreeMap;

use super::parts::{Approval, Charged, Tried};

/// No record is longer, in bytes of JSON.
pub const MAX_RECORD_BYTES: usize = 20 * 1024;

/// A method. Registered ones have up to 17 bytes.
pub(super) const MAX_METHOD_BYTES: usize = 64;
/// An authority: the longest name of DNS, 253 bytes, with a port fits.
pub(super) const MAX_HOST_BYTES: usize = 260;
/// A path.
pub(super) const MAX_PATH_BYTES: usize = 1024;
/// A model.
pub(super) const MAX_MODEL_BYTES: usize = 256;
/// A provider, an issuer, a subject (255 in OpenID Connect Core 1.0, section 2), or a client.
pub(super) const MAX_IDENTITY_BYTES: usize = 256;
/// One group.
pub(super) const MAX_GROUP_BYTES: usize = 256;
/// How many groups.
pub(super) const MAX_GROUPS: usize = 64;
/// All groups together, with quotes and commas.
pub(super) const MAX_ALL_GROUPS_BYTES: usize = 3072;
/// A name that the policy gives: a rule or a quota.
pub(super) const MAX_NAME_BYTES: usize = 128;
/// How many quotas.
pub(super) const MAX_QUOTAS: usize = 16;
/// All quotas together, with quotes and commas.
pub(super) const MAX_ALL_QUOTAS_BYTES: usize = 1024;
/// All that is said of what quotas were charged with, with the names of members.
const MAX_ALL_CHARGES_BYTES: usize = 1792;
/// What one charge has besides its texts: five numbers of 20 digits, and names.
const CHARGE_BYTES: usize = 174;
/// What a count is known by, with quotes and commas. What is longer is left out: a part of it would be
/// another count's.
const MAX_KEY_BYTES: usize = 640;
/// How many of the rules that were tried.
pub const MAX_TRIED: usize = 32;
/// All rules that were tried, with the names of members.
const MAX_ALL_TRIED_BYTES: usize = 1536;
/// What one of them has besides its name.
const TRIED_BYTES: usize = 30;
/// How many approvals: gates behind one another, and one of the answer's.
pub const MAX_APPROVALS: usize = 8;
/// All that is said of approvals, with the names of members: twice the longest.
const MAX_ALL_APPROVALS_BYTES: usize = 2304;
/// What one of them has besides its texts: a state, a time, a claim, and names.
const APPROVAL_BYTES: usize = 208;
/// What the desk says: an approval's id, or a reviewer.
pub(super) const MAX_DESK_BYTES: usize = 128;
/// What a reviewer wrote, or what a caller was told.
pub(super) const MAX_REASON_BYTES: usize = 512;
/// What Envoy says, and what others know the exchange by.
pub(super) const MAX_MESH_BYTES: usize = 160;
/// Envoy's version.
pub(super) const MAX_VERSION_BYTES: usize = 64;
/// The id of Envoy's node, in which control planes put several names.
pub(super) const MAX_NODE_BYTES: usize = 256;
/// What stands for a token's id.
pub(super) const MAX_TOKEN_BYTES: usize = 64;
/// One map of counts by detector, with quotes, numbers and commas.
pub(super) const MAX_COUNTS_BYTES: usize = 1536;

/// Cuts texts, and remembers which.
#[derive(Clone, Debug, Default)]
pub(super) struct Cuts(Vec<&'static str>);

impl Cuts {
    /// The longest beginning of the text that is at most `most` bytes long in JSON, and ends
    /// between two characters. `member` is the text's name, a path with dots.
    pub(super) fn text<'a>(&mut self, member: &'static str, text: &'a str, most: usize) -> &'a str {
        let fitting = fitting(text, most);
        if fitting.len() < text.len() {
            self.note(member);
        }
        fitting
    }

    /// As [`Cuts::text`], in place.
    pub(super) fn string(&mut self, member: &'static str, text: &mut String, most: usize) {
        let length = self.text(member, text, most).len();
        text.truncate(length);
    }

    /// As [`Cuts::string`], where there is one.
    pub(super) fn optional(
        &mut self,
        member: &'static str,
        text: &mut Option<String>,
        most: usize,
    ) {
        if let Some(text) = text {
            self.string(member, text, most);
        }
    }

    /// A list of at most `count` texts of at most `each` bytes, and `all` bytes together. What
    /// does not fit is left out; `None` if all fits as it is.
    pub(super) fn list(
        &mut self,
        member: &'static str,
        texts: &[String],
        (count, each, all): (usize, usize, usize),
    ) -> Option<Vec<String>> {
        let mut left = all;
        let whole = texts.len() <= count
            && texts.iter().all(|text| {
                fitting(text, each).len() == text.len() && take(&mut left, written(text), 3)
            });
        if whole {
            return None;
        }
        self.note(member);
        let mut left = all;
        let mut kept = Vec::new();
        for text in texts.iter().take(count) {
            let text = fitting(text, each);
            if !take(&mut left, written(text), 3) {
                break;
            }
            kept.push(text.to_owned());
        }
        Some(kept)
    }

    /// Leaves out counts that do not fit: the last by name.
    pub(super) fn counts(&mut self, member: &'static str, counts: &mut BTreeMap<String, u64>) {
        let mut left = MAX_COUNTS_BYTES;
        let before = counts.len();
        counts.retain(|name, count| {
            let digits = count.checked_ilog10().unwrap_or_default();
            let digits = usize::try_from(digits).unwrap_or_default();
            take(&mut left, written(name), digits.saturating_add(5))
        });
        if counts.len() < before {
            self.note(member);
        }
    }

    /// As many charges as fit, with their quotas' names cut.
    pub(super) fn charges(&mut self, member: &'static str, charges: &mut Vec<Charged>) {
        let mut left = MAX_ALL_CHARGES_BYTES;
        let mut kept = 0usize;
        for one in charges.iter_mut().take(MAX_QUOTAS) {
            self.string(member, &mut one.quota, MAX_NAME_BYTES);
            let key = one.key.iter().flatten();
            let key = key.map(|text| written(text).saturating_add(3)).sum();
            if key > MAX_KEY_BYTES {
                one.key = None;
                self.note(member);
            }
            let key = one.key.as_ref().map_or(0, |_| key);
            if !take(
                &mut left,
                written(&one.quota).saturating_add(key),
                CHARGE_BYTES,
            ) {
                break;
            }
            kept = kept.saturating_add(1);
        }
        self.keep(member, charges, kept);
    }

    /// As many approvals as fit, with their texts cut: the latest.
    pub(super) fn approvals(&mut self, member: &'static str, approvals: &mut Vec<Approval>) {
        let mut left = MAX_ALL_APPROVALS_BYTES;
        let mut kept = 0usize;
        for one in approvals.iter_mut().rev() {
            self.optional(member, &mut one.id, MAX_DESK_BYTES);
            self.string(member, &mut one.rule, MAX_NAME_BYTES);
            self.optional(member, &mut one.reviewer, MAX_DESK_BYTES);
            self.optional(member, &mut one.reason, MAX_REASON_BYTES);
            let texts = [&one.id, &one.reviewer, &one.reason];
            let texts = texts.into_iter().flatten().chain([&one.rule]);
            let bytes = texts.map(|text| written(text)).sum();
            if !take(&mut left, bytes, APPROVAL_BYTES) {
                break;
            }
            kept = kept.saturating_add(1);
        }
        let over = approvals.len().saturating_sub(kept);
        if over > 0 {
            approvals.drain(..over);
            self.note(member);
        }
    }

    /// As many rules as fit, with their names cut.
    pub(super) fn tried(&mut self, member: &'static str, tried: &mut Vec<Tried<'_>>) {
        let mut left = MAX_ALL_TRIED_BYTES;
        let mut kept = 0usize;
        for one in tried.iter_mut().take(MAX_TRIED) {
            one.rule = self.text(member, one.rule, MAX_NAME_BYTES);
            if !take(&mut left, written(one.rule), TRIED_BYTES) {
                break;
            }
            kept = kept.saturating_add(1);
        }
        self.keep(member, tried, kept);
    }

    fn keep<T>(&mut self, member: &'static str, list: &mut Vec<T>, kept: usize) {
        if kept < list.len() {
            list.truncate(kept);
            self.note(member);
        }
    }

    /// The names of what was cut.
    pub(super) fn names(&self) -> &[&'static str] {
        &self.0
    }

    pub(super) fn note(&mut self, member: &'static str) {
        if !self.0.contains(&member) {
            self.0.push(member);
        }
    }
}

/// Takes so many bytes and a few more of what is left, if they are there.
fn take(left: &mut usize, bytes: usize, more: usize) -> bool {
    let rest = left.checked_sub(bytes.saturating_add(more));
    if let Some(rest) = rest {
        *left = rest;
    }
    rest.is_some()
}

pub(super) fn written(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// How many bytes of JSON a character is written in.
fn width(character: char) -> usize {
    match character {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => character.len_utf8(),
    }
}

fn fitting(text: &str, most: usize) -> &str {
    // Every text of every exchange comes here: what is short is not looked at.
    if text.len() <= most / 6 {
        return text;
    }
    let mut left = most;
    let end = text
        .char_indices()
        .find(|(_, character)| !take(&mut left, width(*character), 0));
    match end {
        Some((end, _)) => text.get(..end).unwrap_or_default(),
        None => text,
    }
}
