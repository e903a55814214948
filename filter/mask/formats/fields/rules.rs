//! Which rules hold for a place in JSON.

use super::super::escape::{Unescape, Unit};
use crate::policy::{FieldRules, Segment};

/// Members that hold log probabilities, in OpenAI's, vLLM's, TGI's, llama.cpp's, SGLang's and Gemini's
/// answers.
const LOGPROBS: &[&[u8]] = &[
    b"logprobs",
    b"logprob",
    b"top_logprobs",
    b"token_logprobs",
    b"prompt_logprobs",
    b"completion_probabilities",
    b"output_token_logprobs",
    b"output_top_logprobs",
    b"input_token_logprobs",
    b"input_top_logprobs",
    b"logprobsResult",
    b"avgLogprobs",
];

/// What becomes of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    /// It is taken out, with its name and comma.
    Remove,
    /// This JSON takes its place.
    Replace(Vec<u8>),
    /// Its numbers keep this many digits after the point.
    Round(u8),
}

/// A mask's rules for fields of JSON, ready for use.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    rules: Vec<(Vec<Segment>, Edit)>,
    drop_logprobs: bool,
}

/// The rules that may still come to hold below a place, by their index.
pub(super) type Live = Vec<usize>;

/// A place as seen from the object or list that it is in.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'a> {
    /// A member, by its name as it stands between its quotes.
    Member(&'a [u8]),
    /// An item of a list.
    Item(usize),
}

impl Fields {
    /// None where there is nothing to do in JSON.
    pub(crate) fn new(rules: &FieldRules) -> Option<Self> {
        let mut all: Vec<(Vec<Segment>, Edit)> = Vec::new();
        for pointer in &rules.remove {
            all.push((pointer.0.clone(), Edit::Remove));
        }
        for (pointer, value) in &rules.replace {
            let json = value.to_string().into_bytes();
            all.push((pointer.0.clone(), Edit::Replace(json)));
        }
        for (pointer, digits) in &rules.round {
            all.push((pointer.0.clone(), Edit::Round(*digits)));
        }
        let drop_logprobs = rules.drop_logprobs;
        (drop_logprobs || !all.is_empty()).then_some(Self {
            rules: all,
            drop_logprobs,
        })
    }

    /// The rules that may come to hold in a body.
    pub(super) fn all(&self) -> Live {
        (0..self.rules.len()).collect()
    }

    /// Whether rules hold at any depth.
    pub(super) fn hold_anywhere(&self) -> bool {
        self.drop_logprobs
    }

    /// What becomes of the field at `step`, `depth` steps below the top, and which rules are live
    /// below it, of those that are live where it is.
    pub(super) fn at(&self, live: &Live, depth: usize, step: Step<'_>) -> (Option<&Edit>, Live) {
        let name = match step {
            Step::Member(raw) => decoded(raw),
            Step::Item(index) => index.to_string().into_bytes(),
        };
        let mut below = Live::new();
        let mut edit = None;
        for index in live {
            let Some((steps, what)) = self.rules.get(*index) else {
                continue;
            };
            let fits = match steps.get(depth) {
                Some(Segment::Any) => true,
                Some(Segment::Name(wanted)) => wanted.as_bytes() == name,
                None => false,
            };
            if fits && steps.len() == depth + 1 {
                edit = edit.or(Some(what));
            } else if fits {
                below.push(*index);
            }
        }
        const NOTHING: &Edit = &Edit::Replace(Vec::new());
        let logprobs = self.drop_logprobs
            && matches!(step, Step::Member(_))
            && LOGPROBS.contains(&name.as_slice());
        (edit.or(logprobs.then_some(NOTHING)), below)
    }
}

fn decoded(raw: &[u8]) -> Vec<u8> {
    let mut name = Vec::with_capacity(raw.len());
    let mut unescape = Unescape::default();
    let mut emit = |unit: Unit<'_>| match unit {
        Unit::Plain(bytes) => name.extend_from_slice(bytes),
        Unit::Escape { decoded, .. } => name.extend_from_slice(decoded),
    };
    unescape.push(raw, &mut emit);
    unescape.finish(&mut emit);
    name
}
