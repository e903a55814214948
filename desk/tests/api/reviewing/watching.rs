//! Questions as they come.

use std::io::{BufRead as _, BufReader};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};

use super::{question, start, to};
use crate::harness::{Folder, id};

/// `portcullis approvals watch`.
pub(super) struct Watching {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
    notes: BufReader<std::process::ChildStderr>,
}

pub(super) fn watch(desk: SocketAddr) -> Watching {
    let mut command = to(desk, &["approvals", "watch"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let notes = BufReader::new(child.stderr.take().unwrap());
    Watching { child, out, notes }
}

impl Watching {
    pub(super) fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.out.read_line(&mut line).unwrap(), 0, "it ended");
        line
    }

    pub(super) fn note(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.notes.read_line(&mut line).unwrap(), 0, "it ended");
        line
    }

    pub(super) fn stop(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Passes connections on to whatever desk there is.
fn passage(desk: &Arc<Mutex<Option<SocketAddr>>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let desk = Arc::clone(desk);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let to = *desk.lock().unwrap();
            if let Some(to) = to.and_then(|to| TcpStream::connect(to).ok()) {
                pump(stream.try_clone().unwrap(), to.try_clone().unwrap());
                pump(to, stream);
            }
        }
    });
    address
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

#[test]
fn new_questions_are_watched_also_over_a_restart() {
    let folder = Folder::new();
    let desk = start(&folder);
    let first = id(&desk.ask(&question(1)));
    let now = Arc::new(Mutex::new(Some(desk.http)));
    let mut watching = watch(passage(&now));
    assert!(watching.line().contains(&first));
    let second = id(&desk.ask(&question(2)));
    let line = watching.line();
    assert!(
        line.contains(&second) && line.contains("model.export of big"),
        "{line}"
    );
    *now.lock().unwrap() = None;
    desk.kill();
    let note = watching.note();
    assert!(note.contains("can't be reached"), "{note}");
    let desk = start(&folder);
    *now.lock().unwrap() = Some(desk.http);
    let note = watching.note();
    assert!(note.contains("is back"), "{note}");
    let third = id(&desk.ask(&question(3)));
    let line = watching.line();
    assert!(
        line.contains(&third),
        "what was shown is not shown again: {line}"
    );
    watching.stop();
}
