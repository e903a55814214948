//! What is held of bodies is bounded, in each direction, and given back whatever way it ends.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Driven, bytes, code, compiled, reply};
use crate::exchange::buffers::{Buffers, Share};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow, Outcome};

/// The bytes that the policies here let be held.
const LIMIT: usize = 32 << 20;

/// A policy with one rule.
fn ruled(rule: Value) -> Rc<CompiledPolicy> {
    let mut all = json!({"name": "all", "then": "allow"});
    all.as_object_mut()
        .unwrap()
        .extend(rule.as_object().unwrap().clone());
    compiled(&json!({
        "limits": {"buffers": "32MiB"},
        "approvals": {"cluster": "desk", "wait": "30s", "credential": "Bearer ${KEY}"},
        "masks": {
            "labels": {"detect": ["email"]},
            "names": {"detect": ["email"], "style": "pseudonym"},
            "watch": {"detect": [{"is": "email", "action": "alert"}]},
            "cut": {"detect": [{"is": "email", "action": "cut"}]},
            "gate": {"detect": [{"is": "email", "action": {"approve": {"reviewers": ["leads"]}}}]},
        },
        "rules": [all],
    }))
}

/// All but this many bytes are taken by others.
fn all_but(compiled: &CompiledPolicy, left: usize) -> Share {
    let mut others = compiled.buffers.share();
    let taken = compiled.buffers.taken();
    others.resize(LIMIT - taken - left).unwrap();
    others
}

/// A request has passed, and this head of its response comes.
fn head(compiled: &Rc<CompiledPolicy>, extra: &[(&str, &str)]) -> (Driven, Outcome) {
    let mut exchange = Driven::new(compiled);
    assert_eq!(exchange.chat().flow, Flow::Continue);
    let mut headers = vec![(":status", "200"), ("content-type", "application/json")];
    headers.extend(extra);
    let headers = bytes(&headers);
    let outcome = exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    });
    (exchange, outcome)
}

fn piece(exchange: &mut Driven, piece: &[u8], end: bool) -> Outcome {
    exchange.handle(Event::ResponseBody { piece, end })
}

/// A frame of zstd of one block as it is, with a window of 2 to the power of `bits`.
fn frame(bits: u8, content: &[u8]) -> Vec<u8> {
    let mut frame = 0xFD2F_B528_u32.to_le_bytes().to_vec();
    frame.extend([0, (bits - 10) << 3]);
    let size = u32::try_from(content.len()).unwrap();
    frame.extend(&(size << 3 | 1).to_le_bytes()[..3]);
    frame.extend(content);
    frame
}

const ZSTD: [(&str, &str); 1] = [("content-encoding", "zstd")];

fn is_full(outcome: &Outcome) {
    let reply = reply(outcome);
    assert_eq!(
        (code(outcome).as_str(), reply.status),
        ("buffers_full", 503)
    );
    assert!(reply.headers.contains(&("retry-after", "1".to_owned())));
}

fn is_cut(exchange: &mut Driven, outcome: &Outcome) {
    let cut = [Effect::ReplaceResponseBody(Vec::new()), Effect::CutResponse];
    assert_eq!((&outcome.effects[..], outcome.flow), (&cut[..], Flow::Hold));
    assert_eq!(exchange.record()["response"]["code"], "buffers_full");
}

#[test]
fn a_share_grows_while_there_is_room_and_is_given_back_when_it_is_dropped() {
    let buffers = Buffers::new(100);
    let (mut one, mut other) = (buffers.share(), buffers.share());
    assert!(one.resize(60).is_ok());
    assert!(other.resize(41).is_err());
    assert_eq!(buffers.taken(), 60);
    assert!(other.resize(40).is_ok());
    assert!(one.resize(61).is_err());
    assert!(one.resize(10).is_ok());
    assert!(other.resize(90).is_ok());
    drop(other);
    assert_eq!(buffers.taken(), 10);
    drop(one);
    assert_eq!(buffers.taken(), 0);
}

#[test]
fn a_request_whose_masked_copy_finds_no_room_is_refused_and_passes_later() {
    let compiled = ruled(json!({"mask_request": ["names"], "restore": true}));
    let body = r#"{"messages":[{"role":"user","content":"I am ana@example.com"}]}"#;
    // Not even the copy has room; then the copy has, but not what is put back.
    for left in [100, 65_700] {
        let others = all_but(&compiled, left);
        let mut exchange = Driven::new(&compiled);
        assert_eq!(exchange.chat().flow, Flow::Hold);
        is_full(&exchange.whole(body));
        assert_eq!(exchange.record()["verdict"]["code"], "buffers_full");
        drop(others);
        assert_eq!(compiled.buffers.taken(), 0);
    }
    let mut exchange = Driven::new(&compiled);
    assert_eq!(exchange.chat().flow, Flow::Hold);
    assert_eq!(exchange.whole(body).flow, Flow::Continue);
    // What is put back is kept for the answer, and no longer.
    assert!((1..1024).contains(&compiled.buffers.taken()));
    exchange.record();
    assert_eq!(compiled.buffers.taken(), 0);
}

#[test]
fn a_request_that_finds_no_room_to_wait_for_keys_is_refused() {
    let compiled = compiled(&json!({
        "limits": {"buffers": "32MiB"},
        "identity": {"providers": [{
            "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
            "keys": {"jwks_uri": {"uri": "https://idp/keys", "cluster": "idp"}},
        }]},
    }));
    let mut waiting = Driven::new(&compiled);
    assert_eq!(waiting.chat().flow, Flow::Hold);
    assert!(compiled.buffers.taken() > 0);
    let others = all_but(&compiled, 100);
    is_full(&Driven::new(&compiled).chat());
    drop(others);
    waiting.record();
    assert_eq!(compiled.buffers.taken(), 0);
}

#[test]
fn an_encoded_answer_that_finds_no_room_to_be_decoded_is_refused_at_its_head() {
    // Whoever only counts must not miss one, either.
    for mask in ["labels", "watch", "cut", "gate"] {
        let compiled = ruled(json!({"mask": [mask]}));
        let others = all_but(&compiled, 15 << 20);
        for coding in ["zstd", "br"] {
            let (mut exchange, outcome) = head(&compiled, &[("content-encoding", coding)]);
            is_full(&outcome);
            assert_eq!(exchange.record()["response"]["code"], "buffers_full");
        }
        let (_small, outcome) = head(&compiled, &[("content-encoding", "gzip")]);
        assert!(
            !outcome
                .effects
                .iter()
                .any(|it| matches!(it, Effect::Reply(_)))
        );
        drop(others);
    }
}

#[test]
fn a_decoder_keeps_no_more_room_than_its_stream_needs_and_none_at_its_end() {
    let compiled = ruled(json!({"mask": ["labels"]}));
    let (mut exchange, outcome) = head(&compiled, &ZSTD);
    assert_eq!(outcome.flow, Flow::Continue);
    assert!(compiled.buffers.taken() > 15 << 20);
    let first = frame(10, b"[\"ana@");
    piece(&mut exchange, &first, false);
    let small = compiled.buffers.taken();
    assert!(small < 5 << 20, "{small}");
    // A frame with a larger window needs more again, and finds it.
    let second = frame(23, b"example.com\"]");
    assert_eq!(piece(&mut exchange, &second, true).flow, Flow::Continue);
    assert_eq!(compiled.buffers.taken(), 0);
    assert_eq!(exchange.record()["response"]["matches"]["email"], 1);
}

#[test]
fn an_answer_is_cut_behind_its_head_where_a_later_frame_finds_no_room() {
    for mask in ["labels", "watch"] {
        let compiled = ruled(json!({"mask": [mask]}));
        let (mut exchange, _) = head(&compiled, &ZSTD);
        piece(&mut exchange, &frame(10, b"[\"a\","), false);
        let others = all_but(&compiled, 1 << 20);
        let outcome = piece(&mut exchange, &frame(23, b"\"b\"]"), true);
        is_cut(&mut exchange, &outcome);
        drop(others);
        assert_eq!(compiled.buffers.taken(), 0);
    }
}

#[test]
fn an_answer_is_cut_where_what_waits_in_its_mask_finds_no_room() {
    let compiled = ruled(json!({"mask": ["labels"]}));
    let (mut exchange, _) = head(&compiled, &[]);
    let others = all_but(&compiled, 4);
    let outcome = piece(&mut exchange, b"[\"ana@example.co", false);
    is_cut(&mut exchange, &outcome);
    drop(others);
    assert_eq!(compiled.buffers.taken(), 0);
}

#[test]
fn an_answer_whose_head_waits_is_refused_where_it_finds_no_room() {
    for mask in ["cut", "gate"] {
        let compiled = ruled(json!({"mask": [mask]}));
        let (mut exchange, outcome) = head(&compiled, &[]);
        assert_eq!(outcome.flow, Flow::Hold);
        let others = all_but(&compiled, 4);
        is_full(&piece(&mut exchange, b"[\"ana.example.co", false));
        drop(others);
        assert_eq!(compiled.buffers.taken(), 0);
    }
}

#[test]
fn a_kept_answer_takes_room_as_it_grows_and_gives_it_back_whole_or_not() {
    let compiled = ruled(json!({"mask": ["gate"]}));
    let text = format!("\"{}\"", "a ".repeat(50_000));
    let kept = || {
        let (mut exchange, _) = head(&compiled, &[]);
        piece(&mut exchange, format!("[{text}").as_bytes(), false);
        assert!(compiled.buffers.taken() >= 100_000);
        exchange
    };
    let mut whole = kept();
    assert_eq!(piece(&mut whole, b"]", true).flow, Flow::Continue);
    assert_eq!(compiled.buffers.taken(), 0);

    // A person is asked: the host keeps it meanwhile.
    let mut asked = kept();
    let outcome = piece(&mut asked, b",\"ana@example.com\"]", true);
    assert!(
        outcome
            .effects
            .iter()
            .any(|it| matches!(it, Effect::Ask(_)))
    );
    assert_eq!(compiled.buffers.taken(), 0);

    let mut refused = kept();
    let more = format!(",{text}").repeat(11);
    let outcome = piece(&mut refused, more.as_bytes(), false);
    assert_eq!(code(&outcome), "answer_too_large");
    assert_eq!(compiled.buffers.taken(), 0);

    let mut full = kept();
    let others = all_but(&compiled, 10_000);
    is_full(&piece(&mut full, format!(",{text}").as_bytes(), false));
    drop(others);
    assert_eq!(compiled.buffers.taken(), 0);

    let mut closed = kept();
    closed.record();
    assert_eq!(compiled.buffers.taken(), 0);
}

#[test]
fn a_stream_that_fails_or_is_left_gives_its_decoder_back() {
    let compiled = ruled(json!({"mask": ["labels"]}));
    let (mut exchange, _) = head(&compiled, &ZSTD);
    let outcome = piece(&mut exchange, b"no zstd at all", false);
    assert!(outcome.effects.contains(&Effect::CutResponse));
    assert_eq!(compiled.buffers.taken(), 0);

    let (mut exchange, _) = head(&compiled, &ZSTD);
    piece(&mut exchange, &frame(20, b"[\"a\","), false);
    assert!(compiled.buffers.taken() > 0);
    exchange.record();
    assert_eq!(compiled.buffers.taken(), 0);

    let (exchange, _) = head(&compiled, &ZSTD);
    assert!(compiled.buffers.taken() > 0);
    drop(exchange);
    assert_eq!(compiled.buffers.taken(), 0);
}
