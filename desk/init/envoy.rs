//! Envoy's configuration.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::server::{Kind, Server};

/// The template. What stands in capital letters between at signs is put in.
const TEMPLATE: &str = include_str!("envoy.yaml.in");

/// What is put in.
pub(super) struct Parts<'a> {
    /// Where Envoy listens.
    pub(super) port: u16,
    /// Its admin port.
    pub(super) admin_port: u16,
    /// The file for records.
    pub(super) records: &'a Path,
    /// The filter's module.
    pub(super) module: &'a Path,
    /// The policy.
    pub(super) policy: &'a str,
    /// The model server.
    pub(super) server: &'a Server,
}

/// The configuration as YAML. JSON's strings are YAML's, too.
pub(super) fn text(parts: &Parts<'_>) -> Result<String, String> {
    let (scheme, host, port) = parts.server.address()?;
    // Which variables a policy asks for, it tells while it is read.
    let names = RefCell::new(BTreeSet::new());
    let _ = portcullis::policy::load(parts.policy, &|name| {
        names.borrow_mut().insert(name.to_owned());
        crate::policy::variable(name, false)
    });
    let variables = names.into_inner();
    let has_grpc = parts.server.kind == Kind::Triton;
    let mut clusters = cluster("models", &host, port, false, scheme == "https");
    if has_grpc {
        clusters.push_str(&cluster(
            "models_grpc",
            &host,
            port.saturating_add(1),
            true,
            false,
        ));
    }
    let rewrite = match scheme {
        "https" => ", auto_host_rewrite: true",
        _ => "",
    };
    let grpc = match has_grpc {
        true => GRPC_ROUTE,
        false => "",
    };
    let path = |path: &Path| match path.to_str() {
        Some(path) => Ok(Value::from(path).to_string()),
        None => Err(format!("{}: the path is not UTF-8", path.display())),
    };
    Ok(TEMPLATE
        .replace("@ADMIN_PORT@", &parts.admin_port.to_string())
        .replace("@PORT@", &parts.port.to_string())
        .replace("@RECORDS@", &path(parts.records)?)
        .replace("@MODULE@", &path(parts.module)?)
        .replace("@GRPC_ROUTE@\n", grpc)
        .replace("@REWRITE@", rewrite)
        .replace("@VARIABLES@", &json!(variables).to_string())
        .replace("@CLUSTERS@\n", &clusters)
        // Last, so that nothing is looked for in it.
        .replace("@POLICY@\n", &indented(parts.policy)))
}

/// Lines of a block of YAML, behind the key that stands 26 deep. An empty line stays empty.
fn indented(policy: &str) -> String {
    let mut block = String::new();
    for line in policy.lines() {
        if !line.is_empty() {
            block.push_str("                            ");
            block.push_str(line);
        }
        block.push('\n');
    }
    block
}

const GRPC_ROUTE: &str =
    "                        - match: { prefix: /inference.GRPCInferenceService/ }
                          route: { cluster: models_grpc, timeout: 0s }
";

fn cluster(name: &str, host: &str, port: u16, http2: bool, tls: bool) -> String {
    let host = Value::from(host);
    let http2 = match http2 {
        true => {
            "      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http2_protocol_options: {} }
"
        }
        false => "",
    };
    let tls = match tls {
        true => format!(
            "      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
          sni: {host}
          auto_sni_san_validation: true
          common_tls_context:
            validation_context:
              trusted_ca: {{ filename: /etc/ssl/certs/ca-certificates.crt }}
"
        ),
        false => String::new(),
    };
    format!(
        "    - name: {name}
      type: STRICT_DNS
      # Servers on this machine may listen on one of both families.
      dns_lookup_family: ALL
      connect_timeout: 2s
{http2}{tls}      load_assignment:
        cluster_name: {name}
        endpoints:
          - lb_endpoints:
              - endpoint:
                  address:
                    socket_address: {{ address: {host}, port_value: {port} }}
"
    )
}
