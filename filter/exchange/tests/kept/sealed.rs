//! Bodies that only their recipient reads, and digests of them.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{ASKS, EVENTS, JSON, asked, event, piece, policy, respond};
use crate::exchange::tests::Driven;
use crate::exchange::{CompiledPolicy, Flow};
use crate::record::age::{self, Identity};
use base::bytes::hex;

pub(super) fn identity() -> Identity {
    let text = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    Identity::read(text).unwrap()
}

fn raw() -> Rc<CompiledPolicy> {
    let to = identity().recipient().to_string();
    policy(&json!({
        "sessions": {"record": "full", "digests": true, "bodies": {"as": "raw", "to": to}},
        "rules": [{"name": "all", "then": "allow", "mask": ["ids"]}],
    }))
}

#[test]
fn what_is_raw_can_be_opened_by_its_recipient_and_is_what_was_digested() {
    let mut exchange = Driven::new(&raw());
    exchange.exchange = exchange.exchange.with_seed(Some([5; 32]));
    exchange.chat();
    assert_eq!(exchange.whole(ASKS).flow, Flow::Continue);
    respond(&mut exchange, EVENTS);
    let mut went = piece(&mut exchange, event("ana@example.com ").as_bytes(), false);
    went.extend(piece(
        &mut exchange,
        event("078-05-1120 end. ").as_bytes(),
        true,
    ));
    let record = exchange.record();
    let bodies = &record["bodies"];
    assert_eq!(bodies["as"], "raw");
    assert_eq!(bodies["to"], identity().recipient().to_string());
    assert!(!record.to_string().contains("ana@example.com"));
    let opened = |which: &str| {
        let sealed = BASE64.decode(bodies[which]["age"].as_str().unwrap());
        age::open(&[identity()], &sealed.unwrap()).unwrap()
    };
    assert_eq!(opened("request"), ASKS.as_bytes());
    assert_eq!(opened("response"), went);
    for which in ["request", "response"] {
        let digest = hex(&Sha256::digest(opened(which)));
        assert_eq!(record[which]["digest"], digest, "{which}");
    }
}

#[test]
fn without_randomness_nothing_is_kept_raw() {
    let mut exchange = asked(&raw());
    respond(&mut exchange, JSON);
    piece(&mut exchange, b"{\"a\":\"ana@example.com\"}", true);
    let record = exchange.record();
    for which in ["request", "response"] {
        assert_eq!(record["bodies"][which]["left_out"], "not_sealed");
    }
    assert!(!record.to_string().contains("ana@example.com"));
}

#[test]
fn digests_alone_keep_nothing_else() {
    let sections = json!({
        "sessions": {"record": "full", "bodies": {"as": "digests"}},
        "rules": [{"name": "all", "then": "allow", "mask": ["pii"]}],
    });
    let mut exchange = asked(&policy(&sections));
    respond(&mut exchange, JSON);
    let sent = piece(&mut exchange, b"{\"a\":1}", true);
    let record = exchange.record();
    assert_eq!(record["bodies"], Value::Null);
    assert_eq!(record["request"]["digest"], hex(&Sha256::digest(ASKS)));
    assert_eq!(record["response"]["digest"], hex(&Sha256::digest(sent)));

    // Of what holds no text as well, which no mask reads.
    let mut exchange = asked(&policy(&sections));
    respond(
        &mut exchange,
        &[(":status", "200"), ("content-type", "image/png")],
    );
    let sent = piece(&mut exchange, b"\x89PNG\r\n", true);
    let record = exchange.record();
    assert_eq!(record["response"]["digest"], hex(&Sha256::digest(sent)));
}
