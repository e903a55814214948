mod answers;
mod approvals;
mod bodies;
mod buffers;
mod disguises;
mod keys;
mod masked_fields;
mod masks;
mod requests;
mod responses;
mod states;
mod upstream;

use core::time::Duration;
use std::rc::Rc;

use jwt_compact::alg::Es256;
use serde_json::{Value, json};

use super::{CompiledPolicy, Effect, Event, Exchange, Flow, Name, NoNative, Outcome, Reply, World};
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
    pub(super) bodies_come: bool,
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
            bodies_come: true,
        }
    }

    pub(super) fn handle(&mut self, event: Event<'_>) -> Outcome {
        let world = World {
            now: self.now,
            shared: &*self.store,
            native: &NoNative,
            may_wait: self.may_wait,
            bodies_come: self.bodies_come,
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

    pub(super) fn record(&mut self) -> Value {
        let outcome = self.handle(Event::Closed { number: 7 });
        let Some(Effect::Record(text)) = outcome.effects.first() else {
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

pub(super) fn sets(outcome: &Outcome, name: &str) -> Option<String> {
    outcome.effects.iter().find_map(|effect| match effect {
        Effect::SetRequestHeader { name: one, value } if one == name => Some(value.clone()),
        _ => None,
    })
}
