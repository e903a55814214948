//! Two desks share a database, each behind an Envoy of its own: what is asked at one may be decided at the
//! other, nothing is used twice, and when one dies the other goes on.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{Client, Pending, Request};
use testbed::postgres::Postgres;
use testbed::wait;

use super::{gated, tune};
use crate::support::{Desk, Guarded, code};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(
    two_desks_are_one_desk,
    an_envoy_that_reaches_both_loses_nothing_when_one_dies,
);

const PATIENCE: Duration = Duration::from_secs(30);

fn desk(database: &Postgres) -> Desk {
    Desk::start_with(|_| json!({"store": {"postgres": database.url()}}))
}

/// What waits, but for requests of one subject.
fn pending(desk: &Desk, without: &str) -> Vec<Value> {
    let list = desk.get("/v1/approvals?state=pending&limit=500");
    let mut all = list["approvals"].as_array().unwrap().clone();
    all.retain(|one| one["subject"] != without);
    all
}

fn approve_all(desk: &Desk, questions: &[Value]) {
    let ids: Vec<_> = questions.iter().map(|one| one["id"].clone()).collect();
    let body = json!({"ids": ids, "decision": "approve", "reason": "all of them"});
    let answer = desk.send(Request::post("/v1/decisions").json(&body));
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// A desk and the Envoy that asks it.
struct Side {
    desk: Desk,
    guarded: Guarded,
}

impl Side {
    fn start(version: &str, database: &Postgres) -> Self {
        let desk = desk(database);
        let policy = gated("5m", "DESK_KEY");
        let mut granting = gated("2s", "DESK_KEY");
        granting["rules"][0]["then"]["approve"]["grant"] = json!({"uses": 5, "for": "10m"});
        let guarded = Guarded::start_with(version, &policy, |builder| {
            builder
                .cluster_http2("desk", desk.port)
                .listener("granting", granting)
        });
        Self { desk, guarded }
    }

    fn hold(&self, subject: &str) -> Pending {
        let client = Client::http2(self.guarded.mesh.port()).unwrap();
        client.start(tune(subject, "file-1")).unwrap()
    }

    fn start_granted(&self, file: &str) -> Pending {
        let port = self.guarded.mesh.port_of("granting").unwrap();
        let client = Client::http1(port).unwrap();
        client.start(tune("gina", file)).unwrap()
    }

    fn passed(&self) -> usize {
        self.guarded.model.begun()
    }
}

/// As docs/approvals.md says of the cluster `desk` of several desks.
fn members() -> Value {
    json!({
        "health_checks": [{
            "timeout": "1s", "interval": "2s", "unhealthy_threshold": 1, "healthy_threshold": 1,
            "http_health_check": {"path": "/healthz", "codec_client_type": "HTTP2"},
        }],
        "outlier_detection": {
            "consecutive_5xx": 1, "base_ejection_time": "5s", "max_ejection_percent": 50,
        },
    })
}

fn passes(held: Pending) -> bool {
    let answer = held.response().unwrap().read();
    match answer.status {
        200 => true,
        _ => {
            assert_eq!(code(&answer), "approval_pending", "{}", answer.text());
            false
        }
    }
}

fn two_desks_are_one_desk(version: &str) {
    let Some(database) = Postgres::start().unwrap() else {
        return;
    };
    let [one, other] = [(); 2].map(|()| Side::start(version, &database));
    what_is_asked_at_one_is_decided_at_the_other(&one, &other);
    what_is_granted_is_used_no_more_often_over_both(&one, &other);
    when_one_dies_the_other_goes_on(one, &other);
}

fn what_is_asked_at_one_is_decided_at_the_other(one: &Side, other: &Side) {
    for (asked, decided, ana, dora) in [(one, other, "ana", "dora"), (other, one, "anna", "doris")]
    {
        let passed = asked.passed();
        let approved = asked.hold(ana);
        let denied = asked.hold(dora);
        let questions = [ana, dora].map(|subject| decided.desk.pending(subject));
        assert_eq!(asked.passed(), passed);
        for (question, decision) in questions.iter().zip(["approve", "deny"]) {
            decided.desk.decide(question, decision, "seen at the other");
        }
        assert!(passes(approved));
        let answer = denied.response().unwrap().read();
        assert_eq!(
            (answer.status, code(&answer)),
            (403, "approval_denied".into())
        );
        assert_eq!(asked.passed(), passed + 1);
        // Asked at the other, it is the same question.
        let again = decided.hold(dora).response().unwrap().read();
        assert_eq!(code(&again), "approval_denied");
    }
}

fn what_is_granted_is_used_no_more_often_over_both(one: &Side, other: &Side) {
    let before = one.passed() + other.passed();
    let first = one.start_granted("file-0");
    other
        .desk
        .decide(&other.desk.pending("gina"), "approve", "five");
    assert!(passes(first));
    let many: Vec<_> = (1..=10)
        .flat_map(|file| [one, other].map(|side| side.start_granted(&format!("file-{file}"))))
        .collect();
    let passed: Vec<_> = many.into_iter().map(passes).collect();
    assert_eq!(passed.iter().filter(|passed| **passed).count(), 4);
    assert_eq!(one.passed() + other.passed(), before + 5);
}

fn when_one_dies_the_other_goes_on(one: Side, other: &Side) {
    let Side { mut desk, guarded } = one;
    let before = (guarded.model.begun(), other.passed());
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let subject = |side: &str, number: usize| format!("{side}-{number}");
    let at_one: Vec<_> = (0..10)
        .map(|number| {
            client
                .start(tune(&subject("one", number), "file-1"))
                .unwrap()
        })
        .collect();
    let at_other: Vec<_> = (0..10)
        .map(|number| other.hold(&subject("other", number)))
        .collect();
    let pending = || pending(&other.desk, "gina");
    wait::until("20 questions", PATIENCE, || pending().len() == 20).unwrap();

    desk.process.kill();
    approve_all(&other.desk, &pending());
    for held in at_other {
        assert!(passes(held));
    }
    assert_eq!(other.passed(), before.1 + 10);
    // Those whose desk is away hear of nothing, and so nothing passes.
    assert!(at_one.iter().all(|held| !held.answered()));
    assert_eq!(guarded.model.begun(), before.0);

    let place = Arc::clone(&desk.place);
    drop(desk);
    let _back = Desk::start_at(&place);
    for held in at_one {
        assert!(passes(held), "what was approved is not lost");
    }
    assert_eq!(guarded.model.begun(), before.0 + 10);
}

fn an_envoy_that_reaches_both_loses_nothing_when_one_dies(version: &str) {
    let Some(database) = Postgres::start().unwrap() else {
        return;
    };
    let [mut one, other] = [(); 2].map(|()| desk(&database));
    let policy = gated("5m", "DESK_KEY");
    let ports = [one.port, other.port];
    let guarded = Guarded::start_with(version, &policy, |builder| {
        builder
            .alone()
            .concurrency(4)
            .cluster_http2("desk", one.port)
            .spread("desk", &ports, &members())
    });
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let hold = |subject: &str| client.start(tune(subject, "file-1")).unwrap();
    let held: Vec<_> = (0..20).map(|one| hold(&format!("caller-{one}"))).collect();
    let all = || pending(&other, "").len() == 20;
    wait::until("20 questions", PATIENCE, all).unwrap();
    one.process.kill();
    assert_eq!(guarded.model.begun(), 0);
    approve_all(&other, &pending(&other, ""));
    // A claim may fall into the moment in which Envoy doesn't know yet: it comes back, and the client too.
    let mut unlucky = Vec::new();
    for (number, held) in held.into_iter().enumerate() {
        let answer = held.response().unwrap().read();
        if answer.status != 200 {
            assert_eq!(code(&answer), "approval_unavailable");
            unlucky.push(format!("caller-{number}"));
        }
    }
    let name = "cluster.desk.membership_healthy";
    let found = || guarded.mesh.stats(name).unwrap().get(name) == Some(&1);
    wait::until("Envoy to know", PATIENCE, found).unwrap();
    for subject in unlucky {
        assert!(passes(hold(&subject)), "{subject} is not asked about again");
    }
    assert_eq!(guarded.model.begun(), 20);
    // Who asks from now on finds the one that is left.
    let late = hold("late");
    other.decide(&other.pending("late"), "approve", "");
    assert!(passes(late));
    assert_eq!(guarded.model.begun(), 21);
}
