//! Policies, modules and keys are replaced while clients are served, and put back again: no request is lost, and
//! nothing is forgotten. What can't be had lets nothing pass.

mod fetched;
mod keys;
mod load;

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::body::{Gate, Step};
use testbed::http::{self, Client, Request, Response, Stream};
use testbed::manifest;
use testbed::mesh::Mesh;
use testbed::model::{Answer, Model};
use testbed::{wait, wasm};

use self::load::{SAID, streamed, under_load, whole};
use crate::delivery::Delivery;
use crate::modules::{OTHER_REALM, REALM, renamed};
use crate::support::{Desk, ana, idp, policy};
use crate::versions::in_every_envoy;

in_every_envoy!(policies_and_modules_come_and_go_under_load);

const PATIENCE: Duration = Duration::from_secs(60);

/// How many requests pass in a time that no test sees the end of, and how many are sent after each change.
const LIMIT: usize = 40;
const SHARE: usize = 8;

/// How many connections in a row have to see a change, so that every worker has it.
const ALL: usize = 12;

/// A policy under which something is counted, granted, held and masked.
fn sections() -> Value {
    let ask = |name: &str, operation: &str, more: Value| {
        let mut approve = json!({"reviewers": ["ml-leads"]});
        let members = more.as_object().unwrap().clone();
        approve.as_object_mut().unwrap().extend(members);
        json!({"name": name, "when": {"operation": [operation]}, "then": {"approve": approve}})
    };
    policy(&json!({
        "approvals": {"cluster": "desk", "credential": "Bearer ${DESK_KEY}", "wait": "5m", "timeout": "10s"},
        "masks": {"pii": {"detect": ["email"]}},
        "quotas": {"few": {"by": ["subject"], "count": "requests", "limit": LIMIT, "per": "31d"}},
        "rules": [
            ask("granted", "model.tune", json!({"grant": {"for": "1h"}})),
            ask("held", "moderation", json!({})),
            {"name": "counted", "when": {"operation": ["embedding.*"]}, "then": "allow", "quota": ["few"]},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["pii"]},
        ],
    }))
}

/// As [`sections`], with a rule more.
fn without_lists() -> Value {
    let mut policy = sections();
    let none = json!({"name": "no-lists", "when": {"operation": ["model.list"]}, "then": "deny"});
    policy["rules"].as_array_mut().unwrap().insert(0, none);
    policy
}

fn token(subject: &str) -> String {
    idp().good(subject, &["engineers"])
}

fn tune(token: &str, file: &str) -> Request {
    let body = json!({"model": "small-1", "training_file": file});
    Request::post("/v1/fine_tuning/jobs")
        .bearer(token)
        .json(&body)
}

fn moderate(subject: &str) -> Request {
    let body = json!({"model": "small-1", "input": "Is this fine?"});
    Request::post("/v1/moderations")
        .bearer(&token(subject))
        .json(&body)
}

fn embed(subject: &str) -> Request {
    let body = json!({"model": "small-1", "input": "Hi"});
    Request::post("/v1/embeddings")
        .bearer(&token(subject))
        .json(&body)
}

/// Waits until every worker has a change.
fn everywhere(what: &str, mut seen: impl FnMut() -> bool) {
    wait::until(what, PATIENCE, || (0..ALL).all(|_| seen())).unwrap();
}

/// What is served by a mesh that takes its filter from a file, and by whom it is approved.
struct Served {
    mesh: Mesh,
    model: Model,
    desk: Desk,
}

impl Served {
    fn start(version: &str, delivery: &Delivery) -> Self {
        let (model, desk) = (Model::start().unwrap(), Desk::start());
        model.say(SAID);
        let fine = json!({"id": "modr-1", "model": "small-1", "results": [{"flagged": false}]});
        model.answer("/v1/moderations", Answer::json(&fine));
        let clusters = [("models", model.port()), ("desk", desk.port)];
        let mesh = delivery.start_with(version, &clusters);
        let served = Self { mesh, model, desk };
        everywhere("the first filter", || served.send(models()).status == 200);
        served
    }

    fn send(&self, request: Request) -> Response {
        http::send(self.mesh.port(), request).unwrap()
    }

    /// Has somebody granted that requests like this pass.
    fn grant(&self, subject: &str) {
        let client = Client::http1(self.mesh.port()).unwrap();
        let held = client.start(tune(&token(subject), "file-0")).unwrap();
        self.desk
            .decide(&self.desk.pending(subject), "approve", "for an hour");
        assert_eq!(held.response().unwrap().read().status, 200);
    }
}

/// No virtual machine traps on the way.
fn nothing_trapped(mesh: &Mesh) {
    let log = mesh.log();
    for sign in ["Uncaught RuntimeError", "[critical]", "panicked"] {
        assert!(!log.contains(sign), "{sign} in Envoy's log:\n{log}");
    }
}

fn models() -> Request {
    Request::get("/v1/models").bearer(&ana())
}

/// A stream whose end is held back, with an address that is cut by that.
struct Slow {
    gate: Gate,
    stream: Stream,
}

impl Slow {
    fn begin(served: &Served, client: &Client) -> Self {
        let gate = Gate::new();
        let steps = vec![
            Step::data("Please write to ana@"),
            Step::Wait(gate.clone()),
            Step::data("corp.com today"),
        ];
        let text = Answer::new(200).header("content-type", "text/plain");
        served.model.answer("/stream", text.steps(steps));
        let mut stream = client.open(Request::get("/stream").bearer(&ana())).unwrap();
        let front = stream.next_piece().unwrap().unwrap();
        assert!(front.starts_with(b"Please"), "{front:?}");
        Self { gate, stream }
    }

    fn end(self) {
        self.gate.open(1);
        let rest = self.stream.read();
        assert!(rest.broken.is_none(), "{rest:?}");
        assert!(rest.text().ends_with("[EMAIL] today"), "{}", rest.text());
    }
}

fn set(filter: &mut Value, policy: &Value, module: &Path) {
    manifest::set_policy(filter, policy);
    manifest::set_module(filter, module);
}

fn policies_and_modules_come_and_go_under_load(version: &str) {
    let delivery = Delivery::new();
    let first = wasm::build().unwrap();
    let second = delivery.folder.path().join("second.wasm");
    fs::write(&second, renamed(&first)).unwrap();
    let (plain, stricter) = (sections(), without_lists());
    delivery.deliver_filter(|filter| set(filter, &plain, &first));
    let served = Served::start(version, &delivery);
    served.grant("gil");
    let (one, two) = (
        Client::http1(served.mesh.port()).unwrap(),
        Client::http2(served.mesh.port()).unwrap(),
    );
    let mut passed = 0;
    let counted = |count: usize| {
        let all = (0..count).map(|_| served.send(embed("cas")).status);
        all.filter(|status| *status == 200).count()
    };
    passed += counted(SHARE);

    under_load(&served.mesh, &ana(), &[whole, streamed], |load| {
        // There, and back again.
        for (number, (policy, module, realm, lists)) in [
            (&stricter, &first, REALM, 403),
            (&stricter, &second, OTHER_REALM, 403),
            (&stricter, &first, REALM, 403),
            (&plain, &first, REALM, 200),
        ]
        .into_iter()
        .enumerate()
        {
            let slow = [Slow::begin(&served, &one), Slow::begin(&served, &two)];
            let subject = format!("held-{number}");
            let client = Client::http1(served.mesh.port()).unwrap();
            let held = client.start(moderate(&subject)).unwrap();
            let question = served.desk.pending(&subject);

            delivery.deliver_filter(|filter| set(filter, policy, module));
            passed += counted(SHARE / 2);
            everywhere(&format!("change {number}"), || {
                let stranger = served.send(Request::get("/v1/models"));
                assert_eq!(stranger.status, 401);
                let said = stranger.header("www-authenticate").unwrap_or_default();
                said.contains(realm) && served.send(models()).status == lists
            });
            passed += counted(SHARE / 2);
            load.go_on();

            assert!(!held.answered(), "{subject}");
            served.desk.decide(&question, "approve", "");
            assert_eq!(held.response().unwrap().read().status, 200, "{subject}");
            let granted = served.send(tune(&token("gil"), &format!("file-{number}")));
            assert_eq!(granted.status, 200, "{}", granted.text());
            slow.into_iter().for_each(Slow::end);
        }
    });
    assert_eq!(passed, LIMIT);
    assert_eq!(counted(1), 0, "what was counted is forgotten");

    // Counts are kept under `vm_id`: with another one they begin anew, and grants, which the desk keeps, do not.
    delivery.deliver_filter(|filter| {
        set(filter, &plain, &first);
        let id = filter.pointer_mut("/typed_config/config/vm_config/vm_id");
        *id.unwrap() = json!("another");
    });
    wait::until("counts to begin anew", PATIENCE, || counted(1) == 1).unwrap();
    let granted = served.send(tune(&token("gil"), "file-9"));
    assert_eq!(granted.status, 200, "{}", granted.text());
    nothing_trapped(&served.mesh);
}
