//! The gate of answers: a response waits, whole, for a person's decision on what was found in it.
//!
//! Nothing of it goes before that, its head neither. A person sees what is asked for, by whom, and
//! which detectors found something; the answer itself stays here. What was found goes on as it is
//! once it is approved; everything else is masked as ever. An approval is bound to this very answer:
//! the same request may be answered in another way, and needs another one then.

use core::time::Duration;

use super::event::{Effect, Flow, Outcome};
use super::gate::LONGEST_POLL;
use super::reply::Refusal;
use super::request::hold;
use super::waiting_room::WaitingPlace;
use super::{Exchange, Phase, World};
use crate::approval::{self, Question, State};
use crate::config::approvals::Approvals;
use crate::record;

/// The most that is kept of a response, in bytes: Envoy's buffers hold as much, unless told
/// otherwise.
const MOST: usize = 1 << 20;

/// A response of which nothing has gone.
#[derive(Debug, Default)]
pub(super) struct Kept {
    body: Vec<u8>,
    /// The call whose answer is awaited, and when the client is told to come back, since 1970.
    asked: Option<(u64, Duration)>,
    /// Its place among those who wait.
    place: Option<WaitingPlace>,
}

impl Kept {
    /// Keeps more of the body.
    pub(super) fn add(&mut self, more: &[u8]) -> Result<(), &'static str> {
        if self.body.len().saturating_add(more.len()) > MOST {
            return Err("answer_too_large");
        }
        self.body.extend_from_slice(more);
        Ok(())
    }
}

impl Exchange {
    /// The response is whole: it goes on, or a person is asked about it.
    pub(super) fn answer_whole(&mut self, found: &[String], world: World<'_>) -> Outcome {
        let Phase::Passed(masking) = &mut self.phase else {
            return hold();
        };
        let Some(kept) = &mut masking.kept else {
            return hold();
        };
        let body = core::mem::take(&mut kept.body);
        if found.is_empty() {
            masking.kept = None;
            self.record.note_sent(body.len());
            return Outcome {
                effects: vec![Effect::ReplaceResponseBody(body)],
                flow: Flow::Continue,
            };
        }
        self.ask_about_answer(body, found, world)
    }

    fn ask_about_answer(&mut self, body: Vec<u8>, found: &[String], world: World<'_>) -> Outcome {
        let guard = std::rc::Rc::clone(&self.guard);
        let reviewers = self.answer_reviewers();
        let rule = self.record.verdict.rule.clone().unwrap_or_default();
        self.record.approval = Some(record::Approval {
            id: None,
            state: "asked",
            rule: rule.clone(),
            reviewer: None,
        });
        let (Some(approvals), Some(caller)) = (&guard.policy.approvals, self.caller.clone()) else {
            return self.answer_undecidable();
        };
        let place = match guard.waiting_room.enter(&caller) {
            Ok(place) => place,
            Err(full) => {
                self.not_asked();
                return self.refuse_answer(Refusal::too_many_waiting(full));
            }
        };
        let request = &self.record.request;
        let path = request.path.as_deref().unwrap_or_default();
        let question = Question {
            digest: approval::digest_of_answer(&request.method, &request.host, path, &body),
            subject: &caller.subject,
            issuer: &caller.issuer,
            provider: &caller.provider,
            groups: &caller.groups,
            operation: request.operation.unwrap_or_default(),
            method: &request.method,
            path,
            model: request.model.as_deref(),
            items: request.items.unwrap_or(1),
            rule: &rule,
            reviewers: &reviewers,
            found,
            policy: &guard.policy.digest,
            wait: 0,
        };
        let Ok(question) = serde_json::to_vec(&question) else {
            return self.answer_undecidable();
        };
        self.record.note_sent(body.len());
        let deadline = world.now.saturating_add(approvals.wait);
        let path = approval::ASK_PATH.to_owned();
        let call = self.call(approvals, "POST", path, question, approvals.timeout);
        self.answer_awaits(deadline);
        if let Phase::Passed(masking) = &mut self.phase
            && let Some(kept) = &mut masking.kept
        {
            kept.place = Some(place);
        }
        Outcome {
            // It lies in the host's buffer until it goes on.
            effects: vec![Effect::ReplaceResponseBody(body), call],
            flow: Flow::Hold,
        }
    }

    fn answer_reviewers(&self) -> Vec<String> {
        let Phase::Passed(masking) = &self.phase else {
            return Vec::new();
        };
        let plan = masking
            .plan()
            .and_then(|plan| self.guard.policy.masks.get(plan));
        plan.map(|plan| plan.gate.reviewers.clone())
            .unwrap_or_default()
    }

    /// Notes that the last call is about the answer.
    fn answer_awaits(&mut self, deadline: Duration) {
        let call = self.calls;
        if let Phase::Passed(masking) = &mut self.phase
            && let Some(kept) = &mut masking.kept
        {
            kept.asked = Some((call, deadline));
        }
    }

    /// Whether this call is about a response that waits.
    pub(super) fn asks_about_answer(&self, call: u64) -> bool {
        self.answer_deadline()
            .is_some_and(|(asked, _)| asked == call)
    }

    fn answer_deadline(&self) -> Option<(u64, Duration)> {
        match &self.phase {
            Phase::Passed(masking) => masking.kept.as_ref()?.asked,
            _ => None,
        }
    }

    /// Takes what the desk says of a response that waits.
    pub(super) fn answer_decided(
        &mut self,
        answer: Option<(u16, &[u8])>,
        world: World<'_>,
    ) -> Outcome {
        let guard = std::rc::Rc::clone(&self.guard);
        let answer = answer.and_then(|(status, body)| approval::read_answer(status, body));
        let (Some(answer), Some(approvals)) = (answer, &guard.policy.approvals) else {
            return self.answer_undecidable();
        };
        if let Some(approval) = &mut self.record.approval {
            approval.id = Some(answer.id.clone());
            approval.state = answer.state.name();
            approval.reviewer.clone_from(&answer.reviewer);
        }
        match answer.state {
            State::Approved => {
                if let Phase::Passed(masking) = &mut self.phase {
                    masking.kept = None;
                }
                Outcome {
                    effects: Vec::new(),
                    flow: Flow::Continue,
                }
            }
            State::Denied => {
                let reason = answer.reason.unwrap_or_default();
                let message = format!("A reviewer denied this answer ({}). {reason}", answer.id);
                self.refuse_answer(Refusal::forbidden("approval_denied", message.trim_end()))
            }
            State::Gone => self.refuse_answer(Refusal::forbidden(
                "approval_gone",
                format!("The approval {} was used or has expired.", answer.id),
            )),
            State::Pending => self.answer_waits_on(&answer.id, approvals, world),
        }
    }

    fn answer_waits_on(&mut self, id: &str, approvals: &Approvals, world: World<'_>) -> Outcome {
        let deadline = self.answer_deadline().map_or(world.now, |(_, until)| until);
        let left = deadline.saturating_sub(world.now);
        if left.is_zero() {
            return self.refuse_answer(Refusal::undecided(id, approvals));
        }
        let poll = left.min(LONGEST_POLL);
        let seconds = poll.as_millis().div_ceil(1000).try_into().unwrap_or(1);
        let path = approval::wait_path(id, seconds);
        let timeout = approvals
            .timeout
            .saturating_add(Duration::from_secs(seconds));
        let call = self.call(approvals, "GET", path, Vec::new(), timeout);
        self.answer_awaits(deadline);
        Outcome {
            effects: vec![call],
            flow: Flow::Hold,
        }
    }

    fn answer_undecidable(&mut self) -> Outcome {
        self.not_asked();
        self.refuse_answer(Refusal::desk_away())
    }

    /// The response that waits is refused.
    fn refuse_answer(&mut self, refusal: Refusal) -> Outcome {
        if let Phase::Passed(masking) = &self.phase {
            masking.count(&self.guard, &mut self.record);
        }
        self.phase = Phase::Over;
        self.record.response.bytes_sent = 0;
        self.record.response.code = Some(refusal.code);
        Outcome {
            effects: vec![
                Effect::ReplaceResponseBody(Vec::new()),
                Effect::Reply(refusal.into_reply(self.dialect)),
            ],
            flow: Flow::Hold,
        }
    }
}
