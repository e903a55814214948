//! Servers that behave as no HTTP library would let them.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What happens to a connection once a request was answered.
pub enum Then {
    /// It waits for the next request.
    Stay,
    /// It is closed.
    Close,
    /// It stays open, and nothing more is read or said.
    Silence,
}

/// What is sent for a request, and what happens after it.
pub type Answer = (Vec<u8>, Then);

/// A server that answers each request with bytes. Dropping it stops it from taking connections.
pub struct Crude {
    port: u16,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    stopped: Arc<AtomicBool>,
}

impl Crude {
    /// Starts one; `answer` is given each request's head and body.
    pub fn start(answer: impl Fn(&str, &[u8]) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let stopped = Arc::new(AtomicBool::new(false));
        let (seen, stop, answer) = (
            Arc::clone(&requests),
            Arc::clone(&stopped),
            Arc::new(answer),
        );
        thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &seen, &*answer));
            }
        });
        Self {
            port,
            requests,
            stopped,
        }
    }

    /// Answers every request with the same bytes and then does the same.
    pub fn always(bytes: impl Into<Vec<u8>>, then: fn() -> Then) -> Self {
        let bytes = bytes.into();
        Self::start(move |_, _| (bytes.clone(), then()))
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// All requests so far, heads and bodies as they came.
    pub fn requests(&self) -> Vec<Vec<u8>> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for Crude {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
    }
}

fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<Vec<u8>>>,
    answer: &dyn Fn(&str, &[u8]) -> Answer,
) {
    let mut unread = Vec::new();
    while let Some((head, body)) = request(&mut stream, &mut unread) {
        seen.lock().unwrap().push([&head[..], &body[..]].concat());
        let (bytes, then) = answer(&String::from_utf8_lossy(&head), &body);
        // The peer may have left, which is its right.
        if stream.write_all(&bytes).is_err() {
            return;
        }
        match then {
            Then::Stay => {}
            Then::Close => return,
            Then::Silence => {
                while more(&mut stream, &mut unread) {}
                return;
            }
        }
    }
}

/// The next request's head, with the blank line that ends it, and its body as it came.
fn request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<(Vec<u8>, Vec<u8>)> {
    let head = cut_at(stream, unread, |bytes| after(bytes, b"\r\n\r\n"))?;
    let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
    let field = |name: &str| {
        let (_, rest) = text.split_once(&format!("\r\n{name}: "))?;
        rest.split("\r\n").next()
    };
    let body = if field("transfer-encoding") == Some("chunked") {
        cut_at(stream, unread, |bytes| {
            if bytes.starts_with(b"0\r\n\r\n") {
                Some(5)
            } else {
                after(bytes, b"\r\n0\r\n\r\n")
            }
        })?
    } else {
        let length = field("content-length").map_or(0, |length| length.parse().unwrap());
        cut_at(stream, unread, |bytes| {
            (bytes.len() >= length).then_some(length)
        })?
    };
    Some((head, body))
}

fn after(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    let at = bytes.windows(mark.len()).position(|part| part == mark)?;
    Some(at + mark.len())
}

/// Reads until `end` says how many bytes belong to what is read, and takes those.
fn cut_at(
    stream: &mut TcpStream,
    unread: &mut Vec<u8>,
    end: impl Fn(&[u8]) -> Option<usize>,
) -> Option<Vec<u8>> {
    loop {
        if let Some(at) = end(unread) {
            let rest = unread.split_off(at);
            return Some(std::mem::replace(unread, rest));
        }
        if !more(stream, unread) {
            return None;
        }
    }
}

fn more(stream: &mut TcpStream, unread: &mut Vec<u8>) -> bool {
    let mut piece = [0; 16 * 1024];
    match stream.read(&mut piece) {
        Ok(0) | Err(_) => false,
        Ok(count) => {
            unread.extend_from_slice(&piece[..count]);
            true
        }
    }
}
