//! What the core costs, natively: `cargo bench`. Figures of V8 in Envoy differ; ratios carry over.
#![allow(
    clippy::expect_used,
    reason = "a benchmark that can't run should stop and say so"
)]

mod facts;
mod records;
mod standing;

use core::hint::black_box;
use core::time::Duration;
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use portcullis::base::json::{JsonEvent, JsonSink, read};
use portcullis::exchange::{
    Bodies, Closing, CompiledPolicy, Direction, Effect, Event, Exchange, Flow, Name, NoNative,
    NothingElse, World,
};
use portcullis::identity::Verifier;
use portcullis::mask::policy::{BUILT_IN_DETECTORS, Detection, Detector, Style};
use portcullis::mask::{CompiledMask, Format, Walker};
use portcullis::shared::{Shared, SharedError};
use serde_json::json;
use testbed::idp::{Alg, Idp};

const PROSE: &str = "The quick brown fox of the harbour office writes 14 letters a day, most of \
them about rope, tar and the price of salt; on 3 May it wrote to nobody at all. ";

fn mask() -> CompiledMask {
    let detections: Vec<Detection> = BUILT_IN_DETECTORS
        .iter()
        .map(|name| Detection {
            detector: Detector::BuiltIn(name),
            style: Style::Label,
        })
        .collect();
    CompiledMask::new(&detections).expect("the built-in detectors compile")
}

fn masking(criterion: &mut Criterion) {
    let mask = mask();
    let prose = json!({"choices": [{"message": {"content": PROSE.repeat(1 << 13)}}]}).to_string();
    let vectors: Vec<f64> = (0..60_000).map(|n| f64::from(n).sin()).collect();
    let vectors = json!({"data": [{"embedding": vectors}]}).to_string();
    let event = |text: &str| {
        format!(
            "data: {}\n\n",
            json!({"choices": [{"index": 0, "delta": {"content": text}}]})
        )
    };
    let words: Vec<String> = PROSE.split_inclusive(' ').map(str::to_owned).collect();
    let events: String = words
        .iter()
        .cycle()
        .take(4000)
        .map(|word| event(word))
        .collect();

    let mut group = criterion.benchmark_group("mask");
    for (name, format, body) in [
        ("prose in JSON", Format::Json, &prose),
        ("floats in JSON", Format::Json, &vectors),
        ("4000 events", Format::Events, &events),
    ] {
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            let mut out = Vec::with_capacity(body.len());
            bencher.iter(|| {
                out.clear();
                let mut walker = Walker::new(format);
                for piece in body.as_bytes().chunks(16 << 10) {
                    walker
                        .push(&mask, piece, &mut out)
                        .expect("a body that can be masked");
                }
                walker
                    .finish(&mask, &mut out)
                    .expect("a body that can be masked");
                black_box(&out);
            });
        });
    }
    group.finish();
    criterion.bench_function("mask/mask of all built-in detectors", |bencher| {
        bencher.iter(|| black_box(self::mask()));
    });
}

/// Counts what a text consists of.
#[derive(Default)]
struct Counts {
    events: usize,
    bytes: usize,
}

impl JsonSink for Counts {
    fn take(&mut self, event: JsonEvent<'_>) {
        self.events += 1;
        if let JsonEvent::Text(text) = event {
            self.bytes += text.len();
        }
    }
}

/// What it costs to read a body that a rule depends on, and to check that one is strict JSON.
fn reading(criterion: &mut Criterion) {
    let text = format!("{PROSE}\n\n\"{PROSE}\"\n- {PROSE}\n");
    let turn = json!({"role": "user", "content": [{"type": "text", "text": text}]});
    let call =
        json!({"role": "tool", "index": 7, "name": "fox", "content": "Yes.", "refusal": null});
    let floats: Vec<f64> = (0..51_000).map(|n| f64::from(n).sin()).collect();
    let whole: Vec<u32> = (0..150_000).map(|n| n % 100_019).collect();
    let mut group = criterion.benchmark_group("read");
    for (name, body) in [
        ("chat", json!({"model": "m", "messages": vec![turn; 1800]})),
        ("small objects", json!({"messages": vec![call; 13_000]})),
        ("floats", json!({"input": floats})),
        ("whole numbers", json!({"input": whole})),
    ] {
        let body = body.to_string();
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut counts = Counts::default();
                read(black_box(body.as_bytes()), &mut counts).expect("strict JSON");
                black_box(counts.events + counts.bytes)
            });
        });
        group.bench_function(format!("{name}, only checked"), |bencher| {
            bencher.iter(|| read(black_box(body.as_bytes()), &mut ()).expect("strict JSON"));
        });
    }
    group.finish();
}

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

fn policy(idp: &Idp) -> String {
    json!({
        "version": 1,
        "identity": {"providers": [{
            "name": "corp", "issuer": idp.issuer(), "audiences": ["inference"],
            "keys": {"jwks": idp.jwks()}, "claims": {"groups": "groups"},
        }]},
        "patterns": {"probe": {"any_of": ["(?i)print (all )?environment variables"]}},
        "masks": {"pii": {"detect": ["email", "credit_card", "us_ssn", "iban", "ip", "secret.*"]}},
        "quotas": {"calls": {"by": ["subject"], "count": "requests", "limit": u64::MAX, "per": "1m"}},
        "rules": [
            {"name": "no", "when": {"prompt": ["probe"]}, "then": "deny"},
            {"name": "people", "when": {"group": ["engineers"]}, "then": "allow", "quota": ["calls"], "mask": ["pii"]},
        ],
    })
    .to_string()
}

fn now() -> Duration {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970")
}

fn tokens(criterion: &mut Criterion) {
    let idp = Idp::start().expect("an identity provider");
    let compiled = CompiledPolicy::load(&policy(&idp), &|_| None).expect("a good policy");
    let verifier = Verifier::new(&compiled.policy().identity, None).expect("good keys");
    let caching = Verifier::new(&compiled.policy().identity, Some([7; 32])).expect("good keys");
    let mut group = criterion.benchmark_group("token");
    for algorithm in [Alg::Rs256, Alg::Es256, Alg::EdDsa] {
        let token = idp.token(&idp.claims("jane", &["engineers"]), algorithm);
        group.bench_function(format!("{algorithm:?}"), |bencher| {
            bencher.iter(|| {
                verifier
                    .verify(black_box(&token), now(), now(), &NoNative)
                    .expect("a good token")
            });
        });
    }
    let token = idp.token(&idp.claims("jane", &["engineers"]), Alg::Rs256);
    group.bench_function("kept", |bencher| {
        bencher.iter(|| {
            caching
                .verify(black_box(&token), now(), now(), &NoNative)
                .expect("a good token")
        });
    });
    group.finish();
}

fn pairs<'a>(list: &[(&'a str, &'a str)]) -> Vec<(&'a [u8], &'a [u8])> {
    list.iter()
        .map(|(name, value)| (name.as_bytes(), value.as_bytes()))
        .collect()
}

/// What it costs to pass a caller on who is known, without a mask: without quotas, and with some, of which
/// answers tell or don't.
fn known(criterion: &mut Criterion) {
    let idp = Idp::start().expect("an identity provider");
    for (quotas, told) in [(0, false), (1, false), (1, true), (4, false), (4, true)] {
        passing(criterion, &idp, quotas, told);
    }
}

fn passing(criterion: &mut Criterion, idp: &Idp, quotas: usize, told: bool) {
    let by = ["subject", "provider", "operation", "constant:all"];
    let quota = |by: &&str| {
        let quota = json!({"by": [by], "count": "requests", "limit": u32::MAX, "per": "1m", "fields": told});
        ((*by).to_owned(), quota)
    };
    let by = by.iter().take(quotas);
    let mut rule = json!({"name": "people", "when": {"group": ["engineers"]}, "then": "allow"});
    if let (Some(rule), true) = (rule.as_object_mut(), quotas > 0) {
        rule.insert("quota".to_owned(), by.clone().copied().collect());
    }
    let policy = json!({
        "version": 1,
        "identity": {"providers": [{
            "name": "corp", "issuer": idp.issuer(), "audiences": ["inference"],
            "keys": {"jwks": idp.jwks()}, "claims": {"groups": "groups"},
        }]},
        "quotas": by.map(quota).collect::<serde_json::Map<_, _>>(),
        "rules": [rule],
    });
    let compiled = CompiledPolicy::seeded(&policy.to_string(), &|_| None, Some([7; 32]));
    let compiled = Rc::new(compiled.expect("a good policy"));
    let token = idp.token(&idp.claims("jane", &["engineers"]), Alg::EdDsa);
    let bearer = format!("Bearer {token}");
    let request = pairs(&[
        (":method", "GET"),
        (":path", "/v1/models"),
        (":authority", "models"),
        (":scheme", "http"),
        ("authorization", &bearer),
        ("user-agent", "bench"),
        ("x-forwarded-proto", "http"),
        ("x-request-id", "c8b1a0f2-6d43-4f0e-9a52-0c3d5e7f9a1b"),
    ]);
    let response = pairs(&[(":status", "200")]);
    let store = Memory::default();
    let joined = compiled.join(&store, &|| Some([7; 32]));
    joined.expect("a store that can be shared");
    let which = if told {
        "quotas that are told"
    } else {
        "quotas"
    };
    let title = format!("exchange/GET with a token that is kept, {quotas} {which}");
    criterion.bench_function(&title, |bencher| {
        bencher.iter(|| {
            let name = Name {
                id: "e".into(),
                worker: "w".into(),
            };
            let mut exchange = Exchange::new(Rc::clone(&compiled), name);
            let world = World {
                now: now(),
                shared: &store,
                native: &NoNative,
                may_wait: true,
                bodies: Bodies::HandedOver,
                arrived: &NothingElse,
            };
            let mut handle = |event| black_box(exchange.handle(event, world)).flow;
            let flow = handle(Event::RequestHead {
                headers: &request,
                end: true,
                cluster: None,
            });
            assert_eq!(flow, Flow::Continue);
            handle(Event::ResponseHead {
                cluster: None,
                headers: &response,
                end: false,
            });
            handle(Event::Closed {
                number: 1,
                closing: &Closing::default(),
            });
        });
    });
}

fn exchange(criterion: &mut Criterion) {
    let idp = Idp::start().expect("an identity provider");
    let compiled = CompiledPolicy::load(&policy(&idp), &|_| None).expect("a good policy");
    let store = Memory::default();
    let joined = compiled.join(&store, &|| Some([7; 32]));
    joined.expect("a store that can be shared");
    let compiled = Rc::new(compiled);
    let bearer = format!(
        "Bearer {}",
        idp.token(&idp.claims("jane", &["engineers"]), Alg::EdDsa)
    );
    let request = pairs(&[
        (":method", "POST"),
        (":path", "/v1/chat/completions"),
        (":authority", "models"),
        ("content-type", "application/json"),
        ("authorization", &bearer),
    ]);
    let response = pairs(&[(":status", "200"), ("content-type", "application/json")]);
    let question =
        json!({"model": "m", "messages": [{"role": "user", "content": PROSE}]}).to_string();
    let answer = json!({"choices": [{"message": {"content": PROSE.repeat(6)}}]}).to_string();
    criterion.bench_function("exchange/1 KB chat with an EdDSA token", |bencher| {
        bencher.iter_batched(
            || {
                let name = Name {
                    id: "e".into(),
                    worker: "w".into(),
                };
                Exchange::new(Rc::clone(&compiled), name)
            },
            |mut exchange| {
                let world = World {
                    now: now(),
                    shared: &store,
                    native: &NoNative,
                    may_wait: true,
                    bodies: Bodies::HandedOver,
                    arrived: &NothingElse,
                };
                let mut handle = |event| black_box(exchange.handle(event, world)).effects;
                handle(Event::RequestHead {
                    headers: &request,
                    end: false,
                    cluster: None,
                });
                let effects = handle(Event::RequestPiece {
                    held: question.len(),
                    end: true,
                });
                assert!(effects.contains(&Effect::ReadRequestBody));
                let effects = handle(Event::RequestWhole {
                    body: question.as_bytes(),
                });
                assert!(effects.contains(&Effect::Resume(Direction::Request)));
                handle(Event::ResponseHead {
                    cluster: None,
                    headers: &response,
                    end: false,
                });
                handle(Event::ResponseBody {
                    piece: answer.as_bytes(),
                    end: true,
                });
                handle(Event::Closed {
                    number: 1,
                    closing: &Closing::default(),
                });
            },
            BatchSize::SmallInput,
        );
    });
}

/// What it costs to come to a verdict: a caller who is known, a rule that denies what a prompt says,
/// and one that allows the rest.
fn verdict(criterion: &mut Criterion) {
    let idp = Idp::start().expect("an identity provider");
    let policy = json!({
        "version": 1,
        "identity": {"providers": [{
            "name": "corp", "issuer": idp.issuer(), "audiences": ["inference"],
            "keys": {"jwks": idp.jwks()}, "claims": {"groups": "groups"},
        }]},
        "patterns": {"probe": {"any_of": ["(?i)print (all )?environment variables"]}},
        "rules": [
            {"name": "no", "when": {"prompt": ["probe"]}, "then": "deny"},
            {"name": "people", "when": {"group": ["engineers"]}, "then": "allow"},
        ],
    });
    let compiled = CompiledPolicy::seeded(&policy.to_string(), &|_| None, Some([7; 32]));
    let compiled = Rc::new(compiled.expect("a good policy"));
    let token = idp.token(&idp.claims("jane", &["engineers"]), Alg::EdDsa);
    let bearer = format!("Bearer {token}");
    let request = pairs(&[
        (":method", "POST"),
        (":path", "/v1/chat/completions"),
        (":authority", "models"),
        ("content-type", "application/json"),
        ("authorization", &bearer),
    ]);
    let store = Memory::default();
    let mut group = criterion.benchmark_group("verdict");
    for (name, repeated) in [("1 KB chat", 6), ("1 MB chat", (1 << 20) / PROSE.len())] {
        let turn = json!({"role": "user", "content": PROSE});
        let body = json!({"model": "m", "messages": vec![turn; repeated]}).to_string();
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let name = Name {
                    id: "e".into(),
                    worker: "w".into(),
                };
                let mut exchange = Exchange::new(Rc::clone(&compiled), name);
                let world = World {
                    now: now(),
                    shared: &store,
                    native: &NoNative,
                    may_wait: true,
                    bodies: Bodies::HandedOver,
                    arrived: &NothingElse,
                };
                let mut handle = |event| black_box(exchange.handle(event, world)).effects;
                handle(Event::RequestHead {
                    headers: &request,
                    end: false,
                    cluster: None,
                });
                handle(Event::RequestPiece {
                    held: body.len(),
                    end: true,
                });
                let effects = handle(Event::RequestWhole {
                    body: body.as_bytes(),
                });
                assert!(effects.contains(&Effect::Resume(Direction::Request)));
                handle(Event::Closed {
                    number: 1,
                    closing: &Closing::default(),
                });
            });
        });
    }
    group.finish();
}

criterion_group!(
    benches,
    masking,
    reading,
    facts::facts,
    records::records,
    tokens,
    known,
    verdict,
    standing::standing,
    exchange
);
criterion_main!(benches);
