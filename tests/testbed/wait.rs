//! Waiting for a condition instead of for a time.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(10);

/// Asks `condition` until it holds.
///
/// # Errors
/// When it still does not after `timeout`; `what` names it in the message.
pub fn until(
    what: &str,
    timeout: Duration,
    mut condition: impl FnMut() -> bool,
) -> Result<(), String> {
    let start = Instant::now();
    loop {
        if condition() {
            return Ok(());
        }
        if start.elapsed() >= timeout {
            return Err(format!("waited {timeout:?} in vain for {what}"));
        }
        thread::sleep(PAUSE);
    }
}

/// Asks until there is a value, and gives it.
///
/// # Errors
/// As [`until`].
pub fn value<T>(
    what: &str,
    timeout: Duration,
    mut ask: impl FnMut() -> Option<T>,
) -> Result<T, String> {
    let mut found = None;
    until(what, timeout, || {
        found = ask();
        found.is_some()
    })?;
    found.ok_or_else(|| format!("no value for {what}"))
}

/// Waits until something listens on a port of the loopback interface.
///
/// # Errors
/// As [`until`].
pub fn port(port: u16, timeout: Duration) -> Result<(), String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    until(&format!("port {port} to listen"), timeout, || {
        TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
    })
}

/// Waits until a GET of `path` on a port of the loopback interface gives 200.
///
/// # Errors
/// As [`until`].
pub fn http_ok(port: u16, path: &str, timeout: Duration) -> Result<(), String> {
    until(&format!("http://127.0.0.1:{port}{path}"), timeout, || {
        crate::http::get(port, path).is_ok_and(|response| response.status == 200)
    })
}
