//! A model server, and where it is.

use std::net::IpAddr;

use portcullis::base::url::Url;

use super::kind::Kind;

/// A model server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// Its address, without a slash at the end.
    pub(super) url: String,
    /// What it is.
    pub(super) kind: Kind,
    /// A model that it has, where it told.
    pub(super) model: Option<String>,
}

impl Server {
    /// Where it is.
    pub(super) fn address(&self) -> Result<Address, String> {
        Address::read("--model", &self.url)
    }

    /// Where its gRPC is, if it is one that has it: where that is said; behind TLS, which leads both ways through
    /// one port; or at the next port, as Triton has it.
    pub(super) fn grpc(&self, said: Option<&str>) -> Result<Option<Address>, String> {
        if self.kind != Kind::Triton {
            return match said {
                Some(_) => Err(format!(
                    "--grpc: found an address for {}, expected one for a server with KServe's V2 protocol alone \
                     (--kind triton)",
                    self.kind.shown()
                )),
                None => Ok(None),
            };
        }
        if let Some(said) = said {
            return Address::read("--grpc", said).map(Some);
        }
        let mut address = self.address()?;
        if !address.tls {
            address.port = address.port.checked_add(1).ok_or_else(|| {
                format!(
                    "{}: found no port behind it for gRPC, expected one by --grpc",
                    self.url
                )
            })?;
        }
        Ok(Some(address))
    }
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// Whether it is reached by TLS.
    pub(super) tls: bool,
    /// The name or the address, without brackets.
    pub(super) host: String,
    /// The port.
    pub(super) port: u16,
}

impl Address {
    /// Takes a URL apart. A path in front of the API's own would be lost, so there can't be one.
    pub(super) fn read(option: &str, text: &str) -> Result<Self, String> {
        let wrong = |found: &str| {
            format!(
                "{option}: found {found}, expected http:// or https:// and a host, as in http://127.0.0.1:8000"
            )
        };
        let url = Url::parse(text).ok_or_else(|| wrong("no such address"))?;
        if url.path != "/" {
            return Err(wrong(
                "a path, which Envoy would not put in front of requests",
            ));
        }
        let tls = url.scheme == "https";
        let (host, port) = match url.authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let port = port.parse().ok().filter(|port| *port != 0);
                (host, port.ok_or_else(|| wrong("no such port"))?)
            }
            _ => (url.authority.as_str(), if tls { 443 } else { 80 }),
        };
        let inner = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = inner.unwrap_or(host);
        let sound = match inner {
            Some(inner) => inner.parse::<IpAddr>().is_ok(),
            None => host
                .bytes()
                .all(|one| one.is_ascii_alphanumeric() || b"-_.".contains(&one)),
        };
        if host.is_empty() || !sound {
            return Err(wrong("no such host"));
        }
        Ok(Self {
            tls,
            host: host.to_owned(),
            port,
        })
    }

    /// Whether the host is an address and no name.
    pub(super) fn is_ip(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok()
    }

    /// What a client that asks there says in `host`.
    pub(super) fn authority(&self) -> String {
        let host = match self.host.contains(':') {
            true => format!("[{}]", self.host),
            false => self.host.clone(),
        };
        match (self.tls, self.port) {
            (true, 443) | (false, 80) => host,
            (_, port) => format!("{host}:{port}"),
        }
    }

    /// As a URL.
    pub(super) fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}", self.authority())
    }
}
