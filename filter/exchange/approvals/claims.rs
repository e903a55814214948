//! What an exchange has taken of approvals, and gives back if it was for nothing.

use core::time::Duration;

use crate::approval::{self, Approvals, Why};
use crate::call::Post;
use crate::exchange::effect::Effect;
use crate::record::Record;

/// Claims that may have to be given back.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Claims(Vec<Claim>);

#[derive(Debug)]
struct Claim {
    /// The approval's id.
    approval: String,
    /// The claim's own.
    id: String,
    /// Whether it comes back when the model server fails.
    returns: bool,
    /// Whether what it was taken for has gone.
    gone: bool,
}

impl Claims {
    /// Whether there are some.
    pub(in crate::exchange) fn are_open(&self) -> bool {
        !self.0.is_empty()
    }

    /// Notes a claim when it is sent: whether it holds may never be known.
    pub(super) fn add(&mut self, approval: &str, id: &str, returns: bool) {
        self.0.push(Claim {
            approval: approval.to_owned(),
            id: id.to_owned(),
            returns,
            gone: false,
        });
    }

    /// A claim doesn't hold.
    pub(super) fn remove(&mut self, id: &str) {
        self.0.retain(|claim| claim.id != id);
    }

    /// What the claims were taken for goes on.
    pub(in crate::exchange) fn go(&mut self) {
        for claim in &mut self.0 {
            claim.gone = true;
        }
    }

    /// What they were taken for has gone to somebody who has it now.
    pub(in crate::exchange) fn settle(&mut self) {
        self.0.clear();
    }

    /// Gives back all that nothing has gone for, and what comes back because of this failure of the
    /// model server.
    pub(in crate::exchange) fn give_back(
        &mut self,
        why: Why,
        approvals: Option<&Approvals>,
        record: &mut Record,
    ) -> Vec<Effect> {
        let Some(approvals) = approvals else {
            return Vec::new();
        };
        let mut effects = Vec::new();
        for claim in core::mem::take(&mut self.0) {
            if claim.gone && !claim.returns {
                continue;
            }
            for noted in &mut record.approvals {
                noted.given_back |= noted.claim.as_ref() == Some(&claim.id);
            }
            let request = approval::give_back(&claim.approval, &claim.id, why);
            let call = approvals.call(Post::UntilTaken, 0, request, Duration::ZERO);
            effects.push(Effect::Post(Box::new(call)));
        }
        effects
    }
}
