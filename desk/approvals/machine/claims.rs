//! Taking a use, and giving it back.

use super::approval::{Approval, Use};
use super::happened::{Happened, Step, Trouble};
use crate::approvals::protocol::{Claim, ClaimState, Claimed, State, WhyBack};

/// The most claims that are remembered one by one. One that is older stays counted, and can't be given back. As
/// many are remembered that were given back before they came.
pub const MAX_CLAIMS: usize = 256;

/// How often each use comes back at most, since nothing was answered.
const MAX_UNANSWERED: u64 = 3;

impl Approval {
    /// A request of `filter` is about to go. The same claim again takes nothing more and has the same answer,
    /// unless it was given back.
    #[must_use]
    pub fn claim(self, claim: &Claim, filter: &str, now: i64) -> Step<Claimed> {
        self.step(now, |approval, happened| {
            let state = approval.take(claim, filter, now)?;
            if state == Taken::Now {
                happened.push(Happened::Claimed {
                    claim: claim.claim.clone(),
                    exchange: claim.exchange.clone(),
                    binding: claim.binding.clone(),
                });
            }
            Ok(Claimed {
                id: approval.id.clone(),
                binding: claim.binding.clone(),
                claim: claim.claim.clone(),
                state: state.name(),
                grant: approval.left(now),
            })
        })
    }

    fn take(&mut self, claim: &Claim, filter: &str, now: i64) -> Result<Taken, Trouble> {
        if !self.is_for(filter) {
            return Err(Trouble::Unknown);
        }
        if self.returned.contains(&claim.claim) {
            return Err(Trouble::GivenBack);
        }
        if let Some(known) = self.claims.iter().find(|one| one.claim == claim.claim) {
            return match (known.given_back, known.binding == claim.binding) {
                (Some(_), _) => Err(Trouble::GivenBack),
                (None, false) => Err(Trouble::NotCovered),
                (None, true) => Ok(Taken::Before),
            };
        }
        if !self.covers_binding(&claim.binding, filter) {
            return Err(Trouble::NotCovered);
        }
        if self.state != State::Approved {
            return Ok(Taken::Not(self.state));
        }
        if !self.holds_at(now) {
            // What is asked anew waits for people.
            return Ok(Taken::Not(State::Expired));
        }
        if self.claims.len() >= MAX_CLAIMS {
            self.claims.remove(0);
        }
        self.claims.push(Use {
            claim: claim.claim.clone(),
            binding: claim.binding.clone(),
            exchange: claim.exchange.clone(),
            time: now,
            given_back: None,
        });
        self.spent = self.spent.saturating_add(1);
        if self.uses().is_some_and(|uses| self.spent >= uses) {
            self.state = State::Used;
            self.used = Some(now);
        }
        Ok(Taken::Now)
    }

    /// A request that went was not answered. What it took can be taken again if the time for that isn't over.
    ///
    /// A claim that isn't known may still be on its way: when it comes, it takes nothing.
    #[must_use]
    pub fn give_back(self, claim: &str, why: WhyBack, filter: &str, now: i64) -> Step<()> {
        self.step(now, |approval, happened| {
            if !approval.is_for(filter) {
                return Err(Trouble::Unknown);
            }
            let live = matches!(approval.state, State::Approved | State::Used);
            let may_return = match why {
                WhyBack::Unanswered => approval.may_return_unanswered(),
                WhyBack::Status5xx => true,
            };
            let returned = live && approval.expires > now && may_return;
            let known = approval.claims.iter_mut().find(|one| one.claim == claim);
            let Some(known) = known else {
                approval.note_returned(claim);
                return Ok(());
            };
            if known.given_back.is_some() {
                return Ok(());
            }
            known.given_back = Some(why);
            happened.push(Happened::GivenBack {
                claim: claim.to_owned(),
                exchange: known.exchange.clone(),
                why,
                returned,
            });
            if returned {
                let unanswered = u64::from(why == WhyBack::Unanswered);
                approval.unanswered = approval.unanswered.saturating_add(unanswered);
                approval.spent = approval.spent.saturating_sub(1);
                approval.state = State::Approved;
                approval.used = None;
            }
            Ok(())
        })
    }

    /// Whether one more use may come back since nothing was answered. The client decides that by leaving, though the
    /// model server may have the request by then.
    fn may_return_unanswered(&self) -> bool {
        let most = self.uses().map(|uses| uses.saturating_mul(MAX_UNANSWERED));
        most.is_none_or(|most| self.unanswered < most)
    }

    fn note_returned(&mut self, claim: &str) {
        if self.returned.iter().any(|one| one == claim) {
            return;
        }
        if self.returned.len() >= MAX_CLAIMS {
            self.returned.remove(0);
        }
        self.returned.push(claim.to_owned());
    }
}

/// What a claim took.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Taken {
    Now,
    Before,
    Not(State),
}

impl Taken {
    fn name(self) -> ClaimState {
        match self {
            Self::Now | Self::Before => ClaimState::Claimed,
            Self::Not(State::Pending) => ClaimState::Pending,
            Self::Not(State::Denied) => ClaimState::Denied,
            // An approved one is taken.
            Self::Not(State::Used | State::Approved) => ClaimState::Used,
            Self::Not(State::Expired) => ClaimState::Expired,
            Self::Not(State::Revoked) => ClaimState::Revoked,
        }
    }
}
