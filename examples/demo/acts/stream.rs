//! A stream, masked as it flows: beside each piece that the model sends, what then arrives.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{Request, Stream};

use super::{at, matches};
use crate::paper::Paper;
use crate::stage::Stage;

/// What the model sends, one event each, with both values split over several events.
const PIECES: [&str; 11] = [
    "Write to ",
    "ana.si",
    "lva@exam",
    "ple.com",
    ", or charge ",
    "4111 1",
    "111 11",
    "11 1111",
    " before ",
    "noon",
    ".",
];
const MASKED: &str = "Write to [EMAIL], or charge [CREDIT_CARD] before noon.";

/// How long after the last arrival the next piece is sent.
const QUIET: Duration = Duration::from_millis(80);

pub fn play(paper: &mut Paper, stage: &mut Stage) -> Result<(), String> {
    paper.title("The same in a stream, as it flows");
    let gate = stage.model.say_gated(&PIECES);
    let token = stage.engineer("alice");
    let request = Request::post("/v1/chat/completions")
        .json(&json!({
            "model": "small-1",
            "stream": true,
            "messages": [{ "role": "user", "content": "How do I reach Ana?" }]
        }))
        .bearer(&token);
    let answer = stage.start(request)?.response()?;
    paper.expect(answer.status == 200, "the stream is refused");
    let arrivals = arrivals(answer);
    collect(&arrivals)?;
    paper.head("the model sends", "alice receives", "");
    let mut whole = String::new();
    let mut before_the_end = false;
    for (index, piece) in PIECES.iter().enumerate() {
        gate.open(1);
        let deltas = collect(&arrivals)?;
        let shown: Vec<String> = deltas.iter().map(|delta| format!("{delta:?}")).collect();
        paper.event(&format!("{piece:?}"), &shown.join("  "));
        whole.push_str(&deltas.concat());
        before_the_end |= !whole.is_empty() && index.saturating_add(1) < PIECES.len();
    }
    // What a busy machine has delivered late.
    for arrival in arrivals {
        whole.push_str(&arrival?);
    }
    let record = stage.record()?;
    paper.text("in one piece", &whole);
    paper.text("matches", &matches(&record));
    paper.expect(
        whole == MASKED,
        &format!("alice receives {whole:?}, and should receive {MASKED:?}"),
    );
    paper.expect(before_the_end, "nothing arrives before the stream's end");
    Ok(())
}

/// Reads the stream on a thread of its own, and hands over each event's text as it arrives.
fn arrivals(mut answer: Stream) -> Receiver<Result<String, String>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        loop {
            let arrival = match answer.next_event() {
                Ok(Some(event)) => text_of(&event).map(Ok),
                Ok(None) => break,
                Err(why) => Some(Err(why)),
            };
            let ends = matches!(arrival, Some(Err(_)));
            if arrival.is_some_and(|arrival| sender.send(arrival).is_err()) || ends {
                break;
            }
        }
    });
    receiver
}

/// The text in an event, if it has one.
fn text_of(event: &str) -> Option<String> {
    let chunk: Value = serde_json::from_str(event.strip_prefix("data: ")?).ok()?;
    chunk.pointer("/choices/0/delta/content")?;
    Some(at(&chunk, "/choices/0/delta/content").to_owned())
}

/// What arrives until nothing does for a while.
fn collect(arrivals: &Receiver<Result<String, String>>) -> Result<Vec<String>, String> {
    let mut deltas = Vec::new();
    loop {
        match arrivals.recv_timeout(QUIET) {
            Ok(arrival) => deltas.push(arrival?),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(deltas),
        }
    }
}
