//! The value.

use serde::{Deserialize, Serialize};

use crate::approvals::protocol::{
    Ahead, Answer, ClaimView, DecisionKind, DecisionView, Question, State, Tally, View, WhyBack,
};
use crate::sessions::time_text;

/// A VM of a filter that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    /// Its id.
    pub id: String,
    /// When it asked or waited last.
    pub seen: i64,
}

/// One person's decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// Who decided.
    pub reviewer: String,
    /// For whom, if by a delegation.
    pub on_behalf_of: Option<String>,
    /// The groups in which this was.
    pub groups: Vec<String>,
    /// What was decided.
    pub kind: DecisionKind,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub time: i64,
    /// Whether the rules for reviewers were set aside.
    pub break_glass: bool,
}

/// A claim that was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Use {
    /// The claim's id.
    pub claim: String,
    /// What went.
    pub binding: String,
    /// The exchange that went.
    pub exchange: String,
    /// When.
    pub time: i64,
    /// Why it came back, if it did.
    pub given_back: Option<WhyBack>,
}

/// A request of a filter for which a wide grant was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The filter.
    pub filter: String,
    /// The request.
    pub binding: String,
}

/// An approval. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Its id: `apr_` and 32 hex digits.
    pub id: String,
    /// The filter that asked; `None` if a reviewer did, ahead of need.
    pub filter: Option<String>,
    /// The reviewer who asked ahead of need.
    pub requester: Option<String>,
    /// What was asked.
    pub question: Question,
    /// Its state.
    pub state: State,
    /// When it was asked.
    pub created: i64,
    /// When the state ends by itself, or ended. One that is used up can't come back behind it.
    pub expires: i64,
    /// When it was decided.
    pub decided: Option<i64>,
    /// When it was used up.
    pub used: Option<i64>,
    /// Who waits for it.
    pub askers: Vec<Asker>,
    /// Who decided, in order.
    pub decisions: Vec<Decision>,
    /// How many uses are taken.
    pub spent: u64,
    /// The latest of them, and of those that came back.
    pub claims: Vec<Use>,
    /// The latest claims that were given back before they came.
    #[serde(default)]
    pub returned: Vec<String>,
    /// The latest requests for which a wide grant was given out.
    pub covered: Vec<Covered>,
    /// How many uses came back since nothing was answered.
    #[serde(default)]
    pub unanswered: u64,
    /// The filters whose questions have shown that their rule's own reviewers gave what was asked ahead of need.
    #[serde(default)]
    pub vouched_by: Vec<String>,
    /// What it is for beyond one subject, model and length of time.
    #[serde(default)]
    pub ahead: Ahead,
    /// Whose requests a grant for a group doesn't cover, by subject or e-mail address, in lower case.
    #[serde(default)]
    pub apart: Vec<String>,
    /// Whether its calendar was closed when it was looked at last,
    #[serde(default)]
    pub closed: bool,
    /// and when it has to be looked at again, since filters are told.
    #[serde(default)]
    pub turns: Option<i64>,
    /// Until when the answer that it is about is kept, if it is.
    #[serde(default)]
    pub kept: Option<i64>,
}

impl Approval {
    /// Whether a filter may know of it.
    #[must_use]
    pub fn is_for(&self, filter: &str) -> bool {
        self.filter.as_deref().is_none_or(|own| own == filter)
    }

    /// How many people have approved.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let approvals = self.decisions.iter();
        let have = approvals.filter(|one| one.kind == DecisionKind::Approve);
        Tally {
            have: u32::try_from(have.count()).unwrap_or(u32::MAX),
            want: self.question.approvals,
        }
    }

    /// What a filter is told that asked for `binding`.
    #[must_use]
    pub fn answer(&self, binding: &str, now: i64) -> Answer {
        let last = self.decisions.last();
        Answer {
            id: self.id.clone(),
            binding: binding.to_owned(),
            state: self.state,
            reviewer: last.map(|one| one.reviewer.clone()),
            reason: last.and_then(|one| one.reason.clone()),
            approvals: self.tally(),
            grant: self.left(now),
        }
    }

    /// As reviewers see it.
    #[must_use]
    pub fn view(&self, now: i64) -> View {
        let Answer {
            id,
            binding,
            state,
            reviewer,
            reason,
            approvals,
            grant,
        } = self.answer(&self.question.binding, now);
        let decisions = self.decisions.iter().map(|one| DecisionView {
            reviewer: one.reviewer.clone(),
            on_behalf_of: one.on_behalf_of.clone(),
            decision: one.kind,
            reason: one.reason.clone(),
            time: time_text(one.time),
            break_glass: one.break_glass,
        });
        let claims = self.claims.iter().map(|one| ClaimView {
            exchange: one.exchange.clone(),
            time: time_text(one.time),
            given_back: one.given_back,
        });
        View {
            id,
            binding,
            state,
            reviewer,
            reason,
            approvals,
            grant,
            asks_for: self.question.grant,
            ahead: self.ahead.clone(),
            reasons: self.question.reason,
            created: time_text(self.created),
            expires: time_text(self.expires),
            decided: self.decided.map(time_text),
            used: self.used.map(time_text),
            filter: self.filter.clone(),
            requester: self.requester.clone(),
            decisions: decisions.collect(),
            claims: claims.collect(),
            waiting: self.waiting(now),
            matter: self.question.matter.clone(),
            unknown: self.question.unknown.clone(),
        }
    }
}
