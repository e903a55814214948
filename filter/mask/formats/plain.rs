//! Bodies that are one text.

use super::error::WalkError;
use super::output::{Direct, Place};
use super::rewriter::{Rewriter, Work};
use super::walk::{Job, Walk};
use super::writing::Writing;

/// Masks a body that is one text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plain(Rewriter);

impl Plain {
    pub(super) fn new() -> Self {
        Self(Rewriter::new(Writing::Raw))
    }
}

impl Walk for Plain {
    fn push(&mut self, piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        let mut out = Direct(job.out);
        let mut work = Work {
            matcher: job.mask.matcher(),
            out: &mut out,
            found: job.found,
        };
        self.0.plain(piece, Place::default(), &mut work);
        Ok(())
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let mut out = Direct(job.out);
        self.0.finish(&mut Work {
            matcher: job.mask.matcher(),
            out: &mut out,
            found: job.found,
        });
        Ok(())
    }

    fn held(&self) -> usize {
        self.0.held()
    }
}
