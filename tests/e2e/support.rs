//! What the suite's files share: a guarded model server, what is sent to it, and what is kept of
//! that.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{self, Request, Response};
use testbed::idp::Idp;
use testbed::mesh::{Builder, Mesh};
use testbed::model::Model;
use testbed::wait;

/// Makes a test of each named function for each version of Envoy that the suite runs on. The
/// function takes the version.
macro_rules! in_each_envoy {
    ($($name:ident),+ $(,)?) => {
        mod current {
            $(
                #[test]
                fn $name() {
                    super::$name(testbed::envoy::CURRENT);
                }
            )+
        }

        mod oldest {
            $(
                #[test]
                fn $name() {
                    super::$name(testbed::envoy::OLDEST);
                }
            )+
        }
    };
}
pub(crate) use in_each_envoy;

/// What the model server knows the filter by.
pub const CREDENTIAL: &str = "service-key-5f0c2b7e";

/// The identity provider of all tests: its keys take a moment to make.
pub fn idp() -> &'static Idp {
    static IDP: OnceLock<Idp> = OnceLock::new();
    IDP.get_or_init(|| Idp::start().unwrap())
}

/// A good token of Ana, who is an engineer.
pub fn ana() -> String {
    idp().good("ana", &["engineers"])
}

/// A policy that trusts the identity provider and puts the service credential on, with these
/// sections put in or replaced.
pub fn policy(sections: &Value) -> Value {
    let mut policy = json!({
        "version": 1,
        "identity": {"providers": [{
            "name": "corp",
            "issuer": idp().issuer(),
            "audiences": [testbed::idp::AUDIENCE],
            "keys": {"jwks": idp().jwks()},
            "claims": {"subject": "sub", "groups": "groups"},
        }]},
        "upstream": {
            "credential": {"header": "authorization", "value": "Bearer ${MODEL_SERVER_KEY}"},
        },
        "rules": [{"name": "all", "then": "allow"}],
        "otherwise": "deny",
    });
    let sections = sections.as_object().unwrap().clone();
    policy.as_object_mut().unwrap().extend(sections);
    policy
}

/// An Envoy with the filter, in front of a model server.
pub struct Guarded {
    pub mesh: Mesh,
    pub model: Model,
}

impl Guarded {
    /// Starts both under a policy.
    pub fn start(version: &str, policy: &Value) -> Self {
        Self::start_with(version, policy, |builder| builder)
    }

    /// As [`Guarded::start`], with something changed.
    pub fn start_with(
        version: &str,
        policy: &Value,
        change: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let model = Model::start().unwrap();
        let builder = Mesh::builder()
            .version(Some(version))
            .policy(policy)
            .variable("MODEL_SERVER_KEY", CREDENTIAL)
            .model(model.port());
        let mesh = change(builder).start().unwrap();
        Self { mesh, model }
    }

    /// Sends a request on a connection of its own.
    pub fn send(&self, request: Request) -> Response {
        http::send(self.mesh.port(), request).unwrap()
    }

    /// As [`Guarded::send`], to a listener that was added.
    pub fn send_to(&self, listener: &str, request: Request) -> Response {
        http::send(self.mesh.port_of(listener).unwrap(), request).unwrap()
    }

    /// The one record of a request that was sent to this host name, once it is written.
    pub fn record(&self, host: &str) -> Value {
        let found = wait::value(
            &format!("the record of {host}"),
            Duration::from_secs(30),
            || {
                let records = self.mesh.sessions(0).unwrap();
                let mut of_host = records
                    .into_iter()
                    .filter(|one| one["request"]["host"] == host);
                let first = of_host.next()?;
                assert!(of_host.next().is_none(), "{host} has several records");
                Some(first)
            },
        );
        found.unwrap_or_else(|why| panic!("{why}; Envoy's log:\n{}", self.mesh.log()))
    }
}

/// A chat request of one user message.
pub fn chat(token: &str, text: &str) -> Request {
    Request::post("/v1/chat/completions")
        .bearer(token)
        .json(&chat_body(text))
}

/// The body of a chat request of one user message.
pub fn chat_body(text: &str) -> Value {
    json!({"model": "small-1", "messages": [{"role": "user", "content": text}]})
}

/// The code in an error of OpenAI's form.
pub fn code(response: &Response) -> String {
    let body = response.json();
    let code = body.pointer("/error/code").and_then(Value::as_str);
    code.unwrap_or_else(|| panic!("no code: {} {}", response.status, response.text()))
        .to_owned()
}
