//! Filters that are known by their certificates.

use std::sync::Arc;

use rustls::ClientConfig;
use serde_json::{Value, json};
use testbed::authority::{Authority, Issued};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status};

use crate::access_log::{METHOD, call_by, entry, message, record};
use crate::client::Answer;
use crate::harness::{ANA, Desk, EDGE, INNER, question};
use crate::tls::{Secured, ask, get};

const URI: &str = "spiffe://mesh/ns/gw/sa/envoy";

/// A desk that knows the filter edge by a URI or its key, inner by its key, and dns by a name of DNS.
struct Meshed {
    secured: Secured,
    clients: Authority,
    desk: Desk,
}

impl Meshed {
    fn start(more: Value) -> Self {
        let secured = Secured::new();
        let clients = Authority::new("the clients'").unwrap();
        let authority = secured.folder.write("clients.pem", &clients.certificate());
        let section = secured.section(json!({ "client_ca": authority }));
        let desk = secured.start(json!({
            "tls": crate::harness::with(section, more),
            "records_need_key": true,
            "filters": [
                { "name": "edge", "key": EDGE, "certificate": URI },
                { "name": "inner", "key": INNER },
                { "name": "dns", "certificate": "Envoy.Gateway.Example" },
            ],
        }));
        Self {
            secured,
            clients,
            desk,
        }
    }

    fn issue(&self, names: &[&str]) -> Issued {
        self.clients.issue(names).unwrap()
    }

    /// Asks a question over HTTP.
    fn ask(&self, shown: Option<&Issued>, key: Option<&str>) -> std::io::Result<Answer> {
        let client: Arc<ClientConfig> = self.secured.client(shown);
        let body = question(1).to_string();
        let head = get("/v1/approvals", key).replacen("GET", "POST", 1);
        let head = head.strip_suffix("\r\n").unwrap();
        let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        ask(self.desk.http, &client, &request)
    }

    /// Sends a record over gRPC.
    fn send(&self, number: u64, shown: Option<&Issued>, keys: &[&str]) -> Result<(), Status> {
        let authority = Certificate::from_pem(self.secured.authority.certificate());
        let mut tls = ClientTlsConfig::new()
            .ca_certificate(authority)
            .domain_name("127.0.0.1");
        if let Some(Issued { certificate, key }) = shown {
            tls = tls.identity(Identity::from_pem(certificate, key));
        }
        // Each sender has a worker of its own.
        let worker = format!("{number:016x}");
        let record = record(number, json!({ "worker": worker })).to_string();
        let messages = vec![message(vec![entry(record.as_bytes())])];
        let to = format!("https://{}", self.desk.grpc);
        let secured = |endpoint: Endpoint| endpoint.tls_config(tls).unwrap();
        call_by(&to, secured, METHOD, keys, messages)
    }
}

#[test]
fn a_certificate_stands_for_a_filter_on_both_ports() {
    let meshed = Meshed::start(json!({}));
    let edge = meshed.issue(&[URI]);
    let dns = meshed.issue(&["other.example", "envoy.gateway.example"]);
    let nobody = meshed.issue(&["spiffe://mesh/ns/gw/sa/other"]);
    let two = meshed.issue(&[URI, "envoy.gateway.example"]);
    let code = |shown: &Issued, key: Option<&str>| {
        let answer = meshed.ask(Some(shown), key).unwrap();
        match answer.status {
            200 => (200, String::new()),
            _ => answer.refusal(),
        }
    };
    let none = String::new;
    assert_eq!(code(&edge, None), (200, none()));
    assert_eq!(code(&dns, None), (200, none()));
    assert_eq!(code(&edge, Some(EDGE)), (200, none()));
    assert_eq!(code(&nobody, Some(INNER)), (200, none()));
    assert_eq!(code(&nobody, None), (401, "unauthorized".to_owned()));
    assert_eq!(code(&two, None), (401, "unauthorized".to_owned()));
    assert_eq!(code(&edge, Some(INNER)), (403, "two_filters".to_owned()));
    assert_eq!(code(&edge, Some("a-key-that-nobody-has")).0, 401);
    assert_eq!(code(&edge, Some(ANA)), (403, "wrong_key".to_owned()));

    // A reviewer sees which filter asked; a certificate takes nothing from the key.
    let client = meshed.secured.client(Some(&edge));
    let listed = ask(meshed.desk.http, &client, &get("/v1/approvals", Some(ANA)));
    let listed = listed.unwrap().ok();
    let first = listed["approvals"].as_array().unwrap().last();
    assert_eq!(first.unwrap()["filter"], "edge");
    let refused = ask(meshed.desk.http, &client, &get("/v1/approvals", None));
    assert_eq!(refused.unwrap().refusal(), (403, "wrong_key".to_owned()));

    meshed.send(1, Some(&edge), &[]).unwrap();
    meshed.send(2, Some(&dns), &[]).unwrap();
    meshed.send(3, Some(&nobody), &[INNER]).unwrap();
    for (shown, keys, code) in [
        (&nobody, &[][..], Code::Unauthenticated),
        (&two, &[], Code::Unauthenticated),
        (&edge, &[INNER], Code::PermissionDenied),
        (&edge, &["a-key-that-nobody-has"], Code::Unauthenticated),
        (&edge, &[ANA], Code::PermissionDenied),
    ] {
        let status = meshed.send(9, Some(shown), keys).unwrap_err();
        assert_eq!(status.code(), code, "{keys:?}: {status}");
        assert!(!status.message().contains("-key-"), "{status}");
    }
    let client = meshed.secured.client(Some(&nobody));
    let health = ask(meshed.desk.http, &client, &get("/healthz", None));
    assert_eq!(health.unwrap().ok()["records"]["stored"], 3);
}

#[test]
fn without_a_right_certificate_there_is_no_connection() {
    let meshed = Meshed::start(json!({}));
    let foreign = Authority::new("somebody's").unwrap();
    let foreign = foreign.issue(&[URI]).unwrap();
    let own = meshed.issue(&[URI]);
    for shown in [None, Some(&foreign)] {
        assert!(meshed.ask(shown, Some(EDGE)).is_err());
        let status = meshed.send(1, shown, &[EDGE]).unwrap_err();
        assert_ne!(status.code(), Code::Unauthenticated, "{status}");
    }
    let health = ask(
        meshed.desk.http,
        &meshed.secured.client(Some(&own)),
        &get("/healthz", None),
    );
    assert_eq!(health.unwrap().ok()["records"]["stored"], 0);
    let (_, log) = meshed.desk.stop();
    assert!(log.contains("TLS handshakes failed"), "{log}");
}

#[test]
fn where_certificates_are_optional_a_key_is_enough() {
    let meshed = Meshed::start(json!({ "client_certificate": "optional" }));
    assert_eq!(meshed.ask(None, Some(EDGE)).unwrap().status, 200);
    assert_eq!(meshed.ask(None, None).unwrap().status, 401);
    let foreign = Authority::new("somebody's").unwrap();
    assert!(
        meshed
            .ask(Some(&foreign.issue(&[URI]).unwrap()), None)
            .is_err()
    );
    let edge = meshed.issue(&[URI]);
    assert_eq!(meshed.ask(Some(&edge), None).unwrap().status, 200);
    meshed.send(1, None, &[INNER]).unwrap();
    meshed.send(2, Some(&edge), &[]).unwrap();
    let status = meshed.send(3, None, &[]).unwrap_err();
    assert_eq!(status.code(), Code::Unauthenticated);
}
