//! Where the database is.

use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use postgres::{Client, Config};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::schema;
use crate::store::StoreError;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a statement may take, how long one waits for its turn, and how long a transaction may do nothing, in
/// milliseconds. One that holds the lock and doesn't go on must not stop the other desks.
const SETTINGS: &str = "SET statement_timeout = 10000; SET lock_timeout = 10000;
    SET idle_in_transaction_session_timeout = 15000; SET synchronous_commit = on;
    SET client_encoding = 'UTF8'; SET default_transaction_isolation = 'read committed'";

/// A database, and how it is reached.
#[derive(Clone)]
pub struct Database {
    config: Config,
    tls: MakeRustlsConnect,
    /// The database's number for the connection on which this desk works.
    working: Arc<AtomicI32>,
}

impl Database {
    /// The database at `url`. Where it speaks TLS, its certificate leads to one of the usual authorities, or
    /// to one of those in the file `ca` (PEM).
    ///
    /// # Errors
    /// The URL is none, or the file can't be read; no message has a password.
    pub fn new(url: &str, ca: Option<&Path>) -> Result<Self, String> {
        let mut config = Config::from_str(url).map_err(|_| {
            "found no URL of a database, expected one as in postgres://desk:${PASSWORD}@db.example/desk?sslmode=require"
                .to_owned()
        })?;
        config
            .connect_timeout(CONNECT)
            .tcp_user_timeout(CONNECT)
            .keepalives_idle(Duration::from_secs(30))
            .application_name("portcullis");
        let mut roots = RootCertStore::empty();
        match ca {
            Some(path) => add(&mut roots, path)?,
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            config,
            tls: MakeRustlsConnect::new(tls),
            working: Arc::default(),
        })
    }

    /// A new connection.
    pub(super) fn connect(&self) -> Result<Client, StoreError> {
        let mut client = self.config.connect(self.tls.clone())?;
        client.batch_execute(SETTINGS)?;
        Ok(client)
    }

    /// A new connection to work on.
    pub(super) fn connect_to_work(&self) -> Result<Client, StoreError> {
        let mut client = self.connect()?;
        let row = client.query_one("SELECT pg_backend_pid()", &[])?;
        self.working.store(row.try_get(0)?, Ordering::Relaxed);
        Ok(client)
    }

    /// Whether a connection of this number is the one on which this desk works.
    pub(super) fn is_own(&self, number: i32) -> bool {
        self.working.load(Ordering::Relaxed) == number
    }

    /// Makes the tables if there are none. It is called from a thread that is no runtime's.
    ///
    /// # Errors
    /// The database can't be reached, or is a later version's.
    pub fn prepare(&self) -> Result<(), StoreError> {
        schema::migrate(&mut self.connect()?)
    }
}

fn add(roots: &mut RootCertStore, path: &Path) -> Result<(), String> {
    let said = |why: String| format!("{}: {why}", path.display());
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| said(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| said(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| said(error.to_string()))?;
    }
    match roots.is_empty() {
        true => Err(said("found no certificate, expected one (PEM)".to_owned())),
        false => Ok(()),
    }
}
