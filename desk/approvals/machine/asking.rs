//! Asking, waiting, and leaving.

use super::approval::{Approval, Asker};
use super::grant::millis;
use super::happened::{Happened, Step};
use crate::approvals::protocol::{Ahead, Question, State};

/// How long a question stays open when nobody waits for it any more, in milliseconds: 15 minutes.
pub const ALONE_FOR: i64 = 15 * 60 * 1000;

/// How long an asker counts as waiting from when it asked or waited last, in milliseconds. It is twice the
/// longest wait.
pub const ASKER_LEASE: i64 = 120 * 1000;

/// How old what is known of an asker gets before a wait renews it, in milliseconds: waits would write each time
/// otherwise.
const RENEW_AFTER: i64 = 30 * 1000;

/// The most askers that are known. When there are more, the one that has been silent for longest gives way.
const MAX_ASKERS: usize = 1024;

impl Approval {
    /// A question that is asked for the first time, by a filter or, ahead of need, by a reviewer.
    #[must_use]
    pub fn ask(
        id: String,
        mut question: Question,
        filter: Option<&str>,
        requester: Option<&str>,
        now: i64,
    ) -> Step<()> {
        let asker = std::mem::take(&mut question.asker);
        let mut asked = Self {
            id,
            filter: filter.map(str::to_owned),
            requester: requester.map(str::to_owned),
            state: State::Pending,
            created: now,
            expires: now.saturating_add(millis(question.expires)),
            question,
            decided: None,
            used: None,
            askers: Vec::new(),
            decisions: Vec::new(),
            spent: 0,
            claims: Vec::new(),
            returned: Vec::new(),
            covered: Vec::new(),
            unanswered: 0,
            vouched_by: Vec::new(),
            ahead: Ahead::default(),
            apart: Vec::new(),
            closed: false,
            turns: None,
            kept: None,
        };
        if filter.is_some() {
            asked.is_awaited(&asker, now);
        }
        Step {
            after: asked,
            happened: vec![Happened::Asked],
            reply: Ok(()),
        }
    }

    /// Whether asking the same again finds this one. It is no longer found once it is used up, revoked or over,
    /// or was denied a while ago.
    #[must_use]
    pub fn serves(&self, question: &Question, now: i64) -> bool {
        let (own, other) = (&self.question.matter, &question.matter);
        // The binding says so already, if the filter is right.
        let same = (&own.issuer, &own.subject) == (&other.issuer, &other.subject);
        let open = match self.state {
            State::Pending | State::Approved | State::Denied => self.expires > now,
            State::Used | State::Expired | State::Revoked => false,
        };
        same && open
    }

    /// The same question again: one that was left is open as long as before.
    #[must_use]
    pub fn ask_again(self, asker: &str, now: i64) -> Step<()> {
        self.step(now, |approval, _| {
            if approval.state == State::Pending {
                approval.is_awaited(asker, now);
                let open = millis(approval.question.expires);
                approval.expires = approval.created.saturating_add(open);
            }
            Ok(())
        })
    }

    /// Somebody waits: it takes nothing. Only who asked is counted.
    #[must_use]
    pub fn wait(self, asker: Option<&str>, now: i64) -> Step<()> {
        self.step(now, |approval, _| {
            if approval.state == State::Pending {
                let mut askers = approval.askers.iter_mut();
                let known = askers.find(|one| Some(&*one.id) == asker);
                if let Some(known) = known.filter(|one| one.seen.saturating_add(RENEW_AFTER) <= now)
                {
                    known.seen = now;
                }
            }
            Ok(())
        })
    }

    /// An asker's clients have gone.
    #[must_use]
    pub fn cancel(self, asker: &str, now: i64) -> Step<()> {
        self.step(now, |approval, happened| {
            let known = approval.askers.iter().position(|one| one.id == asker);
            if let (Some(known), State::Pending) = (known, approval.state) {
                approval.askers.remove(known);
                if approval.askers.is_empty() {
                    let alone = now.saturating_add(ALONE_FOR);
                    // What is kept is there for a client that comes back later.
                    let alone = alone.max(approval.kept.unwrap_or(alone));
                    approval.expires = approval.expires.min(alone);
                }
                happened.push(Happened::Cancelled {
                    asker: asker.to_owned(),
                });
            }
            Ok(())
        })
    }

    /// Time has passed.
    #[must_use]
    pub fn expire(self, now: i64) -> Step<()> {
        self.step(now, |_, _| Ok(()))
    }

    /// A question for which nobody waits gives way to another one.
    #[must_use]
    pub fn give_way(mut self, now: i64) -> Step<()> {
        if self.state == State::Pending {
            self.expires = self.expires.min(now);
        }
        self.expire(now)
    }

    /// How many wait for it.
    #[must_use]
    pub fn waiting(&self, now: i64) -> usize {
        let waits = |one: &&Asker| one.seen.saturating_add(ASKER_LEASE) > now;
        self.askers.iter().filter(waits).count()
    }

    /// Until when somebody is known to wait; 0 if nobody does.
    #[must_use]
    pub fn awaited_until(&self) -> i64 {
        let seen = self.askers.iter().map(|one| one.seen).max();
        seen.map_or(0, |seen| seen.saturating_add(ASKER_LEASE))
    }

    fn is_awaited(&mut self, asker: &str, now: i64) {
        if let Some(known) = self.askers.iter_mut().find(|one| one.id == asker) {
            known.seen = known.seen.max(now);
            return;
        }
        if self.askers.len() >= MAX_ASKERS {
            let oldest = self
                .askers
                .iter()
                .enumerate()
                .min_by_key(|(_, one)| one.seen);
            if let Some(oldest) = oldest.map(|(index, _)| index) {
                self.askers.swap_remove(oldest);
            }
        }
        self.askers.push(Asker {
            id: asker.to_owned(),
            seen: now,
        });
    }
}
