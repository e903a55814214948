//! Who gets a connection, and for how long.

mod idle;
mod places;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::harness::command;

/// Far longer than what is waited for takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a client of HTTP/2 says first: the preface, and settings without any (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A desk that may have only so many files open.
fn with_files(most: u32) -> Command {
    let desk = command();
    let mut shell = Command::new("sh");
    let limit = format!("ulimit -n {most} && exec \"$0\" \"$@\"");
    shell.args(["-c", &limit]).arg(desk.get_program());
    for (name, value) in desk.get_envs() {
        shell.env(name, value.unwrap());
    }
    shell
}

/// A connection from an address of this machine, 127.0.0.`last`.
fn connect_from(last: u8, to: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let from = SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0));
    socket.bind(&from.into()).unwrap();
    socket.connect(&to.into()).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A connection on which this was said.
fn said(to: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = connect_from(1, to);
    stream.write_all(bytes).unwrap();
    stream
}

/// Reads until the desk closes the connection; returns what came, and how long it took.
fn until_closed(stream: &mut TcpStream) -> (Vec<u8>, Duration) {
    let begun = Instant::now();
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        result => drop(result.expect("the desk leaves the connection open")),
    }
    (bytes, begun.elapsed())
}
