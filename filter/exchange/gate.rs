//! The gate: a request waits for a person's decision.

use core::time::Duration;

use super::event::{Call, Effect, Flow, Outcome};
use super::reply::Refusal;
use super::request::{Asked, Seen, hold};
use super::waiting_room::WaitingPlace;
use super::{Exchange, Phase, World};
use crate::approval::{self, Question, State};
use crate::config::approvals::Approvals;
use crate::config::rules::Rule;
use crate::record;

/// A request that the desk has been asked about.
#[derive(Debug)]
pub(super) struct Waiting {
    asked: Box<Asked>,
    /// The call whose answer is awaited.
    call: u64,
    /// When the client is told to come back, since 1970.
    deadline: Duration,
    /// Given back with this.
    _place: WaitingPlace,
}

/// The longest time that the desk is asked to hold one question open; a decision made
/// meanwhile ends it at once.
pub(super) const LONGEST_POLL: Duration = Duration::from_secs(20);

impl Exchange {
    /// Asks the desk whether `asked` may pass the gate of `rule`.
    pub(super) fn ask(
        &mut self,
        asked: Box<Asked>,
        rule: &Rule,
        reviewers: &[String],
        world: World<'_>,
    ) -> Outcome {
        let guard = std::rc::Rc::clone(&self.guard);
        self.record.verdict.rule = Some(rule.name.clone());
        self.record.approval = Some(record::Approval {
            id: None,
            state: "asked",
            rule: rule.name.clone(),
            reviewer: None,
        });
        let (Some(approvals), Some(digest)) = (&guard.policy.approvals, asked.digest.clone())
        else {
            return self.desk_is_away(world);
        };
        let place = match guard.waiting_room.enter(&asked.identity) {
            Ok(place) => place,
            Err(full) => {
                self.not_asked();
                return self.refuse(Refusal::too_many_waiting(full), world);
            }
        };
        let question = Question {
            digest,
            subject: &asked.identity.subject,
            issuer: &asked.identity.issuer,
            provider: &asked.identity.provider,
            groups: &asked.identity.groups,
            operation: asked.operation.name,
            method: &asked.method,
            path: &asked.path.path,
            model: asked
                .facts
                .as_ref()
                .and_then(|facts| facts.model.as_deref()),
            items: asked.facts.as_ref().map_or(1, |facts| facts.items),
            rule: &rule.name,
            reviewers,
            found: &[],
            policy: &guard.policy.digest,
            // The first question is not held open: whether the desk is there is known soon.
            wait: 0,
        };
        let Ok(body) = serde_json::to_vec(&question) else {
            return self.desk_is_away(world);
        };
        let deadline = world.now.saturating_add(approvals.wait);
        let path = approval::ASK_PATH.to_owned();
        let effect = self.call(approvals, "POST", path, body, approvals.timeout);
        self.phase = Phase::Waiting(Box::new(Waiting {
            asked,
            call: self.calls,
            deadline,
            _place: place,
        }));
        Outcome {
            effects: vec![effect],
            flow: Flow::Hold,
        }
    }

    pub(super) fn call_answered(
        &mut self,
        call: u64,
        answer: Option<(u16, &[u8])>,
        world: World<'_>,
    ) -> Outcome {
        if self.asks_about_answer(call) {
            return self.answer_decided(answer, world);
        }
        let waiting = match core::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Waiting(waiting) if waiting.call == call => waiting,
            other => {
                self.phase = other;
                return hold();
            }
        };
        let guard = std::rc::Rc::clone(&self.guard);
        let answer = answer.and_then(|(status, body)| approval::read_answer(status, body));
        let (Some(answer), Some(approvals)) = (answer, &guard.policy.approvals) else {
            return self.desk_is_away(world);
        };
        if let Some(approval) = &mut self.record.approval {
            approval.id = Some(answer.id.clone());
            approval.state = answer.state.name();
            approval.reviewer.clone_from(&answer.reviewer);
        }
        match answer.state {
            State::Approved => self.judge(waiting.asked, Seen::Gone, world),
            State::Denied => {
                let reason = answer.reason.unwrap_or_default();
                let message = format!("A reviewer denied this request ({}). {reason}", answer.id);
                self.refuse(
                    Refusal::forbidden("approval_denied", message.trim_end()),
                    world,
                )
            }
            State::Gone => self.refuse(
                Refusal::forbidden(
                    "approval_gone",
                    format!(
                        "The approval {} was used for another request or has expired.",
                        answer.id
                    ),
                ),
                world,
            ),
            State::Pending => self.wait_on(*waiting, &answer.id, approvals, world),
        }
    }

    /// Notes that the desk could not be asked.
    pub(super) fn not_asked(&mut self) {
        if let Some(approval) = &mut self.record.approval {
            approval.state = "unavailable";
        }
    }

    fn desk_is_away(&mut self, world: World<'_>) -> Outcome {
        self.not_asked();
        self.refuse(Refusal::desk_away(), world)
    }

    fn wait_on(
        &mut self,
        waiting: Waiting,
        id: &str,
        approvals: &Approvals,
        world: World<'_>,
    ) -> Outcome {
        let left = waiting.deadline.saturating_sub(world.now);
        if left.is_zero() {
            return self.refuse(Refusal::undecided(id, approvals), world);
        }
        let poll = left.min(LONGEST_POLL);
        // The desk counts whole seconds; one second more or less is nothing to a person.
        let seconds = poll.as_millis().div_ceil(1000).try_into().unwrap_or(1);
        let effect = self.call(
            approvals,
            "GET",
            approval::wait_path(id, seconds),
            Vec::new(),
            approvals
                .timeout
                .saturating_add(Duration::from_secs(seconds)),
        );
        self.phase = Phase::Waiting(Box::new(Waiting {
            call: self.calls,
            ..waiting
        }));
        Outcome {
            effects: vec![effect],
            flow: Flow::Hold,
        }
    }

    pub(super) fn call(
        &mut self,
        approvals: &Approvals,
        method: &'static str,
        path: String,
        body: Vec<u8>,
        timeout: Duration,
    ) -> Effect {
        self.calls = self.calls.saturating_add(1);
        let mut headers = Vec::new();
        if !body.is_empty() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        if let Some(credential) = &approvals.credential {
            headers.push(("authorization", credential.clone()));
        }
        Effect::Call(Call {
            number: self.calls,
            cluster: approvals.cluster.clone(),
            method,
            path,
            headers,
            body,
            timeout,
        })
    }
}
