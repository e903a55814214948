//! `portcullis doctor`, asked about real Envoys: what is shipped comes out clean, and each fault is found
//! where it is.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use testbed::mesh::Mesh;
use testbed::process::{self, Process};
use testbed::{desk, envoy, http, port, wait, wasm};

use crate::support::{CREDENTIAL, Desk, ana, chat};
use crate::versions::in_each_envoy;

in_each_envoy!(
    shipped_configurations_come_out_clean,
    each_fault_is_found,
    what_went_wrong_since_envoy_began_is_found,
);

/// What must not be printed.
const LOGGER_KEY: &str = "logger-secret-5f0c2b7e";

fn doctor(admin: u16, more: &[&str]) -> Output {
    let mut command = Command::new(desk::build().unwrap());
    command.args(["doctor", "--admin", &format!("http://127.0.0.1:{admin}")]);
    let output = command.args(more).output().unwrap();
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    for secret in [CREDENTIAL, LOGGER_KEY, "filter-key-8c1d4e0a93"] {
        assert!(!said.contains(secret), "{said}");
    }
    output
}

/// The codes that are found, each with what it is of.
fn found(admin: u16, more: &[&str]) -> BTreeSet<(String, String)> {
    let output = doctor(admin, &[more, &["--json"]].concat());
    let said: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
        panic!("{}", String::from_utf8_lossy(&output.stderr));
    });
    let findings = said["findings"].as_array().unwrap();
    let wrong = findings.iter().any(|one| one["severity"] != "note");
    assert_eq!(output.status.code(), Some(i32::from(wrong)), "{said:#}");
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    findings
        .iter()
        .map(|one| (text(one, "code"), text(one, "of")))
        .collect()
}

fn shipped_configurations_come_out_clean(version: &str) {
    let desk = Desk::start();
    for file in [
        "envoy/plain/envoy.yaml",
        "envoy/file/envoy.yaml",
        "envoy/opentelemetry/envoy.yaml",
    ] {
        let mut builder = Mesh::builder()
            .shipped(file)
            .version(Some(version))
            .variable("MODEL_SERVER_KEY", CREDENTIAL);
        if file.contains("plain") {
            builder = builder
                .variable("DESK_KEY", "filter-key-8c1d4e0a93")
                .cluster_http2("desk", desk.port)
                .cluster_http2("desk_log", desk.log_port);
        }
        let mesh = builder.start().unwrap();
        let output = doctor(mesh.admin_port(), &[]);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{file}: {said}");
        // The shorter ones leave the labels for Prometheus out, which is a note.
        let notes = match file.contains("plain") {
            true => "0 notes",
            false => "1 note",
        };
        let expected = format!("0 errors, 0 warnings, {notes}\n");
        assert!(said.ends_with(&expected), "{file}: {said}");
        assert!(
            said.contains(&format!("Envoy {version}, the filter at 1 listener")),
            "{said}"
        );
    }
    let output = doctor(port::free().unwrap(), &[]);
    assert_eq!(output.status.code(), Some(2));
}

/// A policy that asks people, counts, and looks into prompts.
fn policy() -> Value {
    crate::support::policy(&json!({
        "patterns": {"probing": {"any_of": ["(?i)ignore previous instructions"]}},
        "quotas": {"all": {"by": ["subject"], "count": "requests", "limit": 600, "per": "1m"}},
        "approvals": {"cluster": "desk", "credential": "Bearer filter-key-8c1d4e0a93", "wait": "1s"},
        "rules": [
            {"name": "probing", "when": {"prompt": ["probing"]}, "then": "deny"},
            {"name": "tuning", "when": {"operation": ["model.tune"]}, "then": {"approve": {"reviewers": ["leads"]}}},
            {"name": "chats", "when": {"operation": ["inference.*", "model.tune"]}, "then": "allow", "quota": ["all"]},
        ],
    }))
}

/// The filter.
fn filter(policy: &Value) -> Value {
    json!({"name": "portcullis", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": {
            "name": "portcullis",
            "root_id": "portcullis",
            "failure_policy": "FAIL_RELOAD",
            "allow_on_headers_stop_iteration": true,
            "vm_config": {
                "vm_id": "portcullis",
                "runtime": "envoy.wasm.runtime.v8",
                "code": {"local": {"filename": wasm::build().unwrap()}},
                "environment_variables": {"key_values": {"MODEL_SERVER_KEY": CREDENTIAL}},
            },
            "configuration": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": policy.to_string(),
            },
        },
    }})
}

/// A listener with nothing wrong.
fn listener(name: &str, policy: &Value) -> Value {
    json!({
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "per_connection_buffer_limit_bytes": 16_777_216,
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": name,
                "access_log_options": {"access_log_flush_interval": "10s"},
                "access_log": [{"name": "file", "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                    "path": "/dev/null",
                    "log_format": {"json_format": {"session": "%FILTER_STATE(wasm.portcullis.session:PLAIN)%"}},
                }}],
                "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
                    {"match": {"prefix": "/"}, "route": {"cluster": "models", "timeout": "0s"}},
                ]}]},
                "http_filters": [filter(policy), {
                    "name": "envoy.filters.http.router",
                    "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
                }],
            },
        }]}],
    })
}

const MANAGER: &str = "/filter_chains/0/filters/0/typed_config";
const PLUGIN: &str = "/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config";

fn at<'a>(value: &'a mut Value, path: &str) -> &'a mut Value {
    value
        .pointer_mut(path)
        .unwrap_or_else(|| panic!("nothing at {path}"))
}

/// A listener with one fault.
fn faulty(name: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mut listener = listener(name, &policy());
    change(&mut listener);
    listener
}

fn cluster(name: &str, port: u16) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [{"endpoint": {
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        }}]}]},
    })
}

/// A running Envoy.
struct Running {
    admin: u16,
    _process: Process,
}

impl Running {
    fn start(version: &str, listeners: &[Value], clusters: &[Value]) -> Self {
        let admin = port::free().unwrap();
        let tags = ["action", "rule", "code", "detector", "digest"].map(|name| {
            json!({"tag_name": name, "regex": format!("^wasmcustom\\.portcullis_.+?(\\.{name}=([^.]+))")})
        });
        let config = json!({
            "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": admin}}},
            "stats_config": {"stats_tags": tags},
            "static_resources": {"listeners": listeners, "clusters": clusters},
        });
        let folder = process::folder().unwrap();
        let file = folder.path().join("envoy.json");
        fs::write(&file, config.to_string()).unwrap();
        let mut command = Command::new(envoy::find(Some(version)).unwrap().path);
        command
            .args([
                "--disable-hot-restart",
                "--concurrency",
                "2",
                "--log-level",
                "info",
            ])
            .arg("--config-path")
            .arg(&file);
        let mut process = Process::spawn_in("Envoy", folder, command).unwrap();
        process
            .until("Envoy to be ready", Duration::from_secs(120), || {
                http::get(admin, "/ready").is_ok_and(|answer| answer.status == 200)
            })
            .unwrap();
        // What the filter tells of itself comes with its first tick.
        wait::until("the policies' digests", Duration::from_secs(60), || {
            http::get(admin, "/stats?filter=policy_vms")
                .is_ok_and(|answer| answer.text().contains("digest="))
        })
        .unwrap();
        Self {
            admin,
            _process: process,
        }
    }

    /// The port of a listener.
    fn port_of(&self, listener: &str) -> u16 {
        let all = http::get(self.admin, "/listeners?format=json")
            .unwrap()
            .json();
        let all = all["listener_statuses"].as_array().unwrap().clone();
        let one = all.iter().find(|one| one["name"] == listener).unwrap();
        let port = &one["local_address"]["socket_address"]["port_value"];
        u16::try_from(port.as_u64().unwrap()).unwrap()
    }
}

fn each_fault_is_found(version: &str) {
    let desk = Desk::start();
    let nobody = port::free().unwrap();
    let lua = json!({"name": "lua", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua",
        "default_source_code": {"inline_string": "function envoy_on_request(handle) end"},
    }});
    let mut keyless = policy();
    keyless["identity"]["providers"][0]["keys"] =
        json!({"jwks_uri": {"uri": "http://idp.example.com/keys", "cluster": "idp"}});
    let mut elsewhere = policy();
    elsewhere["approvals"]["cluster"] = json!("no_such_desk");
    let listeners = [
        listener("sound", &policy()),
        faulty("fails open", |one| {
            at(one, PLUGIN)["failure_policy"] = json!("FAIL_OPEN")
        }),
        faulty("no stop", |one| {
            at(one, PLUGIN)["allow_on_headers_stop_iteration"] = json!(false)
        }),
        faulty("small", |one| {
            one["per_connection_buffer_limit_bytes"] = json!(65_536)
        }),
        faulty("short", |one| {
            let route = at(
                one,
                &format!("{MANAGER}/route_config/virtual_hosts/0/routes/0/route"),
            );
            route["timeout"] = json!("15s");
        }),
        faulty("bare", |one| {
            at(one, &format!("{MANAGER}/http_filters"))
                .as_array_mut()
                .unwrap()
                .remove(0);
        }),
        faulty("off", |one| {
            at(one, &format!("{MANAGER}/route_config/virtual_hosts/0"))["typed_per_filter_config"] = json!({
                "portcullis": {
                    "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": true,
                },
            });
        }),
        faulty("unlogged", |one| at(one, MANAGER)["access_log"] = json!([])),
        faulty("grpc", |one| {
            at(one, MANAGER)["access_log"] = json!([{"name": "grpc", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
                "common_config": {
                    "log_name": "portcullis",
                    "transport_api_version": "V3",
                    "grpc_service": {
                        "envoy_grpc": {"cluster_name": "log_http1"},
                        "initial_metadata": [{"key": "authorization", "value": format!("Bearer {LOGGER_KEY}")}],
                    },
                    "filter_state_objects_to_log": ["wasm.portcullis.session"],
                },
            }}]);
        }),
        faulty("order", |one| {
            at(one, &format!("{MANAGER}/http_filters"))
                .as_array_mut()
                .unwrap()
                .insert(1, lua);
        }),
        faulty("vm", |one| {
            at(one, &format!("{PLUGIN}/vm_config"))["vm_id"] = json!("zzz")
        }),
        listener("keyless", &keyless),
        listener("elsewhere", &elsewhere),
        json!({
            "name": "pipe",
            "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
            "filter_chains": [{"filters": [{"name": "pipe", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                "stat_prefix": "pipe", "cluster": "models_again",
            }}]}],
        }),
    ];
    let clusters = [
        cluster("models", nobody),
        cluster("models_again", nobody),
        cluster("log_http1", desk.log_port),
        cluster("desk", desk.port),
        cluster("idp", nobody),
    ];
    let running = Running::start(version, &listeners, &clusters);
    let got = found(running.admin, &[]);
    let of = |code: &str, of: &str| (code.to_owned(), of.to_owned());
    let listener = |code: &str, name: &str| of(code, &format!("listener {name:?}"));
    let expected = BTreeSet::from([
        listener("fails_open", "fails open"),
        listener("stop_iteration_off", "no stop"),
        listener("buffer_too_small", "small"),
        listener("timeout_short", "short"),
        listener("way_around", "bare"),
        listener("way_around", "off"),
        listener("way_around", "pipe"),
        listener("records_not_kept", "unlogged"),
        of("records_not_delivered", "cluster \"log_http1\""),
        listener("filter_order", "order"),
        listener("vm_ids_differ", "vm"),
        of("cluster_missing", "cluster \"no_such_desk\""),
        of("keys_not_loading", "provider \"corp\""),
    ]);
    // What Envoy and the filter have noticed by themselves until then may be there or not.
    let noticed = [
        of("cluster_unreachable", "cluster \"idp\""),
        of("desk_unheard", "the filter"),
    ];
    let got: BTreeSet<_> = got
        .into_iter()
        .filter(|one| !noticed.contains(one))
        .collect();
    assert_eq!(got, expected);

    // Of a policy that is named, what it needs of Envoy counts, and that Envoy has another one.
    let folder = process::folder().unwrap();
    let file = folder.path().join("policy.json");
    let mut wanted = policy();
    wanted["approvals"]["cluster"] = json!("next_desk");
    fs::write(&file, wanted.to_string()).unwrap();
    let got = found(running.admin, &["--policy", file.to_str().unwrap()]);
    assert!(
        got.contains(&of("cluster_missing", "cluster \"next_desk\"")),
        "{got:?}"
    );
    assert!(
        got.contains(&listener("policy_differs", "sound")),
        "{got:?}"
    );
    fs::write(&file, "{").unwrap();
    let output = doctor(running.admin, &["--policy", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
}

fn what_went_wrong_since_envoy_began_is_found(version: &str) {
    let nobody = port::free().unwrap();
    let clusters = [cluster("models", nobody), cluster("desk", nobody)];
    let running = Running::start(version, &[listener("sound", &policy())], &clusters);
    let port = running.port_of("sound");
    // A person can't be asked.
    let tune = http::Request::post("/v1/fine_tuning/jobs")
        .bearer(&ana())
        .json(&json!({"model": "small-1", "training_file": "file-1"}));
    assert_eq!(http::send(port, tune).unwrap().status, 503);
    // And nothing answers in the model server's place.
    assert_eq!(http::send(port, chat(&ana(), "Hello")).unwrap().status, 503);
    let all = ["approval_unavailable", "cluster_unreachable"];
    let mut codes = BTreeSet::new();
    wait::until("what was counted", Duration::from_secs(30), || {
        let got = found(running.admin, &[]);
        codes = got.into_iter().map(|(code, _)| code).collect();
        all.iter().all(|code| codes.contains(*code))
    })
    .unwrap_or_else(|why| panic!("{why}: {codes:?}"));
}
