//! How the filter is put in, and what leads past it.

use serde_json::{Value, json};

use super::{CLUSTERS, LISTENER, LISTENERS, MANAGER, PLUGIN, at, codes, edit_policy, one, with};
use crate::doctor::Severity;

#[test]
fn the_plugin_s_flags() {
    let found = one(|told| {
        at(told, PLUGIN)["allow_on_headers_stop_iteration"] = json!(false);
    });
    assert_eq!(found.code, "stop_iteration_off");
    let place = format!("config_dump#{}", PLUGIN.trim_start_matches("/dump"));
    assert_eq!(
        found.place,
        format!("{place}/allow_on_headers_stop_iteration")
    );
    assert!(
        found.found.contains("/rules/0/when/prompt"),
        "{}",
        found.found
    );

    let found = one(|told| at(told, PLUGIN)["failure_policy"] = json!("FAIL_OPEN"));
    assert_eq!(
        (found.code, found.severity),
        ("fails_open", Severity::Error)
    );
    let found = one(|told| at(told, PLUGIN)["fail_open"] = json!(true));
    assert_eq!(
        (found.code, found.severity),
        ("fails_open", Severity::Error)
    );
    let found = one(|told| {
        at(told, PLUGIN)
            .as_object_mut()
            .unwrap()
            .remove("failure_policy");
    });
    assert_eq!(
        (found.code, found.severity),
        ("stays_down", Severity::Warning)
    );

    let found = one(|told| {
        at(told, &format!("{PLUGIN}/vm_config/environment_variables"))["host_env_keys"] = json!([]);
    });
    assert_eq!(found.code, "variables_missing");
    assert!(found.found.contains("MODEL_SERVER_KEY"), "{}", found.found);
}

#[test]
fn a_policy_that_needs_no_body_needs_no_flag() {
    let found = with(|told| {
        at(told, PLUGIN)["allow_on_headers_stop_iteration"] = json!(false);
        at(told, LISTENER)["per_connection_buffer_limit_bytes"] = json!(4096);
        edit_policy(told, |policy| {
            policy["rules"] = json!([{"name": "all", "then": "allow"}]);
        });
    });
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn ways_around_the_filter() {
    let bare = |told: &mut Value| {
        let mut listener = at(told, LISTENERS)[0].clone();
        listener["listener"]["name"] = json!("bare");
        listener["listener"]["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"]
            .as_array_mut()
            .unwrap()
            .remove(0);
        at(told, LISTENERS).as_array_mut().unwrap().push(listener);
    };
    let found = one(bare);
    assert_eq!(
        (found.code, &*found.of),
        ("way_around", "listener \"bare\"")
    );

    let off = json!({"portcullis": {
        "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": true,
    }});
    for place in [
        "/route_config",
        "/route_config/virtual_hosts/0",
        "/route_config/virtual_hosts/0/routes/2",
    ] {
        let found = with(|told| {
            at(told, &format!("{MANAGER}{place}"))["typed_per_filter_config"] = off.clone();
        });
        // Of one route among others, it may be meant.
        let severity = match place.ends_with("/2") {
            true => Severity::Warning,
            false => Severity::Error,
        };
        assert_eq!(codes(&found), [("way_around", severity)], "{found:#?}");
    }

    let found = one(|told| {
        let clusters = at(told, CLUSTERS).as_array().unwrap();
        let of_models = clusters
            .iter()
            .find(|one| one["cluster"]["name"] == "models");
        let mut cluster = of_models.unwrap().clone();
        cluster["cluster"]["name"] = json!("by another name");
        at(told, CLUSTERS).as_array_mut().unwrap().push(cluster);
        let pipe = json!({"listener": {"name": "pipe", "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.tcp_proxy",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                "stat_prefix": "pipe", "cluster": "by another name",
            },
        }]}]}});
        at(told, LISTENERS).as_array_mut().unwrap().push(pipe);
    });
    assert_eq!(
        (found.code, &*found.of),
        ("way_around", "listener \"pipe\"")
    );
}

#[test]
fn an_envoy_without_the_filter() {
    let found = with(|told| {
        at(told, &format!("{MANAGER}/http_filters"))
            .as_array_mut()
            .unwrap()
            .remove(0);
    });
    assert_eq!(codes(&found), [("no_filter", Severity::Error)]);
}

#[test]
fn a_filter_that_is_delivered_or_written_as_a_typed_struct_is_found() {
    // As Istio delivers it.
    let found = with(|told| {
        let filter = at(told, &format!("{MANAGER}/http_filters/0"));
        let config = filter["typed_config"]["config"].clone();
        *filter = json!({"name": "guard", "config_discovery": {"type_urls": []}});
        let delivered = json!({"@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump", "ecds_filters": [
            {"ecds_filter": {"name": "guard", "typed_config": {
                "@type": "type.googleapis.com/udpa.type.v1.TypedStruct",
                "type_url": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
                "value": {"config": config},
            }}}
        ]});
        at(told, "/dump/configs")
            .as_array_mut()
            .unwrap()
            .push(delivered);
    });
    assert!(found.is_empty(), "{found:#?}");
    let found = one(|told| {
        *at(
            told,
            &format!("{MANAGER}/http_filters/0/typed_config/config/configuration"),
        ) = json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": {"version": 1}});
    });
    assert_eq!(found.code, "policy_missing");
}

#[test]
fn a_filter_that_is_delivered_fetches_no_module() {
    let remote = json!({"http_uri": {"uri": "http://modules/portcullis.wasm", "cluster": "models", "timeout": "9s"}, "sha256": "00"});
    let code = format!("{PLUGIN}/vm_config/code");
    // In a listener it does: Envoy waits for it.
    let found = with(|told| *at(told, &code) = json!({ "remote": remote.clone() }));
    assert!(found.is_empty(), "{found:#?}");
    let found = one(|told| {
        *at(told, &code) = json!({ "remote": remote });
        let filter = at(told, &format!("{MANAGER}/http_filters/0"));
        let delivered = filter["typed_config"].take();
        *filter = json!({"name": "guard", "config_discovery": {"type_urls": []}});
        let delivered = json!({"@type": "type.googleapis.com/envoy.admin.v3.EcdsConfigDump", "ecds_filters": [
            {"ecds_filter": {"name": "guard", "typed_config": delivered}}
        ]});
        at(told, "/dump/configs")
            .as_array_mut()
            .unwrap()
            .push(delivered);
    });
    assert_eq!(
        (found.code, found.severity),
        ("fails_open", Severity::Error)
    );
    assert!(
        found.place.ends_with("/vm_config/code/remote"),
        "{}",
        found.place
    );
}

#[test]
fn filters_on_the_wrong_side() {
    let put = |place: usize, kind: &str| {
        let filter = json!({"name": kind, "typed_config": {
            "@type": format!("type.googleapis.com/envoy.extensions.filters.http.{kind}"),
        }});
        move |told: &mut Value| {
            let filters = at(told, &format!("{MANAGER}/http_filters"));
            filters
                .as_array_mut()
                .unwrap()
                .insert(place, filter.clone());
        }
    };
    for (place, kind, severity) in [
        (
            1,
            "grpc_json_transcoder.v3.GrpcJsonTranscoder",
            Severity::Error,
        ),
        (1, "lua.v3.Lua", Severity::Warning),
        (1, "ext_proc.v3.ExternalProcessor", Severity::Warning),
        (1, "compressor.v3.Compressor", Severity::Warning),
        (1, "cors.v3.Cors", Severity::Warning),
        (0, "cache.v3.CacheConfig", Severity::Error),
    ] {
        let found = with(put(place, kind));
        assert_eq!(codes(&found), [("filter_order", severity)], "{kind}");
    }
    for (place, kind) in [
        (0, "lua.v3.Lua"),
        (0, "compressor.v3.Compressor"),
        (0, "cors.v3.Cors"),
    ] {
        assert!(with(put(place, kind)).is_empty(), "{kind}");
    }
    let found = with(|told| {
        let filters = at(told, &format!("{MANAGER}/http_filters"))
            .as_array_mut()
            .unwrap();
        let again = filters[0].clone();
        filters.insert(0, again);
    });
    assert!(
        codes(&found).contains(&("filter_twice", Severity::Error)),
        "{found:#?}"
    );
}

#[test]
fn vms_that_should_count_together() {
    let found = one(|told| {
        let mut listener = at(told, LISTENERS)[0].clone();
        listener["listener"]["name"] = json!("second");
        let plugin = format!("{PLUGIN}/vm_config/vm_id");
        let inner = plugin.strip_prefix(&format!("{LISTENERS}/0")).unwrap();
        *listener.pointer_mut(inner).unwrap() = json!("another");
        at(told, LISTENERS).as_array_mut().unwrap().push(listener);
    });
    assert_eq!(
        (found.code, found.severity),
        ("vm_ids_differ", Severity::Warning)
    );
    assert!(
        found.found.contains("\"another\", \"portcullis\""),
        "{}",
        found.found
    );
}
