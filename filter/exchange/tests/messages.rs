//! Requests that are streams of gRPC messages.

use std::rc::Rc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Driven, compiled, reply};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow, Outcome};

const STREAM: &str = "/inference.GRPCInferenceService/ModelStreamInfer";

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
    out.extend(bytes);
    out
}

fn framed(message: &[u8], compressed: bool) -> Vec<u8> {
    let mut out = vec![u8::from(compressed)];
    out.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    out.extend(message);
    out
}

/// A request for a model, with a text and so many rows.
fn message(model: &str, rows: u8, text: &str) -> Vec<u8> {
    let mut input = field(3, &[rows]);
    input.extend(field(5, &field(8, text.as_bytes())));
    let mut message = field(1, model.as_bytes());
    message.extend(field(5, &input));
    framed(&message, false)
}

fn policy() -> Rc<CompiledPolicy> {
    compiled(&json!({
        "patterns": {"probe": {"any_of": ["ignore all"]}},
        "quotas": {
            "calls": {"by": ["subject"], "count": "requests", "limit": 3, "per": "1h"},
            "rows": {"by": ["subject", "model"], "count": "items", "limit": 50, "per": "1h"},
        },
        "rules": [
            {"name": "probe", "when": {"prompt": ["probe"]}, "then": "deny", "message": "Not that."},
            {"name": "small", "when": {"model": ["small-*"]}, "then": "allow", "quota": ["calls", "rows"]},
        ],
    }))
}

fn start(compiled: &Rc<CompiledPolicy>) -> Driven {
    let mut exchange = Driven::new(compiled);
    let headers = [
        ("content-type", "application/grpc"),
        ("grpc-encoding", "gzip"),
    ];
    let outcome = exchange.head("POST", STREAM, &headers, false);
    assert_eq!(outcome.flow, Flow::Hold, "{outcome:?}");
    exchange
}

/// What the host holds comes, and is asked for.
fn come(exchange: &mut Driven, held: &[u8], end: bool) -> Outcome {
    let asked = exchange.handle_as_host(Event::RequestPiece {
        held: held.len(),
        end,
    });
    assert!(
        asked.effects.contains(&Effect::ReadRequestBytes { end }),
        "{asked:?}"
    );
    exchange.handle(Event::RequestBytes { bytes: held, end })
}

/// What goes on of a piece.
fn gone(outcome: &Outcome, held: &[u8]) -> Vec<u8> {
    assert_eq!(outcome.flow, Flow::Continue, "{outcome:?}");
    let replaced = outcome.effects.iter().find_map(|effect| match effect {
        Effect::ReplaceRequestBody(bytes) => Some(bytes.clone()),
        _ => None,
    });
    replaced.unwrap_or_else(|| held.to_vec())
}

fn refused(exchange: &mut Driven, outcome: &Outcome) -> Value {
    assert_eq!(outcome.flow, Flow::Hold);
    reply(outcome);
    exchange.record()["verdict"].clone()
}

#[test]
fn each_message_is_judged_and_counted_before_it_goes_on() {
    let compiled = policy();
    let mut exchange = start(&compiled);
    let one = message("small-1", 2, "Hello.");
    assert_eq!(gone(&come(&mut exchange, &one, false), &one), one);
    assert_eq!(gone(&come(&mut exchange, &one, false), &one), one);
    let three = [one.clone(), one.clone()].concat();
    let outcome = come(&mut exchange, &three, false);
    let verdict = refused(&mut exchange, &outcome);
    assert_eq!(verdict["code"], "quota_exceeded");
}

#[test]
fn a_message_that_is_denied_ends_the_stream() {
    for (bad, code) in [
        (message("secret-1", 1, "Hello."), "denied"),
        (message("small-1", 1, "Now ignore all."), "denied"),
        (message("small-1", 51, "Hello."), "quota_too_small"),
        (framed(b"\x2a\x7f", false), "body_malformed"),
        (framed(b"x", true), "body_malformed"),
    ] {
        let mut exchange = start(&policy());
        let good = message("small-1", 1, "Hello.");
        assert_eq!(gone(&come(&mut exchange, &good, false), &good), good);
        // The good one in front of it doesn't go either: they came together.
        let both = [good.clone(), bad].concat();
        let outcome = come(&mut exchange, &both, false);
        assert_eq!(refused(&mut exchange, &outcome)["code"], code);
    }
}

#[test]
fn the_head_waits_for_the_first_message() {
    let mut exchange = start(&policy());
    let one = message("small-1", 3, "Hello.");
    let (front, _) = one.split_at(9);
    let outcome = come(&mut exchange, front, false);
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Hold));
    // The host has kept them.
    let held = [one.as_slice(), &one[..7]].concat();
    assert_eq!(gone(&come(&mut exchange, &held, false), &held), one);
    // From now on, what isn't whole is kept here.
    let rest = &one[7..];
    assert_eq!(gone(&come(&mut exchange, rest, true), rest), one);
    let record = exchange.record();
    assert_eq!(record["verdict"]["action"], "allow");
    assert_eq!(record["request"]["items"], 6);
    assert_eq!(record["request"]["bytes"], 2 * one.len());
}

#[test]
fn a_stream_that_is_cut_short_is_refused() {
    let one = message("small-1", 1, "Hello.");
    for (first, held) in [
        (false, &one[..8]),
        (true, &one[..8]),
        (false, b"".as_slice()),
    ] {
        let mut exchange = start(&policy());
        if first {
            come(&mut exchange, &one, false);
        }
        let outcome = come(&mut exchange, held, true);
        assert_eq!(refused(&mut exchange, &outcome)["code"], "body_malformed");
    }
    let mut exchange = start(&policy());
    come(&mut exchange, &one, false);
    let outcome = come(&mut exchange, &one[..8], false);
    assert_eq!(gone(&outcome, b""), b"");
    let outcome = exchange.handle(Event::RequestTrailers { trailers: &[] });
    assert_eq!(refused(&mut exchange, &outcome)["code"], "body_malformed");
}

#[test]
fn trailers_end_a_stream_in_front_of_the_first_message_or_behind_any() {
    let one = message("small-1", 1, "Hello.");
    let mut exchange = start(&policy());
    come(&mut exchange, &one, false);
    let outcome = exchange.handle(Event::RequestTrailers { trailers: &[] });
    assert_eq!(outcome.flow, Flow::Continue);
    let mut exchange = start(&policy());
    let outcome = exchange.handle_as_host(Event::RequestTrailers { trailers: &[] });
    assert_eq!(outcome.effects, [Effect::ReadRequestBytes { end: true }]);
}

#[test]
fn a_message_that_is_too_large_is_refused_by_its_length() {
    let mut exchange = start(&policy());
    let outcome = come(&mut exchange, &[0, 0x7f, 0, 0, 0], false);
    assert_eq!(
        refused(&mut exchange, &outcome)["code"],
        "request_too_large"
    );
}

#[test]
fn a_stream_of_which_nothing_is_asked_goes_on_as_it_comes() {
    let compiled = compiled(&json!({"rules": [{"name": "all", "then": "allow"}]}));
    let mut exchange = Driven::new(&compiled);
    let headers = [("content-type", "application/grpc")];
    let outcome = exchange.head("POST", STREAM, &headers, false);
    assert_eq!(outcome.flow, Flow::Continue);
}

proptest! {
    /// However a stream is cut into pieces, what goes on is what came.
    #[test]
    fn cuts_make_no_difference(cuts in prop::collection::vec(0_usize..400, 0..8)) {
        let compiled = compiled(&json!({"rules": [
            {"name": "small", "when": {"model": ["small-*"]}, "then": "allow"},
        ]}));
        let whole: Vec<u8> = (1..8).flat_map(|rows| message("small-1", rows, "Hello.")).collect();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(whole.len())).collect();
        cuts.push(whole.len());
        cuts.sort_unstable();
        let mut exchange = start(&compiled);
        let (mut sent, mut held, mut at) = (Vec::new(), Vec::new(), 0);
        for cut in cuts {
            let end = cut == whole.len();
            held.extend_from_slice(&whole[at..cut]);
            at = cut;
            let outcome = come(&mut exchange, &held, end);
            if outcome.flow == Flow::Continue {
                sent.extend(gone(&outcome, &held));
                held.clear();
            }
            if end {
                break;
            }
        }
        prop_assert_eq!(sent, whole);
    }
}
