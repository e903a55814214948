//! What the platforms make of their manifests: listeners and clusters of Envoy's.

use serde_json::{Value, json};
use serde_json_path::JsonPath;
use testbed::manifest::documents;

/// Where the connection manager is, in listeners of these forms.
const MANAGERS: [&str; 2] = [
    "/filter_chains/0/filters/0/typed_config",
    "/default_filter_chain/filters/0/typed_config",
];

fn manager(listener: &mut Value) -> &mut Value {
    let place = MANAGERS
        .iter()
        .find(|place| listener.pointer(place).is_some());
    listener.pointer_mut(place.unwrap()).unwrap()
}

fn one(file: &str, kind: &str) -> Value {
    let mut of_kind = documents(file)
        .unwrap()
        .into_iter()
        .filter(|one| one["kind"] == kind);
    of_kind
        .next()
        .unwrap_or_else(|| panic!("{file} has no {kind}"))
}

/// The shipped listener, its routes and its cors filter, which stand for what a platform makes of its own routes, and
/// nothing of the filter's: no access log, and Envoy's buffers.
fn bare() -> Value {
    let whole = documents("envoy/plain/envoy.yaml").unwrap().remove(0);
    let mut listener = whole["static_resources"]["listeners"][0].clone();
    let fields = listener.as_object_mut().unwrap();
    fields.remove("per_connection_buffer_limit_bytes");
    let manager = manager(&mut listener);
    let fields = manager.as_object_mut().unwrap();
    fields.remove("access_log_options");
    fields.remove("stream_idle_timeout");
    manager["access_log"] = json!([]);
    let filters = manager["http_filters"].as_array_mut().unwrap();
    filters.retain(|filter| filter["name"] != "portcullis");
    listener
}

/// A whole configuration's listener and clusters.
pub fn envoy(whole: &Value, filter: &Value) -> (Value, Vec<Value>) {
    let resources = &whole["static_resources"];
    let mut listener = resources["listeners"][0].clone();
    let filters = manager(&mut listener)["http_filters"]
        .as_array_mut()
        .unwrap();
    let own = filters.iter_mut().find(|one| one["name"] == "portcullis");
    *own.unwrap() = filter.clone();
    // Envoy has no variables there: who copies the file puts the key in.
    for logger in manager(&mut listener)["access_log"].as_array_mut().unwrap() {
        let place = "/typed_config/common_config/grpc_service/initial_metadata/0/value";
        if let Some(value) = logger.pointer_mut(place) {
            assert_eq!(*value, "Bearer ${DESK_KEY}");
            *value = json!(format!("Bearer {}", super::FILTER_KEY));
        }
    }
    (listener, resources["clusters"].as_array().unwrap().clone())
}

/// An EnvoyFilter's patches applied, and the loggers of the mesh.
pub fn istio(document: &Value, filter: &Value) -> Value {
    let mut listener = of_mesh();
    let mut inserted = false;
    for patch in document["spec"]["configPatches"].as_array().unwrap() {
        let value = &patch["patch"]["value"];
        match (
            patch["applyTo"].as_str().unwrap(),
            patch["patch"]["operation"].as_str().unwrap(),
        ) {
            ("HTTP_FILTER", "INSERT_BEFORE") => {
                let place = "/match/listener/filterChain/filter/subFilter/name";
                let filters = manager(&mut listener)["http_filters"]
                    .as_array_mut()
                    .unwrap();
                let at = filters
                    .iter()
                    .position(|one| Some(&one["name"]) == patch.pointer(place));
                filters.insert(at.unwrap(), filter.clone());
                assert_eq!(value["name"], filter["name"]);
                inserted = true;
            }
            // The filter above takes it from there.
            ("EXTENSION_CONFIG", "ADD") => assert_eq!(value["name"], filter["name"]),
            ("LISTENER", "MERGE") => merge(&mut listener, value),
            ("NETWORK_FILTER", "MERGE") => merge(manager(&mut listener), &value["typed_config"]),
            other => panic!("no test knows {other:?}"),
        }
    }
    assert!(inserted);
    listener
}

/// A plugin of Istio's, in front of its statistics.
pub fn istio_plugin(filter: &Value) -> Value {
    let mut listener = of_mesh();
    before_the_router(&mut listener, filter);
    listener
}

/// A listener of Istio's with the loggers that its mesh's configuration and Telemetry give it.
fn of_mesh() -> Value {
    let mesh = one("envoy/istio/meshconfig.yaml", "IstioOperator");
    let telemetry = one("envoy/istio/telemetry.yaml", "Telemetry");
    let providers = mesh["spec"]["meshConfig"]["extensionProviders"]
        .as_array()
        .unwrap();
    let mut listener = bare();
    for named in telemetry["spec"]["accessLogging"][0]["providers"]
        .as_array()
        .unwrap()
    {
        let provider = providers
            .iter()
            .find(|one| one["name"] == named["name"])
            .unwrap();
        let service = &provider["envoyHttpAls"];
        let logger = match service.is_object() {
            true => json!({
                "name": "envoy.access_loggers.http_grpc",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig",
                    "common_config": {
                        "log_name": service["logName"],
                        "transport_api_version": "V3",
                        "grpc_service": {"envoy_grpc": {
                            "cluster_name": format!(
                                "outbound|{}||{}", service["port"], service["service"].as_str().unwrap()
                            ),
                            "authority": service["service"],
                        }},
                        "filter_state_objects_to_log": service["filterStateObjectsToLog"],
                    },
                },
            }),
            false => file(&provider["envoyFileAccessLog"]["logFormat"]["labels"]),
        };
        manager(&mut listener)["access_log"]
            .as_array_mut()
            .unwrap()
            .push(logger);
    }
    listener
}

/// The clusters of the desk in a mesh of Istio's, with the limits of the DestinationRule.
pub fn of_istio() -> Vec<Value> {
    let rules = documents("envoy/istio/desk-traffic.yaml").unwrap();
    let host = "portcullis-desk.portcullis.svc.cluster.local";
    let rule = rules
        .iter()
        .find(|one| one["kind"] == "DestinationRule" && one["spec"]["host"] == host);
    let pool = &rule.unwrap()["spec"]["trafficPolicy"]["connectionPool"];
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    let cluster = |port: u16| {
        let name = format!("outbound|{port}||{host}");
        json!({
            "name": name,
            "type": "STATIC",
            "connect_timeout": pool["tcp"]["connectTimeout"],
            "typed_extension_protocol_options": {options: {
                "@type": format!("type.googleapis.com/{options}"),
                "explicit_http_config": {"http2_protocol_options": {}},
            }},
            "circuit_breakers": {"thresholds": [{
                "max_requests": pool["http"]["http2MaxRequests"],
                "max_pending_requests": pool["http"]["http1MaxPendingRequests"],
                "max_connections": pool["tcp"]["maxConnections"],
            }]},
            "load_assignment": {
                "cluster_name": name,
                "endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {}}}}]}],
            },
        })
    };
    vec![cluster(7070), cluster(7071)]
}

/// A listener of Envoy Gateway's under the policies of gateway.yaml.
fn of_gateway() -> Value {
    let file_of = "envoy/envoy-gateway/gateway.yaml";
    let mut listener = bare();
    let clients = one(file_of, "ClientTrafficPolicy");
    let limit = clients["spec"]["connection"]["bufferLimit"]
        .as_str()
        .unwrap();
    let mebibytes: u32 = limit.strip_suffix("Mi").unwrap().parse().unwrap();
    listener["per_connection_buffer_limit_bytes"] = json!(mebibytes << 20);
    let idle = &clients["spec"]["timeout"]["http"]["streamIdleTimeout"];
    let proxy = one(file_of, "EnvoyProxy");
    let format = &proxy["spec"]["telemetry"]["accessLog"]["settings"][0]["format"]["json"];
    let manager = manager(&mut listener);
    manager["stream_idle_timeout"] = idle.clone();
    manager["access_log"] = json!([file(format)]);
    // It has one chain, which takes whatever comes.
    let chain = listener["filter_chains"][0].take();
    listener.as_object_mut().unwrap().remove("filter_chains");
    listener["default_filter_chain"] = chain;
    listener
}

/// An EnvoyPatchPolicy's patches applied.
pub fn gateway(document: &Value, filter: &Value) -> (Value, Vec<Value>) {
    let whole = documents("envoy/plain/envoy.yaml").unwrap().remove(0);
    let mut clusters = whole["static_resources"]["clusters"]
        .as_array()
        .unwrap()
        .clone();
    clusters.retain(|cluster| cluster["name"].as_str().unwrap().starts_with("models"));
    let mut listener = of_gateway();
    for patch in document["spec"]["jsonPatches"].as_array().unwrap() {
        let operation = &patch["operation"];
        assert_eq!(operation["op"], "add");
        let mut value = operation["value"].clone();
        if patch["type"].as_str().unwrap().ends_with(".Cluster") {
            assert_eq!(patch["name"], value["name"]);
            clusters.push(value);
            continue;
        }
        if value["name"] == filter["name"] {
            value = filter.clone();
        }
        let path = JsonPath::parse(operation["jsonPath"].as_str().unwrap()).unwrap();
        let found = path.query_located(&listener);
        let mut places: Vec<String> = found.locations().map(|one| one.to_json_pointer()).collect();
        assert_eq!(places.len(), 1, "{operation}");
        let more = operation["path"].as_str().unwrap_or_default();
        add(&mut listener, &format!("{}{more}", places.remove(0)), value);
    }
    (listener, clusters)
}

/// As RFC 6902 adds.
fn add(document: &mut Value, pointer: &str, value: Value) {
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match document.pointer_mut(parent).unwrap() {
        Value::Array(items) => items.insert(last.parse().unwrap(), value),
        fields => fields[last] = value,
    }
}

/// An EnvoyExtensionPolicy's extension, which Envoy Gateway switches off in the listener and on at its routes.
pub fn gateway_plugin(filter: &Value) -> Value {
    let mut listener = of_gateway();
    let mut off = filter.clone();
    off["disabled"] = json!(true);
    before_the_router(&mut listener, &off);
    let routes = manager(&mut listener).pointer_mut("/route_config/virtual_hosts/0/routes");
    for route in routes.unwrap().as_array_mut().unwrap() {
        route["typed_per_filter_config"] = json!({"portcullis": {
            "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
            "config": {},
        }});
    }
    listener
}

fn before_the_router(listener: &mut Value, filter: &Value) {
    let filters = manager(listener)["http_filters"].as_array_mut().unwrap();
    filters.insert(filters.len() - 1, filter.clone());
}

fn file(format: &Value) -> Value {
    json!({
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": "/dev/stdout",
            "log_format": {"json_format": format},
        },
    })
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name.as_str()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

/// Puts a listener on a port of its own, and its records into the file that tests read. Tells whether a logger sends
/// records to the desk.
pub fn finish(listener: &mut Value, name: &str) -> bool {
    listener["name"] = json!(name);
    let address = listener.pointer_mut("/address/socket_address").unwrap();
    *address = json!({"address": "127.0.0.1", "port_value": 0});
    let mut streams = false;
    for logger in manager(listener)["access_log"].as_array_mut().unwrap() {
        if logger.pointer("/typed_config/path").is_some() {
            logger["typed_config"]["path"] = json!("access.log");
        }
        streams |= logger
            .pointer("/typed_config/common_config/grpc_service")
            .is_some();
    }
    streams
}
