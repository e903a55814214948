//! Approvals whose answer is kept.

use super::approval::Approval;
use super::grant::millis;
use super::happened::{Step, Trouble};
use crate::approvals::protocol::{About, State};

/// How long an answer is kept behind its use, in milliseconds: a use may come back as long as filters try to give
/// it back.
pub const USED_FOR: i64 = 10 * 60 * 1000;

impl Approval {
    /// The answer that it is about is kept until then, in milliseconds since 1970. Its question stays open as long,
    /// whether or not somebody waits.
    #[must_use]
    pub fn keep(self, until: i64, now: i64) -> Step<()> {
        self.step(now, |approval, _| {
            if approval.question.matter.about != About::Answer || approval.is_wide() {
                return Err(Trouble::NoAnswer);
            }
            match approval.state {
                State::Pending | State::Approved => {}
                State::Used => return Err(Trouble::Used),
                State::Expired => return Err(Trouble::Expired),
                State::Denied | State::Revoked => return Err(Trouble::AlreadyDecided),
            }
            approval.kept = Some(until);
            if approval.state == State::Pending {
                let open = millis(approval.question.expires);
                let open = approval.created.saturating_add(open);
                approval.expires = approval.expires.max(open.min(until));
            }
            Ok(())
        })
    }

    /// What becomes of the kept answer in the state that this is in now.
    #[must_use]
    pub fn answer_ends(&self, now: i64) -> Ends {
        match self.state {
            State::Pending | State::Approved => Ends::NotNow,
            State::Used => Ends::By(now.saturating_add(USED_FOR)),
            // Until then it is known that it was denied.
            State::Denied => Ends::Erased(self.expires),
            State::Expired | State::Revoked => Ends::Erased(now),
        }
    }
}

/// What becomes of a kept answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// It stays.
    NotNow,
    /// It goes at this time, if not before.
    By(i64),
    /// It goes at once, and is forgotten at this time.
    Erased(i64),
}
