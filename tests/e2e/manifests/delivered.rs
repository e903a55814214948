//! The filter's configuration in a file of its own, which Envoy reads again when it is replaced (ECDS).

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{self, Request};
use testbed::manifest::{self, documents};
use testbed::mesh::Mesh;
use testbed::model::Model;
use testbed::process::{self, TempDir};
use testbed::wait;

use super::cases::changed;
use crate::support::{CREDENTIAL, ana, chat, in_the_current_envoy};

in_the_current_envoy!(
    a_policy_is_replaced_while_envoy_runs,
    without_a_filter_nothing_passes
);

const PATIENCE: Duration = Duration::from_secs(60);

/// What an Envoy with ecds.yaml takes its filter from.
struct Delivery {
    folder: TempDir,
    resource: Value,
}

impl Delivery {
    fn new() -> Self {
        let folder = process::folder().unwrap();
        let resource = documents("envoy/plain/filter.yaml").unwrap().remove(0);
        Self { folder, resource }
    }

    /// Moves the filter into place, with changes to its policy.
    fn deliver(&self, change: impl FnOnce(&mut Value)) {
        let mut filter = changed(manifest::filter(&self.resource).unwrap());
        let mut policy = manifest::policy(&filter).unwrap();
        change(&mut policy);
        manifest::set_policy(&mut filter, &policy);
        let mut resource = self.resource.clone();
        resource["resources"][0]["typed_config"] = filter["typed_config"].take();
        self.replace(&resource.to_string());
    }

    fn replace(&self, text: &str) {
        let next = self.folder.path().join("next.yaml");
        fs::write(&next, text).unwrap();
        fs::rename(next, self.folder.path().join("filter.yaml")).unwrap();
    }

    fn start(&self, version: &str, model: &Model) -> Mesh {
        let mut whole = documents("envoy/plain/ecds.yaml").unwrap().remove(0);
        let folder = self.folder.path();
        point(&mut whole, folder, model.port());
        let builder = Mesh::builder()
            .version(Some(version))
            .variable("DESK_KEY", "k");
        let builder = builder.variable("MODEL_SERVER_KEY", CREDENTIAL);
        builder.as_it_stands(whole).start().unwrap()
    }
}

/// Makes of the shipped file what a test can run: ports, files, and nobody but the model server.
fn point(whole: &mut Value, folder: &Path, model: u16) {
    let listener = whole.pointer_mut("/static_resources/listeners/0").unwrap();
    listener["address"]["socket_address"] = json!({"address": "127.0.0.1", "port_value": 0});
    let manager = listener
        .pointer_mut("/filter_chains/0/filters/0/typed_config")
        .unwrap();
    manager["access_log"][0]["typed_config"]["path"] = json!("access.log");
    let filters = manager["http_filters"].as_array_mut().unwrap();
    let filter = filters
        .iter_mut()
        .find(|one| one["name"] == "portcullis")
        .unwrap();
    let source = &mut filter["config_discovery"]["config_source"]["path_config_source"];
    source["path"] = json!(folder.join("filter.yaml"));
    source["watched_directory"]["path"] = json!(folder);
    for cluster in whole["static_resources"]["clusters"]
        .as_array_mut()
        .unwrap()
    {
        let port = if cluster["name"] == "models" {
            model
        } else {
            1
        };
        let place = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
        *cluster.pointer_mut(place).unwrap() = json!({"address": "127.0.0.1", "port_value": port});
    }
}

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
