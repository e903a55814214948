mod amazon_events;
mod answers;
mod approvals;
mod bodies;
mod buffers;
mod committed;
mod disguises;
mod heads;
mod kept;
mod keys;
mod masked_fields;
mod masks;
mod messages;
mod own_secrets;
mod passing;
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
    let environment = |name: &str| (name == "KEY").then(|| "service-key".to_owned());
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
        let name = Name {
            id: "e".to_owned(),
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

    /// Whether the request waits for its body.
    pub(super) fn wants_body(&self) -> bool {
        self.exchange.request.wants_body()
    }

    /// Whether the whole answer waits.
    pub(super) fn holds_answer(&self) -> bool {
        self.exchange.response.is_held()
    }

    pub(super) fn record(&mut self) -> Value {
        self.closed(&Closing {
            answered: true,
            ..Closing::default()
        })
    }

    /// As [`Driven::record`], of an exchange that ended so.
    pub(super) fn closed(&mut self, closing: &Closing<'_>) -> Value {
        let outcome = self.handle(Event::Closed { number: 7, closing });
        let Some(Effect::Record(text)) = outcome.effects.last() else {
            panic!("no record: {outcome:?}");
        };
        serde_json::from_str(text).unwrap()
    }
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
