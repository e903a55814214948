//! An answer that is kept, from the same request asked once more to when it may go.
//!
//! The service is asked for it by its name, and says how it stands with its approval; one that is pending is waited
//! for as a question is. Once it is approved it is fetched and opened, and then claimed: of two who ask for it, one
//! gets it, and nothing is used up for what can't be opened.

use core::time::Duration;
use std::rc::Rc;

use super::gate::{Ask, unavailable};
use super::step::note;
use crate::approval::{
    self, Claim, Decision, KeptAnswer, MAX_FETCHED_BYTES, State, Subject, Trouble,
};
use crate::call::{self, Answer};
use crate::exchange::buffers::Share;
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::event::Purpose;
use crate::exchange::reply::Refusal;
use crate::exchange::waiting_room::WaitingPlace;
use crate::exchange::world::World;
use crate::record;

/// How much memory a byte of an answer takes while it is fetched: in base64, sealed, and opened.
const FETCHED_FACTOR: usize = 4;

/// A search for a kept answer.
#[derive(Debug)]
pub(in crate::exchange) struct Finding {
    name: String,
    /// Its number in the record.
    gate: u64,
    /// The rule that held it.
    rule: String,
    /// Whether there is one for certain, so that there must not be another answer.
    certain: bool,
    /// Whether its approval is noted in the record.
    noted: bool,
    doing: Doing,
    /// For what is fetched.
    share: Share,
    _place: WaitingPlace,
}

#[derive(Debug)]
enum Doing {
    Nothing,
    Asks(u64),
    Fetches(u64, approval::Answer),
    Claims(Box<Claims>),
}

#[derive(Debug)]
struct Claims {
    call: u64,
    found: approval::Answer,
    answer: KeptAnswer,
    claim: String,
    /// Whether it is sent for the second time.
    again: bool,
}

/// What comes of an event.
pub(in crate::exchange) enum Found {
    /// There is more to do.
    Open(Box<Finding>, Vec<Effect>),
    /// There is none: the request goes on as if there had never been one.
    Nothing,
    /// It may go.
    Answer(Box<KeptAnswer>),
    Refused(Refusal, Vec<Effect>),
}

impl Finding {
    /// Looks for an answer by its name.
    pub(in crate::exchange) fn begin(
        (name, rule): (&str, &str),
        certain: bool,
        place: WaitingPlace,
        context: &mut Context,
        world: World<'_>,
    ) -> (Box<Self>, Effect) {
        let number = context.number_call();
        let asker = approval::name("asker", &context.record.id, number);
        let approvals = context.compiled.policy.approvals.as_ref();
        let wait = approvals.map_or(Duration::ZERO, |approvals| approvals.wait);
        let ask = Ask {
            about: Subject::Request,
            number,
            binding: name.to_owned(),
            finds: true,
            question: approval::find(name, &asker).into(),
            asker,
            deadline: world.now.saturating_add(wait),
        };
        let this = Self {
            name: name.to_owned(),
            gate: number,
            rule: rule.to_owned(),
            certain,
            noted: false,
            doing: Doing::Asks(number),
            share: context.compiled.buffers.share(),
            _place: place,
        };
        (Box::new(this), Effect::Ask(Box::new(ask)))
    }

    /// Whether this call or question is awaited.
    pub(in crate::exchange) fn awaits(&self, number: u64) -> bool {
        match &self.doing {
            Doing::Nothing => false,
            Doing::Asks(one) | Doing::Fetches(one, _) => *one == number,
            Doing::Claims(claims) => claims.call == number,
        }
    }

    /// Takes what is said of it.
    pub(in crate::exchange) fn decided(
        mut self: Box<Self>,
        decision: &Decision,
        context: &mut Context,
        world: World<'_>,
    ) -> Found {
        let answer = match decision {
            Decision::Nothing => return self.nothing(context),
            Decision::Late(id) => return refuse(Refusal::undecided(id)),
            // Where there may be none, the request goes on.
            Decision::Trouble(_) if !self.certain => return Found::Nothing,
            Decision::Trouble(trouble) => {
                return refuse(unavailable(
                    self.gate,
                    context,
                    Refusal::not_asked(*trouble),
                ));
            }
            Decision::Answer(answer) => answer,
        };
        if answer.state == State::Gone {
            return self.nothing(context);
        }
        self.certain = true;
        if !core::mem::replace(&mut self.noted, true) {
            context.record.note_approval(record::Approval {
                gate: self.gate,
                rule: self.rule.clone(),
                ..record::Approval::default()
            });
        }
        note(self.gate, answer, context, world);
        match answer.state {
            State::Denied => refuse(Refusal::approval_denied(Subject::Answer, answer)),
            State::Approved => self.fetch(answer.clone(), context),
            State::Pending | State::Gone => Found::Open(self, Vec::new()),
        }
    }

    /// There is none, or none any more.
    fn nothing(&self, context: &mut Context) -> Found {
        if self.noted {
            let gate = self.gate;
            context.record.approvals.retain(|one| one.gate != gate);
        }
        Found::Nothing
    }

    fn fetch(mut self: Box<Self>, found: approval::Answer, context: &mut Context) -> Found {
        let compiled = Rc::clone(&context.compiled);
        let approvals = compiled.policy.approvals.as_ref();
        let Some((approvals, answers)) =
            approvals.and_then(|one| Some((one, one.answers.as_ref()?)))
        else {
            return refuse(Refusal::not_asked(Trouble::NoAnswer));
        };
        let most = answers.max_bytes.saturating_mul(FETCHED_FACTOR);
        if self.share.resize(most).is_err() {
            return refuse(Refusal::buffers_full());
        }
        let number = context.number_call();
        let call = call::Call {
            max_answer_bytes: MAX_FETCHED_BYTES,
            ..approvals.call(
                Purpose::KeptAnswer,
                number,
                approval::fetch(&found.id),
                Duration::ZERO,
            )
        };
        self.doing = Doing::Fetches(number, found);
        Found::Open(self, vec![Effect::Call(Box::new(call))])
    }

    /// Takes what came of a call.
    pub(in crate::exchange) fn answered(
        mut self: Box<Self>,
        answer: Answer<'_>,
        context: &mut Context,
    ) -> Found {
        match core::mem::replace(&mut self.doing, Doing::Nothing) {
            Doing::Fetches(_, found) => self.fetched(answer, found, context),
            Doing::Claims(claims) => self.claimed(answer, claims, context),
            doing => {
                self.doing = doing;
                Found::Open(self, Vec::new())
            }
        }
    }

    fn fetched(
        self: Box<Self>,
        answer: Answer<'_>,
        found: approval::Answer,
        context: &mut Context,
    ) -> Found {
        let sealed = match approval::read_sealed(answer, &found.id) {
            Ok(Some(sealed)) => sealed,
            // It is too late for it, or another was faster.
            Ok(None) => return self.nothing(context),
            Err(trouble) => return troubled(self.gate, trouble, context),
        };
        let approvals = context.compiled.policy.approvals.as_ref();
        let answers = approvals.and_then(|one| one.answers.as_ref());
        let opened = answers.and_then(|one| one.open((&self.name, &found.binding), sealed));
        let Some(answer) = opened else {
            return refuse(Refusal::kept_answer_changed(&found.id));
        };
        let call = context.number_call();
        let claim = approval::name("claim", &context.record.id, call);
        // It is for this client: whatever the rule says of requests, it comes back if it didn't go.
        context.claims.add(&found.id, &claim, true);
        let claims = Claims {
            call,
            found,
            answer,
            claim,
            again: false,
        };
        self.send(Box::new(claims), context)
    }

    fn send(mut self: Box<Self>, claims: Box<Claims>, context: &Context) -> Found {
        let Some(approvals) = context.compiled.policy.approvals.as_ref() else {
            return refuse(Refusal::not_asked(Trouble::NoAnswer));
        };
        let digest = approval::digest(claims.answer.body.as_bytes());
        let request = Claim {
            claim: &claims.claim,
            binding: &claims.found.binding,
            exchange: &context.record.id,
            digest: Some(&digest),
        };
        let request = approval::claim(&claims.found.id, &request);
        let call = approvals.call(Purpose::KeptAnswer, claims.call, request, Duration::ZERO);
        self.doing = Doing::Claims(claims);
        Found::Open(self, vec![Effect::Call(Box::new(call))])
    }

    fn claimed(
        self: Box<Self>,
        answer: Answer<'_>,
        mut claims: Box<Claims>,
        context: &mut Context,
    ) -> Found {
        let found = &claims.found;
        match approval::read_claim(answer, (&found.id, &found.binding, &claims.claim)) {
            Ok(true) => {
                if let Some(noted) = context.record.approval_of(self.gate) {
                    noted.claim = Some(claims.claim);
                    noted.kept_from = Some(claims.answer.exchange.clone());
                }
                Found::Answer(Box::new(claims.answer))
            }
            // Another was faster.
            Ok(false) => {
                context.claims.remove(&claims.claim);
                self.nothing(context)
            }
            // Whether it holds isn't known, but the same once more does no harm.
            Err(trouble) if trouble.is_uncertain() && !claims.again => {
                claims.again = true;
                claims.call = context.number_call();
                match self.send(claims, context) {
                    Found::Open(this, mut effects) => {
                        effects.insert(0, Effect::Trouble(trouble));
                        Found::Open(this, effects)
                    }
                    other => other,
                }
            }
            Err(trouble) => troubled(self.gate, trouble, context),
        }
    }
}

fn refuse(refusal: Refusal) -> Found {
    Found::Refused(refusal, Vec::new())
}

fn troubled(gate: u64, trouble: Trouble, context: &mut Context) -> Found {
    let refusal = unavailable(gate, context, Refusal::not_asked(trouble));
    Found::Refused(refusal, vec![Effect::Trouble(trouble)])
}
