//! The guard's own secrets: exact strings, anywhere, and with escapes.
//!
//! Bound: the longest of them as it may be escaped, at most 4096 bytes.

use std::rc::Rc;

use super::detect::hit;
use super::group::{Answer, Group, Known};
use crate::prefilter::Anchors;
use crate::secrets::{Reading, Secrets};
use crate::window::{Miss, Window};

/// Looks for secrets, before anything else is looked for.
pub(crate) struct OwnSecrets(Rc<Secrets>);

impl OwnSecrets {
    /// Of all detectors of a mask, the first.
    pub(crate) const RANK: usize = 0;

    pub(crate) fn new(secrets: &Rc<Secrets>) -> Self {
        Self(Rc::clone(secrets))
    }
}

impl Group for OwnSecrets {
    fn next(&self, known: &Known<'_>, from: usize, _: &mut Anchors) -> usize {
        let bytes = known.bytes;
        let rest = bytes.get(from..).unwrap_or_default();
        #[cfg(test)]
        crate::window::steps::add(rest.len());
        let mut first = from + self.0.first_in_text(rest, known.last);
        // One that begins in front of what has been found ends here.
        let spelled = self.0.spelled_in_texts();
        let reach = first.saturating_add(spelled.most()).min(bytes.len());
        let near = bytes.get(from..reach).unwrap_or_default();
        let last = known.last || reach < bytes.len();
        spelled.visit(near, 0, last, |place| {
            let at = from + place.from;
            let before = at <= first;
            first = first.min(at);
            before
        });
        first
    }

    fn ask(&self, window: &Window<'_>, below: usize) -> Answer {
        if below == Self::RANK {
            return Answer::Nothing;
        }
        for secret in self.0.texts() {
            match window.literal(0, secret) {
                Ok(true) => return Answer::Found(Self::RANK, hit(secret.len())),
                Err(Miss::More) => return Answer::Open(Self::RANK),
                Ok(false) | Err(Miss::No) => {}
            }
        }
        match self
            .0
            .spelled_in_texts()
            .at_front(window.bytes, window.last)
        {
            Reading::Ends(len) => Answer::Found(Self::RANK, hit(len)),
            Reading::Open => Answer::Open(Self::RANK),
            Reading::No => Answer::Nothing,
        }
    }

    fn bound(&self) -> usize {
        let plain = self.0.texts().iter().map(|it| it.len());
        plain
            .max()
            .unwrap_or_default()
            .max(self.0.spelled_in_texts().most())
    }
}
