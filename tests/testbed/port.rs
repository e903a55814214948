//! Ports of the loopback interface.

use std::net::{Ipv4Addr, TcpListener};

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
