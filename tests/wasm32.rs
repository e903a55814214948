//! The core on its real target, in Node: what differs from native code is the width of `usize`,
//! floating point, and the lack of a clock and of an environment.
#![cfg(target_arch = "wasm32")]

use core::time::Duration;
use std::rc::Rc;

use portcullis::config::mask::{BUILT_IN_DETECTORS, Detection, Detector, Style};
use portcullis::exchange::{Effect, Event, Exchange, Flow, Guard, Name, NoNative, Outcome, World};
use portcullis::mask::{CompiledMask, Format, Walker};
use portcullis::quota::{Charge, ChargeError, Store, StoreError, charge};
use wasm_bindgen_test::wasm_bindgen_test;

/// One cell, as if all counts fell into it.
#[derive(Default)]
struct OneCell(core::cell::RefCell<(Vec<u8>, u32)>);

impl Store for OneCell {
    fn get(&self, _cell: u32) -> Result<(Vec<u8>, u32), StoreError> {
        Ok(self.0.borrow().clone())
    }

    fn compare_and_set(&self, _cell: u32, bytes: &[u8], change: u32) -> Result<bool, StoreError> {
        *self.0.borrow_mut() = (bytes.to_vec(), change + 1);
        Ok(true)
    }
}

/// A token of an Ed25519 key, for the subject "jane" and until the year 2100, and a policy that
/// trusts it. Both were made for this test; the private key is gone.
const POLICY: &str = include_str!("wasm32/policy.json");
const TOKEN: &str = include_str!("wasm32/token.txt");

fn ask(guard: &Rc<Guard>, token: &str) -> (Outcome, Exchange) {
    let name = Name {
        id: "e".into(),
        worker: "w".into(),
    };
    let now = Duration::from_secs(1_800_000_000);
    let mut exchange = Exchange::new(Rc::clone(guard), name);
    let bearer = format!("Bearer {}", token.trim());
    let headers: Vec<(&[u8], &[u8])> = [
        (":method", "GET"),
        (":path", "/v1/models"),
        (":authority", "models"),
        ("authorization", bearer.as_str()),
    ]
    .iter()
    .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    .collect();
    let store = OneCell::default();
    let world = World {
        now,
        store: &store,
        native: &NoNative,
        may_wait: true,
        bodies_come: true,
    };
    let outcome = exchange.handle(
        Event::RequestHead {
            headers: &headers,
            end: true,
            cluster: None,
        },
        world,
    );
    (outcome, exchange)
}

#[wasm_bindgen_test]
fn a_token_is_verified_and_a_changed_one_is_not() {
    let guard = Rc::new(Guard::load(POLICY, &|_| None).unwrap());
    let (outcome, mut exchange) = ask(&guard, TOKEN);
    assert_eq!(outcome.flow, Flow::Continue);
    let store = OneCell::default();
    let world = World {
        now: Duration::from_secs(1_800_000_001),
        store: &store,
        native: &NoNative,
        may_wait: true,
        bodies_come: true,
    };
    let closed = exchange.handle(Event::Closed { number: 1 }, world);
    let Some(Effect::Record(record)) = closed.effects.first() else {
        panic!("no record")
    };
    assert!(record.contains(r#""subject":"jane""#), "{record}");

    let (outcome, _) = ask(&guard, &TOKEN.replacen('.', ".e", 1));
    assert_eq!(outcome.flow, Flow::Hold);
}

#[wasm_bindgen_test]
fn a_body_is_masked_alike_however_it_is_split() {
    let detections: Vec<Detection> = BUILT_IN_DETECTORS
        .iter()
        .map(|name| Detection {
            detector: Detector::BuiltIn(name),
            style: Style::Label,
        })
        .collect();
    let mask = CompiledMask::new(&detections).unwrap();
    let body = br#"{"a":"jane@example.com, 4111 1111 1111 1111","b":["10.1.2.3","\u0041KIA2222222222222222"],"c":"na\u00efve"}"#;
    let mask = |pieces: &[&[u8]]| {
        let mut walker = Walker::new(Format::Json);
        let mut out = Vec::new();
        for piece in pieces {
            walker.push(&mask, piece, &mut out).unwrap();
        }
        walker.finish(&mask, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let whole = mask(&[body]);
    for secret in ["jane", "4111", "10.1", "KIA2"] {
        assert!(!whole.contains(secret), "{whole}");
    }
    assert!(whole.contains(r"na\u00efve"));
    for split in 0..body.len() {
        let (head, tail) = body.split_at(split);
        assert_eq!(mask(&[head, tail]), whole);
    }
}

#[wasm_bindgen_test]
fn counts_of_64_bits_stay_whole() {
    let store = OneCell::default();
    let most = u64::from(u32::MAX) * 4;
    let of = |amount| Charge {
        quota: "q",
        key: &["k"],
        amount,
        limit: most,
        per: Duration::from_secs(60),
    };
    let now = Duration::from_secs(1_800_000_000);
    assert_eq!(charge(&store, &of(most - 1), now), Ok(()));
    assert_eq!(charge(&store, &of(1), now), Ok(()));
    assert!(matches!(
        charge(&store, &of(1), now),
        Err(ChargeError::Over { .. })
    ));
}
