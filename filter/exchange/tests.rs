mod amazon_events;
mod answers;
mod approvals;
mod bodies;
mod buffers;
mod committed;
mod disguises;
mod heads;
mod kept;
mod kept_answers;
mod keys;
mod levels;
mod masked_fields;
mod masks;
mod messages;
mod own_secrets;
mod passing;
mod quotas;
mod recorded;
mod requests;
mod responses;
mod standing;
mod states;
mod tensors;
mod told;
mod upstream;

use core::time::Duration;
use std::rc::Rc;

use jwt_compact::alg::Es256;
use serde_json::{Value, json};

use super::{
    Arrived, Bodies, Call, Closing, CompiledPolicy, Direction, Effect, Event, Exchange, Flow, Name,
    NoNative, Outcome, Reply, World,
};
use super::{Ask, Came};
use crate::approval::{self, Decision, State};
use crate::call::{Answer, Message};
use crate::testing::{Memory, ec_public, ec_secret, signed};

pub(super) const NOW: u64 = 1_800_000_000;

/// A policy of one provider, with some sections put in or replaced.
pub(super) fn compiled(sections: &Value) -> Rc<CompiledPolicy> {
    let mut policy = json!({
        "version": 1,
        "identity": {"providers": [{
            "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
            "keys": {"jwks": {"keys": [ec_public(1, "a")]}},
            "claims": {"groups": "groups"},
        }]},
        "rules": [{"name": "all", "then": "allow"}],
    });
    policy
        .as_object_mut()
        .unwrap()
        .extend(sections.as_object().unwrap().clone());
    let environment = |name: &str| match name {
        "KEY" => Some("service-key".to_owned()),
        // 32 bytes in base64.
        "ANSWER_KEY" => Some("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=".to_owned()),
        "OTHER_KEY" => Some("AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=".to_owned()),
        _ => None,
    };
    Rc::new(CompiledPolicy::load(&policy.to_string(), &environment).unwrap())
}

pub(super) fn token(subject: &str, groups: &[&str]) -> String {
    signed(
        &Es256,
        &ec_secret(1),
        &json!({"alg": "ES256", "kid": "a"}),
        &json!({"iss": "https://idp", "aud": "inference", "sub": subject, "groups": groups, "exp": NOW + 600}),
    )
}

/// An exchange with its clock and counters.
pub(super) struct Driven {
    exchange: Exchange,
    pub(super) store: Rc<Memory>,
    pub(super) now: Duration,
    pub(super) may_wait: bool,
    pub(super) bodies: Bodies,
    pub(super) arrived: Arrivals,
}

/// What has come to the host.
#[derive(Default)]
pub(super) struct Arrivals {
    pub(super) more_of_request: bool,
    pub(super) answered: bool,
}

impl Arrived for Arrivals {
    fn has_more_of_request(&self) -> bool {
        self.more_of_request
    }

    fn is_answered(&self) -> bool {
        self.answered
    }
}

impl Driven {
    pub(super) fn new(compiled: &Rc<CompiledPolicy>) -> Self {
        let alone = Self::alone(compiled);
        compiled.join(&*alone.store, &|| Some([9; 32])).unwrap();
        alone
    }

    /// One whose workers share nothing.
    pub(super) fn alone(compiled: &Rc<CompiledPolicy>) -> Self {
        Self::named(compiled, "e")
    }

    /// One whose record has this id.
    pub(super) fn named(compiled: &Rc<CompiledPolicy>, id: &str) -> Self {
        let name = Name {
            id: id.to_owned(),
            worker: "w".into(),
        };
        let now = Duration::from_secs(NOW);
        Self {
            exchange: Exchange::new(Rc::clone(compiled), name),
            store: Rc::default(),
            now,
            may_wait: true,
            bodies: Bodies::Unknown,
            arrived: Arrivals::default(),
        }
    }

    /// One that has random bytes, and shares what workers share.
    pub(super) fn seeded(compiled: &Rc<CompiledPolicy>, id: &str) -> Self {
        let mut this = Self::named(compiled, id);
        compiled.join(&*this.store, &|| Some([9; 32])).unwrap();
        let seed = approval::digest(id.as_bytes()).into_bytes();
        this.exchange = this.exchange.with_seed(seed.first_chunk().copied());
        this
    }

    /// Hands an event over; what goes on then does so at once, whoever says so, and what only the
    /// host has to do with is left out.
    pub(super) fn handle(&mut self, event: Event<'_>) -> Outcome {
        let mut outcome = self.handle_as_host(event);
        let mut resumed = false;
        outcome.effects.retain(|effect| match effect {
            Effect::Resume(Direction::Request | Direction::Response) => {
                resumed = true;
                false
            }
            Effect::ReadRequestBody
            | Effect::WakeAt(_)
            | Effect::Bodies(_)
            | Effect::MarkRequest => false,
            _ => true,
        });
        if resumed {
            outcome.flow = Flow::Continue;
        }
        outcome
    }

    pub(super) fn handle_as_host(&mut self, event: Event<'_>) -> Outcome {
        let world = World {
            now: self.now,
            shared: &*self.store,
            native: &NoNative,
            may_wait: self.may_wait,
            bodies: self.bodies,
            arrived: &self.arrived,
        };
        self.exchange.handle(event, world)
    }

    pub(super) fn head(
        &mut self,
        method: &str,
        path: &str,
        extra: &[(&str, &str)],
        end: bool,
    ) -> Outcome {
        let bearer = format!("Bearer {}", token("jane", &["engineers"]));
        let mut headers = vec![
            (":method", method),
            (":path", path),
            (":authority", "models:80"),
        ];
        if !extra.iter().any(|(name, _)| *name == "authorization") {
            headers.push(("authorization", &bearer));
        }
        headers.extend(extra);
        let headers = bytes(&headers);
        self.handle(Event::RequestHead {
            headers: &headers,
            end,
            cluster: None,
        })
    }

    /// As [`Self::chat`], with what only the host has to do with.
    pub(super) fn chat_as_host(&mut self) -> Outcome {
        let bearer = format!("Bearer {}", token("jane", &["engineers"]));
        let headers = bytes(&[
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            (":authority", "models:80"),
            ("authorization", &bearer),
            ("content-type", "application/json"),
        ]);
        self.handle_as_host(Event::RequestHead {
            headers: &headers,
            end: false,
            cluster: None,
        })
    }

    pub(super) fn chat(&mut self) -> Outcome {
        self.head(
            "POST",
            "/v1/chat/completions",
            &[("content-type", "application/json")],
            false,
        )
    }

    pub(super) fn whole(&mut self, body: &str) -> Outcome {
        self.handle(Event::RequestWhole {
            body: body.as_bytes(),
        })
    }

    /// What comes of a call: a status and a body, or nothing.
    pub(super) fn answered(&mut self, call: &Call, answer: Option<(u16, &[u8])>) -> Outcome {
        self.handle(Event::CallAnswered {
            purpose: call.purpose,
            number: call.number,
            answer: answer.map_or(Answer::Failed, |(status, body)| Answer::Http {
                status,
                coding: b"",
                body,
            }),
        })
    }

    /// How the request comes.
    pub(super) fn came(&mut self, came: Came) {
        self.exchange.came(came);
    }

    /// What comes of a question.
    pub(super) fn decided(&mut self, ask: &Ask, decision: &Decision) -> Outcome {
        self.handle(Event::Decided {
            about: ask.about,
            number: ask.number,
            decision,
        })
    }

    /// Whether the request waits for its body.
    pub(super) fn wants_body(&self) -> bool {
        self.exchange.request.wants_body()
    }

    /// Whether the whole answer waits.
    pub(super) fn holds_answer(&self) -> bool {
        self.exchange.response.is_held()
    }

    pub(super) fn record(&mut self) -> Value {
        self.record_and_posts().0
    }

    /// The record, and what is posted at the end.
    pub(super) fn record_and_posts(&mut self) -> (Value, Vec<(String, Value)>) {
        self.ended(&Closing {
            answered: true,
            ..Closing::default()
        })
    }

    /// As [`Driven::record`], of an exchange that ended so.
    pub(super) fn closed(&mut self, closing: &Closing<'_>) -> Value {
        self.ended(closing).0
    }

    fn ended(&mut self, closing: &Closing<'_>) -> (Value, Vec<(String, Value)>) {
        let outcome = self.handle(Event::Closed { number: 7, closing });
        let Some(Effect::Record(text)) = outcome.effects.last() else {
            panic!("no record: {outcome:?}");
        };
        (serde_json::from_str(text).unwrap(), posts(&outcome))
    }
}

/// The question that an outcome asks.
pub(super) fn ask(outcome: &Outcome) -> Ask {
    assert_eq!(outcome.flow, Flow::Hold);
    let ask = outcome.effects.iter().find_map(|effect| match effect {
        Effect::Ask(ask) => Some(Ask::clone(ask)),
        _ => None,
    });
    ask.unwrap_or_else(|| panic!("no question in {outcome:?}"))
}

/// The call that an outcome makes.
pub(super) fn call(outcome: &Outcome) -> Call {
    assert_eq!(outcome.flow, Flow::Hold);
    let call = outcome.effects.iter().find_map(|effect| match effect {
        Effect::Call(call) => Some(Call::clone(call)),
        _ => None,
    });
    call.unwrap_or_else(|| panic!("no call in {outcome:?}"))
}

/// Paths and bodies of what an outcome posts.
pub(super) fn posts(outcome: &Outcome) -> Vec<(String, Value)> {
    let posts = outcome.effects.iter().filter_map(|effect| match effect {
        Effect::Post(call) => match &call.message {
            Message::Http { path, body, .. } => {
                Some((path.clone(), serde_json::from_slice(body).unwrap()))
            }
            Message::Grpc { .. } => None,
        },
        _ => None,
    });
    posts.collect()
}

/// What a service says of a question, in this state.
pub(super) fn decision(id: &str, state: &str) -> Decision {
    let (state, by) = match state {
        "pending" => (State::Pending, None),
        "approved" => (State::Approved, Some("ana")),
        "denied" => (State::Denied, Some("ana")),
        _ => (State::Gone, None),
    };
    Decision::Answer(approval::Answer {
        id: id.to_owned(),
        binding: "b".to_owned(),
        state,
        reviewer: by.map(str::to_owned),
        reason: by.map(|_| "a drill".to_owned()),
        uses: 1,
    })
}

/// The answer to a claim, in this state.
pub(super) fn answer_of(claim: &Call, ask: &Ask, state: &str) -> Vec<u8> {
    let (_, path, _, body) = http(claim);
    let sent: Value = serde_json::from_slice(body).unwrap();
    let id = path.split('/').nth(3).unwrap();
    let answer = json!({"id": id, "binding": ask.binding, "claim": sent["claim"], "state": state});
    answer.to_string().into_bytes()
}

/// The answer to a claim that holds.
pub(super) fn claimed(claim: &Call, ask: &Ask) -> Vec<u8> {
    answer_of(claim, ask, "claimed")
}

pub(super) fn bytes<'a>(headers: &[(&'a str, &'a str)]) -> Vec<(&'a [u8], &'a [u8])> {
    headers
        .iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect()
}

pub(super) fn reply(outcome: &Outcome) -> &Reply {
    let found = outcome.effects.iter().find_map(|effect| match effect {
        Effect::Reply(reply) => Some(reply),
        _ => None,
    });
    assert_eq!(
        outcome.flow,
        Flow::Hold,
        "a refused request is held: {outcome:?}"
    );
    found.unwrap_or_else(|| panic!("no reply in {outcome:?}"))
}

pub(super) fn code(outcome: &Outcome) -> String {
    let body: Value = serde_json::from_str(&reply(outcome).body).unwrap();
    body["error"]["code"].as_str().unwrap().to_owned()
}

/// The method, path, headers and body of a call to the desk.
pub(super) fn http(call: &Call) -> (&str, &str, &[(&'static str, String)], &[u8]) {
    match &call.message {
        Message::Http {
            method,
            path,
            headers,
            body,
            ..
        } => (method, path, headers, body),
        Message::Grpc { .. } => panic!("no HTTP: {call:?}"),
    }
}

pub(super) fn sets(outcome: &Outcome, name: &str) -> Option<String> {
    outcome.effects.iter().find_map(|effect| match effect {
        Effect::SetRequestHeader { name: one, value } if one == name => Some(value.clone()),
        _ => None,
    })
}
