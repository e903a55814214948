//! Approving, denying, and taking back.

use super::approval::{Approval, Decision};
use super::happened::{Happened, Step, Trouble};
use super::people::{Lent, Right};
use crate::approvals::protocol::{DecisionKind, ReasonRule, State};
use crate::http::Person;

/// How long a denial answers the same question, from the decision, in milliseconds: 1 hour.
pub const DENIED_FOR: i64 = 60 * 60 * 1000;

/// What a reviewer wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is decided.
    pub kind: DecisionKind,
    /// Why.
    pub reason: Option<String>,
    /// Whether the rules for reviewers are to be set aside.
    pub break_glass: bool,
}

impl Approval {
    /// `person` decides; `lent` is what others have lent to them. Permission is looked at first, so that nobody
    /// without a say learns the state.
    #[must_use]
    pub fn decide(
        self,
        verdict: &Verdict,
        person: &Person,
        lent: &[Lent<'_>],
        now: i64,
    ) -> Step<()> {
        self.step(now, |approval, happened| match verdict.kind {
            DecisionKind::Approve if verdict.break_glass => {
                if !person.break_glass {
                    return Err(Trouble::NoBreakGlass);
                }
                approval.is_open()?;
                approval.note(verdict, person, Right::of(person), true, now)?;
                approval.settle(State::Approved, now);
                happened.extend([Happened::Decided, Happened::BrokeGlass]);
                Ok(())
            }
            DecisionKind::Approve | DecisionKind::Deny => {
                let approves = verdict.kind == DecisionKind::Approve;
                let right = approval.right(person, lent, approves, now);
                // Who has approved what is decided by now hears that.
                if right != Err(Trouble::AlreadyApproved) {
                    right.clone()?;
                }
                approval.is_open()?;
                approval.note(verdict, person, right?, false, now)?;
                if approves {
                    approval.set_apart(person, lent);
                }
                let tally = approval.tally();
                if !approves {
                    approval.settle(State::Denied, now);
                } else if tally.have >= tally.want {
                    approval.settle(State::Approved, now);
                }
                happened.push(Happened::Decided);
                Ok(())
            }
            DecisionKind::Revoke => {
                let right = approval.right(person, lent, false, now);
                let right = match right {
                    Err(_) if person.blocks => Right::of(person),
                    right => right?,
                };
                match approval.state {
                    State::Approved => {}
                    State::Pending => return Err(Trouble::NotDecided),
                    State::Used => return Err(Trouble::Used),
                    State::Expired => return Err(Trouble::Expired),
                    State::Denied | State::Revoked => return Err(Trouble::AlreadyDecided),
                }
                approval.note(verdict, person, right, false, now)?;
                approval.state = State::Revoked;
                approval.expires = approval.expires.min(now);
                happened.push(Happened::Revoked);
                Ok(())
            }
        })
    }

    fn is_open(&self) -> Result<(), Trouble> {
        match self.state {
            State::Pending => Ok(()),
            State::Expired if self.decided.is_none() => Err(Trouble::Expired),
            _ => Err(Trouble::AlreadyDecided),
        }
    }

    /// Notes a decision, if it has the reason that it needs.
    fn note(
        &mut self,
        verdict: &Verdict,
        person: &Person,
        right: Right,
        break_glass: bool,
        now: i64,
    ) -> Result<(), Trouble> {
        let reason = verdict.reason.as_deref().map(str::trim);
        let reason = reason.filter(|reason| !reason.is_empty());
        let needed = break_glass || self.question.reason == ReasonRule::Required;
        if needed && reason.is_none() {
            return Err(Trouble::ReasonRequired);
        }
        self.decisions.push(Decision {
            reviewer: person.name.clone(),
            on_behalf_of: right.on_behalf_of,
            groups: right.groups,
            kind: verdict.kind,
            reason: reason.map(str::to_owned),
            time: now,
            break_glass,
        });
        Ok(())
    }

    /// Enough people have decided.
    fn settle(&mut self, state: State, now: i64) {
        let lasts = match state {
            State::Approved => self.lasts(now),
            _ => DENIED_FOR,
        };
        self.state = state;
        self.decided = Some(now);
        self.expires = now.saturating_add(lasts);
        self.askers.clear();
    }
}

impl Right {
    /// Somebody's own, which no rule gives.
    fn of(person: &Person) -> Self {
        Self {
            on_behalf_of: None,
            groups: person.groups.clone(),
        }
    }
}
