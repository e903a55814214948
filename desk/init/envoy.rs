//! Envoy's configuration.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::server::{Address, Server};

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
    /// Where its gRPC is, where it isn't the usual place.
    pub(super) grpc: Option<&'a str>,
    /// The file with the authorities to trust, for what is reached by TLS.
    pub(super) authorities: Option<&'a Path>,
}

/// The configuration as YAML. JSON's strings are YAML's, too.
pub(super) fn text(parts: &Parts<'_>) -> Result<String, String> {
    let address = parts.server.address()?;
    // Which variables a policy asks for, it tells while it is read.
    let names = RefCell::new(BTreeSet::new());
    let _ = portcullis::policy::load(parts.policy, &|name| {
        names.borrow_mut().insert(name.to_owned());
        crate::policy::variable(name, false)
    });
    let variables = names.into_inner();
    let trusted = match parts.authorities {
        Some(file) => Some(quoted(file)?),
        None => None,
    };
    let trusted = trusted.as_deref();
    let mut clusters = cluster("models", &address, false, trusted)?;
    let mut grpc = String::new();
    if let Some(address) = parts.server.grpc(parts.grpc)? {
        clusters.push_str(&cluster("models_grpc", &address, true, trusted)?);
        grpc = GRPC_ROUTE.replace("@HOST@", &json!(address.authority()).to_string());
    }
    Ok(TEMPLATE
        .replace("@ADMIN_PORT@", &parts.admin_port.to_string())
        .replace("@PORT@", &parts.port.to_string())
        .replace("@RECORDS@", &quoted(parts.records)?)
        .replace("@MODULE@", &quoted(parts.module)?)
        .replace("@GRPC_ROUTE@\n", &grpc)
        .replace("@HOST@", &json!(address.authority()).to_string())
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

/// A path as a text of YAML.
fn quoted(path: &Path) -> Result<String, String> {
    match path.to_str() {
        Some(path) => Ok(Value::from(path).to_string()),
        None => Err(format!("{}: the path is not UTF-8", path.display())),
    }
}

const GRPC_ROUTE: &str =
    "                        - match: { prefix: /inference.GRPCInferenceService/ }
                          route: { cluster: models_grpc, timeout: 0s, host_rewrite_literal: @HOST@ }
";

/// A cluster. By TLS, the two sides agree on HTTP/1 or HTTP/2 (ALPN), but where it must be HTTP/2.
fn cluster(
    name: &str,
    address: &Address,
    http2: bool,
    trusted: Option<&str>,
) -> Result<String, String> {
    let protocol = match (http2, address.tls) {
        (true, _) => "explicit_http_config: { http2_protocol_options: {} }",
        (false, true) => "auto_config: {}",
        (false, false) => "",
    };
    let protocol = match protocol {
        "" => String::new(),
        protocol => format!(
            "      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          {protocol}
"
        ),
    };
    let tls = match (address.tls, trusted) {
        (false, _) => String::new(),
        (true, Some(trusted)) => tls(address, trusted),
        (true, None) => return Err(format!("{}: no authority is trusted", address.url())),
    };
    let (host, port) = (Value::from(address.host.as_str()), address.port);
    Ok(format!(
        "    - name: {name}
      # A server may listen at one of its name's addresses alone, as many do at localhost: Envoy takes the one that
      # answers. As STRICT_DNS, requests would go to each in turn.
      type: LOGICAL_DNS
      dns_lookup_family: ALL
      connect_timeout: 2s
{protocol}{tls}      load_assignment:
        cluster_name: {name}
        endpoints:
          - lb_endpoints:
              - endpoint:
                  address:
                    socket_address: {{ address: {host}, port_value: {port} }}
"
    ))
}

/// The certificate must lead to an authority, and be for that host: an address can't be asked for by name (SNI).
fn tls(address: &Address, trusted: &str) -> String {
    let host = Value::from(address.host.as_str());
    let (asked, wanted) = match address.is_ip() {
        true => (
            String::new(),
            format!(
                "
              match_typed_subject_alt_names:
                - {{ san_type: IP_ADDRESS, matcher: {{ exact: {host} }} }}"
            ),
        ),
        false => (
            format!(
                "          sni: {host}
          auto_sni_san_validation: true
"
            ),
            String::new(),
        ),
    };
    format!(
        "      transport_socket:
        name: envoy.transport_sockets.tls
        typed_config:
          \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
{asked}          common_tls_context:
            validation_context:
              trusted_ca: {{ filename: {trusted} }}{wanted}
"
    )
}
