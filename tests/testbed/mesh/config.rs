//! Changes to the shipped Envoy configuration. What is not found is an error, so
//! that the shipped file and the tests cannot drift apart unseen.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// A port of the loopback interface on which nothing can be listening: tests do
/// not run with the rights that port 1 needs, and no service has it.
const NOBODY: u16 = 1;

const HTTP2: &str = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/// Where the connection manager of a listener is.
const MANAGER: &str = "/filter_chains/0/filters/0/typed_config";

#[derive(Debug)]
pub(super) struct Config(Value);

impl Config {
    pub(super) fn read(file: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(file)
            .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
        yaml_serde::from_str(&text)
            .map(Self)
            .map_err(|error| format!("{}: {error}", file.display()))
    }

    pub(super) fn value(&self) -> &Value {
        &self.0
    }

    pub(super) fn of(whole: Value) -> Self {
        Self(whole)
    }

    pub(super) fn into_value(self) -> Value {
        self.0
    }

    pub(super) fn admin(&mut self, port: u16) -> Result<(), String> {
        let address = at(&mut self.0, "/admin/address/socket_address/port_value")?;
        *address = json!(port);
        Ok(())
    }

    /// A test's listener is for this machine only.
    pub(super) fn listener_port(&mut self, port: u16) -> Result<(), String> {
        let address = at(self.listener()?, "/address/socket_address")?;
        *address = json!({ "address": "127.0.0.1", "port_value": port });
        Ok(())
    }

    pub(super) fn buffer_limit(&mut self, bytes: u32) -> Result<(), String> {
        *at(self.listener()?, "/per_connection_buffer_limit_bytes")? = json!(bytes);
        Ok(())
    }

    pub(super) fn normal_paths(&mut self, escaped_slashes: &str) -> Result<(), String> {
        let manager = at(self.listener()?, MANAGER)?;
        manager["normalize_path"] = json!(true);
        manager["merge_slashes"] = json!(true);
        manager["path_with_escaped_slashes_action"] = json!(escaped_slashes);
        Ok(())
    }

    pub(super) fn log_running(&mut self, interval: &str) -> Result<(), String> {
        at(self.listener()?, MANAGER)?["access_log_options"] =
            json!({"access_log_flush_interval": interval});
        Ok(())
    }

    pub(super) fn without_stop_iteration(&mut self) -> Result<(), String> {
        let path = "/typed_config/config/allow_on_headers_stop_iteration";
        *at(guard(self.listener()?)?, path)? = json!(false);
        Ok(())
    }

    /// Has every logger that writes a file write this one.
    pub(super) fn access_log(&mut self, file: &Path) -> Result<(), String> {
        for logger in items(self.listener()?, &format!("{MANAGER}/access_log"))? {
            if is_named(logger, "envoy.access_loggers.file") {
                *at(logger, "/typed_config/path")? = json!(file);
            }
        }
        Ok(())
    }

    pub(super) fn without_access_logs(&mut self) -> Result<(), String> {
        items(self.listener()?, &format!("{MANAGER}/access_log"))?.clear();
        Ok(())
    }

    pub(super) fn http_filter(&mut self, filter: &Value) -> Result<(), String> {
        let filters = items(self.listener()?, &format!("{MANAGER}/http_filters"))?;
        // Envoy wants the router to be the last.
        let last = filters.len().saturating_sub(1);
        filters.insert(last, filter.clone());
        Ok(())
    }

    pub(super) fn route(&mut self, route: &Value) -> Result<(), String> {
        let hosts = format!("{MANAGER}/route_config/virtual_hosts/0/routes");
        items(self.listener()?, &hosts)?.insert(0, route.clone());
        Ok(())
    }

    pub(super) fn module(&mut self, file: &Path) -> Result<(), String> {
        let path = "/typed_config/config/vm_config/code/local/filename";
        *at(guard(self.listener()?)?, path)? = json!(file);
        Ok(())
    }

    /// Sets the id under which virtual machines share code and memory.
    pub(super) fn machine(&mut self, id: &str) -> Result<(), String> {
        let path = "/typed_config/config/vm_config/vm_id";
        *at(guard(self.listener()?)?, path)? = json!(id);
        Ok(())
    }

    /// Leaves nothing but a listener of this name that has the module and leads nowhere.
    pub(super) fn keeps_the_module(&mut self, name: &str) -> Result<(), String> {
        self.without_access_logs()?;
        self.machine(name)?;
        let listener = self.listener()?;
        *at(listener, "/name")? = json!(name);
        items(listener, &format!("{MANAGER}/route_config/virtual_hosts"))?.clear();
        // What a credential stands in is not there for every mesh.
        let shipped = "/typed_config/config/configuration/value";
        let policy = at(guard(listener)?, shipped)?;
        let text = policy.as_str().unwrap_or_default();
        let mut plain: Value = serde_json::from_str(text)
            .map_err(|error| format!("the shipped envoy.yaml's policy: {error}"))?;
        if let Some(sections) = plain.as_object_mut() {
            sections.remove("upstream");
        }
        *policy = json!(plain.to_string());
        self.clusters()?.clear();
        Ok(())
    }

    pub(super) fn policy(&mut self, policy: &str) -> Result<(), String> {
        set_policy(self.listener()?, policy)
    }

    pub(super) fn policy_as_struct(&mut self, policy: &Value) -> Result<(), String> {
        let path = "/typed_config/config/configuration";
        *at(guard(self.listener()?)?, path)? = json!({
            "@type": "type.googleapis.com/google.protobuf.Struct",
            "value": policy
        });
        Ok(())
    }

    /// Has the filter see no variable of Envoy's environment but those that are added.
    pub(super) fn no_variables(&mut self) -> Result<(), String> {
        let path = "/typed_config/config/vm_config/environment_variables/host_env_keys";
        items(guard(self.listener()?)?, path)?.clear();
        Ok(())
    }

    pub(super) fn variables(&mut self, variables: &[(String, String)]) -> Result<(), String> {
        let path = "/typed_config/config/vm_config/environment_variables/host_env_keys";
        let names = items(guard(self.listener()?)?, path)?;
        for (name, _) in variables {
            let name = json!(name);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(())
    }

    /// Puts these into the metadata of access loggers, as whoever copies the file does by hand.
    pub(super) fn keys_of_loggers(&mut self, variables: &[(String, String)]) -> Result<(), String> {
        let path = "/typed_config/common_config/grpc_service/initial_metadata";
        for listener in items(&mut self.0, "/static_resources/listeners")? {
            for logger in items(listener, &format!("{MANAGER}/access_log"))? {
                let metadata = logger.pointer_mut(path).and_then(Value::as_array_mut);
                for one in metadata.into_iter().flatten() {
                    let value = at(one, "/value")?;
                    let mut text = value.as_str().unwrap_or_default().to_owned();
                    for (name, stands_for) in variables {
                        text = text.replace(&format!("${{{name}}}"), stands_for);
                    }
                    *value = json!(text);
                }
            }
        }
        Ok(())
    }

    /// Puts a transport socket on clusters, and takes the keys from access loggers.
    pub(super) fn secured(&mut self, clusters: &[String], socket: &Value) -> Result<(), String> {
        for name in clusters {
            named(self.clusters()?, name)?["transport_socket"] = socket.clone();
        }
        let path = "/typed_config/common_config/grpc_service/initial_metadata";
        for listener in items(&mut self.0, "/static_resources/listeners")? {
            for logger in items(listener, &format!("{MANAGER}/access_log"))? {
                if let Some(metadata) = logger.pointer_mut(path) {
                    *metadata = json!([]);
                }
            }
        }
        Ok(())
    }

    pub(super) fn unguard(&mut self) -> Result<(), String> {
        for listener in items(&mut self.0, "/static_resources/listeners")? {
            let filters = items(listener, &format!("{MANAGER}/http_filters"))?;
            named(filters, "portcullis")?;
            filters.retain(|filter| !is_named(filter, "portcullis"));
        }
        Ok(())
    }

    pub(super) fn another_listener(&mut self, name: &str, policy: &str) -> Result<(), String> {
        let mut listener = self.listener()?.clone();
        set_policy(&mut listener, policy)?;
        *at(&mut listener, "/name")? = json!(name);
        // A fixed port, if one was asked for, belongs to the first listener.
        *at(&mut listener, "/address/socket_address/port_value")? = json!(0);
        items(&mut self.0, "/static_resources/listeners")?.push(listener);
        Ok(())
    }

    /// Points every cluster to where nothing listens, so that a test reaches
    /// only what it named.
    pub(super) fn nobody_listens(&mut self) -> Result<(), String> {
        for cluster in self.clusters()? {
            point(cluster, NOBODY)?;
        }
        Ok(())
    }

    pub(super) fn cluster(&mut self, name: &str, port: u16, http2: bool) -> Result<(), String> {
        let clusters = self.clusters()?;
        if !clusters.iter().any(|cluster| is_named(cluster, name)) {
            clusters.push(json!({
                "name": name,
                "type": "STATIC",
                "connect_timeout": "1s",
                "load_assignment": {
                    "cluster_name": name,
                    "endpoints": [{ "lb_endpoints": [{ "endpoint": { "address": {
                        "socket_address": { "address": "127.0.0.1", "port_value": port }
                    } } }] }]
                }
            }));
        }
        let cluster = named(clusters, name)?;
        point(cluster, port)?;
        let fields = cluster
            .as_object_mut()
            .ok_or_else(|| format!("cluster {name} is not an object"))?;
        if http2 {
            let options = json!({ HTTP2: {
                "@type": format!("type.googleapis.com/{HTTP2}"),
                "explicit_http_config": { "http2_protocol_options": {} }
            } });
            // Where the shipped file has some, a test is about those.
            fields
                .entry("typed_extension_protocol_options")
                .or_insert(options);
        } else {
            fields.remove("typed_extension_protocol_options");
        }
        Ok(())
    }

    /// Gives a cluster several addresses, and merges these members into it.
    pub(super) fn spread(&mut self, name: &str, ports: &[u16], more: &Value) -> Result<(), String> {
        let cluster = named(self.clusters()?, name)?;
        let all = items(cluster, "/load_assignment/endpoints/0/lb_endpoints")?;
        let first = all.first().cloned();
        let first = first.ok_or_else(|| format!("cluster {name} has no address"))?;
        all.clear();
        for port in ports {
            let mut one = first.clone();
            *at(&mut one, "/endpoint/address/socket_address/port_value")? = json!(port);
            all.push(one);
        }
        let fields = cluster.as_object_mut();
        let fields = fields.ok_or_else(|| format!("cluster {name} is not an object"))?;
        fields.extend(more.as_object().cloned().unwrap_or_default());
        Ok(())
    }

    pub(super) fn most_requests(&mut self, name: &str, count: u32) -> Result<(), String> {
        let path = "/circuit_breakers/thresholds/0/max_requests";
        *at(named(self.clusters()?, name)?, path)? = json!(count);
        Ok(())
    }

    pub(super) fn without_cluster(&mut self, name: &str) -> Result<(), String> {
        let clusters = self.clusters()?;
        named(clusters, name)?;
        clusters.retain(|cluster| !is_named(cluster, name));
        let target = "/typed_config/common_config/grpc_service/envoy_grpc/cluster_name";
        items(self.listener()?, &format!("{MANAGER}/access_log"))?
            .retain(|log| log.pointer(target).and_then(Value::as_str) != Some(name));
        Ok(())
    }

    fn listener(&mut self) -> Result<&mut Value, String> {
        at(&mut self.0, "/static_resources/listeners/0")
    }

    fn clusters(&mut self) -> Result<&mut Vec<Value>, String> {
        items(&mut self.0, "/static_resources/clusters")
    }
}

fn set_policy(listener: &mut Value, policy: &str) -> Result<(), String> {
    let path = "/typed_config/config/configuration/value";
    *at(guard(listener)?, path)? = json!(policy);
    Ok(())
}

fn guard(listener: &mut Value) -> Result<&mut Value, String> {
    named(
        items(listener, &format!("{MANAGER}/http_filters"))?,
        "portcullis",
    )
}

fn point(cluster: &mut Value, port: u16) -> Result<(), String> {
    let path = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
    *at(cluster, path)? = json!({ "address": "127.0.0.1", "port_value": port });
    Ok(())
}

fn at<'a>(value: &'a mut Value, path: &str) -> Result<&'a mut Value, String> {
    value
        .pointer_mut(path)
        .ok_or_else(|| format!("the shipped envoy.yaml has nothing at {path}"))
}

fn items<'a>(value: &'a mut Value, path: &str) -> Result<&'a mut Vec<Value>, String> {
    at(value, path)?
        .as_array_mut()
        .ok_or_else(|| format!("the shipped envoy.yaml has no list at {path}"))
}

fn named<'a>(list: &'a mut [Value], name: &str) -> Result<&'a mut Value, String> {
    list.iter_mut()
        .find(|item| is_named(item, name))
        .ok_or_else(|| format!("the shipped envoy.yaml has nothing that is named {name}"))
}

fn is_named(item: &Value, name: &str) -> bool {
    item.get("name").and_then(Value::as_str) == Some(name)
}
