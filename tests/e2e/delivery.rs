//! An Envoy that takes its filter from a file of its own (ECDS), as `envoy/plain/ecds.yaml` has it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use testbed::manifest::{self, documents};
use testbed::mesh::Mesh;
use testbed::model::Model;
use testbed::process::{self, TempDir};

use crate::manifests::cases::changed;
use crate::support::{CREDENTIAL, FILTER_KEY};

/// What such an Envoy takes its filter from.
pub struct Delivery {
    pub folder: TempDir,
    resource: Value,
}

impl Delivery {
    /// With the shipped filter, which is not delivered yet.
    pub fn new() -> Self {
        let folder = process::folder().unwrap();
        let resource = documents("envoy/plain/filter.yaml").unwrap().remove(0);
        Self { folder, resource }
    }

    /// Moves the shipped filter into place, with changes to its policy.
    pub fn deliver(&self, change: impl FnOnce(&mut Value)) {
        self.deliver_filter(|filter| {
            let mut policy = manifest::policy(filter).unwrap();
            change(&mut policy);
            manifest::set_policy(filter, &policy);
        });
    }

    /// As [`Delivery::deliver`], with changes to anything of the filter.
    pub fn deliver_filter(&self, change: impl FnOnce(&mut Value)) {
        let mut filter = changed(manifest::filter(&self.resource).unwrap());
        change(&mut filter);
        let mut resource = self.resource.clone();
        resource["resources"][0]["typed_config"] = filter["typed_config"].take();
        self.replace(&resource.to_string());
    }

    /// Moves a text into the filter's place.
    pub fn replace(&self, text: &str) {
        let next = self.folder.path().join("next.yaml");
        fs::write(&next, text).unwrap();
        fs::rename(next, self.folder.path().join("filter.yaml")).unwrap();
    }

    /// Starts one with nobody but a model server.
    pub fn start(&self, version: &str, model: &Model) -> Mesh {
        self.start_with(version, &[("models", model.port())])
    }

    /// Starts one with these clusters; the others of the shipped file lead nowhere.
    pub fn start_with(&self, version: &str, clusters: &[(&str, u16)]) -> Mesh {
        let mut whole = documents("envoy/plain/ecds.yaml").unwrap().remove(0);
        point(&mut whole, self.folder.path(), clusters);
        let builder = Mesh::builder()
            .version(Some(version))
            .variable("DESK_KEY", FILTER_KEY);
        let builder = builder.variable("MODEL_SERVER_KEY", CREDENTIAL);
        builder.as_it_stands(whole).start().unwrap()
    }
}

/// Makes of the shipped file what a test can run: ports, files, and who is there.
fn point(whole: &mut Value, folder: &Path, known: &[(&str, u16)]) {
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
    let clusters = whole["static_resources"]["clusters"]
        .as_array_mut()
        .unwrap();
    let place = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
    for (name, _) in known {
        // One that the shipped file has not got is like the model server's.
        if !clusters.iter().any(|cluster| cluster["name"] == *name) {
            let mut cluster = clusters[0].clone();
            cluster["name"] = json!(name);
            cluster["load_assignment"]["cluster_name"] = json!(name);
            clusters.push(cluster);
        }
    }
    for cluster in clusters {
        let mut named = known.iter().filter(|(name, _)| cluster["name"] == *name);
        // Where nobody listens.
        let port = named.next().map_or(1, |(_, port)| *port);
        *cluster.pointer_mut(place).unwrap() = json!({"address": "127.0.0.1", "port_value": port});
    }
}
