//! A module that Envoy fetches over the network, and can't get.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testbed::http::{self, Request};
use testbed::manifest::{self, documents};
use testbed::mesh::Mesh;
use testbed::model::{Answer, Model};
use testbed::process::{self, TempDir};
use testbed::{wait, wasm};

use super::{PATIENCE, everywhere, models, sections};
use crate::delivery::Delivery;
use crate::manifests::cases::changed;
use crate::modules::renamed;
use crate::support::{CREDENTIAL, FILTER_KEY, ana, chat};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(
    a_module_that_cannot_be_fetched_lets_nothing_pass,
    a_filter_that_is_delivered_before_its_module_is_none,
);

fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Has a filter fetch its module.
fn fetching(filter: &mut Value, file: &str, digest: &str) {
    manifest::set_policy(filter, &sections());
    let code = filter.pointer_mut("/typed_config/config/vm_config/code");
    let uri = format!("http://modules.test/{file}");
    let at = json!({"uri": uri, "cluster": "modules", "timeout": "30s"});
    *code.unwrap() = json!({"remote": {"http_uri": at, "sha256": digest}});
}

/// What strangers, and then a caller, get.
fn statuses(mesh: &Mesh) -> [u16; 3] {
    let all = [Request::get("/v1/models"), models(), chat(&ana(), "Hi")];
    all.map(|one| http::send(mesh.port(), one).unwrap().status)
}

const CLOSED: [u16; 3] = [503; 3];
const GUARDED: [u16; 3] = [401, 200, 200];

/// A model server, and a server of modules.
struct Servers {
    model: Model,
    modules: Model,
    first: Vec<u8>,
    second: Vec<u8>,
}

impl Servers {
    fn start() -> Self {
        let (model, modules) = (Model::start().unwrap(), Model::start().unwrap());
        let first = fs::read(wasm::build().unwrap()).unwrap();
        let second = renamed(&wasm::build().unwrap());
        modules.answer("/broken.wasm", Answer::new(200).body("no module"));
        modules.answer("/first.wasm", Answer::new(200).body(first.clone()));
        modules.answer("/second.wasm", Answer::new(200).body(second.clone()));
        Self {
            model,
            modules,
            first,
            second,
        }
    }
}

/// An Envoy that takes its listener from a file (LDS).
struct Listening {
    folder: TempDir,
    whole: Value,
    listener: Value,
}

impl Listening {
    fn new(servers: &Servers) -> Self {
        let folder = process::folder().unwrap();
        let mut whole = documents("envoy/plain/envoy.yaml").unwrap().remove(0);
        let mut listener = whole["static_resources"]["listeners"][0].take();
        listener["@type"] = json!("type.googleapis.com/envoy.config.listener.v3.Listener");
        listener["address"]["socket_address"] = json!({"address": "127.0.0.1", "port_value": 0});
        manager(&mut listener)["access_log"] = json!([]);
        let cluster = whole["static_resources"]["clusters"][0].clone();
        let resources = &mut whole["static_resources"];
        resources["listeners"] = json!([]);
        let clusters = [
            ("models", servers.model.port()),
            ("modules", servers.modules.port()),
        ];
        let clusters = clusters.map(|(name, port)| {
            let mut one = cluster.clone();
            one["name"] = json!(name);
            one["load_assignment"]["cluster_name"] = json!(name);
            let place =
                "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
            *one.pointer_mut(place).unwrap() = json!({"address": "127.0.0.1", "port_value": port});
            one
        });
        resources["clusters"] = json!(clusters);
        routes(&mut listener).retain(|route| route["route"]["cluster"] == "models");
        let lds = json!({"path": folder.path().join("lds.json")});
        whole["dynamic_resources"] =
            json!({"lds_config": {"path_config_source": lds, "resource_api_version": "V3"}});
        whole["node"] = json!({"id": "testbed", "cluster": "testbed"});
        Self {
            folder,
            whole,
            listener,
        }
    }

    fn deliver(&self, file: &str, digest: &str) {
        let mut listener = self.listener.clone();
        let filters = manager(&mut listener)["http_filters"]
            .as_array_mut()
            .unwrap();
        let guard = filters
            .iter_mut()
            .find(|one| one["name"] == "portcullis")
            .unwrap();
        let mut filter = changed(guard.clone());
        fetching(&mut filter, file, digest);
        *guard = filter;
        let list = json!({"version_info": file, "resources": [listener]});
        let next = self.folder.path().join("next.json");
        fs::write(&next, list.to_string()).unwrap();
        fs::rename(next, self.folder.path().join("lds.json")).unwrap();
    }

    fn start(&self, version: &str) -> Mesh {
        let builder = Mesh::builder()
            .version(Some(version))
            .variable("DESK_KEY", FILTER_KEY);
        let builder = builder.variable("MODEL_SERVER_KEY", CREDENTIAL);
        builder.as_it_stands(self.whole.clone()).start().unwrap()
    }
}

fn manager(listener: &mut Value) -> &mut Value {
    let manager = "/filter_chains/0/filters/0/typed_config";
    listener.pointer_mut(manager).unwrap()
}

fn routes(listener: &mut Value) -> &mut Vec<Value> {
    let routes = "/route_config/virtual_hosts/0/routes";
    let routes = manager(listener).pointer_mut(routes).unwrap();
    routes.as_array_mut().unwrap()
}

fn a_module_that_cannot_be_fetched_lets_nothing_pass(version: &str) {
    let servers = Servers::start();
    let listening = Listening::new(&servers);
    // Not there; something else than was said; and what was said, which is no module.
    for (file, digest) in [
        ("missing.wasm", digest(b"missing")),
        ("first.wasm", digest(b"another build")),
        ("broken.wasm", digest(b"no module")),
    ] {
        listening.deliver(file, &digest);
        let mesh = listening.start(version);
        assert!(servers.modules.begun() > 0, "{file}");
        assert!((0..4).all(|_| statuses(&mesh) == CLOSED), "{file}");
        servers.modules.forget();
    }
    assert_eq!(servers.model.begun(), 0);

    // One that is there; then one that is not: what serves goes on until that is known.
    listening.deliver("first.wasm", &digest(&servers.first));
    let mesh = listening.start(version);
    everywhere("the module", || statuses(&mesh) == GUARDED);
    listening.deliver("gone.wasm", &digest(b"gone"));
    let (mut served, mut closed) = (0, 0);
    wait::until("it to be known", PATIENCE, || {
        match statuses(&mesh) {
            GUARDED => served += 1,
            CLOSED => closed += 1,
            // Between two requests it came to be known.
            [stranger, ..] => assert_ne!(stranger, 200),
        }
        closed == 8
    })
    .unwrap();
    assert!(served > 0, "what served goes on until it is known");
    // The one before ends it.
    listening.deliver("first.wasm", &digest(&servers.first));
    everywhere("the module of before", || statuses(&mesh) == GUARDED);
}

/// Envoy fetches no module for a filter that comes alone while it runs, and does without the filter meanwhile: this
/// is why the shipped filter.yaml has a file, and why the doctor looks for it.
fn a_filter_that_is_delivered_before_its_module_is_none(version: &str) {
    let servers = Servers::start();
    let delivery = Delivery::new();
    delivery.deliver_filter(|filter| manifest::set_policy(filter, &sections()));
    let clusters = [
        ("models", servers.model.port()),
        ("modules", servers.modules.port()),
    ];
    let mesh = delivery.start_with(version, &clusters);
    everywhere("the filter", || statuses(&mesh) == GUARDED);
    servers.model.forget();
    delivery.deliver_filter(|filter| fetching(filter, "second.wasm", &digest(&servers.second)));
    let open = || statuses(&mesh) == [200; 3];
    wait::until("the filter to be gone", Duration::from_secs(60), open).unwrap();
    // What is let in is without the credential, of which a model server that has one knows it.
    let received = servers.model.received();
    let credential = format!("Bearer {CREDENTIAL}");
    let strangers = received
        .iter()
        .filter(|one| one.method == "GET" && one.header("authorization").is_none());
    assert!(strangers.count() > 0);
    let last = received.iter().rev().take(3);
    assert!(
        last.into_iter()
            .all(|one| one.header("authorization") != Some(&credential))
    );
    // A file closes it.
    delivery.deliver_filter(|filter| manifest::set_policy(filter, &sections()));
    everywhere("the filter to be back", || statuses(&mesh) == GUARDED);
}
