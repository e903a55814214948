//! An object or array around the place that is read, and what in it repeats a token in another
//! form: its bytes, and the tokens that could have been in its place, of which it is one.
//!
//! ```json
//! {"token": " hi", "logprob": -0.1, "bytes": [32, 104, 105], "top_logprobs": [{"token": " hi", ...}]}
//! {"tokens": [" hi"], "token_logprobs": [-0.1], "top_logprobs": [{" hi": -0.1, ...}]}
//! {"prompt_logprobs": [null, {"12": {"logprob": -0.1, "rank": 1, "decoded_token": " hi"}, ...}]}
//! ```
//!
//! If of a token something is masked, these are replaced by `null` and `[]`. In the last form, of vLLM, the
//! token that is in the prompt comes first, and the name that it has is its number: of it, nothing stays.

use super::super::layout::At;
use super::identity::Name;
use super::segment::{Kind, Segment};
use super::shapes;
use base::wire::Range;

/// An object or array around the current place.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// The name of the member that is read.
    pub(super) name: Name,
    /// Elements before the current one.
    pub(super) position: usize,
    pub(super) object: bool,
    /// Where it begins.
    pub(super) start: usize,
    /// Its own place in its dialect's layout, and that of the value that is read in it.
    pub(super) base: At,
    pub(super) at: At,
    /// What is known about the object, once something depends on it.
    pub(super) scope: Option<usize>,
    pub(super) copies: Copies,
}

/// What an object, or an array in one, has to do with tokens.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// Where the value begins, if it is a copy, and what is put in its place.
    copy: Option<(usize, &'static [u8])>,
    /// The tokens of the object: its member `token`, or those in `tokens`.
    tokens: Vec<usize>,
    /// Whether they are in a list.
    listed: bool,
    /// Values that are copies of the only token.
    of_one: Vec<(Range, &'static [u8])>,
    /// Elements of `top_logprobs`, each of the token in its place.
    of_each: Vec<(usize, Range)>,
    /// The token of a prompt that the object is about.
    about: Option<usize>,
}

const NULL: &[u8] = b"null";
const NONE: &[u8] = b"[]";

impl Copies {
    /// Of a value in these frames that begins at `at`.
    pub(super) fn begin(frames: &[Frame], at: usize) -> Self {
        let Some(holder) = frames.last() else {
            return Self::default();
        };
        let put = if holder.object {
            match holder.name.short() {
                b"bytes" => Some(NULL),
                b"top_logprobs" | b"probs" | b"top_probs" => Some(NONE),
                _ => None,
            }
        } else {
            (is_top(frames) || is_of_prompt(frames)).then_some(NULL)
        };
        let of_tokens = || {
            let mut names = frames.iter().filter(|frame| frame.object);
            names.any(|frame| shapes::lists_tokens(frame.name.short()))
        };
        Self {
            copy: put.filter(|_| of_tokens()).map(|put| (at, put)),
            ..Self::default()
        }
    }

    /// A token stands in these frames.
    pub(super) fn token(frames: &mut [Frame], number: usize) {
        if let [outer @ .., about, _] = &mut *frames
            && is_of_prompt(outer)
        {
            about.copies.about = Some(number);
            return;
        }
        let holder = frames.iter_mut().rev().find(|frame| frame.object);
        if let Some(holder) = holder {
            holder.copies.listed |= holder.name.short() == b"tokens";
            holder.copies.tokens.push(number);
        }
    }

    /// The value ends at `end`, in these frames.
    pub(super) fn end(self, end: usize, frames: &mut [Frame], segments: &mut Vec<Segment>) {
        let mut mark = |(start, end): Range, token: usize, put| {
            let segment = |at, kind| Segment {
                start: at,
                end: at,
                kind,
                varies: false,
            };
            segments.push(segment(start, Kind::Copy(token, put)));
            segments.push(segment(end, Kind::CopyEnd));
        };
        if self.listed {
            for (place, range) in self.of_each {
                if let Some(token) = self.tokens.get(place) {
                    mark(range, *token, NULL);
                }
            }
        } else if let [token] = self.tokens.as_slice() {
            for (range, put) in self.of_one {
                mark(range, *token, put);
            }
        }
        let Some((start, put)) = self.copy else {
            return;
        };
        if let Some(token) = self.about {
            mark((start, end), token, put);
        } else if is_top(frames) {
            let place = frames.last().map_or(0, |array| array.position);
            let holder = frames.iter_mut().rev().find(|frame| frame.object);
            if let Some(holder) = holder {
                holder.copies.of_each.push((place, (start, end)));
            }
        } else if let Some(holder) = frames.last_mut() {
            holder.copies.of_one.push(((start, end), put));
        }
    }
}

/// Whether the frames lead to an element of `top_logprobs`.
fn is_top(frames: &[Frame]) -> bool {
    is_element_of(frames, b"top_logprobs")
}

/// Whether the frames lead to an element of `prompt_logprobs`.
fn is_of_prompt(frames: &[Frame]) -> bool {
    is_element_of(frames, b"prompt_logprobs")
}

/// Whether the frames lead to an element of the list of this name.
fn is_element_of(frames: &[Frame], name: &[u8]) -> bool {
    match frames {
        [.., holder, array] => holder.object && !array.object && holder.name.short() == name,
        _ => false,
    }
}

/// Whether the frames lead to a member of what `prompt_logprobs` says first of a token: that is the one
/// in the prompt.
pub(super) fn is_first_of_prompt(frames: &[Frame]) -> bool {
    match frames {
        [outer @ .., about, token] => {
            is_of_prompt(outer) && about.object && about.position == 0 && token.object
        }
        _ => false,
    }
}
