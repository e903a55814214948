//! What masking a body has found.

use super::counts::Counts;
use crate::render::Originals;

/// What masking a body has found so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Findings {
    pub(super) counts: Counts,
    /// What the pseudonyms that were written stand for; `None` where nobody wants to know. Boxed,
    /// because most walkers have none.
    pub(super) originals: Option<Box<Originals>>,
}

impl Findings {
    /// Keeps what a pseudonym stands for, if somebody wants to know.
    pub(super) fn note(&mut self, pseudonym: &str, detector: &str, value: &[u8]) {
        if let Some(originals) = &mut self.originals {
            originals.note(pseudonym, detector, value);
        }
    }
}
