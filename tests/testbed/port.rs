//! Ports of the loopback interface.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use tokio::net::TcpSocket;

/// A port that nothing listened on a moment ago. Another process may take it
/// before it is used, so what can choose a port itself (0) should.
///
/// # Errors
/// When the system has no port left.
pub fn free() -> Result<u16, String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port on the loopback interface: {error}"))
}

/// Says whether a fixed port can be listened on.
///
/// # Errors
/// When something else has it: a message that names the port.
pub fn must_be_free(port: u16) -> Result<(), String> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!(
            "port {port} cannot be used ({error}): stop what listens there, or choose another"
        )),
    }
}

/// A port that stays a server's own while the server is away: the system gives
/// it to nobody, and refuses connections to it.
#[derive(Debug)]
pub(crate) struct Reserved {
    _socket: TcpSocket,
    number: u16,
}

impl Reserved {
    /// Takes a free port. A server that reuses addresses can listen on it.
    pub(crate) fn take() -> Result<Self, String> {
        let said = |error: std::io::Error| {
            format!("no port of the loopback interface can be reserved: {error}")
        };
        let socket = TcpSocket::new_v4().map_err(said)?;
        // Sockets that all reuse an address share it as long as one of them at
        // most listens, and this one never does.
        socket.set_reuseaddr(true).map_err(said)?;
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        socket.bind(any).map_err(said)?;
        let number = socket.local_addr().map_err(said)?.port();
        Ok(Self {
            _socket: socket,
            number,
        })
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }
}
