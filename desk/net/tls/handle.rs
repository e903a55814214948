//! How connections are protected, and the begin of one.

use std::io;

use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificate::{self, CertifiedNames};
use super::failure::TlsFailure;
use super::material::{self, Loaded};
use super::plain;
use super::reload;
use crate::config;
use crate::net::protocol::Protocol;
use crate::stop::Stop;

/// The first byte of whatever speaks TLS: the type of a record with a handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;

/// How connections are protected, by the files as they were when they were last right.
#[derive(Clone)]
pub struct Tls(watch::Receiver<Loaded>);

impl Tls {
    /// Reads the files, and from then on looks for others until `stop` is requested. Call it on a runtime.
    ///
    /// # Errors
    /// Says which file is wrong, and how.
    pub fn start(files: &config::Tls, stop: Stop) -> Result<Self, TlsFailure> {
        let material = material::read(files)?;
        let loaded = material.load(files)?;
        let (sender, receiver) = watch::channel(loaded);
        tokio::spawn(reload::keep_up(files.clone(), material, sender, stop));
        Ok(Self(receiver))
    }

    /// When the desk's certificate ends, in seconds since 1970.
    #[must_use]
    pub fn expires(&self) -> u64 {
        self.0.borrow().expires
    }

    /// Shakes hands with a client; `None` if it leaves before it says anything, as who only looks whether the port is
    /// open. It is for the caller to set a limit of time.
    ///
    /// # Errors
    /// Why there is no protected connection.
    pub(in crate::net) async fn accept(
        &self,
        mut stream: TcpStream,
        protocol: Protocol,
    ) -> io::Result<Option<(TlsStream<TcpStream>, CertifiedNames)>> {
        let mut first = [0];
        let [byte] = match stream.peek(&mut first).await? {
            0 => return Ok(None),
            _ => first,
        };
        if byte != HANDSHAKE {
            plain::refuse(&mut stream).await;
            return Err(io::Error::other("the client doesn't speak TLS"));
        }
        let config = {
            let loaded = self.0.borrow();
            match protocol {
                Protocol::Http => loaded.http.clone(),
                Protocol::Grpc => loaded.grpc.clone(),
            }
        };
        let stream = TlsAcceptor::from(config).accept(stream).await?;
        let (_, connection) = stream.get_ref();
        let leaf = connection.peer_certificates().and_then(<[_]>::first);
        let names = leaf.map(|leaf| certificate::names(leaf));
        Ok(Some((stream, names.unwrap_or_default())))
    }
}
