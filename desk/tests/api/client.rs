//! An HTTP/1.1 client that shows everything and adds nothing.

use std::io::{ErrorKind, Read, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// Far longer than an answer takes, and shorter than the longest wait: an answer that only the
/// end of a wait brings is a failure.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.status, self.body))
    }

    /// The body of an answer that must be 200.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()
    }

    /// Status and code of an error, whose form is checked.
    pub fn refusal(&self) -> (u16, String) {
        let body = self.json();
        assert!(
            self.head.contains("content-type: application/json"),
            "{}",
            self.head
        );
        assert!(!body["error"]["message"].as_str().unwrap().is_empty());
        (
            self.status,
            body["error"]["code"].as_str().unwrap().to_owned(),
        )
    }
}

pub fn call(
    to: SocketAddr,
    method: &str,
    target: &str,
    key: Option<&str>,
    body: Option<&str>,
) -> Answer {
    let authorization = key.map_or_else(String::new, |key| {
        format!("authorization: Bearer {key}\r\n")
    });
    let length = body.map_or_else(String::new, |body| {
        format!("content-length: {}\r\n", body.len())
    });
    raw(
        to,
        &format!(
            "{method} {target} HTTP/1.1\r\nhost: desk\r\nconnection: close\r\n{authorization}{length}\r\n{}",
            body.unwrap_or_default()
        ),
    )
}

pub fn raw(to: SocketAddr, request: &str) -> Answer {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    read(stream).unwrap()
}

/// Reads an answer to its connection's end; `None` if there is none.
pub fn read(mut stream: impl Read) -> Option<Answer> {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        result => drop(result.unwrap()),
    }
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_lowercase(),
        body: body.to_owned(),
    })
}

/// Reads the JSON of one answer of a connection that stays open.
pub fn read_one(mut stream: impl Read) -> Value {
    let mut bytes = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).unwrap();
        assert_ne!(count, 0, "the connection ended");
        bytes.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((_, body)) = text.split_once("\r\n\r\n")
            && let Ok(value) = serde_json::from_str(body)
        {
            return value;
        }
    }
}
