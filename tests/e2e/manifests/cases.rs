//! The manifests that put the filter into an Envoy, each as a listener.

use serde_json::{Value, json};
use testbed::manifest::{self, documents, files};
use testbed::model::Model;
use testbed::wasm;

use super::platforms;
use crate::support::{Desk, idp};

/// Where Envoy asks the rate limit service.
pub const LIMITS: &str = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";

/// The listener of [`with_small_buffers`].
pub const SMALL: &str = "small";

/// A manifest.
#[derive(Clone)]
pub struct Case {
    /// Its file.
    pub name: String,
    /// What its platform makes of it.
    pub listener: Value,
    /// The clusters that it brings.
    pub clusters: Vec<Value>,
    /// The policy in it.
    pub policy: Value,
    /// Whether it has records sent to the desk.
    pub streams_records: bool,
}

/// All of them.
pub fn cases() -> Vec<Case> {
    let mut found = Vec::new();
    for folder in [
        "envoy/plain",
        "envoy/compose",
        "envoy/istio",
        "envoy/envoy-gateway",
    ] {
        for file in files(folder).unwrap() {
            for document in documents(&file).unwrap() {
                // What is delivered to a running Envoy has tests of its own.
                let delivered = document.get("resources").is_some();
                if let Some(filter) = manifest::filter(&document).filter(|_| !delivered) {
                    found.push(case(&file, &document, filter));
                }
            }
        }
    }
    found
}

fn case(file: &str, document: &Value, filter: Value) -> Case {
    let filter = changed(filter);
    let policy = manifest::policy(&filter).unwrap();
    let (mut listener, clusters) = match document["kind"].as_str() {
        None => platforms::envoy(document, &filter),
        Some("EnvoyFilter") => (platforms::istio(document, &filter), Vec::new()),
        Some("WasmPlugin" | "TrafficExtension") => (platforms::istio_plugin(&filter), Vec::new()),
        Some("EnvoyPatchPolicy") => platforms::gateway(document, &filter),
        Some("EnvoyExtensionPolicy") => (platforms::gateway_plugin(&filter), Vec::new()),
        Some(other) => panic!("{file}: no test knows what becomes of a {other}"),
    };
    let streams_records = platforms::finish(&mut listener, file);
    Case {
        name: file.to_owned(),
        listener,
        clusters,
        policy,
        streams_records,
    }
}

/// Envoy Gateway's EnvoyPatchPolicy with buffers as it makes them by itself.
pub fn with_small_buffers(cases: &[Case]) -> Case {
    let patched = "envoy/envoy-gateway/envoypatchpolicy.yaml";
    let mut small = cases
        .iter()
        .find(|case| case.name == patched)
        .unwrap()
        .clone();
    SMALL.clone_into(&mut small.name);
    small.listener["name"] = json!(SMALL);
    small.listener["per_connection_buffer_limit_bytes"] = json!(32_768);
    small
}

/// With what each manifest says is to be changed: the identity provider, and where the module is.
pub fn changed(mut filter: Value) -> Value {
    let mut policy = manifest::policy(&filter).unwrap();
    let provider = policy.pointer_mut("/identity/providers/0").unwrap();
    provider["issuer"] = json!(idp().issuer());
    provider["audiences"] = json!([testbed::idp::AUDIENCE]);
    provider["keys"] = json!({"jwks": idp().jwks()});
    manifest::set_policy(&mut filter, &policy);
    manifest::set_module(&mut filter, &wasm::build().unwrap());
    filter
}

/// The clusters of all cases, each once, where tests have what they lead to.
pub fn clusters(cases: &[Case], model: &Model, desk: &Desk) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    let brought = cases.iter().flat_map(|case| case.clusters.clone());
    for cluster in brought.chain(platforms::of_istio()) {
        if !found.iter().any(|known| known["name"] == cluster["name"]) {
            found.push(cluster);
        }
    }
    for cluster in &mut found {
        let name = cluster["name"].as_str().unwrap().to_owned();
        let port = match name.as_str() {
            "models" | "models_grpc" | "ratelimit" => model.port(),
            name if name == "desk_log" || name.contains("|7071|") => desk.log_port,
            name if name == "desk" || name.contains("|7070|") => desk.port,
            other => panic!("no test knows the cluster {other}"),
        };
        let place = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
        *cluster.pointer_mut(place).unwrap() = json!({"address": "127.0.0.1", "port_value": port});
    }
    found
}
