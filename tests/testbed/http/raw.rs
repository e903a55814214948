//! HTTP/1 byte by byte, for what a client library refuses to send.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::time::Duration;

use super::Response;

const PATIENCE: Duration = Duration::from_secs(60);

/// The longest head that is read, in bytes.
const MAX_HEAD_BYTES: usize = 1024 * 1024;

/// A TCP connection to a port of the loopback interface.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nothing listens there.
    pub fn open(port: u16) -> Result<Self, String> {
        let said = |error: std::io::Error| format!("port {port}: {error}");
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).map_err(said)?;
        stream.set_nodelay(true).map_err(said)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(said)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(said)?;
        Ok(Self {
            stream,
            unread: Vec::new(),
        })
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// When the peer does not take them.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream
            .write_all(bytes)
            .map_err(|error| error.to_string())
    }

    /// Says that nothing more will be sent.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn finish(&self) -> Result<(), String> {
        self.stream
            .shutdown(Shutdown::Write)
            .map_err(|error| error.to_string())
    }

    /// Reads one response, with a body of known length, of chunks, or up to the
    /// end of the connection; and leaves what follows for the next call.
    ///
    /// # Errors
    /// When there is no whole head, or it can't be understood.
    pub fn response(&mut self) -> Result<Response, String> {
        let head = self.head()?;
        let (status, headers) = parsed(&head)?;
        let mut response = Response {
            status,
            headers,
            body: Vec::new(),
            trailers: Vec::new(),
            broken: None,
        };
        let read = if matches!(status, 100..=199 | 204 | 304) {
            Ok(Vec::new())
        } else if response.header("transfer-encoding") == Some("chunked") {
            self.chunks()
        } else if let Some(length) = response.header("content-length") {
            match length.parse() {
                Ok(length) => self.take(length),
                Err(_) => Err((Vec::new(), format!("content-length {length}"))),
            }
        } else {
            self.rest()
        };
        match read {
            Ok(body) => response.body = body,
            Err((body, why)) => {
                response.body = body;
                response.broken = Some(why);
            }
        }
        Ok(response)
    }

    /// Reads to the end of the connection; gives all bytes that were left.
    ///
    /// # Errors
    /// When the connection breaks off or stays open.
    pub fn to_end(&mut self) -> Result<Vec<u8>, String> {
        self.rest().map_err(|(_, why)| why)
    }

    fn head(&mut self) -> Result<Vec<u8>, String> {
        loop {
            let end = self.unread.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(at) = end {
                return Ok(self.cut(at, 4));
            }
            if self.unread.len() > MAX_HEAD_BYTES {
                return Err("the head of the response does not end".to_owned());
            }
            if !self.more().map_err(|error| error.to_string())? {
                let text = String::from_utf8_lossy(&self.unread);
                return Err(format!("the connection ended after {text:?}"));
            }
        }
    }

    fn chunks(&mut self) -> Partial {
        let mut body = Vec::new();
        loop {
            let line = match self.line() {
                Ok(line) => line,
                Err(why) => return Err((body, why)),
            };
            let text = String::from_utf8_lossy(&line).into_owned();
            let size = text.split(';').next().unwrap_or_default().trim();
            match usize::from_str_radix(size, 16) {
                Err(_) => return Err((body, format!("chunk size {size:?}"))),
                Ok(0) => break,
                Ok(size) => match self.take(size) {
                    Ok(chunk) => body.extend_from_slice(&chunk),
                    Err((part, why)) => {
                        body.extend_from_slice(&part);
                        return Err((body, why));
                    }
                },
            }
            if let Err(why) = self.line() {
                return Err((body, why));
            }
        }
        loop {
            match self.line() {
                Ok(line) if line.is_empty() => return Ok(body),
                Ok(_) => {}
                Err(why) => return Err((body, why)),
            }
        }
    }

    fn line(&mut self) -> Result<Vec<u8>, String> {
        loop {
            if let Some(at) = self.unread.windows(2).position(|two| two == b"\r\n") {
                return Ok(self.cut(at, 2));
            }
            if !self.more().map_err(|error| error.to_string())? {
                return Err("the connection ended inside a chunked body".to_owned());
            }
        }
    }

    fn take(&mut self, length: usize) -> Partial {
        while self.unread.len() < length {
            match self.more() {
                Ok(true) => {}
                Ok(false) => return Err((self.all(), "the body ended early".to_owned())),
                Err(error) => return Err((self.all(), error.to_string())),
            }
        }
        Ok(self.cut(length, 0))
    }

    fn rest(&mut self) -> Partial {
        loop {
            match self.more() {
                Ok(true) => {}
                Ok(false) => return Ok(self.all()),
                Err(error) => return Err((self.all(), error.to_string())),
            }
        }
    }

    /// Takes the bytes before `at`, and drops the `between` bytes that follow.
    fn cut(&mut self, at: usize, between: usize) -> Vec<u8> {
        let rest = self.unread.split_off(at.saturating_add(between));
        let mut taken = std::mem::replace(&mut self.unread, rest);
        taken.truncate(at);
        taken
    }

    fn all(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.unread)
    }

    fn more(&mut self) -> std::io::Result<bool> {
        let mut piece = [0; 16 * 1024];
        let count = self.stream.read(&mut piece)?;
        self.unread
            .extend_from_slice(piece.get(..count).unwrap_or_default());
        Ok(count > 0)
    }
}

/// A body, or as much of it as came and why no more did.
type Partial = Result<Vec<u8>, (Vec<u8>, String)>;

type Fields = Vec<(String, Vec<u8>)>;

fn parsed(head: &[u8]) -> Result<(u16, Fields), String> {
    let mut lines = head
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let status = first
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .and_then(|code| code.parse().ok())
        .ok_or_else(|| format!("not a status line: {first:?}"))?;
    let headers = lines
        .map(|line| {
            let mut halves = line.splitn(2, |byte| *byte == b':');
            let name = String::from_utf8_lossy(halves.next().unwrap_or_default());
            let value = halves.next().unwrap_or_default().trim_ascii().to_vec();
            (name.to_ascii_lowercase(), value)
        })
        .collect();
    Ok((status, headers))
}
