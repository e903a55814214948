//! TLS on both ports: who is let in, and when files change.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use testbed::authority::{Authority, Issued};

use crate::client::{Answer, read};
use crate::harness::{Desk, Folder};
use crate::starting::failure_of;

/// Far longer than what is waited for takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with a certificate of the desk's and its key in files, and the authority.
pub struct Secured {
    pub folder: Folder,
    pub authority: Authority,
}

impl Secured {
    pub fn new() -> Self {
        let folder = Folder::new();
        let authority = Authority::new("the desk's").unwrap();
        let new = Self { folder, authority };
        new.renew();
        new
    }

    /// Puts another certificate of the desk's into its files.
    pub fn renew(&self) {
        let issued = self.authority.issue(&["127.0.0.1"]).unwrap();
        self.folder.write("desk.pem", &issued.certificate);
        self.folder.write("desk.key", &issued.key);
    }

    /// The section `tls`, with these members besides.
    pub fn section(&self, more: Value) -> Value {
        let section = json!({
            "certificate": self.folder.file("desk.pem"),
            "key": self.folder.file("desk.key"),
        });
        crate::harness::with(section, more)
    }

    pub fn start(&self, changes: Value) -> Desk {
        let config = self.folder.config_but(changes);
        Desk::start_with(&config, &self.folder.store())
    }

    /// A client that trusts the desk's authority, and shows a certificate if it has one.
    pub fn client(&self, shown: Option<&Issued>) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        let own = self.authority.certificate();
        let own = CertificateDer::from_pem_slice(own.as_bytes()).unwrap();
        roots.add(own).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        Arc::new(match shown {
            None => builder.with_no_client_auth(),
            Some(Issued { certificate, key }) => {
                let chain = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![chain], key).unwrap()
            }
        })
    }
}

pub type Stream = StreamOwned<ClientConnection, TcpStream>;

pub fn connect(to: SocketAddr, client: &Arc<ClientConfig>) -> Stream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    StreamOwned::new(ClientConnection::new(client.clone(), name).unwrap(), stream)
}

/// Asks over TLS; the error says why there is no protected connection.
pub fn ask(
    to: SocketAddr,
    client: &Arc<ClientConfig>,
    request: &str,
) -> Result<Answer, std::io::Error> {
    let mut stream = connect(to, client);
    stream.write_all(request.as_bytes())?;
    // With TLS 1.3, what the desk thinks of a client's certificate comes with the first bytes from it.
    let mut first = [0; 64];
    let count = stream.read(&mut first)?;
    read(first[..count].chain(stream)).ok_or_else(|| std::io::Error::other("no answer"))
}

pub fn get(target: &str, key: Option<&str>) -> String {
    let key = key.map_or_else(String::new, |key| {
        format!("authorization: Bearer {key}\r\n")
    });
    format!("GET {target} HTTP/1.1\r\nhost: desk\r\nconnection: close\r\n{key}\r\n")
}

/// The certificate that the desk shows.
fn shown(to: SocketAddr, client: &Arc<ClientConfig>) -> Vec<u8> {
    let mut stream = connect(to, client);
    stream.write_all(b"GET").unwrap();
    let chain = stream.conn.peer_certificates().unwrap();
    chain[0].as_ref().to_vec()
}

#[test]
fn both_ports_speak_tls_and_tell_who_speaks_without() {
    let secured = Secured::new();
    let desk = secured.start(json!({
        "tls": secured.section(json!({})),
        "connections": { "head_seconds": 2 },
    }));
    let client = secured.client(None);
    let answer = ask(desk.http, &client, &get("/healthz", None)).unwrap();
    assert_eq!(answer.ok()["status"], "ok");
    let answer = ask(desk.http, &client, &get("/metrics", None)).unwrap();
    let expiry = "portcullis_desk_certificate_expiry_timestamp_seconds ";
    assert!(answer.body.contains(expiry), "{}", answer.body);
    for (port, said) in [
        (desk.http, get("/healthz", None)),
        (desk.grpc, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
    ] {
        let answer = crate::client::raw(port, &said);
        assert_eq!(
            (answer.status, &*answer.body),
            (400, "This port speaks TLS.\n")
        );
        // Neither one who says nothing nor one who stops in the middle of it is waited for.
        for half in [&b""[..], b"\x16\x03\x01\x02\0\x01"] {
            let mut stream = TcpStream::connect(port).unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream.write_all(half).unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).unwrap();
        }
    }
    let other = Secured::new().client(None);
    ask(desk.http, &other, &get("/healthz", None)).unwrap_err();
    let (status, log) = desk.stop();
    assert!(status.success(), "{log}");
    assert!(log.contains("TLS handshakes failed"), "{log}");
}

#[test]
fn files_that_change_are_taken_anew_and_wrong_ones_are_not() {
    let secured = Secured::new();
    let desk = secured.start(json!({ "tls": secured.section(json!({})) }));
    let client = secured.client(None);
    let before = shown(desk.http, &client);
    let old = connect(desk.http, &client);
    secured.renew();
    let renewed = loop {
        let now = shown(desk.grpc, &client);
        if now != before {
            break now;
        }
        std::thread::yield_now();
    };
    // The connection from before goes on.
    let mut old = old;
    old.write_all(get("/healthz", None).as_bytes()).unwrap();
    assert_eq!(read(old).unwrap().status, 200);

    let mut broken = std::fs::read_to_string(secured.folder.file("desk.pem")).unwrap();
    broken.truncate(broken.len() / 2);
    secured.folder.write("desk.pem", &broken);
    let said = desk.until_logged("the TLS files are not as they should be");
    assert!(said.contains("desk.pem: found no certificates"), "{said}");
    assert!(!said.contains(&broken[100..140]), "{said}");
    assert_eq!(shown(desk.http, &client), renewed);

    secured.renew();
    while shown(desk.http, &client) == renewed {
        std::thread::yield_now();
    }
    assert!(desk.stop().0.success());
}

#[test]
fn wrong_sections_and_files_are_named() {
    let secured = Secured::new();
    let refused = |changes: Value, expected: &str| {
        let config = secured.folder.config_but(changes);
        let said = failure_of(&secured.folder.store(), &config);
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!said.contains("PRIVATE"), "{said}");
    };
    let tls = |more| json!({ "tls": secured.section(more) });
    refused(
        tls(json!({ "key": "nowhere.key" })),
        "nowhere.key can't be read",
    );
    let other = secured.authority.issue(&["127.0.0.1"]).unwrap();
    let other = secured.folder.write("other.key", &other.key);
    refused(tls(json!({ "key": other })), "don't fit");
    let certificate = secured.folder.file("desk.pem");
    refused(tls(json!({ "key": certificate })), "found no private key");
    let key = secured.folder.file("desk.key");
    refused(tls(json!({ "certificate": key })), "found no certificates");
    refused(tls(json!({ "client_ca": key })), "found no certificates");
    refused(tls(json!({ "ca": key })), "unknown field `ca`");
    refused(
        tls(json!({ "client_certificate": "never" })),
        "unknown variant `never`",
    );
    refused(
        tls(json!({ "client_certificate": "optional" })),
        "/tls/client_certificate",
    );
    let filter = |members: Value| json!({ "filters": [members] });
    refused(
        filter(json!({ "name": "edge" })),
        "neither a key nor a certificate",
    );
    refused(
        filter(json!({ "name": "edge", "certificate": "spiffe://mesh/edge" })),
        "/tls/client_ca",
    );
    let filters = |one: &str, other: &str| {
        json!({
            "tls": secured.section(json!({ "client_ca": secured.folder.file("desk.pem") })),
            "filters": [{ "name": "a", "certificate": one }, { "name": "b", "certificate": other }],
        })
    };
    refused(filters("a.example", "A.Example"), "/filters/1/certificate");
    refused(filters("a.example", ""), "/filters/1/certificate");
    for (name, value) in [
        ("most", json!(0)),
        ("per_address", json!(0)),
        ("head_seconds", json!(0)),
        ("idle_seconds", json!(100_000)),
        ("probe_seconds", json!(0)),
    ] {
        let place = format!("/connections/{name}");
        refused(json!({ "connections": { name: value } }), &place);
    }
}
