use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use proptest::prelude::*;
use serde_json::Value;

use super::{Body, Cut, LeftOut, MAX_PART_BYTES, MAX_PARTS};
use crate::record::age::{Identity, open};

const KIB: usize = 1 << 10;

fn written(body: &Body) -> Value {
    serde_json::to_value(body).unwrap()
}

/// What the parts join up to, whose numbers count up from 1.
fn joined(written: &Value) -> Vec<u8> {
    let mut all = Vec::new();
    for (place, part) in written["parts"].as_array().unwrap().iter().enumerate() {
        assert_eq!(part["number"], place + 1);
        let before = all.len();
        match (part["text"].as_str(), part["base64"].as_str()) {
            (Some(text), None) => all.extend(text.bytes()),
            (None, Some(base64)) => all.extend(BASE64.decode(base64).unwrap()),
            _ => panic!("{part}"),
        }
        assert_eq!(part["bytes"], all.len() - before);
        assert!(all.len() - before <= MAX_PART_BYTES);
    }
    assert_eq!(written["bytes"], all.len());
    all
}

#[test]
fn a_part_is_what_went_at_one_time() {
    let mut body = Body::new(KIB, None);
    body.push(b"data: 1\n\n", 5);
    body.push(b"", 6);
    body.push(b"data: 2\n\n", 8);
    body.push(b"data: 3\n\n", 8);
    assert_eq!(
        written(&body),
        serde_json::json!({
            "bytes": 27,
            "cut": null,
            "left_out": null,
            "age": null,
            "parts": [
                {"number": 1, "after": 5, "bytes": 9, "text": "data: 1\n\n"},
                {"number": 2, "after": 8, "bytes": 18, "text": "data: 2\n\ndata: 3\n\n"},
            ],
        })
    );
}

#[test]
fn what_is_more_than_is_kept_is_cut() {
    let mut body = Body::new(10, None);
    body.push(b"0123456789", 1);
    assert_eq!(written(&body)["cut"], Value::Null);
    body.push(b"a", 2);
    body.push(b"b", 3);
    let said = written(&body);
    assert_eq!(said["cut"], "limit");
    assert_eq!(joined(&said), b"0123456789");
}

#[test]
fn a_character_that_went_in_two_pieces_is_in_one_part() {
    let text = "a\u{20ac}b\u{1f600}";
    for cut in 0..=text.len() {
        let mut body = Body::new(KIB, None);
        let (first, second) = text.as_bytes().split_at(cut);
        body.push(first, 1);
        body.push(second, 2);
        let said = written(&body);
        assert_eq!(joined(&said), text.as_bytes());
        let parts = said["parts"].as_array().unwrap();
        assert!(parts.iter().all(|part| part["text"].is_string()), "{said}");
    }
}

#[test]
fn what_is_no_text_or_mostly_escapes_is_base64() {
    for bytes in [&b"\xff\xfe\0\x01"[..], &[7; 2048]] {
        let mut body = Body::new(4 * KIB, None);
        body.push(bytes, 1);
        let said = written(&body);
        assert_eq!(said["parts"][0]["text"], Value::Null);
        assert_eq!(joined(&said), bytes);
    }
}

#[test]
fn there_are_never_too_many_parts() {
    let mut body = Body::new(1 << 20, None);
    for after in 0..3 * u64::try_from(MAX_PARTS).unwrap() {
        body.push(b"x", after);
    }
    let said = written(&body);
    assert_eq!(joined(&said).len(), 3 * MAX_PARTS);
    let parts = said["parts"].as_array().unwrap();
    assert!(parts.len() <= MAX_PARTS);
    // Both ends have their times.
    assert_eq!(parts[0]["after"], 0);
    assert!(parts.last().unwrap()["after"].as_u64().unwrap() > 2 * 4096);
}

#[test]
fn an_end_that_did_not_go_is_not_kept() {
    let mut body = Body::new(KIB, None);
    body.push(b"first", 1);
    body.push(b"last", 2);
    body.end_not_sent(4);
    let said = written(&body);
    assert_eq!(joined(&said), b"first");
    assert_eq!(said["cut"], "not_sent");
    assert!(!body.is_open());
}

#[test]
fn the_first_reason_holds() {
    let mut body = Body::new(KIB, None);
    body.cut(Cut::Memory);
    body.cut(Cut::Unreadable);
    body.push(b"more", 1);
    assert_eq!(written(&body)["cut"], "memory");
    let said = written(&Body::left_out(LeftOut::NoText));
    assert_eq!(said["left_out"], "no_text");
    assert_eq!(said["parts"], serde_json::json!([]));
}

#[test]
fn what_is_raw_is_sealed_and_stands_nowhere_else() {
    let identity = Identity::read(
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
    );
    let identity = identity.unwrap();
    let mut body = Body::new(KIB, Some(identity.recipient()));
    body.push(b"secret", 1);
    body.push(b" end", 4);
    // Not before it is sealed either.
    assert!(!written(&body).to_string().contains("secret"));
    body.finish(Some([7; 32]), "response");
    let said = written(&body);
    assert!(!said.to_string().contains("secret"), "{said}");
    assert_eq!(
        said["parts"][1],
        serde_json::json!({"number": 2, "after": 4, "bytes": 4})
    );
    let sealed = |said: &Value| BASE64.decode(said["age"].as_str().unwrap()).unwrap();
    let opened = open(core::slice::from_ref(&identity), &sealed(&said));
    assert_eq!(opened.unwrap(), b"secret end");
    // Sealed once more, it shares nothing with what was sealed before.
    body.end_not_sent(4);
    assert!(!written(&body).to_string().contains("secret"));
    body.finish(Some([7; 32]), "response");
    let again = written(&body);
    let (one, other) = (sealed(&said), sealed(&again));
    assert_ne!(one[30..70], other[30..70]);
    assert_eq!(open(&[identity], &other).unwrap(), b"secret");
}

#[test]
fn without_randomness_nothing_is_kept_raw() {
    let recipient = Identity::read(
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
    );
    let mut body = Body::new(KIB, Some(recipient.unwrap().recipient()));
    body.push(b"secret", 1);
    body.finish(None, "response");
    let said = written(&body);
    assert_eq!(said["left_out"], "not_sealed");
    assert!(!said.to_string().contains("secret"));
}

proptest! {
    #[test]
    fn parts_join_up(
        pieces in prop::collection::vec(
            (prop_oneof!["\\PC{0,40}".prop_map(String::into_bytes), prop::collection::vec(any::<u8>(), 0..40)], 0..3u64),
            0..40,
        ),
        most in 0..600usize,
    ) {
        let mut body = Body::new(most, None);
        let (mut all, mut now) = (Vec::<u8>::new(), 0);
        for (piece, later) in &pieces {
            now += later;
            body.push(piece, now);
            all.extend(piece);
        }
        let said = written(&body);
        prop_assert_eq!(joined(&said), &all[..all.len().min(most)]);
        prop_assert_eq!(said["cut"] == "limit", all.len() > most);
        let times: Vec<u64> = said["parts"].as_array().unwrap().iter()
            .map(|part| part["after"].as_u64().unwrap()).collect();
        prop_assert!(times.is_sorted());
    }

    #[test]
    fn a_body_takes_no_more_than_a_third_more_in_writing(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..3000),
            prop::collection::vec(0..40u8, 0..3000),
        ],
    ) {
        let mut body = Body::new(1 << 20, None);
        body.push(&bytes, 1);
        let text = serde_json::to_string(&body).unwrap();
        prop_assert!(text.len() <= bytes.len() * 134 / 100 + 200, "{} for {}", text.len(), bytes.len());
        prop_assert_eq!(joined(&written(&body)), bytes);
    }
}
