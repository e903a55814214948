//! The configurations under envoy/, and what the platforms that they are for make of them: the filter as Envoy gets it.

use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::dirs;

/// What a filter's configuration is, in Envoy's words.
pub const WASM: &str = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm";

const TEXT: &str = "type.googleapis.com/google.protobuf.StringValue";

/// The documents of a YAML file, by its path below the workspace's root.
///
/// # Errors
/// When it can't be read or is no YAML.
pub fn documents(file: &str) -> Result<Vec<Value>, String> {
    let path = dirs::workspace().join(file);
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read {file}: {error}"))?;
    parsed(&text).map_err(|error| format!("{file}: {error}"))
}

/// The documents of a text in YAML.
///
/// # Errors
/// When it is none.
pub fn parsed(text: &str) -> Result<Vec<Value>, String> {
    let text = format!("\n{text}");
    let parts = text.split("\n---").filter(|part| !is_empty(part));
    let documents: Result<Vec<Value>, _> = parts.map(yaml_serde::from_str).collect();
    documents.map_err(|error| error.to_string())
}

/// Whether there is nothing but comments.
fn is_empty(part: &str) -> bool {
    part.lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#')
    })
}

/// The YAML files in a folder, by their paths below the workspace's root.
///
/// # Errors
/// When there is no such folder.
pub fn files(folder: &str) -> Result<Vec<String>, String> {
    let said = |error: std::io::Error| format!("{folder}: {error}");
    let mut files = Vec::new();
    for entry in fs::read_dir(dirs::workspace().join(folder)).map_err(said)? {
        let name = entry.map_err(said)?.file_name();
        let name = PathBuf::from(name);
        if name
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            files.push(format!("{folder}/{}", name.display()));
        }
    }
    files.sort();
    Ok(files)
}

/// The HTTP filter that a document puts into Envoy, with the fields of Envoy's own that its platform gives it; `None`
/// if it has none.
#[must_use]
pub fn filter(document: &Value) -> Option<Value> {
    let spec = &document["spec"];
    let config = match document["kind"].as_str() {
        Some("EnvoyFilter") => return among(&spec["configPatches"], "/patch/value"),
        Some("EnvoyPatchPolicy") => return among(&spec["jsonPatches"], "/operation/value"),
        Some("WasmPlugin") => of_istio(document, spec),
        Some("TrafficExtension") => of_istio(document, &spec["wasm"]),
        Some("EnvoyExtensionPolicy") => of_gateway(spec.pointer("/wasm/0")?),
        Some(_) => return None,
        None => return among(&document["resources"], "").or_else(|| of_envoy(document)),
    };
    let typed = json!({"@type": WASM, "config": config});
    Some(json!({"name": "portcullis", "typed_config": typed}))
}

/// The first of a list's items that is such a filter, at a place in it.
fn among(list: &Value, place: &str) -> Option<Value> {
    let values = list.as_array()?.iter();
    let mut values = values.filter_map(|item| item.pointer(place));
    let found = values.find(|value| value.pointer("/typed_config/@type") == Some(&json!(WASM)))?;
    let mut found = found.clone();
    // Names of resources are not of filters.
    if let Some(fields) = found.as_object_mut() {
        fields.retain(|name, _| name == "name" || name == "typed_config");
    }
    Some(found)
}

fn of_envoy(whole: &Value) -> Option<Value> {
    let path = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters";
    among(whole.pointer(path)?, "")
}

/// As istiod makes it of a plugin.
fn of_istio(document: &Value, plugin: &Value) -> Value {
    let part = |place: &str| {
        let found = document.pointer(place).and_then(Value::as_str);
        found.unwrap_or_default()
    };
    let mut variables = Map::new();
    variables.insert(
        "ISTIO_META_WASM_PLUGIN_RESOURCE_VERSION".to_owned(),
        json!("1"),
    );
    if plugin["imagePullPolicy"].is_string() {
        let policy = plugin["imagePullPolicy"].clone();
        variables.insert("ISTIO_META_WASM_IMAGE_PULL_POLICY".to_owned(), policy);
    }
    let mut of_host = Vec::new();
    for one in plugin
        .pointer("/vmConfig/env")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        match one["valueFrom"].as_str() {
            Some("HOST") => of_host.push(one["name"].clone()),
            _ => {
                let name = one["name"].as_str().unwrap_or_default().to_owned();
                variables.insert(name, one["value"].clone());
            }
        }
    }
    let policy = match plugin["failStrategy"].as_str() {
        Some("FAIL_CLOSE") | None => "FAIL_CLOSED",
        Some(other) => other,
    };
    json!({
        "name": format!("{}.{}", part("/metadata/namespace"), part("/metadata/name")),
        "root_id": plugin["pluginName"],
        "failure_policy": policy,
        "configuration": text(&plugin["pluginConfig"]),
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "code": fetched(&plugin["url"], &plugin["sha256"]),
            "environment_variables": {"key_values": variables, "host_env_keys": of_host},
        },
    })
}

/// As Envoy Gateway makes it of an extension.
fn of_gateway(extension: &Value) -> Value {
    let code = extension.pointer("/code/http").unwrap_or(&Value::Null);
    json!({
        "name": extension["name"],
        "root_id": extension["rootID"],
        "fail_open": extension["failOpen"],
        "configuration": text(&extension["config"]),
        "vm_config": {
            "vm_id": "envoyextensionpolicy/inference/portcullis/wasm/0",
            "runtime": "envoy.wasm.runtime.v8",
            "code": fetched(&code["url"], &code["sha256"]),
            "environment_variables": {"host_env_keys": extension.pointer("/env/hostKeys")},
        },
    })
}

fn text(configuration: &Value) -> Value {
    json!({"@type": TEXT, "value": configuration.to_string()})
}

fn fetched(url: &Value, digest: &Value) -> Value {
    json!({"remote": {"http_uri": {"uri": url, "timeout": "30s", "cluster": "_"}, "sha256": digest}})
}

/// The policy that a filter is given.
///
/// # Errors
/// When it is not text in a `StringValue`, or no JSON.
pub fn policy(filter: &Value) -> Result<Value, String> {
    let configuration = filter.pointer("/typed_config/config/configuration");
    let configuration = configuration.ok_or("the filter has no configuration")?;
    if configuration["@type"] != TEXT {
        return Err(format!("the policy is in a {}", configuration["@type"]));
    }
    let text = configuration["value"].as_str().unwrap_or_default();
    serde_json::from_str(text).map_err(|error| format!("the policy: {error}"))
}

/// Gives a filter another policy.
pub fn set_policy(filter: &mut Value, policy: &Value) {
    if let Some(text) = filter.pointer_mut("/typed_config/config/configuration/value") {
        *text = json!(policy.to_string());
    }
}

/// Gives a filter the module as a file, as the one that fetches it does or whoever copies the configuration.
pub fn set_module(filter: &mut Value, file: &std::path::Path) {
    if let Some(code) = filter.pointer_mut("/typed_config/config/vm_config/code") {
        *code = json!({"local": {"filename": file}});
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_apart() {
        let text = "# none\n---\na: 1\n---\n# nor this\n---\nb: |\n  --- x\n";
        let found = parsed(text).unwrap();
        assert_eq!(found, [json!({"a": 1}), json!({"b": "--- x\n"})]);
        assert!(parsed("a: [").is_err());
    }

    #[test]
    fn a_plugin_of_istio_s_becomes_a_filter() {
        let document = json!({
            "kind": "WasmPlugin",
            "metadata": {"name": "p", "namespace": "n"},
            "spec": {
                "url": "https://a/b.wasm", "sha256": "00", "pluginName": "r", "failStrategy": "FAIL_CLOSE",
                "pluginConfig": {"version": 1},
                "vmConfig": {"env": [{"name": "A", "valueFrom": "HOST"}, {"name": "B", "value": "b"}]},
            },
        });
        let filter = filter(&document).unwrap();
        assert_eq!(policy(&filter).unwrap(), json!({"version": 1}));
        let config = &filter["typed_config"]["config"];
        assert_eq!(
            (&config["name"], &config["failure_policy"]),
            (&json!("n.p"), &json!("FAIL_CLOSED"))
        );
        let variables = &config["vm_config"]["environment_variables"];
        assert_eq!(variables["host_env_keys"], json!(["A"]));
        assert_eq!(variables["key_values"]["B"], "b");
    }
}
