//! What becomes of a response, as the request's verdict has it.

use std::rc::Rc;

use crate::exchange::asked::Asked;
use crate::mask::Originals;

/// What becomes of a response, once there is one.
#[derive(Debug)]
pub(in crate::exchange) struct ResponsePlan {
    /// The request that it answers.
    pub(super) asked: Box<Asked>,
    /// Index of the mask plan.
    pub(super) mask: Option<usize>,
    /// What is put back.
    pub(super) originals: Option<Rc<Originals>>,
}

impl ResponsePlan {
    pub(in crate::exchange) fn new(
        asked: Box<Asked>,
        mask: Option<usize>,
        originals: Option<Originals>,
    ) -> Self {
        Self {
            asked,
            mask,
            originals: originals
                .filter(|originals| !originals.is_empty())
                .map(Rc::new),
        }
    }

    /// Whether something of the response may have to change.
    pub(super) fn looks(&self) -> bool {
        self.mask.is_some() || self.originals.is_some()
    }
}
