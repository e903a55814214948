//! From what the request asks for to a verdict.

use std::rc::Rc;

use super::event::{Flow, Outcome};
use super::masked_request::{Carriage, Sent, unmaskable};
use super::reply::Refusal;
use super::response::Masking;
use super::{Exchange, Phase, World};
use crate::config::quotas::{Dimension, Measure, Quota};
use crate::config::rules::Then;
use crate::identity::Identity;
use crate::operation::{self, Facts, FactsError, Operation, Path, Shape};
use crate::quota::{self, Charge, ChargeError};
use crate::rules::{self, Body, Caller, Decision, PromptSearch, Prompts};

/// What a request asks for, and who asks.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) identity: Rc<Identity>,
    pub(super) operation: Operation,
    pub(super) method: String,
    pub(super) host: String,
    pub(super) path: Path,
    /// What the body says; `None` until it has been read.
    pub(super) facts: Option<Facts>,
    /// What its texts fit, once it has been read.
    pub(super) prompts: Prompts,
    /// The digest that an approval is bound to, once the body has been read.
    pub(super) digest: Option<String>,
    /// Whether this version can read such a body, and if not, why.
    pub(super) readable: Result<(), Refusal>,
    /// How the body carries text.
    pub(super) carriage: Carriage,
    /// Whether nobody but a mask wants the body.
    pub(super) only_masked: bool,
    /// The first rule that has not been tried.
    pub(super) next_rule: usize,
}

/// What is there of the body when rules are tried.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seen<'a> {
    /// It is not whole yet.
    Coming,
    /// All of it.
    Here(&'a [u8]),
    /// It has been looked at, and is held by the host.
    Gone,
}

/// What rules look at of an identity.
#[must_use]
pub fn caller(identity: &Identity) -> Caller<'_> {
    Caller {
        provider: &identity.provider,
        subject: &identity.subject,
        groups: &identity.groups,
        client: identity.client.as_deref(),
        kind: identity.kind,
        claims: &identity.claims,
    }
}

impl Exchange {
    pub(super) fn request_grows(&mut self, bytes: usize, world: World<'_>) -> Outcome {
        let limit = self.guard.policy.limits.request_body;
        match &self.phase {
            Phase::Verifying(_) | Phase::Reading(_) if over(bytes, limit) => {
                self.refuse(Refusal::too_large(limit), world)
            }
            Phase::Verifying(_) | Phase::Reading(_) | Phase::Waiting(_) | Phase::Over => hold(),
            Phase::New => self.refuse(out_of_order(), world),
            Phase::Passed(_) => Outcome::go_on(),
        }
    }

    pub(super) fn request_whole(&mut self, body: &[u8], world: World<'_>) -> Outcome {
        let grown = self.request_grows(body.len(), world);
        let Phase::Reading(mut asked) = core::mem::replace(&mut self.phase, Phase::Over) else {
            return grown;
        };
        if asked.only_masked {
            self.record.request.bytes = u64::try_from(body.len()).ok();
            return self.judge(asked, Seen::Here(body), world);
        }
        match self.take_body(&mut asked, body) {
            Err(refusal) => self.refuse(refusal, world),
            Ok(()) => self.judge(asked, Seen::Here(body), world),
        }
    }

    pub(super) fn take_body(&mut self, asked: &mut Asked, body: &[u8]) -> Result<(), Refusal> {
        let nothing = body.is_empty() && asked.operation.body == Shape::Texts;
        let shape = if nothing {
            Shape::Opaque
        } else {
            asked.operation.body
        };
        let policy = &self.guard.policy;
        let mut search = PromptSearch::new(&policy.rules, &policy.patterns, asked.next_rule);
        let taken = operation::take(shape, body, &mut |text| search.look(text));
        let mut facts = taken.map_err(|error| match error {
            FactsError::Malformed(message) => Refusal::new(400, "body_malformed", message),
            FactsError::NotReadable(message) => not_readable(message),
        })?;
        asked.prompts = search.end();
        // Where path and body both name a model, a server may serve either.
        if let (Some(path), Some(body)) = (&asked.operation.model, &facts.model)
            && path != body
        {
            return Err(Refusal::new(
                400,
                "body_malformed",
                "The path and the body name different models.",
            ));
        }
        facts.model = facts.model.or_else(|| asked.operation.model.clone());
        // Only a policy that can ask a person has a use for it.
        if self.guard.policy.approvals.is_some() {
            asked.digest = Some(crate::approval::digest(
                &asked.method,
                &asked.host,
                &asked.path.to_header(),
                body,
            ));
        }
        let request = &mut self.record.request;
        request.model = facts.model.as_deref().map(shown);
        request.items = Some(facts.items);
        request.bytes = u64::try_from(body.len()).ok();
        asked.facts = Some(facts);
        Ok(())
    }

    /// Tries the rules from the first that has not been tried.
    pub(super) fn judge(
        &mut self,
        mut asked: Box<Asked>,
        seen: Seen<'_>,
        world: World<'_>,
    ) -> Outcome {
        let guard = Rc::clone(&self.guard);
        let policy = &guard.policy;
        let decision = rules::decide(
            &policy.rules,
            asked.next_rule,
            &rules::Request {
                caller: caller(&asked.identity),
                method: &asked.method,
                host: &asked.host,
                path: &asked.path.path,
                operation: asked.operation.name,
                body: asked.facts.as_ref().map(|facts| Body {
                    model: facts.model.as_deref(),
                    items: facts.items,
                    prompts: &asked.prompts,
                }),
            },
        );
        let index = match decision {
            Decision::NeedsBody => return self.read_body(asked, seen, world),
            Decision::Deny(index) => {
                let rule = index.and_then(|index| policy.rules.get(index));
                self.record.verdict.rule = rule.map(|rule| rule.name.clone());
                let message = rule.and_then(|rule| rule.message.as_deref());
                return self.refuse(Refusal::denied(message), world);
            }
            Decision::Approve(index) | Decision::Allow(index) => index,
        };
        let Some(rule) = policy.rules.get(index) else {
            return self.refuse(Refusal::denied(None), world);
        };
        match &rule.then {
            Then::Approve { reviewers } => {
                if asked.digest.is_none() {
                    return self.read_body(asked, seen, world);
                }
                asked.next_rule = index.saturating_add(1);
                self.ask(asked, rule, reviewers, world)
            }
            Then::Allow {
                quotas,
                mask,
                request,
            } => {
                let quotas: Vec<&Quota> = quotas
                    .iter()
                    .filter_map(|index| policy.quotas.get(*index))
                    .collect();
                if asked.facts.is_none() && quotas.iter().any(|quota| counts_the_body(quota)) {
                    return self.read_body(asked, seen, world);
                }
                let request = request.filter(|mask| guard.reads(*mask, &asked.carriage, seen));
                let body = match seen {
                    Seen::Here(body) => body,
                    Seen::Coming | Seen::Gone if request.is_some() => {
                        asked.next_rule = index;
                        return self.read_to_mask(asked, seen, world);
                    }
                    Seen::Coming | Seen::Gone => b"",
                };
                self.record.verdict.rule = Some(rule.name.clone());
                if let Err(refusal) = self.charge(&quotas, &asked, world) {
                    return self.refuse(refusal, world);
                }
                let masked = request.map_or_else(
                    || Ok(Sent::default()),
                    |mask| self.mask_request(&guard, mask, &asked.carriage, body),
                );
                let sent = match masked {
                    Ok(sent) => sent,
                    Err(refusal) => return self.refuse(refusal, world),
                };
                self.record.verdict.action = "allow";
                self.record.timing.verdict = Some(self.elapsed(world));
                self.phase = Phase::Passed(
                    Masking::planned(*mask, asked.operation.body)
                        .restoring(sent.originals.unwrap_or_default()),
                );
                Outcome {
                    effects: sent.effects,
                    flow: Flow::Continue,
                }
            }
            Then::Deny => self.refuse(Refusal::denied(rule.message.as_deref()), world),
        }
    }

    /// Asks for the whole body, to mask it: the first time, or once more after a person was asked,
    /// since nobody but the host keeps it.
    fn read_to_mask(&mut self, mut asked: Box<Asked>, seen: Seen<'_>, world: World<'_>) -> Outcome {
        if !asked.carriage.is_readable() {
            return self.refuse(unmaskable(), world);
        }
        if !world.bodies_come && matches!(seen, Seen::Coming) {
            return self.refuse(Refusal::no_bodies(), world);
        }
        asked.only_masked = true;
        self.phase = Phase::Reading(asked);
        hold()
    }

    fn read_body(&mut self, asked: Box<Asked>, seen: Seen<'_>, world: World<'_>) -> Outcome {
        if let Err(refusal) = &asked.readable {
            let refusal = refusal.clone();
            return self.refuse(refusal, world);
        }
        if !matches!(seen, Seen::Coming) {
            return self.refuse(out_of_order(), world);
        }
        if !world.bodies_come {
            return self.refuse(Refusal::no_bodies(), world);
        }
        self.phase = Phase::Reading(asked);
        hold()
    }

    fn charge(
        &mut self,
        quotas: &[&Quota],
        asked: &Asked,
        world: World<'_>,
    ) -> Result<(), Refusal> {
        let mut charged: Vec<(&Quota, Vec<&str>, u64)> = Vec::new();
        for quota in quotas {
            let key = key(quota, asked);
            let amount = match quota.count {
                Measure::Requests => 1,
                Measure::Items => asked.facts.as_ref().map_or(1, |facts| facts.items),
            };
            match quota::charge(world.store, &charge_of(quota, &key, amount), world.now) {
                Ok(()) => charged.push((quota, key, amount)),
                Err(error) => {
                    for (quota, key, amount) in &charged {
                        // What can't be given back stays taken until the window ends.
                        let _ =
                            quota::refund(world.store, &charge_of(quota, key, *amount), world.now);
                    }
                    return Err(match error {
                        ChargeError::Over { retry_after } => {
                            Refusal::over_quota(&quota.name, retry_after)
                        }
                        ChargeError::Never => Refusal::more_than_quota(&quota.name),
                        ChargeError::Unavailable => Refusal::quota_unavailable(),
                    });
                }
            }
        }
        self.record.verdict.quotas = charged
            .iter()
            .map(|(quota, ..)| quota.name.clone())
            .collect();
        Ok(())
    }
}

/// A model's name as records hold it: a caller chose its length.
pub(super) fn shown(model: &str) -> String {
    model.chars().take(256).collect()
}

pub(super) fn hold() -> Outcome {
    Outcome {
        effects: Vec::new(),
        flow: Flow::Hold,
    }
}

/// Events in an order that no host should produce.
pub(super) fn out_of_order() -> Refusal {
    Refusal::new(500, "out_of_order", "The request can't be judged.")
}

pub(super) fn not_readable(message: &str) -> Refusal {
    Refusal::new(415, "body_not_readable", message)
}

pub(super) fn over(bytes: usize, limit: u64) -> bool {
    u64::try_from(bytes).map_or(true, |bytes| bytes > limit)
}

fn counts_the_body(quota: &Quota) -> bool {
    quota.count == Measure::Items || quota.by.contains(&Dimension::Model)
}

fn key<'a>(quota: &'a Quota, asked: &'a Asked) -> Vec<&'a str> {
    let mut key = Vec::new();
    for dimension in &quota.by {
        // A name before the values keeps lists of different lengths apart.
        match dimension {
            Dimension::Subject => key.extend([
                "subject",
                asked.identity.provider.as_str(),
                asked.identity.subject.as_str(),
            ]),
            Dimension::Provider => key.extend(["provider", asked.identity.provider.as_str()]),
            Dimension::Model => {
                key.push("model");
                key.extend(
                    asked
                        .facts
                        .as_ref()
                        .and_then(|facts| facts.model.as_deref()),
                );
            }
            Dimension::Operation => key.extend(["operation", asked.operation.name]),
            Dimension::Claim(name) => {
                key.extend(["claim", name.as_str()]);
                let values = asked.identity.claims.get(name);
                key.extend(values.into_iter().flatten().map(String::as_str));
            }
        }
    }
    key
}

fn charge_of<'a>(quota: &'a Quota, key: &'a [&'a str], amount: u64) -> Charge<'a> {
    Charge {
        quota: &quota.name,
        key,
        amount,
        limit: quota.limit,
        per: quota.per,
    }
}
