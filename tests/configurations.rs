//! The configurations under envoy/ are what their platforms take, as far as these can be asked without a cluster:
//! manifests by the schemas of their kinds, compose's file by its own, the chart by Helm, overlays by Kustomize, and
//! the desk's image by reading it back. What they do in an Envoy is for the end-to-end tests (tests/e2e/manifests.rs).
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what the tests share may fail them"
)]

#[path = "configurations/image.rs"]
mod image;
#[path = "configurations/kubernetes.rs"]
mod kubernetes;

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use jsonschema::Validator;
use portcullis::exchange::CompiledPolicy;
use serde_json::{Value, json};
use testbed::manifest::{self, documents, files};
use testbed::{process, tools};

/// Folders with manifests for clusters.
const MANIFESTS: [&str; 2] = ["envoy/istio", "envoy/envoy-gateway"];

/// Kinds whose schemas are not among the test vectors: those of Kubernetes and of the Gateway API, and some of the
/// platforms'. docs/mesh.md says so.
const UNCHECKED: [&str; 12] = [
    "AuthorizationPolicy",
    "BackendTrafficPolicy",
    "ConfigMap",
    "DestinationRule",
    "Gateway",
    "GatewayClass",
    "HTTPRoute",
    "IstioOperator",
    "SecurityPolicy",
    "Service",
    "ServiceEntry",
    "VirtualService",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a tool or a file is, or nothing where it can't be had and need not be.
fn had<T>(what: Result<T, String>) -> Option<T> {
    match what {
        Ok(found) => Some(found),
        Err(why) if env::var_os("PORTCULLIS_REQUIRE_CLIENTS").is_some() => panic!("{why}"),
        Err(why) => {
            eprintln!("skipped: {why}");
            None
        }
    }
}

/// What a command prints.
fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Has a schema of Kubernetes' take no fields but those that it names, which the API server would drop.
fn strict(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else {
        return;
    };
    let open = fields.contains_key("additionalProperties")
        || fields.get("x-kubernetes-preserve-unknown-fields") == Some(&json!(true));
    if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
        properties.values_mut().for_each(strict);
        if !open {
            fields.insert("additionalProperties".to_owned(), json!(false));
        }
    }
    for part in ["items", "additionalProperties"] {
        if let Some(part) = fields.get_mut(part) {
            strict(part);
        }
    }
}

/// Validators of kinds, by `apiVersion` and kind.
fn schemas() -> Option<BTreeMap<(String, String), Validator>> {
    let Some(vectors) = env::var_os("PORTCULLIS_VECTORS").map(PathBuf::from) else {
        eprintln!("skipped: PORTCULLIS_VECTORS names no folder with schemas");
        return None;
    };
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(vectors.join("crds")).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        for definition in manifest::parsed(&text).unwrap() {
            let spec = &definition["spec"];
            let (group, kind) = (&spec["group"], &spec["names"]["kind"]);
            for version in spec["versions"].as_array().unwrap() {
                let mut schema = version["schema"]["openAPIV3Schema"].clone();
                strict(&mut schema);
                // What is of every kind.
                schema["properties"]["apiVersion"] = json!({"type": "string"});
                schema["properties"]["kind"] = json!({"type": "string"});
                schema["properties"]["metadata"] = json!({
                    "type": "object",
                    "required": ["name"],
                    "additionalProperties": false,
                    "properties": {
                        "name": {"type": "string"},
                        "namespace": {"type": "string"},
                        "labels": {"additionalProperties": {"type": "string"}},
                        "annotations": {"additionalProperties": {"type": "string"}},
                    },
                });
                let name = format!("{}/{}", text_of(group), text_of(&version["name"]));
                let validator = jsonschema::draft4::new(&schema).unwrap();
                found.insert((name, text_of(kind)), validator);
            }
        }
    }
    Some(found)
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[test]
fn manifests_are_what_the_schemas_of_their_kinds_say() {
    let Some(schemas) = schemas() else { return };
    let mut seen = BTreeSet::new();
    for file in MANIFESTS.iter().flat_map(|folder| files(folder).unwrap()) {
        for document in documents(&file).unwrap() {
            let kind = text_of(&document["kind"]);
            match schemas.get(&(text_of(&document["apiVersion"]), kind.clone())) {
                Some(validator) => {
                    let problems: Vec<String> = validator
                        .iter_errors(&document)
                        .map(|error| format!("{}: {error}", error.instance_path()))
                        .collect();
                    assert!(problems.is_empty(), "{file}: {}", problems.join("\n"));
                    seen.insert(kind);
                }
                // A patch for a Deployment says no kind.
                None => assert!(
                    kind.is_empty() || UNCHECKED.contains(&kind.as_str()),
                    "{file}: no schema of {} {kind}",
                    document["apiVersion"]
                ),
            }
        }
    }
    let all: BTreeSet<String> = schemas.keys().map(|(_, kind)| kind.clone()).collect();
    assert_eq!(seen, all);
    let page = fs::read_to_string(root().join("docs/mesh.md")).unwrap();
    for kind in UNCHECKED {
        assert!(
            page.contains(&format!("`{kind}`")),
            "docs/mesh.md doesn't say that {kind} is unchecked"
        );
    }
}

#[test]
fn a_field_that_a_kind_does_not_have_is_found() {
    let Some(schemas) = schemas() else { return };
    let kind = (
        "extensions.istio.io/v1alpha1".to_owned(),
        "WasmPlugin".to_owned(),
    );
    let mut plugin = documents("envoy/istio/wasmplugin.yaml").unwrap().remove(0);
    assert!(schemas[&kind].is_valid(&plugin));
    // What it is said not to be able to say.
    plugin["spec"]["allowOnHeadersStopIteration"] = json!(true);
    assert!(!schemas[&kind].is_valid(&plugin));
}

/// Every object in a document, however deep.
fn objects<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| objects(item, found)),
        Value::Object(members) => {
            found.push(value);
            members.values().for_each(|member| objects(member, found));
        }
        _ => {}
    }
}

#[test]
fn each_secret_that_a_manifest_names_is_made_by_a_command_of_the_page() {
    let page = fs::read_to_string(root().join("docs/mesh.md")).unwrap();
    let page = page.replace("\\\n", " ");
    // Who takes it, and where that runs: Envoy Gateway's proxies in its own namespace.
    let mut wanted = BTreeSet::new();
    for (folder, namespace) in [
        ("envoy/istio", "models"),
        ("envoy/envoy-gateway", "envoy-gateway-system"),
    ] {
        for file in files(folder).unwrap() {
            for mut document in documents(&file).unwrap() {
                // What a waypoint's ConfigMap has is YAML again.
                if let Some(text) = document.pointer("/data/deployment").and_then(Value::as_str) {
                    document = manifest::parsed(text).unwrap().remove(0);
                }
                let mut all = Vec::new();
                objects(&document, &mut all);
                for secret in all.iter().filter_map(|one| one.get("secretKeyRef")) {
                    let text = |name: &str| secret[name].as_str().unwrap().to_owned();
                    wanted.insert((namespace, text("name"), text("key")));
                }
            }
        }
    }
    assert_eq!(wanted.len(), 4, "{wanted:?}");
    for key in ["DESK_KEY", "ANA_KEY"] {
        wanted.insert(("portcullis", "portcullis-desk".to_owned(), key.to_owned()));
    }
    for (namespace, name, key) in wanted {
        let made = format!("kubectl -n {namespace} create secret generic {name} ");
        let mut commands = page.lines().filter(|line| line.contains(&made));
        let literal = format!("--from-literal={key}=");
        assert!(
            commands.any(|line| line.contains(&literal)),
            "{made} {literal}"
        );
    }
}

/// What Istio does with init containers (`reorderPod` of its injector): a native sidecar comes first.
#[test]
fn a_sidecar_s_module_is_there_before_the_sidecar_is() {
    let patch = documents("envoy/istio/workload.yaml").unwrap().remove(0);
    let template = &patch["spec"]["template"];
    assert_eq!(
        template["spec"]["initContainers"][0]["name"],
        "portcullis-module"
    );
    let native = &template["metadata"]["annotations"]["sidecar.istio.io/nativeSidecar"];
    assert_eq!(native, "false");
    // Without a file there is nothing to wait for.
    let remote = fs::read_to_string(root().join("envoy/istio/envoyfilter-remote.yaml")).unwrap();
    assert!(!remote.contains("filename"));
}

#[test]
fn filters_in_manifests_are_closed_and_say_what_they_carry() {
    let folders = [
        "envoy/plain",
        "envoy/compose",
        "envoy/istio",
        "envoy/envoy-gateway",
    ];
    let mut found = 0;
    for file in folders.iter().flat_map(|folder| files(folder).unwrap()) {
        let text = fs::read_to_string(root().join(&file)).unwrap();
        for document in documents(&file).unwrap() {
            let Some(filter) = manifest::filter(&document) else {
                continue;
            };
            found += 1;
            // The file that replaces the filter of another is told there.
            assert!(
                text.contains("Carries: ") || file.ends_with("filter.yaml"),
                "{file}"
            );
            let config = &filter["typed_config"]["config"];
            let policy = manifest::policy(&filter).unwrap_or_else(|why| panic!("{file}: {why}"));
            let loaded = CompiledPolicy::load(&policy.to_string(), &|name| {
                let known =
                    config["vm_config"]["environment_variables"]["host_env_keys"].as_array();
                let known = known.is_some_and(|known| known.contains(&json!(name)));
                assert!(
                    known,
                    "{file}: the policy names {name}, which the filter isn't given"
                );
                Some("a value that is long enough for any key".to_owned())
            });
            if let Err(problems) = loaded {
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                panic!("{file}:\n{}", lines.join("\n"));
            }
            let closed = match &config["failure_policy"] {
                Value::Null => config["fail_open"] == false,
                policy => *policy == "FAIL_RELOAD" || *policy == "FAIL_CLOSED",
            };
            assert!(closed, "{file}: {config}");
            assert_eq!(config["root_id"], "portcullis", "{file}");
            let remote = &config["vm_config"]["code"]["remote"];
            if remote.is_object() {
                let digest = text_of(&remote["sha256"]);
                assert!(
                    digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()),
                    "{file}"
                );
            }
            if config["allow_on_headers_stop_iteration"] != true {
                let bodies = ["patterns", "approvals"]
                    .iter()
                    .any(|part| policy.get(part).is_some());
                let prompts = policy["rules"].to_string().contains("mask_request");
                assert!(!bodies && !prompts, "{file}: the policy needs bodies");
            } else {
                assert_eq!(config["vm_config"]["vm_id"], "portcullis", "{file}");
            }
        }
    }
    assert!(found >= 10, "{found}");
}

#[test]
fn routes_let_streams_live() {
    let timeouts = |text: &str| text.matches("timeout: 0s").count();
    for (file, least) in [
        ("envoy/plain/envoy.yaml", 3),
        ("envoy/plain/ecds.yaml", 3),
        ("envoy/compose/envoy.yaml", 3),
        ("envoy/istio/routes.yaml", 1),
    ] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert_eq!(timeouts(&text), least, "{file}");
    }
    let gateway = documents("envoy/envoy-gateway/gateway.yaml").unwrap();
    let of_kind = |kind: &str| gateway.iter().find(|one| one["kind"] == kind).unwrap();
    let rule = &of_kind("HTTPRoute")["spec"]["rules"][0];
    assert_eq!(
        rule["timeouts"],
        json!({"request": "0s", "backendRequest": "0s"})
    );
    let http = &of_kind("BackendTrafficPolicy")["spec"]["timeout"]["http"];
    assert_eq!(http["requestTimeout"], "0s");
}

#[test]
fn compose_s_file_is_what_its_schema_says() {
    let compose = documents("envoy/compose/compose.yaml").unwrap().remove(0);
    let services = compose["services"].as_object().unwrap();
    // What is mounted is there, but for the module.
    for (name, service) in services {
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let source = text_of(volume);
            let source = source.split(':').next().unwrap();
            let own = source
                .strip_prefix("./")
                .filter(|file| !file.ends_with(".wasm"));
            let there = own.is_none_or(|file| root().join("envoy/compose").join(file).exists());
            assert!(there, "{name}: {source}");
        }
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
    }
    let example = fs::read_to_string(root().join("envoy/compose/env.example")).unwrap();
    let text = fs::read_to_string(root().join("envoy/compose/compose.yaml")).unwrap();
    for part in text.split("${").skip(1).filter(|part| part.contains(":?")) {
        let name = part.split(":?").next().unwrap();
        assert!(
            example.contains(&format!("\n{name}=")),
            "env.example has no {name}"
        );
    }

    let Some(schema) = had(tools::compose_schema()) else {
        return;
    };
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let problems: Vec<String> = validator
        .iter_errors(&compose)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    let mut wrong = compose.clone();
    wrong["services"]["envoy"]["imaeg"] = json!("x");
    assert!(!validator.is_valid(&wrong));
}

/// The access logger's key is put in, and the policy keeps the name of its own.
#[test]
fn compose_puts_the_logger_s_key_in() {
    let compose = documents("envoy/compose/compose.yaml").unwrap().remove(0);
    let envoy = &compose["services"]["envoy"];
    assert_eq!(envoy["entrypoint"], json!(["sh", "-ec"]));
    let folder = process::folder().unwrap();
    let out = folder.path().join("envoy.yaml");
    // As compose reads it, and at other places.
    let script = text_of(&envoy["command"][0]).replace("$$", "$");
    let (script, start) = script.trim().split_once('\n').unwrap();
    assert_eq!(start, "exec envoy -c /tmp/envoy.yaml");
    let shipped = root().join("envoy/compose/envoy.yaml");
    let script = script
        .replace("/tmp/envoy.yaml", out.to_str().unwrap())
        .replace("/etc/portcullis/envoy.yaml", shipped.to_str().unwrap());
    printed(
        Command::new("sh")
            .args(["-ec", &script])
            .env("DESK_KEY", "key-5f"),
    );
    let (before, after) = (
        fs::read_to_string(shipped).unwrap(),
        fs::read_to_string(out).unwrap(),
    );
    let changed: Vec<(&str, &str)> = before
        .lines()
        .zip(after.lines())
        .filter(|(one, other)| one != other)
        .collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert!(
        changed[0]
            .1
            .contains("- { key: authorization, value: \"Bearer key-5f\" }"),
        "{changed:?}"
    );
    assert!(after.contains("\"credential\": \"Bearer ${DESK_KEY}\""));
}
