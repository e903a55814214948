//! The sections on connections and TLS.

use std::path::PathBuf;

use serde::Deserialize;

/// The most connections, and the most seconds, that a configuration may name.
const MAX_CONNECTIONS: usize = 1 << 20;
const MAX_SECONDS: u64 = 24 * 60 * 60;

/// `connections`: how many there may be on each port, and how long one may be without a request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connections {
    /// How many a port may have; by default 4,096, or as many as the process' open files allow.
    pub most: Option<usize>,
    /// How many of them one address may have; by default a quarter.
    pub per_address: Option<usize>,
    /// How many seconds a connection may take to its first request.
    pub head_seconds: u64,
    /// How many seconds it may be without a request after that.
    pub idle_seconds: u64,
    /// How many seconds a peer may say nothing before it is asked whether it is still there. It has two thirds of
    /// that to answer.
    pub probe_seconds: u64,
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            most: None,
            per_address: None,
            head_seconds: 10,
            idle_seconds: 60,
            probe_seconds: 30,
        }
    }
}

/// `tls`: how connections are protected, on both ports.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The file with the desk's certificate and those between it and an authority (PEM).
    pub certificate: PathBuf,
    /// The file with its private key (PEM).
    pub key: PathBuf,
    /// The file with the authorities of clients' certificates (PEM). Without it, clients are not asked for one.
    pub client_ca: Option<PathBuf>,
    /// Whether a client may come without one.
    #[serde(default)]
    pub client_certificate: ClientCertificate,
}

/// Whether clients need a certificate, where `client_ca` says whose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificate {
    /// Whoever has none that is right is turned away.
    #[default]
    Required,
    /// Whoever has none is known by a key only.
    Optional,
}

impl Tls {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.client_ca.is_none() && self.client_certificate == ClientCertificate::Optional {
            return Err(
                "/tls/client_certificate: found \"optional\", and no /tls/client_ca without which nobody is asked for one"
                    .to_owned(),
            );
        }
        Ok(())
    }
}

impl Connections {
    pub(super) fn check(&self) -> Result<(), String> {
        for (name, value) in [("most", self.most), ("per_address", self.per_address)] {
            if value.is_some_and(|value| !(1..=MAX_CONNECTIONS).contains(&value)) {
                return Err(format!(
                    "/connections/{name}: expected 1 to {MAX_CONNECTIONS}"
                ));
            }
        }
        for (name, value) in [
            ("head_seconds", self.head_seconds),
            ("idle_seconds", self.idle_seconds),
            ("probe_seconds", self.probe_seconds),
        ] {
            if !(1..=MAX_SECONDS).contains(&value) {
                return Err(format!(
                    "/connections/{name}: found {value}, expected 1 to {MAX_SECONDS}"
                ));
            }
        }
        Ok(())
    }
}
