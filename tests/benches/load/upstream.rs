//! A model server that knows one answer.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use crate::peer::Peer;

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\
content-length: 27\r\n\r\n{\"object\":\"list\",\"data\":[]}";

/// Serves whenever it is told to.
pub struct Upstream {
    listener: TcpListener,
    port: u16,
    peers: Vec<Peer>,
}

impl Upstream {
    /// Listens on a free port of the loopback interface.
    ///
    /// # Errors
    /// When there is none.
    pub fn listen() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        Ok(Self {
            port: listener.local_addr()?.port(),
            listener,
            peers: Vec::new(),
        })
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Answers what has come.
    ///
    /// # Errors
    /// When a connection fails, other than by its end.
    pub fn serve(&mut self) -> std::io::Result<()> {
        match self.listener.accept() {
            Ok((stream, _)) => self.peers.push(Peer::new(stream)?),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let mut ended = Vec::new();
        for (index, peer) in self.peers.iter_mut().enumerate() {
            match peer.message() {
                Ok(Some(_)) => peer.send(ANSWER)?,
                Ok(None) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => ended.push(index),
                Err(error) => return Err(error),
            }
        }
        for index in ended.into_iter().rev() {
            self.peers.swap_remove(index);
        }
        Ok(())
    }
}
