use core::time::Duration;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use jsonschema::Validator;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value;

use base::code::Code;

use super::{
    Approval, Caller, Charged, Closing, How, MAX_RECORD_BYTES, Own, Record, Tokens, Tried,
};

const DIGEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn record() -> Record {
    Record::begin(
        "0123456789abcdef0123456789abcdef".to_owned(),
        "0123456789abcdef".into(),
    )
}

fn written(record: &mut Record, caller: Option<Caller<'_>>) -> Value {
    written_with(record, caller, &[])
}

fn written_with(record: &mut Record, caller: Option<Caller<'_>>, rules: &[String]) -> Value {
    let rules = rules.iter();
    let tried = rules.map(|rule| Tried {
        rule,
        came: "approve",
    });
    let text = record.to_json(DIGEST, caller, tried.collect(), Duration::MAX, None);
    assert!(text.len() <= MAX_RECORD_BYTES, "{} bytes", text.len());
    assert!(!text.contains('\n'));
    let json = serde_json::from_str(&text).unwrap();
    is_as_the_schema_says(&json);
    json
}

/// The schema lets records have more members, so that one who wrote against it can read later ones;
/// here it must name every one.
fn is_as_the_schema_says(record: &Value) {
    static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
        let text = include_str!("../../schema/record.schema.json");
        let mut schema: Value = serde_json::from_str(text).unwrap();
        schema["additionalProperties"] = Value::Bool(false);
        jsonschema::draft202012::new(&schema).unwrap()
    });
    if let Err(error) = SCHEMA.validate(record) {
        panic!("{}: {error}", error.instance_path());
    }
}

/// Texts of every length that matters, of characters of every width, with what JSON escapes.
fn text() -> impl Strategy<Value = String> {
    let character = prop_oneof![
        Just('a'),
        Just('"'),
        Just('\0'),
        Just('\n'),
        Just('\u{e9}'),
        Just('\u{20ac}'),
        Just('\u{1f600}'),
        any::<char>(),
    ];
    (vec(character, 0..40), 1..1500usize).prop_map(|(unit, times)| {
        let unit: String = unit.into_iter().collect();
        unit.repeat(times.checked_div(unit.len().max(1)).unwrap_or_default())
            .chars()
            .chain(unit.chars())
            .collect()
    })
}

fn counts() -> impl Strategy<Value = BTreeMap<String, u64>> {
    btree_map(text(), any::<u64>(), 0..80)
}

#[derive(Debug)]
struct Outside {
    texts: Vec<String>,
    groups: Vec<String>,
    quotas: Vec<String>,
    counts: Vec<BTreeMap<String, u64>>,
}

fn outside() -> impl Strategy<Value = Outside> {
    (
        vec(text(), 24),
        vec(text(), 0..100),
        vec(text(), 0..30),
        vec(counts(), 4),
    )
        .prop_map(|(texts, groups, quotas, counts)| Outside {
            texts,
            groups,
            quotas,
            counts,
        })
}

/// The member at a path with dots.
fn member<'v>(record: &'v Value, path: &str) -> &'v Value {
    record
        .pointer(&format!("/{}", path.replace('.', "/")))
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_comes_a_record_is_bounded_and_names_what_was_cut(outside in outside()) {
        let all = &outside.texts;
        let mut record = record();
        let text = |at: usize| all[at].clone();
        record.request.method = text(0);
        record.request.host = text(1);
        record.request.path = Some(text(2));
        record.note_model(Some(&all[3]));
        record.verdict.rule = Some(text(4));
        record.verdict.quotas = outside.quotas.clone();
        record.verdict.charges = outside.quotas.iter().map(|one| charged(one)).collect();
        record.verdict.reason = Some(text(23));
        record.note_approval(Approval {
            gate: 1,
            id: Some(text(5)),
            state: "pending",
            rule: text(6),
            reviewer: Some(text(7)),
            reason: Some(text(12)),
            decided: None,
            claim: Some("f".repeat(32)),
            given_back: false,
            kept_from: None,
        });
        record.close(
            &Closing {
                details: Some(&all[13]),
                envoy: Some(&all[20]),
                node: Some(&all[21]),
                listener: Some(&all[22]),
                peer: Some(&all[14]),
                route: Some(&all[15]),
                cluster: Some(&all[16]),
                endpoint: Some(&all[17]),
                ..Closing::default()
            },
            None,
        );
        record.note_ids(Some(&all[18]), None);
        record.request.matches = outside.counts[0].clone();
        record.request.alerts = outside.counts[1].clone();
        record.response.matches = outside.counts[2].clone();
        record.response.alerts = outside.counts[3].clone();
        let caller = Caller {
            provider: &all[8],
            issuer: &all[9],
            subject: &all[10],
            kind: "person",
            client: Some(&all[11]),
            token: Some(&all[19]),
            groups: Cow::Borrowed(&outside.groups),
        };
        let json = written_with(&mut record, Some(caller), &outside.groups);

        let mut cut = BTreeSet::new();
        for (path, whole) in [
            ("request.method", &all[0]),
            ("request.host", &all[1]),
            ("request.path", &all[2]),
            ("request.model", &all[3]),
            ("verdict.rule", &all[4]),
            ("approvals.0.id", &all[5]),
            ("approvals.0.rule", &all[6]),
            ("approvals.0.reviewer", &all[7]),
            ("identity.provider", &all[8]),
            ("identity.issuer", &all[9]),
            ("identity.subject", &all[10]),
            ("identity.client", &all[11]),
            ("approvals.0.reason", &all[12]),
            ("ended.details", &all[13]),
            ("mesh.peer", &all[14]),
            ("mesh.route", &all[15]),
            ("mesh.cluster", &all[16]),
            ("mesh.endpoint", &all[17]),
            ("mesh.request_id", &all[18]),
            ("identity.token", &all[19]),
            ("mesh.envoy", &all[20]),
            ("mesh.node", &all[21]),
            ("mesh.listener", &all[22]),
            ("verdict.reason", &all[23]),
        ] {
            // What is known of an empty text by Envoy is nothing.
            let kept = member(&json, path).as_str().unwrap_or_default();
            prop_assert!(whole.starts_with(kept), "{path}");
            if kept != whole {
                cut.insert(if path.starts_with("approvals") { "approvals" } else { path });
            }
        }
        for (path, whole) in [("identity.groups", &outside.groups), ("verdict.quotas", &outside.quotas)] {
            let kept: Vec<String> = serde_json::from_value(member(&json, path).clone()).unwrap();
            prop_assert!(whole.iter().zip(&kept).all(|(whole, kept)| whole.starts_with(kept)));
            if &kept != whole {
                cut.insert(path);
            }
        }
        for (path, name, whole) in [
            ("rules", "rule", &outside.groups),
            ("verdict.charges", "quota", &outside.quotas),
        ] {
            let kept = member(&json, path).as_array().unwrap().iter();
            let kept: Vec<&str> = kept.map(|one| one[name].as_str().unwrap()).collect();
            prop_assert!(whole.iter().zip(&kept).all(|(whole, kept)| whole.starts_with(kept)));
            if &kept != whole {
                cut.insert(path);
            }
        }
        for (path, whole) in [
            ("request.matches", &outside.counts[0]),
            ("request.alerts", &outside.counts[1]),
            ("response.matches", &outside.counts[2]),
            ("response.alerts", &outside.counts[3]),
        ] {
            let kept: BTreeMap<String, u64> =
                serde_json::from_value(member(&json, path).clone()).unwrap();
            prop_assert!(kept.iter().all(|(name, count)| whole.get(name) == Some(count)));
            if &kept != whole {
                cut.insert(path);
            }
        }
        let named = json["truncated"].as_array().unwrap().iter().map(|one| one.as_str().unwrap());
        prop_assert_eq!(named.collect::<BTreeSet<_>>(), cut);
    }
}

fn charged(quota: &str) -> Charged {
    Charged {
        quota: quota.to_owned(),
        amount: u64::MAX,
        limit: u64::MAX,
        remaining: u64::MAX,
        key: Some(vec!["subject".to_owned(), "corp".to_owned()]),
        at: u64::MAX,
        until: Some(u64::MAX),
    }
}

#[test]
fn the_longest_record_fits() {
    // The widest of what is written, and what fills each place to the last byte.
    for character in ["\0", "a"] {
        the_longest_record_of(character);
    }
}

/// In every place at once, with all numbers at their longest.
fn the_longest_record_of(character: &str) {
    let long = character.repeat(5000);
    let many: Vec<String> = (0..500)
        .map(|one| format!("{one}{}", "x".repeat(15)))
        .collect();
    let counts: BTreeMap<String, u64> = many.iter().map(|one| (one.clone(), u64::MAX)).collect();
    let mut record = record();
    record.want_digests();
    record.number = u64::MAX;
    record.request.method.clone_from(&long);
    record.request.host.clone_from(&long);
    record.request.path = Some(long.clone());
    record.request.operation = Some("inference.completion");
    record.note_model(Some(&long));
    record.request.items = Some(u64::MAX);
    record.request.bytes = Some(u64::MAX);
    record.request.not_kept = u64::MAX;
    record.request.matches.clone_from(&counts);
    record.request.alerts.clone_from(&counts);
    record.verdict.rule = Some(long.clone());
    record.verdict.code = Some(Code::TokenHeaderNotSupported);
    record.verdict.status = Some(u16::MAX);
    record.verdict.quotas.clone_from(&many);
    record.verdict.action = "allow";
    record.verdict.charges = many.iter().map(|one| charged(one)).collect();
    record.verdict.reason = Some(long.clone());
    record.note_asked(b"", true);
    record.begin_body();
    for gate in 0..10 {
        record.note_approval(Approval {
            gate,
            id: Some(long.clone()),
            state: "unavailable",
            rule: long.clone(),
            reviewer: Some(long.clone()),
            reason: Some(long.clone()),
            decided: Some("+292277026596-12-04T15:30:07.999Z".to_owned()),
            claim: Some("f".repeat(32)),
            given_back: false,
            kept_from: Some("f".repeat(32)),
        });
    }
    record.close(
        &Closing {
            answered: true,
            flags: Some(0x8),
            details: Some(&long),
            envoy: Some(&long),
            node: Some(&long),
            listener: Some(&long),
            direction: Some("outbound"),
            peer: Some(&long),
            route: Some(&long),
            cluster: Some(&long),
            endpoint: Some(&long),
        },
        None,
    );
    record.note_ids(
        Some(&long),
        Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    );
    record.response.status = Some(u16::MAX);
    record.response.streamed = Some(false);
    let most = Some(u64::MAX);
    record.response.tokens = Some(Tokens {
        prompt: most,
        completion: most,
        cached: most,
        total: most,
    });
    record.response.bytes_received = Some(u64::MAX);
    record.response.bytes_sent = Some(u64::MAX);
    record.response.matches.clone_from(&counts);
    record.response.alerts.clone_from(&counts);
    record.response.restored = u64::MAX;
    record.response.code = Some(Code::MediaTypeNotMaskable);
    record.timing.verdict = Some(u64::MAX);
    record.timing.response = Some(u64::MAX);
    record.timing.first_byte = Some(u64::MAX);
    record.timing.total = u64::MAX;
    let caller = Caller {
        provider: &long,
        issuer: &long,
        subject: &long,
        kind: "service",
        client: Some(&long),
        token: Some(&long),
        groups: Cow::Borrowed(&many),
    };
    let json = written_with(&mut record, Some(caller), &many);
    assert_eq!(json["truncated"].as_array().unwrap().len(), 29);
    assert_eq!(json["response"]["digest"].as_str().unwrap().len(), 64);
    assert_eq!(json["request"]["digest"].as_str().unwrap().len(), 64);
}

#[test]
fn approvals_stand_in_their_order_and_the_first_give_way() {
    let mut record = record();
    let rules = |json: &Value| -> Vec<String> {
        let all = json["approvals"].as_array().unwrap().iter();
        all.map(|one| one["rule"].as_str().unwrap().to_owned())
            .collect()
    };
    for gate in 1..=3 {
        record.note_approval(Approval {
            gate,
            state: "asked",
            rule: format!("r{gate}"),
            ..Approval::default()
        });
    }
    record.approval_of(2).unwrap().state = "approved";
    assert!(record.approval_of(4).is_none());
    let json = written(&mut record.clone(), None);
    assert_eq!(rules(&json), ["r1", "r2", "r3"]);
    assert_eq!(json["approvals"][1]["state"], "approved");
    assert_eq!(json["truncated"], serde_json::json!([]));
    for gate in 4..=10 {
        record.note_approval(Approval {
            gate,
            state: "asked",
            rule: format!("r{gate}"),
            ..Approval::default()
        });
    }
    let json = written(&mut record, None);
    assert_eq!(rules(&json).len(), 8);
    assert_eq!((&*rules(&json)[0], &*rules(&json)[7]), ("r3", "r10"));
    assert_eq!(json["truncated"], serde_json::json!(["approvals"]));
}

#[test]
fn what_fits_is_whole_and_nothing_is_named() {
    let mut record = record();
    record.request.host = format!("{}:65535", "a".repeat(253));
    record.request.path = Some("/\u{e9}".repeat(300));
    record.note_model(Some("org/model"));
    record.request.matches = BTreeMap::from([("email".to_owned(), u64::MAX)]);
    let json = written(&mut record, None);
    assert_eq!(json["truncated"], serde_json::json!([]));
    assert_eq!(json["request"]["host"], record.request.host);
    assert_eq!(json["request"]["path"], "/\u{e9}".repeat(300));
    assert_eq!(json["request"]["matches"]["email"], u64::MAX);
    assert_eq!(json["identity"], Value::Null);
}

#[test]
fn a_model_of_megabytes_is_not_kept_while_the_request_waits() {
    let mut record = record();
    record.note_model(Some(&"m".repeat(8 << 20)));
    assert!(record.request.model.as_ref().unwrap().len() <= 256);
    assert_eq!(
        written(&mut record, None)["truncated"],
        serde_json::json!(["request.model"])
    );
    record.note_model(None);
    assert_eq!(record.request.model, None);
}

#[test]
fn an_exchange_is_found_by_its_ids_and_its_place() {
    let mut record = record();
    record.note_ids(
        Some("7c8b"),
        Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    );
    record.close(
        &Closing {
            flags: Some(0x4000),
            envoy: Some("1.40.0"),
            node: Some("front"),
            direction: Some("inbound"),
            peer: Some("10.0.0.7:4711"),
            route: Some(""),
            ..Closing::default()
        },
        None,
    );
    let json = written(&mut record, None);
    assert_eq!(
        json["ended"],
        serde_json::json!({"how": "client_left", "details": null})
    );
    assert_eq!(
        json["mesh"],
        serde_json::json!({
            "envoy": "1.40.0",
            "node": "front",
            "listener": null,
            "direction": "inbound",
            "peer": "10.0.0.7:4711",
            "route": null,
            "cluster": null,
            "endpoint": null,
            "request_id": "7c8b",
            "trace_id": "0af7651916cd43dd8448eb211c80319c",
        })
    );
    record.close(&Closing::default(), Some(Own::Cut));
    assert_eq!(record.ended.how, How::Cut);
}

#[test]
fn what_is_no_trace_is_none() {
    for traceparent in [
        "",
        "00",
        "00-0af7651916cd43dd8448eb211c80319c",
        "00-0af7651916cd43dd8448eb211c80319C-b7ad6b7169203331-01",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c8031-b7ad6b7169203331-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "0-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ] {
        let mut record = record();
        record.note_ids(None, Some(traceparent));
        assert_eq!(record.mesh.trace_id, None, "{traceparent:?}");
    }
    let mut record = record();
    record.note_ids(
        None,
        Some("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"),
    );
    assert_eq!(
        record.mesh.trace_id.as_deref(),
        Some("0af7651916cd43dd8448eb211c80319c")
    );
}

#[test]
fn digests_are_of_what_passed_and_null_where_nothing_did_or_nobody_wants_them() {
    let digests = |record: &mut Record| {
        record.close(&Closing::default(), None);
        let json = written(record, None);
        let of = |what: &str| json[what]["digest"].as_str().map(str::to_owned);
        (of("request"), of("response"))
    };
    let pass = |record: &mut Record| {
        record.verdict.action = "allow";
        record.note_asked(b"as it came", true);
        record.note_asked(b"ab", true);
        record.note_asked(b"c", false);
        record.begin_body();
        record.note_sent(b"a", 7);
        record.note_sent(b"bc", 9);
    };
    // FIPS 180-2, appendix B.1.
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let abc = || Some(abc.to_owned());
    let mut wanted = record();
    wanted.want_digests();
    pass(&mut wanted);
    assert_eq!(wanted.timing.first_byte, Some(7));
    assert_eq!(digests(&mut wanted.clone()), (abc(), abc()));
    wanted.verdict.action = "deny";
    wanted.nothing_sent();
    assert_eq!(wanted.timing.first_byte, None);
    assert_eq!(digests(&mut wanted), (None, None));
    let mut unwanted = record();
    pass(&mut unwanted);
    assert_eq!(digests(&mut unwanted), (None, None));
}
