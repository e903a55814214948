//! What records keep of bodies: masked for who reads the log, or sealed to who has the key.

use std::fs;
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use portcullis::base::bytes::hex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testbed::body::{Gate, Step};
use testbed::http::{Client, Request};
use testbed::model::Answer;
use testbed::wait;

use crate::installed::{PYTHON, run};
use crate::support::{Desk, Guarded, ana, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(bodies_are_kept_as_the_policy_says);

/// A pair of keys of age, as `age-keygen` prints them.
const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
const RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

const SECRET: &str = "jane.doe@example.com";

fn kept(sessions: &Value) -> Value {
    let mut sessions = sessions.clone();
    sessions["record"] = json!("full");
    sessions["digests"] = json!(true);
    policy(&json!({
        "masks": {"pii": {"detect": ["email"]}},
        "sessions": sessions,
        "rules": [
            {"name": "tuning", "when": {"operation": ["model.tune"]}, "then": "allow", "sessions": {"record": "metadata"}},
            {"name": "hidden", "when": {"operation": ["inference.completion"]}, "then": "allow", "mask": ["pii"]},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"},
        ],
    }))
}

fn bodies_are_kept_as_the_policy_says(version: &str) {
    let desk = Desk::start();
    let delivery = json!({"delivery": "committed", "desk": {"cluster": "desk", "credential": "Bearer ${DESK_KEY}"}});
    let mut committed = delivery.clone();
    committed["bodies"] = json!({"response": "8MiB"});
    let guarded = Guarded::start_with(version, &kept(&json!({})), |builder| {
        builder
            .cluster_http2("desk", desk.port)
            .cluster_http2("desk_log", desk.log_port)
            .listener(
                "raw",
                kept(&json!({"bodies": {"as": "raw", "to": RECIPIENT, "response": "8MiB"}})),
            )
            .listener("committed", kept(&committed))
    });
    a_stream_is_kept_masked_with_its_times(&guarded);
    what_is_raw_opens_with_ages_own_tools(&guarded, &desk);
    a_large_answer_waits_for_its_record_with_its_body(&guarded, &desk);
    a_rule_may_keep_nothing(&guarded);
    nothing_personal_is_in_any_log(&guarded, &desk);
}

fn event(text: &str) -> String {
    let delta = json!({"choices": [{"index": 0, "delta": {"content": text}}]});
    format!("data: {delta}\n\n")
}

fn question() -> Value {
    let text = format!("mail {SECRET}");
    let messages = json!([{"role": "user", "content": text}]);
    json!({"model": "small-1", "stream": true, "prompt": text, "messages": messages})
}

fn asks(path: &str, host: &str) -> Request {
    Request::post(path)
        .bearer(&ana())
        .header("host", host)
        .json(&question())
}

/// The parts of a body, joined.
fn joined(body: &Value) -> Vec<u8> {
    let mut all = Vec::new();
    for (place, part) in body["parts"].as_array().unwrap().iter().enumerate() {
        assert_eq!(part["number"], place + 1);
        match part["text"].as_str() {
            Some(text) => all.extend(text.bytes()),
            None => all.extend(BASE64.decode(part["base64"].as_str().unwrap()).unwrap()),
        }
    }
    assert_eq!(body["bytes"], all.len());
    all
}

fn a_stream_is_kept_masked_with_its_times(guarded: &Guarded) {
    for (path, masked) in [("/v1/chat/completions", false), ("/v1/completions", true)] {
        let gate = Gate::new();
        let pieces = ["One. ", "to jane.d", "oe@example.com", " now. "].map(event);
        let mut steps = Vec::new();
        for piece in &pieces {
            steps.extend([Step::Wait(gate.clone()), Step::data(piece.as_str())]);
        }
        let stream = Answer::new(200).header("content-type", "text/event-stream");
        guarded.model.answer(path, stream.steps(steps));
        let client = Client::http1(guarded.mesh.port()).unwrap();
        let host = format!("{}.stream.test", path.replace('/', "-"));
        let pending = client.start(asks(path, &host)).unwrap();
        gate.open(1);
        let stream = pending.response().unwrap();
        for _ in 1..pieces.len() {
            // So long the model takes for the next.
            thread::sleep(Duration::from_millis(40));
            gate.open(1);
        }
        let got = stream.read().body;
        let record = guarded.record(&host);
        let bodies = &record["bodies"];
        let said = String::from_utf8(joined(&bodies["response"])).unwrap();
        assert!(said.contains("[EMAIL]") && !said.contains("jane"), "{said}");
        if masked {
            assert_eq!(said.as_bytes(), got, "{host}");
            assert_eq!(record["response"]["digest"], hex(&Sha256::digest(&got)));
        } else {
            assert_eq!(String::from_utf8(got).unwrap(), pieces.concat());
        }
        let times: Vec<u64> = bodies["response"]["parts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| part["after"].as_u64().unwrap())
            .collect();
        let (first, last) = (times.first().unwrap(), times.last().unwrap());
        assert!(times.len() >= 2 && last - first >= 40, "{times:?}");
        let asked = String::from_utf8(joined(&bodies["request"])).unwrap();
        assert!(asked.contains("mail [EMAIL]"), "{asked}");
    }
}

fn what_is_raw_opens_with_ages_own_tools(guarded: &Guarded, desk: &Desk) {
    let large = format!("{}{}", "x".repeat(200 << 10), SECRET);
    guarded.model.answer(
        "/v1/chat/completions",
        Answer::json(&json!({"choices": [{"message": {"content": large}}]})),
    );
    let request = asks("/v1/chat/completions", "raw.test");
    let sent = question().to_string().into_bytes();
    let got = guarded.send_to("raw", request).body;
    let record = wait::value("the record", Duration::from_secs(30), || {
        let list = desk.get("/v1/sessions");
        let all = list["sessions"].as_array().unwrap().clone();
        let found = all
            .iter()
            .find(|one| one["request"]["host"] == "raw.test")?;
        Some(desk.get(&format!("/v1/sessions/{}", found["id"].as_str().unwrap())))
    })
    .unwrap();
    assert_eq!(record["bodies"]["to"], RECIPIENT);
    assert_eq!(record["response"]["digest"], hex(&Sha256::digest(&got)));
    assert_eq!(record["request"]["digest"], hex(&Sha256::digest(&sent)));
    let ledger = desk.place.ledger();
    let identity = desk.place.ledger().with_file_name("auditor.key");
    fs::write(
        &identity,
        format!("# public key: {RECIPIENT}\n{IDENTITY}\n"),
    )
    .unwrap();
    for (which, expected) in [("request", &sent), ("response", &got)] {
        let output = std::process::Command::new(testbed::desk::build().unwrap())
            .args(["sessions", "show"])
            .arg(&ledger)
            .arg(record["id"].as_str().unwrap())
            .args(["--body", which, "--identity"])
            .arg(&identity)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert_eq!(&output.stdout, expected, "{which}");
    }
    // And with an implementation that isn't ours.
    let Some(python) = PYTHON.python() else {
        return;
    };
    for (which, expected) in [("request", &sent), ("response", &got)] {
        let asked = json!({"identity": IDENTITY, "sealed": record["bodies"][which]["age"]});
        let opened = run(&python, "open_age.py", &asked);
        let plain = BASE64.decode(opened["plain"].as_str().unwrap()).unwrap();
        assert_eq!(&plain, expected, "{which}");
    }
}

fn a_large_answer_waits_for_its_record_with_its_body(guarded: &Guarded, desk: &Desk) {
    let whole = json!({"choices": [{"message": {"content": "word ".repeat(400_000)}}]});
    guarded
        .model
        .answer("/v1/chat/completions", Answer::json(&whole));
    let answer = guarded.send_to("committed", asks("/v1/chat/completions", "large.test"));
    assert_eq!((answer.status, answer.broken), (200, None));
    let list = desk.get("/v1/sessions");
    let all = list["sessions"].as_array().unwrap();
    let found = all
        .iter()
        .find(|one| one["request"]["host"] == "large.test");
    let id = found.expect("the desk has it before its client")["id"]
        .as_str()
        .unwrap();
    // A list is for finding.
    assert_eq!(found.unwrap()["bodies"]["response"]["parts"], Value::Null);
    let record = desk.get(&format!("/v1/sessions/{id}"));
    assert_eq!(joined(&record["bodies"]["response"]), answer.body);
}

fn a_rule_may_keep_nothing(guarded: &Guarded) {
    guarded
        .model
        .answer("/v1/fine_tuning/jobs", Answer::json(&json!({"id": "job"})));
    let request = asks("/v1/fine_tuning/jobs", "tuning.test");
    assert_eq!(guarded.send(request).status, 200);
    assert_eq!(guarded.record("tuning.test")["bodies"], Value::Null);
}

fn nothing_personal_is_in_any_log(guarded: &Guarded, desk: &Desk) {
    let records: String = guarded
        .mesh
        .sessions(0)
        .unwrap()
        .iter()
        .map(Value::to_string)
        .collect();
    let segments = fs::read_dir(desk.place.ledger().join("segments")).unwrap();
    let places = [
        records.into_bytes(),
        guarded.mesh.log().into_bytes(),
        desk.process.log().into_bytes(),
    ];
    let stored = segments.map(|file| fs::read(file.unwrap().path()).unwrap());
    for place in places.into_iter().chain(stored) {
        assert!(
            !place
                .windows(SECRET.len())
                .any(|some| some == SECRET.as_bytes())
        );
    }
}
