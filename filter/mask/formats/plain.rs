//! Bodies that are one text, or lines of the AI SDK that are called text.

use super::coded_lines::{self, CodedLines};
use super::error::WalkError;
use super::output::{Direct, Place};
use super::rewriter::{Rewriter, Work};
use super::walk::{Job, Walk};
use super::writing::Writing;

/// Masks a body that is one text, or lines with a code in front of each.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Plain {
    /// It is not known yet; held is what it begins with.
    Front(Vec<u8>),
    Text(Box<Rewriter>),
    Lines(Box<CodedLines>),
}

impl Plain {
    pub(super) fn new() -> Self {
        Self::Front(Vec::new())
    }
}

impl Walk for Plain {
    fn push(&mut self, piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        let mut rest = piece;
        if let Self::Front(held) = self {
            loop {
                match coded_lines::begins(held) {
                    None => {
                        let Some((byte, later)) = rest.split_first() else {
                            return Ok(());
                        };
                        held.push(*byte);
                        rest = later;
                    }
                    Some(coded) => {
                        let held = std::mem::take(held);
                        *self = match coded {
                            true => Self::Lines(Box::default()),
                            false => Self::Text(Box::new(Rewriter::new(Writing::Raw))),
                        };
                        self.push(&held, job)?;
                        break;
                    }
                }
            }
        }
        match self {
            Self::Front(_) => {}
            Self::Text(text) => {
                let mut out = Direct(job.out);
                text.plain(
                    rest,
                    Place::default(),
                    &mut Work {
                        matcher: job.mask.matcher(),
                        out: &mut out,
                        found: job.found,
                    },
                );
            }
            Self::Lines(lines) => lines.push(rest, job)?,
        }
        Ok(())
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        if let Self::Front(held) = self {
            let held = std::mem::take(held);
            *self = Self::Text(Box::new(Rewriter::new(Writing::Raw)));
            self.push(&held, job)?;
        }
        match self {
            Self::Front(_) => Ok(()),
            Self::Text(text) => {
                let mut out = Direct(job.out);
                text.finish(&mut Work {
                    matcher: job.mask.matcher(),
                    out: &mut out,
                    found: job.found,
                });
                Ok(())
            }
            Self::Lines(lines) => lines.finish(job),
        }
    }

    fn held(&self) -> usize {
        match self {
            Self::Front(held) => held.len(),
            Self::Text(text) => text.held(),
            Self::Lines(lines) => lines.held(),
        }
    }
}
