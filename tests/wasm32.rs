//! The core on its real target, in Node: what differs from native code is the width of `usize`,
//! floating point, and the lack of a clock and of an environment.
#![cfg(target_arch = "wasm32")]

use core::cell::RefCell;
use core::time::Duration;
use std::collections::HashMap;
use std::rc::Rc;

use portcullis::exchange::{
    Bodies, Closing, CompiledPolicy, Effect, Event, Exchange, Flow, Name, NoNative, NothingElse,
    Outcome, World,
};
use portcullis::mask::policy::{BUILT_IN_DETECTORS, Detection, Detector, Style};
use portcullis::mask::{CompiledMask, Format, Walker};
use portcullis::quota::{Charge, ChargeError, Window, charge};
use portcullis::shared::{Shared, SharedError, Table};
use wasm_bindgen_test::wasm_bindgen_test;

/// What one worker shares with nobody.
#[derive(Default)]
struct Memory(RefCell<HashMap<String, (Vec<u8>, u32)>>);

impl Shared for Memory {
    fn make(&self, name: &str) -> Result<(), SharedError> {
        self.0.borrow_mut().entry(name.to_owned()).or_default();
        Ok(())
    }

    fn get(&self, name: &str) -> Result<(Vec<u8>, u32), SharedError> {
        self.0.borrow().get(name).cloned().ok_or(SharedError)
    }

    fn compare_and_set(&self, name: &str, bytes: &[u8], version: u32) -> Result<bool, SharedError> {
        let mut values = self.0.borrow_mut();
        *values.get_mut(name).ok_or(SharedError)? = (bytes.to_vec(), version + 1);
        Ok(true)
    }
}

/// A token of an Ed25519 key, for the subject "jane" and until the year 2100, and a policy that
/// trusts it. Both were made for this test; the private key is gone.
const POLICY: &str = include_str!("wasm32/policy.json");
const TOKEN: &str = include_str!("wasm32/token.txt");

fn ask(compiled: &Rc<CompiledPolicy>, token: &str) -> (Outcome, Exchange) {
    let name = Name {
        id: "e".into(),
        worker: "w".into(),
    };
    let now = Duration::from_secs(1_800_000_000);
    let mut exchange = Exchange::new(Rc::clone(compiled), name);
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
    let store = Memory::default();
    let world = World {
        now,
        shared: &store,
        native: &NoNative,
        may_wait: true,
        bodies: Bodies::HandedOver,
        arrived: &NothingElse,
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
    let compiled = Rc::new(CompiledPolicy::load(POLICY, &|_| None).unwrap());
    let (outcome, mut exchange) = ask(&compiled, TOKEN);
    assert_eq!(outcome.flow, Flow::Continue);
    let store = Memory::default();
    let world = World {
        now: Duration::from_secs(1_800_000_001),
        shared: &store,
        native: &NoNative,
        may_wait: true,
        bodies: Bodies::HandedOver,
        arrived: &NothingElse,
    };
    let closed = exchange.handle(
        Event::Closed {
            number: 1,
            closing: &Closing::default(),
        },
        world,
    );
    let Some(Effect::Record(record)) = closed.effects.last() else {
        panic!("no record")
    };
    assert!(record.contains(r#""subject":"jane""#), "{record}");

    let (outcome, _) = ask(&compiled, &TOKEN.replacen('.', ".e", 1));
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
    let store = Memory::default();
    let most = u64::from(u32::MAX) * 4;
    let of = |amount| Charge {
        quota: "q",
        key: &["k"],
        amount,
        room: 0,
        limit: most,
        inventor: None,
    };
    let table = Table::join(&store, 64 << 10, Some([1; 16])).unwrap();
    let window = Window::sliding(Duration::from_secs(60), most);
    let now = Duration::from_secs(1_800_000_000);
    for amount in [most - 1, 1] {
        let taken = charge(&table, &store, window, &of(amount), now).unwrap();
        assert_eq!(taken.amount(), amount);
    }
    assert!(matches!(
        charge(&table, &store, window, &of(1), now),
        Err(ChargeError::Over { .. })
    ));
}
