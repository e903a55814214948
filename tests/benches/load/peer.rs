//! HTTP/1.1 on connections that are asked in turn and never waited for.
//!
//! A peer that sleeps must be woken by who writes to it, at that one's expense: several
//! microseconds on a virtual machine, more than some of what is measured here. So nobody on this
//! side sleeps while Envoy works.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// A connection, and what came on it and is not taken yet.
pub struct Peer {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Peer {
    /// Takes a connection over.
    ///
    /// # Errors
    /// When it is gone already.
    pub fn new(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            unread: Vec::new(),
        })
    }

    /// Sends a message. It must fit into the kernel's buffer, as small ones do.
    ///
    /// # Errors
    /// When it does not, or the connection is gone.
    pub fn send(&mut self, message: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(message)
    }

    /// The next message, its head and its body of known length, if it has come whole.
    ///
    /// # Errors
    /// When the connection is gone, or the message has no known length.
    pub fn message(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut piece = [0; 4 << 10];
        match self.stream.read(&mut piece) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => self
                .unread
                .extend_from_slice(piece.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let Some(at) = self
            .unread
            .windows(END_OF_HEAD.len())
            .position(|bytes| bytes == END_OF_HEAD)
        else {
            return Ok(None);
        };
        let head = self.unread.get(..at).unwrap_or_default();
        let end = at
            .saturating_add(END_OF_HEAD.len())
            .saturating_add(body_length(head)?);
        if self.unread.len() < end {
            return Ok(None);
        }
        let rest = self.unread.split_off(end);
        Ok(Some(std::mem::replace(&mut self.unread, rest)))
    }
}

/// What the head says of its body; a head that says nothing has none.
fn body_length(head: &[u8]) -> std::io::Result<usize> {
    let head = str::from_utf8(head).map_err(|_| ErrorKind::InvalidData)?;
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    for (name, value) in fields {
        if name.eq_ignore_ascii_case("content-length") {
            let length = value.trim().parse();
            return length.map_err(|_| ErrorKind::InvalidData.into());
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(ErrorKind::Unsupported.into());
        }
    }
    Ok(0)
}
