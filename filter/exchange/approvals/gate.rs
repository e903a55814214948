//! Where an exchange is stopped, and what a person is asked there.

use base::operation::{UNKNOWN, changes};
use core::time::Duration;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::shown::{Shown, shown_query};
use crate::approval::{self, Binding, Body, Escalate, Grant, Question, Subject, Trouble};
use crate::exchange::asked::{Asked, BodyDigest};
use crate::exchange::context::Context;
use crate::exchange::reply::Refusal;
use crate::exchange::waiting_room::WaitingPlace;
use crate::exchange::world::World;
use crate::record;
use crate::rules::{self, GiveBack, Rule};

/// What a person is asked, on behalf of whoever asks the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// What is asked about.
    pub about: Subject,
    /// Its number within the exchange.
    pub number: u64,
    /// What an approval is bound to, in hex: the same question has the same one.
    pub binding: String,
    /// Whether it is the name of an answer that may be kept, whose approval is looked for and waited for.
    pub finds: bool,
    /// Who waits, where nobody else has asked yet.
    pub asker: String,
    /// The question as the service takes it, if nobody else has asked yet.
    pub question: Rc<[u8]>,
    /// When the client is told to come back, since 1970.
    pub deadline: Duration,
}

/// What stops an exchange.
pub(in crate::exchange) struct Stop<'a> {
    pub(in crate::exchange) rule: &'a Rule,
    pub(in crate::exchange) reviewers: &'a [String],
    /// What the rule says of approvals, where it is one that asks.
    pub(in crate::exchange) terms: Option<&'a rules::Gate>,
    /// Detectors that found something in the answer.
    pub(in crate::exchange) found: &'a [String],
    /// The answer, if that is what waits.
    pub(in crate::exchange) answer: Option<&'a BodyDigest>,
    /// Its beginning as a reviewer sees it.
    pub(in crate::exchange) shown: Option<&'a Shown>,
    /// For how long the question is open where the rule says nothing.
    pub(in crate::exchange) open: Duration,
}

impl Stop<'_> {
    fn about_answer(&self) -> bool {
        self.answer.is_some()
    }
}

/// A gate that an exchange has come to.
#[derive(Debug)]
pub(in crate::exchange) struct Gate {
    /// Its number within the exchange.
    pub(super) number: u64,
    pub(super) about: Subject,
    pub(super) binding: String,
    pub(super) question: Rc<[u8]>,
    pub(super) asker: String,
    pub(super) deadline: Duration,
    /// The digest of the answer that waits.
    pub(super) digest: Option<String>,
    /// Whether a claim comes back when the model server fails.
    pub(super) returns: bool,
    /// Whether somebody else took the approval, so that it was asked for once more.
    pub(super) anew: bool,
    /// The approval's id, once there is one.
    pub(super) id: String,
}

/// How long a question stays open where nothing is said.
pub(in crate::exchange) const OPEN: Duration = Duration::from_secs(24 * 60 * 60);

/// Takes a place of the caller's to wait in.
pub(in crate::exchange) fn enter(
    gate: &Gate,
    asked: &Asked,
    context: &mut Context,
) -> Result<WaitingPlace, Refusal> {
    let entered = context.compiled.waiting_room.enter(&asked.identity);
    entered.map_err(|full| unavailable(gate.number, context, Refusal::too_many_waiting(full)))
}

/// The same, before anybody is asked.
pub(in crate::exchange) fn enter_to_look(
    asked: &Asked,
    context: &Context,
) -> Result<WaitingPlace, Refusal> {
    let entered = context.compiled.waiting_room.enter(&asked.identity);
    entered.map_err(Refusal::too_many_waiting)
}

/// Notes that nobody could be asked at the gate with this number.
pub(super) fn unavailable(gate: u64, context: &mut Context, refusal: Refusal) -> Refusal {
    if let Some(approval) = context.record.approval_of(gate) {
        approval.state = "unavailable";
    }
    refusal
}

impl Gate {
    /// The gate at which this stops an exchange.
    pub(in crate::exchange) fn new(
        stop: &Stop<'_>,
        asked: &Asked,
        context: &mut Context,
        world: World<'_>,
    ) -> Result<Self, Refusal> {
        let compiled = Rc::clone(&context.compiled);
        let number = context.number_call();
        context.record.note_approval(record::Approval {
            gate: number,
            state: "asked",
            rule: stop.rule.name.clone(),
            ..record::Approval::default()
        });
        // Ids of zeros are what is left where the host has no random numbers: a claim with such an id
        // could be taken for another's.
        let named = context.record.id.bytes().any(|byte| byte != b'0');
        let Some(approvals) = compiled.policy.approvals.as_ref().filter(|_| named) else {
            let refusal = Refusal::not_asked(Trouble::NoAnswer);
            return Err(unavailable(number, context, refusal));
        };
        let about = match stop.answer {
            None => Subject::Request,
            Some(_) => Subject::Answer,
        };
        let operation = asked.operation_name().unwrap_or(UNKNOWN);
        let binding = binding(stop, about, asked, context);
        let asker = approval::name("asker", &context.record.id, number);
        let question = question(stop, (about, &binding, &asker), asked, context);
        let question = serde_json::to_vec(&question)
            .map_err(|_| unavailable(number, context, Refusal::not_asked(Trouble::Refused)))?;
        let returns = match stop.terms.map(|terms| terms.give_back) {
            None | Some(Some(GiveBack::Never)) => false,
            Some(Some(GiveBack::OnFailure)) => true,
            Some(None) => !changes(operation),
        };
        Ok(Self {
            number,
            about,
            binding,
            question: question.into(),
            asker,
            deadline: world.now.saturating_add(approvals.wait),
            digest: stop.answer.map(|answer| answer.digest.clone()),
            returns,
            anew: false,
            id: String::new(),
        })
    }
}

fn model(asked: &Asked) -> Option<&str> {
    let facts = asked.facts.as_ref();
    let of_body = facts.and_then(|facts| facts.model.name());
    of_body.or(asked.operation.model.name())
}

/// What other models it names: the server may take one of them.
fn others(asked: &Asked) -> &[String] {
    asked.facts.as_ref().map_or(&[], |facts| &facts.others)
}

fn binding(stop: &Stop<'_>, about: Subject, asked: &Asked, context: &Context) -> String {
    approval::bind(&Binding {
        issuer: &asked.identity.issuer,
        subject: &asked.identity.subject,
        route: context.came.route.as_deref(),
        cluster: context.came.cluster.as_deref(),
        operation: asked.operation_name().unwrap_or(UNKNOWN),
        model: model(asked),
        others: others(asked),
        method: &asked.method,
        host: &asked.host,
        path: &asked.path.to_header(),
        headers: &asked.bound,
        body: asked.body.as_ref().map(|body| body.digest.as_str()),
        rule: &stop.rule.name,
        rule_digest: &stop.rule.digest,
        about,
        answer: stop.answer.map(|answer| answer.digest.as_str()),
    })
}

fn question<'a>(
    stop: &Stop<'a>,
    (about, binding, asker): (Subject, &'a str, &'a str),
    asked: &'a Asked,
    context: &'a Context,
) -> Question<'a> {
    let identity = &asked.identity;
    let shown = match stop.about_answer() {
        true => stop.shown,
        false => asked.shown.as_ref(),
    };
    let terms = stop.terms;
    let needs_reason = terms.is_some_and(|terms| terms.needs_reason);
    let grant = terms.and_then(|terms| terms.grant);
    let escalate = terms.and_then(|terms| terms.escalate.as_ref());
    let mut headers: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in &asked.bound {
        let all = headers.entry(name).or_default();
        if !all.is_empty() {
            all.push_str(", ");
        }
        all.push_str(&String::from_utf8_lossy(value));
    }
    Question {
        version: 2,
        binding,
        about,
        asker,
        exchange: &context.record.id,
        subject: &identity.subject,
        issuer: &identity.issuer,
        provider: &identity.provider,
        groups: &identity.groups,
        email: identity.email.as_deref(),
        operation: asked.operation_name().unwrap_or(UNKNOWN),
        method: &asked.method,
        host: &asked.host,
        path: &asked.path.path,
        query: asked
            .path
            .query
            .as_deref()
            .map(|query| shown_query(query, &context.compiled)),
        model: model(asked),
        other_models: others(asked),
        items: asked.facts.as_ref().map_or(Some(1), |facts| facts.items),
        route: context.came.route.as_deref(),
        cluster: context.came.cluster.as_deref(),
        headers,
        body: stop.answer.or(asked.body.as_ref()).map(|body| Body {
            digest: &body.digest,
            bytes: body.bytes,
            text: shown.map(|shown| shown.text.as_str()),
            cut: shown.is_some_and(|shown| shown.cut),
        }),
        client: context.came.client.as_deref(),
        rule: &stop.rule.name,
        rule_digest: &stop.rule.digest,
        reviewers: stop.reviewers,
        approvals: terms.map_or(1, |terms| terms.approvals),
        reason: if needs_reason { "required" } else { "optional" },
        expires: terms.map_or(stop.open, |terms| terms.expires).as_secs(),
        escalate: escalate.map(|escalate| Escalate {
            after: escalate.after.as_secs(),
            reviewers: &escalate.reviewers,
        }),
        grant: grant.map(|grant| Grant {
            lasts: grant.lasts.as_secs(),
            uses: grant.uses,
        }),
        found: stop.found,
        policy: &context.compiled.policy.digest,
    }
}
