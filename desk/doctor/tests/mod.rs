//! Over what real Envoys of both ends of the supported versions told at their admin ports (their lists of
//! extensions left out), with a filter whose desk and identity provider were away; and over the same with
//! one thing changed.

mod filter;

use serde_json::{Value, json};

use super::envoy::{Envoy, counters};
use super::loaded::Loaded;
use super::{Finding, Severity, finding, judge};

const ADMINS: [(&str, &str); 2] = [
    ("1.36.4", include_str!("envoy-1.36.4.json")),
    ("1.40.0", include_str!("envoy-1.40.0.json")),
];

/// Where things are in what was told.
const LISTENERS: &str = "/dump/configs/3/static_listeners";
const LISTENER: &str = "/dump/configs/3/static_listeners/0/listener";
const MANAGER: &str =
    "/dump/configs/3/static_listeners/0/listener/filter_chains/0/filters/0/typed_config";
const PLUGIN: &str = "/dump/configs/3/static_listeners/0/listener/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config";
const CLUSTERS: &str = "/dump/configs/1/static_clusters";

/// What stands in the configuration and must not be printed.
const SECRETS: [&str; 3] = ["secret-of-the", "model-secret", "Bearer "];

fn told() -> impl Iterator<Item = (&'static str, Value)> {
    ADMINS
        .iter()
        .map(|(version, text)| (*version, serde_json::from_str(text).unwrap()))
}

/// As it would be had all been there.
fn well(mut told: Value) -> Value {
    for cluster in told["clusters"]["cluster_statuses"].as_array_mut().unwrap() {
        for host in cluster["host_statuses"].as_array_mut().unwrap() {
            host["stats"] = json!([]);
            host["health_status"] = json!({"eds_health_status": "HEALTHY"});
        }
    }
    for stat in told["stats"]["stats"].as_array_mut().unwrap() {
        if stat["name"] == "wasmcustom.portcullis_standing_failed" {
            stat["value"] = json!(0);
        }
    }
    told
}

fn envoy(told: &Value) -> Envoy {
    Envoy {
        dump: told["dump"].clone(),
        clusters: told["clusters"].clone(),
        stats: counters(&told["stats"]),
        server: told["server"].clone(),
        certs: told["certs"].clone(),
        ahead: Some(0),
        is_here: true,
    }
}

fn findings(told: &Value) -> Vec<Finding> {
    let (findings, about) = judge(&envoy(told), None, false);
    for shown in [
        finding::text(&findings, &about),
        finding::json(&findings, &about),
    ] {
        for secret in SECRETS {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
    findings
}

fn codes(findings: &[Finding]) -> Vec<(&'static str, Severity)> {
    findings
        .iter()
        .map(|one| (one.code, one.severity))
        .collect()
}

/// What is found in each version once something is changed.
fn with(change: impl Fn(&mut Value)) -> Vec<Finding> {
    let mut all = Vec::new();
    for (version, told) in told() {
        let mut told = well(told);
        change(&mut told);
        let found = findings(&told);
        match all.is_empty() {
            true => all = found,
            false => assert_eq!(codes(&all), codes(&found), "{version}"),
        }
    }
    all
}

fn one(change: impl Fn(&mut Value)) -> Finding {
    let mut found = with(change);
    assert_eq!(found.len(), 1, "{found:#?}");
    let found = found.remove(0);
    // Each says all of it.
    assert!(!found.found.is_empty() && !found.expected.is_empty() && !found.advice.is_empty());
    found
}

fn at<'a>(told: &'a mut Value, path: &str) -> &'a mut Value {
    told.pointer_mut(path)
        .unwrap_or_else(|| panic!("nothing at {path}"))
}

fn edit_policy(told: &mut Value, edit: impl Fn(&mut Value)) {
    let text = at(told, &format!("{PLUGIN}/configuration/value"));
    let mut policy: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    edit(&mut policy);
    let policy = policy.to_string();
    let digest = Loaded::read("", &policy).map(|loaded| loaded.digest);
    *text = json!(policy);
    // Then Envoy runs it, too.
    if let Ok(digest) = digest {
        let name = format!("wasmcustom.portcullis_policy_vms.digest={digest}");
        let stats = at(told, "/stats/stats").as_array_mut().unwrap();
        stats.push(json!({"name": name, "value": 4}));
    }
}

fn set(told: &mut Value, name: &str, value: u64) {
    let stats = at(told, "/stats/stats").as_array_mut().unwrap();
    stats.retain(|one| one["name"] != name);
    stats.push(json!({"name": name, "value": value}));
}

#[test]
fn a_sound_set_up_is_clean() {
    for (version, told) in told() {
        let found = findings(&well(told));
        assert!(found.is_empty(), "{version}: {found:#?}");
    }
}

#[test]
fn a_desk_and_an_identity_provider_that_are_away_are_found() {
    for (version, told) in told() {
        let found = findings(&told);
        let of: Vec<&str> = found.iter().map(|one| &*one.of).collect();
        assert!(of.contains(&"cluster \"desk\""), "{version}: {found:#?}");
        assert!(of.contains(&"cluster \"idp\""), "{version}: {found:#?}");
        let codes: Vec<&str> = found.iter().map(|one| one.code).collect();
        assert!(codes.contains(&"desk_unheard"), "{version}: {found:#?}");
        assert_eq!(found.len(), 3, "{version}: {found:#?}");
    }
}

#[test]
fn a_cluster_of_the_policy_that_envoy_lacks() {
    let found = one(|told| {
        let clusters = at(told, CLUSTERS).as_array_mut().unwrap();
        clusters.retain(|one| one["cluster"]["name"] != "desk");
    });
    assert_eq!(
        (found.code, found.severity),
        ("cluster_missing", Severity::Error)
    );
    assert_eq!(found.place, "policy#/approvals/cluster");
}

#[test]
fn buffers_and_times() {
    let found = one(|told| at(told, LISTENER)["per_connection_buffer_limit_bytes"] = json!(32768));
    assert_eq!(
        (found.code, found.severity),
        ("buffer_too_small", Severity::Error)
    );
    assert!(found.place.ends_with("/per_connection_buffer_limit_bytes"));
    let found = one(|told| {
        at(told, LISTENER)
            .as_object_mut()
            .unwrap()
            .remove("per_connection_buffer_limit_bytes");
    });
    assert_eq!(found.code, "buffer_too_small");
    let found = with(|told| {
        edit_policy(told, |policy| {
            policy["limits"] = json!({"held_answer": "2MiB"})
        });
    });
    // Two clusters of models, with Envoy's own limit.
    assert_eq!(codes(&found), [("buffer_too_small", Severity::Warning); 2]);
    let found = one(|told| {
        let route = at(
            told,
            &format!("{MANAGER}/route_config/virtual_hosts/0/routes/2/route"),
        );
        route.as_object_mut().unwrap().remove("timeout");
    });
    assert_eq!(
        (found.code, found.severity),
        ("timeout_short", Severity::Warning)
    );
    let found = one(|told| at(told, MANAGER)["stream_idle_timeout"] = json!("45s"));
    assert_eq!(
        (found.code, found.severity),
        ("timeout_short", Severity::Error)
    );
}

#[test]
fn access_logs_without_records() {
    let found = one(|told| at(told, MANAGER)["access_log"] = json!([]));
    assert_eq!(found.code, "records_not_kept");
    let found = with(|told| {
        at(told, &format!("{MANAGER}/access_log"))
            .as_array_mut()
            .unwrap()
            .remove(0);
        let grpc = at(
            told,
            &format!("{MANAGER}/access_log/0/typed_config/common_config"),
        );
        grpc["grpc_service"]["envoy_grpc"]["cluster_name"] = json!("nowhere");
        grpc["grpc_service"]["initial_metadata"][0]["value"] = json!("Bearer ${DESK_KEY}");
        at(told, &format!("{MANAGER}/access_log/0"))["filter"] = json!({"duration_filter": {}});
    });
    let mut found = codes(&found);
    found.sort();
    assert_eq!(
        found,
        [
            ("records_filtered", Severity::Warning),
            ("records_not_delivered", Severity::Error),
            ("records_without_key", Severity::Warning),
        ]
    );
    let found = one(|told| {
        let clusters = at(told, CLUSTERS).as_array_mut().unwrap();
        let log = clusters
            .iter_mut()
            .find(|one| one["cluster"]["name"] == "desk_log")
            .unwrap();
        log["cluster"]
            .as_object_mut()
            .unwrap()
            .remove("typed_extension_protocol_options");
    });
    assert_eq!(found.code, "records_not_delivered");
    let found = one(|told| set(told, "access_logs.grpc_access_log.logs_dropped", 7));
    assert_eq!(
        (found.code, found.severity),
        ("records_dropped", Severity::Error)
    );
}

#[test]
fn the_policy_that_runs_and_the_one_that_is_meant() {
    let found = one(|told| {
        let stats = at(told, "/stats/stats").as_array_mut().unwrap();
        stats.retain(|one| !one["name"].as_str().unwrap().contains("policy_vms"));
    });
    assert_eq!(
        (found.code, found.severity),
        ("policy_not_running", Severity::Error)
    );

    for (_, told) in told() {
        let told = well(told);
        let text = told
            .pointer(&format!("{PLUGIN}/configuration/value"))
            .unwrap()
            .as_str()
            .unwrap();
        let judged = |text: &str| {
            let wanted = Loaded::read("policy.json", text).unwrap();
            codes(&judge(&envoy(&told), Some(&wanted), false).0)
        };
        assert!(judged(text).is_empty());
        let mut policy: Value = serde_json::from_str(text).unwrap();
        let other = judged(&policy.to_string());
        assert_eq!(other, [("policy_written_otherwise", Severity::Note)]);
        policy["rules"].as_array_mut().unwrap().remove(0);
        assert_eq!(
            judged(&policy.to_string()),
            [("policy_differs", Severity::Error)]
        );
    }
    // A policy that is wrong is so in each of its places.
    let found = with(|told| edit_policy(told, |policy| policy["limit"] = json!({})));
    assert!(
        found
            .iter()
            .any(|one| one.code == "policy_wrong" && one.place == "policy#/limit")
    );
}

#[test]
fn what_the_filter_and_envoy_have_counted() {
    let denied = "wasmcustom.portcullis_decisions.action=deny.code=keys_unavailable";
    let found = one(|told| {
        set(told, denied, 3);
        set(told, "access_logs.grpc_access_log.logs_written", 3);
    });
    assert_eq!(
        (found.code, found.severity),
        ("keys_unavailable", Severity::Error)
    );
    let found = with(|told| {
        set(told, denied, 3);
        set(
            told,
            "wasmcustom.portcullis_decisions.action=allow.rule=engineers",
            1,
        );
        // Those that were sent.
        set(told, "access_logs.grpc_access_log.logs_written", 4);
    });
    assert_eq!(codes(&found), [("keys_unavailable", Severity::Warning)]);
    let found = one(|told| set(told, "wasm.portcullis.vm_reload_failure", 1));
    assert_eq!(
        (found.code, found.severity),
        ("module_failed", Severity::Error)
    );
}

#[test]
fn versions_clocks_and_refused_updates() {
    let version = |version: &str| {
        let version = format!("0000/{version}/Clean/RELEASE/BoringSSL");
        codes(&with(|told| told["server"]["version"] = json!(version)))
    };
    assert_eq!(version("1.34.1"), [("envoy_too_old", Severity::Error)]);
    assert_eq!(version("1.41.0-dev"), [("envoy_untested", Severity::Note)]);
    assert!(version("1.38.2").is_empty());
    for (_, told) in told() {
        let mut envoy = envoy(&well(told));
        envoy.ahead = Some(-90);
        let (found, _) = judge(&envoy, None, false);
        assert_eq!(codes(&found), [("clock_skew", Severity::Warning)]);
        assert!(
            found[0].found.contains("90 seconds behind"),
            "{}",
            found[0].found
        );
    }
    let found = one(|told| {
        at(told, "/dump/configs/3")["dynamic_listeners"] = json!([{
            "name": "next", "error_state": {"details": "Bearer secret-of-the-policy"},
        }]);
    });
    assert_eq!(
        (found.code, &*found.of),
        ("update_refused", "listener \"next\"")
    );
}
