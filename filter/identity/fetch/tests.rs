use core::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Fetcher, KeyAnswer, KeyRequest, MAX_DOCUMENT_BYTES};
use crate::identity::key::KeySet;
use crate::identity::section::{Document, Fetch};
use crate::shared::Shared as _;
use crate::testing::{Memory, ec_public, gzip};
use base::url::Url;

const ISSUER: &str = "https://idp";
const START: u64 = 1_000_000_000_000;

struct Worker {
    fetcher: Fetcher,
    keys: KeySet,
}

impl Worker {
    fn new(seed: u64, settings: &Fetch, memory: &Memory) -> Self {
        let fetcher = Fetcher::new(0, ISSUER, settings, seed);
        for name in fetcher.names() {
            memory.make(&name).unwrap();
        }
        Self {
            fetcher,
            keys: KeySet::default(),
        }
    }

    fn look(&mut self, now: u64, memory: &Memory) -> Option<KeyRequest> {
        self.fetcher.look(&mut self.keys, now, memory)
    }

    fn answer(&mut self, status: u16, body: &str, now: u64, memory: &Memory) -> Option<KeyRequest> {
        let answer = KeyAnswer {
            status,
            coding: b"",
            body: body.as_bytes(),
        };
        self.take(answer, now, memory)
    }

    fn encoded(
        &mut self,
        coding: &str,
        body: &[u8],
        now: u64,
        memory: &Memory,
    ) -> Option<KeyRequest> {
        let answer = KeyAnswer {
            status: 200,
            coding: coding.as_bytes(),
            body,
        };
        self.take(answer, now, memory)
    }

    fn take(&mut self, answer: KeyAnswer<'_>, now: u64, memory: &Memory) -> Option<KeyRequest> {
        self.fetcher
            .answered(&mut self.keys, Ok(Some(answer)), now, memory)
    }

    fn fails(&mut self, now: u64, memory: &Memory) {
        assert_eq!(
            self.fetcher.answered(&mut self.keys, Ok(None), now, memory),
            None
        );
    }
}

fn settings() -> Fetch {
    Fetch {
        document: Document::KeySet(Url::parse("https://idp/keys").unwrap()),
        cluster: "idp".to_owned(),
        keys_cluster: "idp".to_owned(),
        credential: None,
        refresh: Duration::from_secs(300),
        keep: Duration::from_secs(3600),
        timeout: Duration::from_secs(5),
        wait: Duration::from_secs(5),
        cooldown: Duration::from_secs(3),
    }
}

fn set(ids: &[&str]) -> String {
    let keys: Vec<Value> = (1..)
        .zip(ids)
        .map(|(seed, id)| ec_public(seed, id))
        .collect();
    json!({ "keys": keys }).to_string()
}

#[test]
fn one_worker_asks_and_the_others_take_it_over() {
    let memory = Memory::default();
    let mut workers: Vec<Worker> = (0..4)
        .map(|seed| Worker::new(seed, &settings(), &memory))
        .collect();
    let asking: Vec<usize> = (0..4)
        .filter(|index| workers[*index].look(START, &memory).is_some())
        .collect();
    assert_eq!(asking, [0]);
    assert_eq!(
        workers[0].answer(200, &set(&["a", "b"]), START + 20, &memory),
        None
    );
    for worker in &mut workers {
        assert_eq!(worker.look(START + 30, &memory), None);
        assert_eq!(worker.keys.len(), 2);
        assert_eq!(worker.fetcher.asked(), Some(START));
    }
}

#[test]
fn the_next_fetch_comes_a_little_before_the_keys_are_old() {
    let memory = Memory::default();
    let mut worker = Worker::new(7, &settings(), &memory);
    worker.look(START, &memory).unwrap();
    worker.answer(200, &set(&["a"]), START, &memory);
    assert_eq!(worker.look(START + 239_000, &memory), None);
    assert!(worker.look(START + 300_000, &memory).is_some());
}

#[test]
fn keys_from_elsewhere_are_other_keys() {
    let names = |edit: &dyn Fn(&mut Fetch)| {
        let mut settings = settings();
        edit(&mut settings);
        Fetcher::new(0, ISSUER, &settings, 1).names()
    };
    let usual = names(&|_| ());
    assert_eq!(names(&|one| one.refresh *= 2), usual);
    for other in [
        names(&|one| one.cluster = "x".to_owned()),
        names(&|one| one.keys_cluster = "x".to_owned()),
        names(&|one| one.document = Document::KeySet(Url::parse("https://idp/x").unwrap())),
        Fetcher::new(0, "https://other", &settings(), 1).names(),
    ] {
        assert!(usual.iter().zip(&other).all(|(one, other)| one != other));
    }
}

#[test]
fn metadata_leads_to_the_key_set() {
    let memory = Memory::default();
    let settings = Fetch {
        document: Document::Metadata(
            Url::parse("https://idp/.well-known/openid-configuration").unwrap(),
        ),
        keys_cluster: "keys".to_owned(),
        credential: Some("Bearer x".to_owned()),
        ..settings()
    };
    let mut worker = Worker::new(7, &settings, &memory);
    let first = worker.look(START, &memory).unwrap();
    assert_eq!(first.url.path, "/.well-known/openid-configuration");
    assert_eq!(first.cluster, "idp");
    let metadata = json!({"issuer": ISSUER, "jwks_uri": "https://keys.example.com/set"});
    let second = worker
        .answer(200, &metadata.to_string(), START + 5, &memory)
        .unwrap();
    assert_eq!(second.cluster, "keys");
    assert_eq!(second.url.authority, "keys.example.com");
    assert_eq!(second.credential.as_deref(), Some("Bearer x"));
    worker.answer(200, &set(&["a"]), START + 9, &memory);
    assert_eq!(worker.keys.len(), 1);

    let mut other = Worker::new(8, &settings, &memory);
    other.look(START + 400_000, &memory).unwrap();
    let lie = json!({"issuer": "https://evil", "jwks_uri": "https://evil/set"});
    assert_eq!(
        other.answer(200, &lie.to_string(), START + 400_005, &memory),
        None
    );
    let notes = other.fetcher.notes();
    assert!(notes[0].contains("\"https://evil\""), "{notes:?}");
    assert_eq!(other.keys.len(), 1, "the last good keys stay");
}

#[test]
fn good_keys_outlive_an_outage_but_not_for_ever() {
    let memory = Memory::default();
    let mut worker = Worker::new(7, &settings(), &memory);
    worker.look(START, &memory).unwrap();
    worker.answer(200, &set(&["a"]), START, &memory);
    let mut now = START;
    let mut asked = 0;
    while now < START + 3_600_000 {
        now += 1000;
        if worker.look(now, &memory).is_some() {
            asked += 1;
            worker.fails(now, &memory);
        }
        assert_eq!(worker.keys.len(), 1, "after {} ms", now - START);
    }
    assert!((50..100).contains(&asked), "asked {asked} times");
    worker.look(START + 3_600_001, &memory);
    assert!(worker.keys.is_empty());
    assert_eq!(worker.fetcher.asked(), None);
    // They don't come back from the others either.
    worker.look(START + 3_610_000, &memory);
    assert!(worker.keys.is_empty());
    worker.fails(START + 3_611_000, &memory);
    worker.look(START + 3_700_000, &memory).unwrap();
    worker.answer(200, &set(&["a"]), START + 3_700_000, &memory);
    assert_eq!(worker.keys.len(), 1);
}

#[test]
fn what_is_no_key_set_changes_nothing() {
    let memory = Memory::default();
    let mut worker = Worker::new(7, &settings(), &memory);
    worker.look(START, &memory).unwrap();
    worker.answer(200, &set(&["a"]), START, &memory);
    let mut now = START;
    for (status, body) in [
        (500, set(&["b"])),
        (302, String::new()),
        (200, String::new()),
        (200, "{}".to_owned()),
        (200, r#"{"keys":[]}"#.to_owned()),
        (200, r#"{"keys":[],"keys":[]}"#.to_owned()),
        (
            200,
            json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}).to_string(),
        ),
        (
            200,
            json!({"keys": vec![ec_public(1, "x"); 3000]}).to_string(),
        ),
    ] {
        now += 400_000;
        worker.look(now, &memory).unwrap();
        assert_eq!(worker.answer(status, &body, now, &memory), None);
        assert_eq!(worker.keys.len(), 1, "{status} {body:.40}");
        assert_eq!(worker.fetcher.notes().len(), 1, "{status} {body:.40}");
    }
}

/// The text in each coding, with the name of that.
fn codings(text: &str) -> [(&'static str, Vec<u8>); 4] {
    use std::io::Write as _;
    let text = text.as_bytes();
    let mut brotli = brotli::CompressorWriter::new(Vec::new(), 4096, 5, 20);
    brotli.write_all(text).unwrap();
    let zstd = ruzstd::encoding::CompressionLevel::Fastest;
    [
        ("gzip", gzip(text)),
        (
            "deflate",
            miniz_oxide::deflate::compress_to_vec_zlib(text, 6),
        ),
        ("br", brotli.into_inner()),
        ("zstd", ruzstd::encoding::compress_to_vec(text, zstd)),
    ]
}

#[test]
fn documents_may_be_encoded() {
    let metadata = json!({"issuer": ISSUER, "jwks_uri": "https://keys.example.com/set"});
    let metadata = codings(&metadata.to_string());
    for ((name, metadata), (_, keys)) in metadata.iter().zip(codings(&set(&["a"]))) {
        let memory = Memory::default();
        let settings = Fetch {
            document: Document::Metadata(Url::parse("https://idp/m").unwrap()),
            ..settings()
        };
        let mut worker = Worker::new(7, &settings, &memory);
        let mut other = Worker::new(8, &settings, &memory);
        worker.look(START, &memory).unwrap();
        let second = worker.encoded(name, metadata, START, &memory);
        assert_eq!(second.unwrap().url.path, "/set", "{name}");
        worker.encoded(name, &keys, START, &memory);
        assert_eq!(worker.keys.len(), 1, "{name}");
        other.look(START, &memory);
        assert_eq!(other.keys.len(), 1, "{name}: what is shared is decoded");
    }
}

#[test]
fn what_cannot_be_decoded_within_the_bound_is_no_document() {
    let memory = Memory::default();
    let mut worker = Worker::new(7, &settings(), &memory);
    let mut now = START;
    let mut fails = |coding: &str, body: &[u8], why: &str| {
        now += 400_000;
        worker.look(now, &memory).unwrap();
        assert_eq!(worker.encoded(coding, body, now, &memory), None);
        let notes = worker.fetcher.notes();
        assert!(notes[0].contains(why), "{coding}: {notes:?}");
        assert!(worker.keys.is_empty());
    };
    let plain = set(&["a"]);
    let padded = format!("{plain}{}", " ".repeat(MAX_DOCUMENT_BYTES - plain.len()));
    for (name, body) in codings(&format!("{padded} ")) {
        fails(name, &body, "more than 1 MiB");
    }
    for (name, body) in codings(&plain) {
        fails(name, &body[..body.len() - 1], "found a body that is no");
        fails(name, plain.as_bytes(), "found a body that is no");
        fails("compress", &body, "the content-encoding \"compress\"");
        fails("gzip,br", &body, "the content-encoding \"gzip,br\"");
    }
    now += 400_000;
    worker.look(now, &memory).unwrap();
    worker.encoded("gzip", &gzip(padded.as_bytes()), now, &memory);
    assert_eq!(worker.keys.len(), 1);
}

#[test]
fn a_coding_that_is_none_is_no_reason_to_refuse_what_can_be_read() {
    for name in ["identity", "aws-chunked", "utf-8"] {
        let memory = Memory::default();
        let mut worker = Worker::new(7, &settings(), &memory);
        worker.look(START, &memory).unwrap();
        worker.encoded(name, set(&["a"]).as_bytes(), START, &memory);
        assert_eq!(worker.keys.len(), 1, "{name}");
    }
}

#[test]
fn a_wanted_key_is_asked_for_once_a_cooldown() {
    let memory = Memory::default();
    let mut worker = Worker::new(7, &settings(), &memory);
    worker.look(START, &memory).unwrap();
    worker.answer(200, &set(&["a"]), START, &memory);
    worker.fetcher.want(START + 1000);
    assert_eq!(worker.look(START + 1000, &memory), None, "too soon");
    assert!(worker.look(START + 3000, &memory).is_some());
    worker.answer(200, &set(&["a", "b"]), START + 3010, &memory);
    assert_eq!(worker.keys.len(), 2);
    // The want is fulfilled.
    assert_eq!(worker.look(START + 60_000, &memory), None);
    // In an outage, one fetch for each want.
    worker.fetcher.want(START + 61_000);
    assert!(worker.look(START + 61_000, &memory).is_some());
    worker.fails(START + 61_000, &memory);
    assert_eq!(worker.look(START + 61_010, &memory), None);
    assert_eq!(worker.fetcher.wanted, None);
}

#[test]
fn a_leader_that_is_gone_is_replaced_and_comes_too_late() {
    let memory = Memory::default();
    let mut gone = Worker::new(1, &settings(), &memory);
    let mut other = Worker::new(2, &settings(), &memory);
    gone.look(START, &memory).unwrap();
    assert_eq!(other.look(START + 11_000, &memory), None);
    other.look(START + 12_001, &memory).unwrap();
    gone.answer(200, &set(&["old"]), START + 12_002, &memory);
    assert!(gone.keys.is_empty());
    other.answer(200, &set(&["new"]), START + 12_010, &memory);
    gone.look(START + 12_020, &memory);
    assert_eq!(gone.keys.len(), 1);
}

#[test]
fn a_worker_that_cannot_ask_leaves_it_to_others() {
    let memory = Memory::default();
    let mut unable = Worker::new(1, &settings(), &memory);
    let mut other = Worker::new(2, &settings(), &memory);
    unable.look(START, &memory).unwrap();
    unable
        .fetcher
        .answered(&mut unable.keys, Err(()), START, &memory);
    assert_eq!(unable.look(START + 1500, &memory), None);
    assert!(other.look(START + 1500, &memory).is_some());
}

#[test]
fn a_clock_that_goes_back_does_not_stop_fetching() {
    let memory = Memory::default();
    let mut worker = Worker::new(1, &settings(), &memory);
    worker.look(START, &memory).unwrap();
    worker.answer(200, &set(&["a"]), START, &memory);
    assert!(worker.look(START - 86_400_000, &memory).is_some());
}

#[test]
fn garbage_in_what_is_shared_is_written_anew() {
    let memory = Memory::default();
    let mut worker = Worker::new(1, &settings(), &memory);
    for name in worker.fetcher.names() {
        memory.put(&name, b"\xff garbage");
    }
    worker.look(START, &memory).unwrap();
    worker.answer(200, &set(&["a"]), START, &memory);
    assert_eq!(worker.keys.len(), 1);
}

proptest! {
    /// Whatever happens and in whatever order, the provider is asked by one worker at a time, and
    /// never again at once.
    #[test]
    fn the_provider_is_not_hammered(
        steps in prop::collection::vec((0_usize..3, 0_u8..6, 1_u64..4000), 1..200)
    ) {
        let memory = Memory::default();
        let settings = settings();
        let mut workers: Vec<Worker> =
            (0..3).map(|seed| Worker::new(seed, &settings, &memory)).collect();
        let mut leads: Option<(usize, u64)> = None;
        let mut last = 0;
        let mut now = START;
        for (index, act, pause) in steps {
            now += pause;
            let worker = &mut workers[index];
            let leader = leads.is_some_and(|(leader, _)| leader == index);
            match act {
                0 => worker.fetcher.want(now),
                1 if leader => {
                    worker.answer(200, &set(&["a"]), now, &memory);
                    prop_assert!(!worker.keys.is_empty());
                    leads = None;
                }
                2 if leader => {
                    worker.fails(now, &memory);
                    leads = None;
                }
                _ => if worker.look(now, &memory).is_some() {
                    if let Some((_, began)) = leads {
                        prop_assert!(now >= began + 12_000, "two lead at {now}");
                    }
                    prop_assert!(now >= last + 800, "asked at {last} and {now}");
                    last = now;
                    leads = Some((index, now));
                }
            }
        }
    }
}
