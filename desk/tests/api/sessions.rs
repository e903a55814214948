use portcullis_desk::sessions::{
    HttpAccessLogEntry, StreamAccessLogsMessage, StreamAccessLogsResponse,
};
use prost::Message as _;
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic_prost::ProstCodec;

use crate::access_log::{
    BYTES, METHOD, call, entry, entry_of, keyed, message, record, records, stream,
};
use crate::harness::{ANA, Desk, EDGE, Folder, command};

fn numbers(list: &Value) -> Vec<u64> {
    list["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["number"].as_u64().unwrap())
        .collect()
}

#[test]
fn records_are_stored_searched_and_given_back_as_they_came() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let denied =
        json!({ "verdict": { "action": "deny", "rule": null, "code": "no_rule", "status": 403 } });
    let nobody = json!({ "identity": null, "verdict": { "action": "deny", "rule": null, "code": "no_token", "status": 401 } });
    let dave = json!({ "identity": { "subject": "dave" } });
    let texts: Vec<String> = [
        record(1, json!({})),
        record(2, denied),
        record(3, nobody),
        record(4, dave),
    ]
    .iter()
    .map(ToString::to_string)
    .collect();
    stream(
        desk.grpc,
        vec![
            message(vec![entry(texts[0].as_bytes()), entry(texts[1].as_bytes())]),
            message(vec![entry(texts[2].as_bytes())]),
            message(vec![entry(texts[3].as_bytes())]),
        ],
    )
    .unwrap();
    records(&desk, 4);
    assert_eq!(
        desk.get(&format!("/v1/sessions/{:032x}", 1), ANA).body,
        texts[0]
    );
    let list = |query: &str| desk.get(&format!("/v1/sessions{query}"), ANA).ok();
    assert_eq!(numbers(&list("")), [4, 3, 2, 1]);
    assert_eq!(numbers(&list("?subject=carol")), [2, 1]);
    assert_eq!(numbers(&list("?action=deny")), [3, 2]);
    assert_eq!(numbers(&list("?subject=carol&action=deny")), [2]);
    assert_eq!(numbers(&list("?subject=nobody")), [0u64; 0]);
    let page = list("?limit=3");
    assert_eq!(numbers(&page), [4, 3, 2]);
    let rest = list(&format!("?before={}", page["next"].as_str().unwrap()));
    assert_eq!((numbers(&rest), &rest["next"]), (vec![1], &Value::Null));

    let (status, _) = desk.stop();
    assert!(status.success());
    let desk = Desk::start(&folder);
    assert_eq!(numbers(&desk.get("/v1/sessions", ANA).ok()), [4, 3, 2, 1]);
}

#[test]
fn the_wire_is_read_by_field_numbers() {
    let text = record(1, json!({})).to_string();
    let field = |number: u64, bytes: &[u8]| {
        let mut out = Vec::new();
        prost::encoding::encode_varint(number << 3 | 2, &mut out);
        prost::encoding::encode_varint(bytes.len() as u64, &mut out);
        out.extend_from_slice(bytes);
        out
    };
    // Any { 1 type_url, 2 value }, in a map entry { 1 key, 2 value }, in AccessLogCommon 21, in
    // HTTPAccessLogEntry 1, in HTTPAccessLogEntries 1, in StreamAccessLogsMessage 2; with an
    // identifier (1) and a request (3) that are not looked at.
    let any = [
        field(1, BYTES.as_bytes()),
        field(2, &field(1, text.as_bytes())),
    ]
    .concat();
    let item = [field(1, b"wasm.portcullis.session"), field(2, &any)].concat();
    let log = [field(1, &field(21, &item)), field(3, b"\x0a\x03GET")].concat();
    let bytes = [field(1, b"\x12\x03log"), field(2, &field(1, &log))].concat();
    let decoded = StreamAccessLogsMessage::decode(&*bytes).unwrap();
    assert_eq!(decoded, message(vec![entry(text.as_bytes())]));
}

#[test]
fn a_record_of_six_megabytes_arrives_whole() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let large = record(1, json!({ "body": "prompt \u{1f600} ".repeat(500_000) })).to_string();
    assert!(large.len() > 6_000_000);
    let also = record(2, json!({ "body": "x".repeat(11 << 20) })).to_string();
    stream(
        desk.grpc,
        vec![message(vec![
            entry(large.as_bytes()),
            entry(also.as_bytes()),
        ])],
    )
    .unwrap();
    records(&desk, 2);
    let got = desk.get(&format!("/v1/sessions/{:032x}", 1), ANA);
    assert!(got.status == 200 && got.body == large);
    // Together they are more than one list carries.
    let list = desk.get("/v1/sessions", ANA).ok();
    assert_eq!(numbers(&list), [2]);
    let rest = desk
        .get(
            &format!("/v1/sessions?before={}", list["next"].as_str().unwrap()),
            ANA,
        )
        .ok();
    assert_eq!(numbers(&rest), [1]);
}

#[test]
fn a_message_over_the_limit_ends_its_stream_only() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let huge = record(1, json!({ "body": "x".repeat(33 << 20) })).to_string();
    let error = stream(desk.grpc, vec![message(vec![entry(huge.as_bytes())])]).unwrap_err();
    assert_eq!(error.code(), Code::OutOfRange);
    stream(
        desk.grpc,
        vec![message(vec![entry(
            record(2, json!({})).to_string().as_bytes(),
        )])],
    )
    .unwrap();
    records(&desk, 1);
}

#[test]
fn what_is_no_record_is_counted_and_not_quoted() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let good = record(1, json!({})).to_string();
    let secret = "sk-do-not-log-this";
    let mut bad: Vec<HttpAccessLogEntry> = [
        json!({ "version": 2 }),
        json!({ "version": null }),
        json!({ "id": secret }),
        json!({ "id": "" }),
        json!({ "worker": secret }),
        json!({ "number": -1 }),
        json!({ "number": u64::MAX }),
        json!({ "number": secret }),
        json!({ "time": secret.repeat(9) }),
        json!({ "identity": secret }),
    ]
    .into_iter()
    .map(|change| entry(record(1, change).to_string().as_bytes()))
    .collect();
    bad.push(entry(secret.as_bytes()));
    bad.push(entry(b""));
    bad.push(entry(&good.as_bytes()[..good.len() - 1]));
    bad.push(entry(&[good.as_bytes(), b"}"].concat()));
    bad.push(entry(&[b"\"", &[0xff][..], b"\""].concat()));
    bad.push(entry(&good.replacen("kept", "\u{1}", 1).into_bytes()));
    bad.push(entry(
        format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).as_bytes(),
    ));
    bad.push(entry_of(
        "type.googleapis.com/google.protobuf.StringValue",
        b"\x0a\x00".to_vec(),
    ));
    bad.push(entry_of(BYTES, vec![0xff, 0xff]));
    let malformed = bad.len();
    bad.push(HttpAccessLogEntry::default());
    bad.push(entry(good.as_bytes()));
    stream(
        desk.grpc,
        vec![StreamAccessLogsMessage::default(), message(bad)],
    )
    .unwrap();
    let counts = records(&desk, 1);
    assert_eq!(
        counts,
        json!({ "stored": 1, "known": 0, "contradicting": 0, "foreign": 0, "malformed": malformed, "absent": 1, "refused": 0 })
    );
    let (_, log) = desk.stop();
    assert!(log.contains("malformed session records"), "{log}");
    assert!(!log.contains(secret), "{log}");
}

#[test]
fn a_record_that_comes_twice_is_kept_once() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let first = record(1, json!({})).to_string();
    let again = record(1, json!({ "forged": true })).to_string();
    stream(desk.grpc, vec![message(vec![entry(first.as_bytes())])]).unwrap();
    stream(desk.grpc, vec![message(vec![entry(again.as_bytes())])]).unwrap();
    desk.until("/healthz", |health| health["records"]["known"] == 1);
    assert_eq!(
        desk.get(&format!("/v1/sessions/{:032x}", 1), ANA).body,
        first
    );
}

#[test]
fn everything_received_is_stored_before_the_desk_ends() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let messages = (1..=300)
        .map(|number| {
            let text = record(number, json!({ "body": "x".repeat(10_000) })).to_string();
            message(vec![entry(text.as_bytes())])
        })
        .collect();
    // The stream's answer says that all of it was received; much of it may not be stored yet.
    stream(desk.grpc, messages).unwrap();
    let (status, log) = desk.stop();
    assert!(status.success(), "{log}");
    let mut count = 0;
    let reader = portcullis_desk::ledger::Reader::new(&folder.ledger());
    reader
        .each::<portcullis_desk::ledger::LedgerError>(0, &mut |_, _, part| {
            count += usize::from(part.kind == portcullis_desk::sessions::RECORD);
            Ok(())
        })
        .unwrap();
    assert_eq!(count, 300);
}

#[test]
fn an_open_stream_does_not_keep_the_desk_from_stopping() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let to = desk.grpc;
    let text = record(1, json!({})).to_string();
    let first = message(vec![entry(text.as_bytes())]);
    let client = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let channel = Channel::from_shared(format!("http://{to}"))
                .unwrap()
                .connect()
                .await
                .unwrap();
            let mut grpc = Grpc::new(channel);
            grpc.ready().await.unwrap();
            let codec: ProstCodec<StreamAccessLogsMessage, StreamAccessLogsResponse> =
                ProstCodec::default();
            // Envoy never ends its stream.
            let messages = tokio_stream::once(first).chain(tokio_stream::pending());
            grpc.client_streaming(
                keyed(messages, &[EDGE]),
                PathAndQuery::from_static(METHOD),
                codec,
            )
            .await
            .map(drop)
        })
    });
    records(&desk, 1);
    let (status, log) = desk.stop();
    assert!(status.success(), "{log}");
    client.join().unwrap().unwrap();
}

#[test]
fn other_methods_are_not_there() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let other = "/envoy.service.accesslog.v3.AccessLogService/Other";
    assert_eq!(
        call(desk.grpc, other, &[EDGE], vec![]).unwrap_err().code(),
        Code::Unimplemented
    );
    let nowhere = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit";
    assert_eq!(
        call(desk.grpc, nowhere, &[EDGE], vec![])
            .unwrap_err()
            .code(),
        Code::Unimplemented
    );
}

#[test]
fn a_record_is_kept_before_it_is_answered_and_its_copy_in_the_log_is_known() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let one = record(1, json!({}));
    let kept = desk.post("/v1/records", EDGE, &one).ok();
    assert_eq!(kept["number"], 1);
    assert_eq!(desk.get(&format!("/v1/sessions/{:032x}", 1), ANA).ok(), one);
    // Envoy's access log brings it once more, and another one.
    let again = vec![entry(one.to_string().as_bytes())];
    stream(desk.grpc, vec![message(again)]).unwrap();
    let counts = desk.get("/healthz", ANA).ok()["records"].clone();
    assert_eq!(
        (&counts["stored"], &counts["known"]),
        (&json!(1), &json!(1))
    );

    // Another record with its id, or with its number, is not kept.
    let mut other = record(1, json!({}));
    other["number"] = json!(2);
    let refused = desk.post("/v1/records", EDGE, &other).refusal();
    assert_eq!(refused, (409, "contradicting".to_owned()));
    for (key, body, status) in [
        (EDGE, json!({"version": 1}), 400),
        (ANA, one.clone(), 403),
        ("nobody", one.clone(), 401),
    ] {
        assert_eq!(desk.post("/v1/records", key, &body).status, status);
    }
    // The disk had it before it was answered.
    desk.kill();
    let desk = Desk::start(&folder);
    assert_eq!(desk.get(&format!("/v1/sessions/{:032x}", 1), ANA).ok(), one);
}

#[test]
fn records_are_found_by_everything_that_auditors_ask_for() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let changed = [
        json!({ "request": { "operation": "embedding.create", "model": "e", "matches": { "iban": 1 } } }),
        json!({ "verdict": { "action": "deny", "rule": "night", "code": "denied" } }),
        json!({ "response": { "matches": { "email": 2 }, "alerts": { "iban": 1 } } }),
        json!({ "time": "2026-11-22T00:00:00.000Z" }),
    ];
    let texts = (1..)
        .zip(changed)
        .map(|(number, changes)| record(number, changes).to_string());
    let entries = texts.map(|text| entry(text.as_bytes())).collect();
    stream(desk.grpc, vec![message(entries)]).unwrap();
    records(&desk, 4);
    let found = [
        (
            "operation=embedding.create",
            "--operation=embedding.create",
            &[1][..],
        ),
        ("model=m", "--model=m", &[4, 3, 2]),
        ("rule=night", "--rule=night", &[2]),
        ("code=denied", "--code=denied", &[2]),
        ("detector=email", "--detector=email", &[3]),
        ("detector=iban", "--detector=iban", &[3, 1]),
        ("detector=us_ssn", "--detector=us_ssn", &[]),
        (
            "since=2026-11-22T01:00:00%2B01:00",
            "--since=2026-11-22T01:00:00+01:00",
            &[4],
        ),
        (
            "until=2026-11-21T12:00:01Z",
            "--until=2026-11-21T12:00:01Z",
            &[3, 2, 1],
        ),
    ];
    for (query, option, expected) in found {
        let list = desk.get(&format!("/v1/sessions?{query}"), ANA).ok();
        assert_eq!(numbers(&list), expected, "{query}");
        let listed = command()
            .args(["sessions", "list", option])
            .arg(folder.ledger())
            .output()
            .unwrap();
        let listed = String::from_utf8(listed.stdout).unwrap();
        // The command lists the oldest first.
        let ids: Vec<String> = listed
            .lines()
            .map(|line| line.rsplit('\t').next().unwrap().to_owned())
            .collect();
        let wanted: Vec<String> = expected
            .iter()
            .rev()
            .map(|one| format!("{one:032x}"))
            .collect();
        assert_eq!(ids, wanted, "{option}");
    }
    let refused = desk.get("/v1/sessions?since=yesterday", ANA);
    assert_eq!(refused.status, 400);
    assert!(
        refused.body.contains("since: expected RFC 3339"),
        "{}",
        refused.body
    );
}
