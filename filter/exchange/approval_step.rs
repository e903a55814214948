//! A question to the desk, from the first call to a decision: one protocol for a request that waits
//! and for an answer that does.

use base::operation::UNKNOWN;
use base::time::rfc3339;
use core::time::Duration;
use std::rc::Rc;

use super::asked::Asked;
use super::context::Context;
use super::effect::{Call, Effect};
use super::event::Purpose;
use super::reply::Refusal;
use super::waiting_room::WaitingPlace;
use super::world::World;
use crate::approval::Approvals;
use crate::approval::{self, Question, State, Subject};
use crate::call::{Answer, Message};
use crate::record;

/// The longest time that the desk is asked to hold one question open; a decision made meanwhile
/// ends it at once.
const MAX_POLL: Duration = Duration::from_secs(20);

/// The desk's answers are small; larger ones are rejected.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// What the desk is asked.
pub(super) struct Ask<'a> {
    pub(super) subject: Subject,
    /// What the approval is bound to.
    pub(super) digest: String,
    pub(super) rule: &'a str,
    pub(super) reviewers: &'a [String],
    /// Detectors that found something in the answer.
    pub(super) found: &'a [String],
}

/// A question that has no decision yet.
#[derive(Debug)]
pub(super) struct ApprovalStep {
    subject: Subject,
    /// The call whose answer is awaited.
    call: u64,
    /// When the client is told to come back, since 1970.
    deadline: Duration,
    /// Given back with this.
    _place: WaitingPlace,
}

/// What an answer of the desk comes to.
pub(super) enum Answered {
    /// Nobody has decided: the desk is called once more.
    Open(ApprovalStep, Effect),
    Approved,
    Refused(Refusal),
}

impl ApprovalStep {
    /// Asks the desk.
    pub(super) fn ask(
        ask: Ask<'_>,
        asked: &Asked,
        context: &mut Context,
        world: World<'_>,
    ) -> Result<(Self, Effect), Refusal> {
        let compiled = Rc::clone(&context.compiled);
        context.record.approval = Some(record::Approval {
            state: "asked",
            rule: ask.rule.to_owned(),
            ..record::Approval::default()
        });
        let Some(approvals) = &compiled.policy.approvals else {
            return Err(unavailable(context, Refusal::desk_away()));
        };
        let place = compiled
            .waiting_room
            .enter(&asked.identity)
            .map_err(|full| unavailable(context, Refusal::too_many_waiting(full)))?;
        let question = Question {
            digest: ask.digest,
            subject: &asked.identity.subject,
            issuer: &asked.identity.issuer,
            provider: &asked.identity.provider,
            groups: &asked.identity.groups,
            operation: asked.operation_name().unwrap_or(UNKNOWN),
            method: &asked.method,
            path: &asked.path.path,
            model: asked
                .facts
                .as_ref()
                .and_then(|facts| facts.model.name())
                .or(asked.operation.model.name()),
            items: asked.facts.as_ref().map_or(Some(1), |facts| facts.items),
            rule: ask.rule,
            reviewers: ask.reviewers,
            found: ask.found,
            policy: &compiled.policy.digest,
            // The first question is not held open: whether the desk is there is known soon.
            wait: 0,
        };
        let body = serde_json::to_vec(&question)
            .map_err(|_| unavailable(context, Refusal::desk_away()))?;
        let call = context.number_call();
        let step = Self {
            subject: ask.subject,
            call,
            deadline: world.now.saturating_add(approvals.wait),
            _place: place,
        };
        let path = approval::ASK_PATH.to_owned();
        let effect = call_desk(
            approvals,
            (purpose(step.subject), call),
            ("POST", path),
            body,
            approvals.timeout,
        );
        Ok((step, effect))
    }

    /// Whether this call's answer is awaited.
    pub(super) fn awaits(&self, call: u64) -> bool {
        self.call == call
    }

    /// Takes what the desk says.
    pub(super) fn answered(
        self,
        answer: Answer<'_>,
        context: &mut Context,
        world: World<'_>,
    ) -> Answered {
        let compiled = Rc::clone(&context.compiled);
        let answer = answer
            .http()
            .and_then(|(status, body)| approval::read_answer(status, body));
        let (Some(answer), Some(approvals)) = (answer, &compiled.policy.approvals) else {
            return Answered::Refused(unavailable(context, Refusal::desk_away()));
        };
        if let Some(approval) = &mut context.record.approval {
            approval.id = Some(answer.id.clone());
            approval.state = answer.state.name();
            approval.reviewer.clone_from(&answer.reviewer);
            approval.reason.clone_from(&answer.reason);
            let open = answer.state == State::Pending;
            approval.decided = (!open).then(|| rfc3339(world.now));
        }
        match answer.state {
            State::Approved => Answered::Approved,
            State::Denied => Answered::Refused(Refusal::approval_denied(self.subject, &answer)),
            State::Gone => Answered::Refused(Refusal::approval_gone(self.subject, &answer.id)),
            State::Pending => self.wait_on(&answer.id, approvals, context, world),
        }
    }

    fn wait_on(
        self,
        id: &str,
        approvals: &Approvals,
        context: &mut Context,
        world: World<'_>,
    ) -> Answered {
        let left = self.deadline.saturating_sub(world.now);
        if left.is_zero() {
            return Answered::Refused(Refusal::undecided(id, approvals));
        }
        // The desk counts whole seconds; one second more or less is nothing to a person.
        let seconds = left.min(MAX_POLL).as_millis().div_ceil(1000);
        let seconds = seconds.try_into().unwrap_or(1);
        let call = context.number_call();
        let effect = call_desk(
            approvals,
            (purpose(self.subject), call),
            ("GET", approval::wait_path(id, seconds)),
            Vec::new(),
            approvals
                .timeout
                .saturating_add(Duration::from_secs(seconds)),
        );
        Answered::Open(Self { call, ..self }, effect)
    }
}

fn purpose(subject: Subject) -> Purpose {
    match subject {
        Subject::Request => Purpose::RequestApproval,
        Subject::Answer => Purpose::AnswerApproval,
    }
}

/// Notes that the desk could not be asked.
fn unavailable(context: &mut Context, refusal: Refusal) -> Refusal {
    if let Some(approval) = &mut context.record.approval {
        approval.state = "unavailable";
    }
    refusal
}

fn call_desk(
    approvals: &Approvals,
    (purpose, number): (Purpose, u64),
    (method, path): (&'static str, String),
    body: Vec<u8>,
    timeout: Duration,
) -> Effect {
    let mut headers = Vec::new();
    if !body.is_empty() {
        headers.push(("content-type", "application/json".to_owned()));
    }
    if let Some(credential) = &approvals.credential {
        headers.push(("authorization", credential.clone()));
    }
    Effect::Call(Box::new(Call {
        purpose,
        number,
        cluster: approvals.cluster.clone(),
        authority: None,
        message: Message::Http {
            method,
            scheme: None,
            path,
            headers,
            body,
        },
        timeout,
        max_answer_bytes: MAX_ANSWER_BYTES,
    }))
}
