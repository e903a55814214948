//! Credentials of clusters: none goes to another one, whatever Envoy's routes look at.

use serde_json::{Value, json};
use testbed::grpc;
use testbed::http::{Client, Request, Response};
use testbed::model::Model;

use super::upstream::values;
use crate::support::{CREDENTIAL, Guarded, ana, chat, code, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(credentials_stay_with_their_clusters);

const RED_KEY: &str = "red-key-9d27c3";
const GRPC_KEY: &str = "grpc-key-51b0aa";

/// What stands behind the filter: a model server of everyone's, and one of the red team's.
struct Servers {
    guarded: Guarded,
    red: Model,
}

fn start(version: &str, route: Value) -> Servers {
    let red = Model::start().unwrap();
    let policy = policy(&json!({"upstream": {
        "credentials": [
            {"cluster": ["red"], "header": "x-red-key", "value": "${RED_KEY}"},
            {
                "cluster": ["models_grpc"],
                "operation": ["inference.*"],
                "header": "authorization",
                "value": "Bearer ${GRPC_KEY}",
            },
        ],
        "credential": {"header": "authorization", "value": "Bearer ${MODEL_SERVER_KEY}"},
        "identity_headers": {"subject": "x-subject"},
    }}));
    let guarded = Guarded::start_with(version, &policy, |builder| {
        let builder = builder.variable("RED_KEY", RED_KEY);
        let builder = builder.variable("GRPC_KEY", GRPC_KEY);
        builder.cluster("red", red.port()).route(route)
    });
    Servers { guarded, red }
}

impl Servers {
    /// What came of a request, and whether each server got the red key; `None` where it got nothing.
    fn ask(&self, request: Request) -> (Response, [Option<bool>; 2]) {
        self.guarded.model.forget();
        self.red.forget();
        let answer = self.guarded.send(request);
        let keys = [&self.guarded.model, &self.red].map(|model| {
            (model.begun() > 0).then(|| {
                let received = model.wait_received(1).unwrap().remove(0);
                let key = values(&received, "x-red-key");
                let own = values(&received, "authorization");
                let usual = format!("Bearer {CREDENTIAL}");
                assert_eq!(own, Vec::from_iter(key.is_empty().then_some(usual)));
                !key.is_empty()
            })
        });
        (answer, keys)
    }
}

fn credentials_stay_with_their_clusters(version: &str) {
    by_a_header_of_the_client_s(version);
    by_what_the_filter_takes_out(version);
}

fn by_a_header_of_the_client_s(version: &str) {
    let by = |header: &str| json!({"name": header, "string_match": {"exact": "red"}});
    let servers = start(
        version,
        json!({
            "match": {"prefix": "/", "headers": [by("x-team")]},
            "route": {"cluster": "red"},
        }),
    );
    let ask = || chat(&ana(), "hello");
    let (answer, keys) = servers.ask(ask());
    assert_eq!((answer.status, keys), (200, [Some(false), None]));
    let (answer, keys) = servers.ask(ask().header("x-team", "red"));
    assert_eq!((answer.status, keys), (200, [None, Some(true)]));
    // What is taken out may be what a route looks at.
    for header in ["x-subject", "x_subject", "x-original-url", "x-red-key"] {
        let (answer, keys) = servers.ask(ask().header(header, "red"));
        assert_eq!((answer.status, keys), (400, [None, None]), "{header}");
        assert_eq!(code(&answer), "route_not_certain", "{header}");
    }
    // Envoy has chosen a cluster, and with it a credential, by another path than this one's.
    let (answer, keys) = servers.ask(Request::get("/v1//models").bearer(&ana()));
    assert_eq!((answer.status, keys), (400, [None, None]));
    assert_eq!(code(&answer), "path_not_normal");

    let client = Client::http2(servers.guarded.mesh.port()).unwrap();
    let bearer = format!("Bearer {}", ana());
    servers.guarded.model.forget();
    let headers = [("authorization", bearer.as_str())];
    let answer = grpc::infer(&client, "small-1", "hello", &headers).unwrap();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let received = servers.guarded.model.wait_received(1).unwrap().remove(0);
    let expected = format!("Bearer {GRPC_KEY}");
    assert_eq!(values(&received, "authorization"), [expected]);
}

/// Where a route looks at what every request loses, nothing shows it before an answer has come.
fn by_what_the_filter_takes_out(version: &str) {
    let bearer = json!({"name": "authorization", "string_match": {"prefix": "Bearer ey"}});
    let servers = start(
        version,
        json!({
            "match": {"prefix": "/", "headers": [bearer]},
            "route": {"cluster": "red"},
        }),
    );
    let mut answers = Vec::new();
    wait_for(|| {
        let (answer, keys) = servers.ask(chat(&ana(), "hello"));
        assert_eq!(answer.status, 502);
        assert_eq!(code(&answer), "route_not_certain");
        answers.push(keys);
        // Each worker has to see it.
        keys == [None, None]
    });
    assert_eq!(answers[0], [Some(true), None]);
}

fn wait_for(done: impl FnMut() -> bool) {
    let limit = core::time::Duration::from_secs(30);
    testbed::wait::until("every worker to refuse", limit, done).unwrap();
}
