//! An Envoy with both its sides in this thread, neither of which ever sleeps.
//!
//! A peer that sleeps must be woken by who writes to it, at that one's expense: several
//! microseconds on a virtual machine, more than an event may cost here.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use testbed::mesh::Mesh;

use crate::bodies::Body;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long the next piece of a stream waits for a sign of the one before: a filter may hold
/// that back whole.
const MAX_PAUSE: Duration = Duration::from_micros(300);

const END_OF_HEAD: &[u8] = b"\r\n\r\n";
const END_OF_CHUNKS: &[u8] = b"\r\n0\r\n\r\n";

/// A body as it is written to Envoy.
pub struct Script {
    pieces: Vec<Vec<u8>>,
}

impl Script {
    /// A stream goes in chunks, anything else with its length.
    pub fn new(body: &Body) -> Self {
        let head = |framing: &str| {
            format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {}\r\n{framing}\r\n\r\n",
                body.kind
            )
            .into_bytes()
        };
        let pieces = match body.pieces.as_slice() {
            [whole] => {
                let head = head(&format!("content-length: {}", whole.len()));
                vec![[head.as_slice(), whole].concat()]
            }
            pieces => {
                let mut script = vec![head("transfer-encoding: chunked")];
                script.extend(pieces.iter().map(|piece| chunk(piece)));
                script.push(b"0\r\n\r\n".to_vec());
                script
            }
        };
        Self { pieces }
    }
}

/// One chunk of HTTP/1.1.
pub fn chunk(piece: &[u8]) -> Vec<u8> {
    let size = format!("{:x}\r\n", piece.len());
    [size.as_bytes(), piece, b"\r\n"].concat()
}

/// A socket that is never waited for.
pub struct Socket {
    stream: TcpStream,
    /// What is to be written.
    unsent: Vec<u8>,
    sent: usize,
}

impl Socket {
    /// Takes a connection over.
    ///
    /// # Errors
    /// When it is gone already.
    pub fn new(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        Ok(Self {
            stream,
            unsent: Vec::new(),
            sent: 0,
        })
    }

    /// Connects to a port of the loopback interface.
    ///
    /// # Errors
    /// When nobody listens there.
    pub fn connect(port: u16) -> std::io::Result<Self> {
        Self::new(TcpStream::connect((Ipv4Addr::LOCALHOST, port))?)
    }

    /// Says what to write next.
    pub fn send(&mut self, bytes: &[u8]) {
        self.unsent.drain(..self.sent);
        self.sent = 0;
        self.unsent.extend_from_slice(bytes);
    }

    /// Writes as much as is taken; whether that is all.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn write(&mut self) -> std::io::Result<bool> {
        let rest = self.unsent.get(self.sent..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(true);
        }
        match self.stream.write(rest) {
            Ok(count) => self.sent = self.sent.saturating_add(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        Ok(self.sent >= self.unsent.len())
    }

    /// Reads what has come into `room`, and says how much that is.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        match self.stream.read(room) {
            Ok(0) => Err(ErrorKind::UnexpectedEof.into()),
            Ok(count) => Ok(count),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(0),
            Err(error) => Err(error),
        }
    }
}

/// An Envoy, and what is on both sides of it.
pub struct Link {
    /// The Envoy.
    pub mesh: Mesh,
    process: u32,
    listener: TcpListener,
    /// The connections that Envoy has opened.
    servers: Vec<Server>,
    clients: Vec<Client>,
    room: Vec<u8>,
}

struct Server {
    socket: Socket,
    asked: Vec<u8>,
    /// Which piece is next, of the answer that is under way; and whose request it answers.
    next: Option<(usize, usize)>,
    paused: Instant,
    /// How much the client had when the last piece was sent.
    seen: usize,
}

struct Client {
    socket: Socket,
    head: Vec<u8>,
    /// What of the answer has come, with its head.
    came: usize,
    /// Where it ends, if its head says so.
    end: Option<usize>,
    last: [u8; END_OF_CHUNKS.len()],
    done: bool,
    body: Option<Vec<u8>>,
}

impl Link {
    /// A listener for an Envoy that is to be started, and its port.
    ///
    /// # Errors
    /// When there is no port.
    pub fn listener() -> std::io::Result<(TcpListener, u16)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        Ok((listener, port))
    }

    /// Puts an Envoy between clients and this listener.
    pub fn new(mesh: Mesh, listener: TcpListener) -> Self {
        Self {
            process: mesh.id(),
            mesh,
            listener,
            servers: Vec::new(),
            clients: Vec::new(),
            room: vec![0; 256 << 10],
        }
    }

    /// Envoy's process.
    pub fn process(&self) -> u32 {
        self.process
    }

    /// Where Envoy's connections come in.
    pub fn accepting(&self) -> &TcpListener {
        &self.listener
    }

    /// Closes the connections that Envoy has opened, so that it opens new ones.
    pub fn forget_servers(&mut self) {
        self.servers.clear();
    }

    /// Has so many clients ask at once, and reads the answers to their ends. The first one's body
    /// is given back, with its chunks' frames, if `keep` says so.
    ///
    /// # Errors
    /// When an answer is missing or is not 200.
    pub fn exchange(
        &mut self,
        request: &dyn Fn(usize) -> Vec<u8>,
        script: &Script,
        clients: usize,
        keep: bool,
    ) -> Result<Vec<u8>, String> {
        let said = |error: std::io::Error| format!("a connection failed: {error}");
        while self.clients.len() < clients {
            let socket = Socket::connect(self.mesh.port()).map_err(said)?;
            self.clients.push(Client::new(socket));
        }
        for (index, client) in self.clients.iter_mut().take(clients).enumerate() {
            client.begin(keep && index == 0);
            client.socket.send(&request(index));
        }
        let start = Instant::now();
        loop {
            self.serve(script).map_err(said)?;
            let mut open = false;
            for client in self.clients.iter_mut().take(clients) {
                client.socket.write().map_err(said)?;
                open |= !client.done && !client.advance(&mut self.room)?;
            }
            if !open {
                break;
            }
            if start.elapsed() > PATIENCE {
                let log = self.mesh.log_tail();
                return Err(format!("no answer for {PATIENCE:?}\n{log}"));
            }
            thread::yield_now();
        }
        // What Envoy does behind the last byte belongs to it as well.
        while start.elapsed() < Duration::from_millis(1) {
            self.serve(script).map_err(said)?;
        }
        let first = self.clients.first_mut();
        Ok(first
            .and_then(|client| client.body.take())
            .unwrap_or_default())
    }

    fn serve(&mut self, script: &Script) -> std::io::Result<()> {
        match self.listener.accept() {
            Ok((stream, _)) => self.servers.push(Server {
                socket: Socket::new(stream)?,
                asked: Vec::new(),
                next: None,
                paused: Instant::now(),
                seen: 0,
            }),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        let mut ended = Vec::new();
        for (index, server) in self.servers.iter_mut().enumerate() {
            let came = |client: usize| self.clients.get(client).map_or(0, |client| client.came);
            match server.advance(script, &came, &mut self.room) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => ended.push(index),
                Err(error) => return Err(error),
            }
        }
        for index in ended.into_iter().rev() {
            self.servers.swap_remove(index);
        }
        Ok(())
    }
}

impl Server {
    fn advance(
        &mut self,
        script: &Script,
        came: &dyn Fn(usize) -> usize,
        room: &mut [u8],
    ) -> std::io::Result<()> {
        if !self.socket.write()? {
            return Ok(());
        }
        let Some((next, client)) = self.next else {
            let count = self.socket.read(room)?;
            self.asked
                .extend_from_slice(room.get(..count).unwrap_or_default());
            // Requests have no body here, and say whose they are.
            if !self.asked.ends_with(END_OF_HEAD) {
                return Ok(());
            }
            let client = asking(&self.asked).ok_or(ErrorKind::InvalidData)?;
            self.asked.clear();
            self.next = Some((0, client));
            self.seen = 0;
            return Ok(());
        };
        let Some(piece) = script.pieces.get(next) else {
            return Ok(());
        };
        let now = came(client);
        // The piece behind the head need not wait.
        if next > 1 && now == self.seen && self.paused.elapsed() < MAX_PAUSE {
            return Ok(());
        }
        self.seen = now;
        self.paused = Instant::now();
        self.socket.send(piece);
        let next = next.saturating_add(1);
        self.next = (next < script.pieces.len()).then_some((next, client));
        self.socket.write().map(|_| ())
    }
}

/// The number that a request's `x-client` has, once its head is whole.
pub fn asking(head: &[u8]) -> Option<usize> {
    let head = str::from_utf8(head.strip_suffix(END_OF_HEAD)?).ok()?;
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields.find(|(name, _)| *name == "x-client")?.1.parse().ok()
}

impl Client {
    fn new(socket: Socket) -> Self {
        Self {
            socket,
            head: Vec::new(),
            came: 0,
            end: None,
            last: [0; END_OF_CHUNKS.len()],
            done: true,
            body: None,
        }
    }

    fn begin(&mut self, keep: bool) {
        self.head.clear();
        self.came = 0;
        self.end = None;
        self.last = [0; END_OF_CHUNKS.len()];
        self.done = false;
        self.body = keep.then(Vec::new);
    }

    /// Reads; whether the answer is whole now.
    fn advance(&mut self, room: &mut [u8]) -> Result<bool, String> {
        let said = |error: std::io::Error| format!("a client's connection failed: {error}");
        let count = self.socket.read(room).map_err(said)?;
        if count == 0 {
            return Ok(false);
        }
        let piece = room.get(..count).unwrap_or_default();
        let mut text = piece;
        if !self.head.ends_with(END_OF_HEAD) {
            for (at, byte) in piece.iter().enumerate() {
                self.head.push(*byte);
                if self.head.ends_with(END_OF_HEAD) {
                    text = piece.get(at.saturating_add(1)..).unwrap_or_default();
                    let head = String::from_utf8_lossy(&self.head).into_owned();
                    if !head.starts_with("HTTP/1.1 200 ") {
                        return Err(format!("{head}{}", String::from_utf8_lossy(text)));
                    }
                    let length = head
                        .lines()
                        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
                    self.end = length.map(|length: usize| length.saturating_add(self.head.len()));
                    break;
                }
            }
        }
        self.came = self.came.saturating_add(count);
        if let Some(body) = &mut self.body {
            body.extend_from_slice(text);
        }
        let tail = [self.last.as_slice(), text].concat();
        if let Some(tail) = tail.last_chunk() {
            self.last = *tail;
        }
        self.done = match self.end {
            Some(end) => self.came >= end,
            None => self.last == END_OF_CHUNKS,
        };
        Ok(self.done)
    }
}
