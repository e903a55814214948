//! Clients that never pause while something is replaced.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use testbed::http::{Client, Request, Response};
use testbed::mesh::Mesh;
use testbed::wait;

use crate::support::{chat, chat_body};

/// How many answers are waited for until a change counts as served through.
const MORE: usize = 60;

/// What a client does again and again. It says what is wrong with what it gets.
pub type Work = fn(&Client, &str) -> Result<(), String>;

/// What the model says to these clients, and what they are told.
pub const SAID: &str = "Write to ana@corp.com today.";
const TOLD: &str = "Write to [EMAIL] today.";

struct State {
    over: AtomicBool,
    done: AtomicUsize,
    lost: Mutex<Vec<String>>,
}

/// Clients at work.
pub struct Load<'a>(&'a State);

impl Load<'_> {
    /// Waits until a good many requests more have been answered.
    pub fn go_on(&self) {
        let from = self.0.done.load(Ordering::SeqCst);
        let more = || {
            self.0.done.load(Ordering::SeqCst) >= from + MORE
                || !self.0.lost.lock().unwrap().is_empty()
        };
        wait::until("clients to be served", Duration::from_secs(60), more).unwrap();
    }
}

/// Ends the clients also where a test fails.
struct End<'a>(&'a State);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
    }
}

/// Does something while clients are served, each kind over HTTP/1 and over HTTP/2, and fails if one of their
/// requests had no answer or not its own.
pub fn under_load<T>(
    mesh: &Mesh,
    token: &str,
    kinds: &[Work],
    work: impl FnOnce(&Load<'_>) -> T,
) -> T {
    let port = mesh.port();
    let state = State {
        over: AtomicBool::new(false),
        done: AtomicUsize::new(0),
        lost: Mutex::new(Vec::new()),
    };
    let result = thread::scope(|scope| {
        let _end = End(&state);
        for kind in kinds {
            for client in [Client::http1(port).unwrap(), Client::http2(port).unwrap()] {
                let state = &state;
                scope.spawn(move || {
                    while !state.over.load(Ordering::SeqCst) {
                        if let Err(why) = kind(&client, token) {
                            let number = state.done.load(Ordering::SeqCst);
                            state
                                .lost
                                .lock()
                                .unwrap()
                                .push(format!("after {number}: {why}"));
                            return;
                        }
                        state.done.fetch_add(1, Ordering::SeqCst);
                    }
                });
            }
        }
        let load = Load(&state);
        load.go_on();
        let result = work(&load);
        load.go_on();
        result
    });
    let lost = state.lost.into_inner().unwrap();
    assert!(lost.is_empty(), "lost: {lost:#?}\n{}", mesh.log_tail());
    result
}

/// An answer in one piece.
pub fn whole(client: &Client, token: &str) -> Result<(), String> {
    let answer = client.send(chat(token, "Hi"))?;
    is_right(&answer, answer.text().contains(TOLD))
}

/// An answer in a stream of events.
pub fn streamed(client: &Client, token: &str) -> Result<(), String> {
    let mut body = chat_body("Hi");
    body["stream"] = json!(true);
    let request = Request::post("/v1/chat/completions").bearer(token);
    let answer = client.send(request.json(&body))?;
    let text = answer.text();
    let mut told = String::new();
    for event in text.lines().filter_map(|line| line.strip_prefix("data: {")) {
        let event: serde_json::Value =
            serde_json::from_str(&format!("{{{event}")).map_err(|error| error.to_string())?;
        let piece = event.pointer("/choices/0/delta/content");
        told.push_str(
            piece
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default(),
        );
    }
    is_right(
        &answer,
        told == TOLD && text.trim_end().ends_with("data: [DONE]"),
    )
}

/// Whether an answer is good, and came to its end.
pub fn is_right(answer: &Response, whole: bool) -> Result<(), String> {
    match answer.status == 200 && answer.broken.is_none() && whole {
        true => Ok(()),
        false => Err(format!(
            "{} {:?} {}",
            answer.status,
            answer.broken,
            answer.text()
        )),
    }
}
