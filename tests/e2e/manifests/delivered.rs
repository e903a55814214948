//! The filter's configuration in a file of its own, which Envoy reads again when it is replaced (ECDS).

use std::time::Duration;

use serde_json::json;
use testbed::http::{self, Request};
use testbed::mesh::Mesh;
use testbed::model::Model;
use testbed::wait;

use crate::delivery::Delivery;
use crate::support::{ana, chat};
use crate::versions::in_envoys;

in_envoys!(
    every [a_policy_is_replaced_while_envoy_runs]
    each []
    current [without_a_filter_nothing_passes]
);

const PATIENCE: Duration = Duration::from_secs(60);

fn counted(mesh: &Mesh, what: &str) -> u64 {
    let stats = mesh.stats("extension_config_discovery").unwrap();
    let of_name = stats.iter().filter(|(name, _)| name.ends_with(what));
    of_name.map(|(_, value)| value).sum()
}

fn a_policy_is_replaced_while_envoy_runs(version: &str) {
    let model = Model::start().unwrap();
    model.say("Write to ana@corp.com.");
    let delivery = Delivery::new();
    delivery.deliver(|_| {});
    let mesh = delivery.start(version, &model);
    let send = |request: Request| http::send(mesh.port(), request).unwrap();
    let weights = || Request::get("/models/small-1/model.safetensors").bearer(&ana());
    assert_eq!(send(Request::get("/v1/models")).status, 401);
    assert_eq!(send(weights()).status, 403);
    let answer = send(chat(&ana(), "Hi"));
    assert!(
        answer.text().contains("Write to [EMAIL]."),
        "{}",
        answer.text()
    );
    let records = mesh.sessions(3).unwrap();
    let first = records[0]["policy"].clone();

    // Another policy: no mask, and weights are handed out.
    delivery.deliver(|policy| {
        let all = json!({"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"});
        policy["rules"] = json!([all]);
    });
    wait::until("the other policy", PATIENCE, || {
        let answer = send(chat(&ana(), "Hi"));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text().contains("ana@corp.com")
    })
    .unwrap();
    assert_ne!(send(weights()).status, 403);
    assert_eq!(send(Request::get("/v1/models")).status, 401);
    let last = wait::value("a record of the other policy", PATIENCE, || {
        let records = mesh.sessions(0).unwrap();
        records
            .into_iter()
            .map(|one| one["policy"].clone())
            .find(|one| *one != first)
    });
    assert!(last.is_ok(), "{first}");

    // One that the filter refuses, and one that Envoy can't read: the policy before stays.
    for (number, broken) in [None, Some("resources: [")].into_iter().enumerate() {
        let rejected = |mesh: &Mesh| {
            counted(mesh, "update_rejected")
                + counted(mesh, "config_fail")
                + counted(mesh, "update_failure")
        };
        let before = rejected(&mesh);
        match broken {
            None => delivery.deliver(|policy| policy["rulez"] = json!([])),
            Some(text) => delivery.replace(text),
        }
        wait::until("the update to be refused", PATIENCE, || {
            rejected(&mesh) > before
        })
        .unwrap_or_else(|why| panic!("{number}: {why}: {:?}", mesh.stats("extension_config")));
        assert_eq!(send(Request::get("/v1/models")).status, 401);
        assert!(send(chat(&ana(), "Hi")).text().contains("ana@corp.com"));
    }
}

/// Envoy starts without a filter's configuration, and lets nobody pass until there is one.
fn without_a_filter_nothing_passes(version: &str) {
    let model = Model::start().unwrap();
    let delivery = Delivery::new();
    delivery.deliver(|policy| policy["rulez"] = json!([]));
    let mesh = delivery.start(version, &model);
    for request in [Request::get("/v1/models"), chat(&ana(), "Hi")] {
        assert_eq!(http::send(mesh.port(), request).unwrap().status, 500);
    }
    assert_eq!(model.begun(), 0);
    delivery.deliver(|_| {});
    wait::until("the filter to be there", PATIENCE, || {
        let answer = http::send(mesh.port(), chat(&ana(), "Hi")).unwrap();
        assert!(matches!(answer.status, 200 | 500), "{}", answer.status);
        answer.status == 200
    })
    .unwrap();
}
