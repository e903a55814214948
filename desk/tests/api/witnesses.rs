//! Witnesses on other machines: a desk that is one for another desk, and webhooks.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};

use portcullis_desk::config;
use serde_json::{Value, json};
use signed_note::{Note, StandardVerifier, VerifierList};

use crate::audit::{public_key, right, sessions, text};
use crate::client::{Answer, call, raw};
use crate::harness::{Desk, EDGE, Folder};
use crate::ledger::log;

/// A configuration with these members beside the usual ones.
fn config_with(folder: &Folder, members: Value) -> std::path::PathBuf {
    let text = fs::read_to_string(folder.config()).unwrap();
    let base: Value = serde_json::from_str(&text).unwrap();
    folder.write(
        "desk.json",
        &crate::harness::with(base, members).to_string(),
    )
}

fn start(folder: &Folder, members: Value) -> Desk {
    Desk::start_with(&config_with(folder, members), &folder.store())
}

/// A desk with a ledger, which has been stopped, and its log's public key.
fn made() -> (Folder, String) {
    let folder = Folder::new();
    Desk::start(&folder).stop();
    let key = public_key(&folder);
    (folder, key)
}

/// A desk that is a witness for a log; returns the prefix of its URL and its public key.
fn witness(folder: &Folder, logs: &[&str]) -> (Desk, String, String) {
    let watching = json!({ "name": "there.example/w", "logs": logs });
    let desk = start(folder, json!({ "witness": watching }));
    let key = fs::read_to_string(folder.file("desk.keys/witness.pub")).unwrap();
    let prefix = format!("http://{}/v1/witness", desk.http);
    (desk, prefix, key.trim().to_owned())
}

fn health(desk: &Desk) -> Answer {
    call(desk.http, "GET", "/healthz", None, None)
}

/// Asks for the desk's health until `enough` says so.
fn until(desk: &Desk, enough: impl Fn(u16, &Value) -> bool) -> Value {
    loop {
        let answer = health(desk);
        let body = answer.json();
        if enough(answer.status, &body) {
            return body;
        }
        std::thread::yield_now();
    }
}

fn copy(from: &Path, to: &Path) {
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(from)
        .arg(to)
        .status();
    assert!(copied.unwrap().success());
}

#[test]
fn another_desk_sees_the_checkpoints_and_tells_that_a_ledger_was_rolled_back() {
    let (here, log_key) = made();
    let there = Folder::new();
    let (desk_there, prefix, key) = witness(&there, &[&log_key]);
    let witnesses = json!({ "witnesses": [{ "witness": prefix, "key": key }] });
    let desk = start(&here, witnesses.clone());
    log(&desk, 1..=10);
    // Beside the records there are the log's key and the worker's owner.
    let body = until(&desk, |_, body| body["witnesses"][0]["seen"] == 12);
    assert_eq!(body["witnesses"][0]["name"], "there.example/w");
    assert_eq!(body["witnesses"][0]["error"], Value::Null);
    log(&desk, 11..=20);
    desk.stop();
    // The last checkpoint went before the desk ended.
    let ledger = here.ledger();
    let said = right(&[
        "verify",
        text(&ledger),
        "--witness",
        &prefix,
        "--witness-key",
        &key,
    ]);
    assert!(
        said.contains("right: 22 entries")
            && said.contains("2 checkpoints of witnesses agree")
            && said.contains("the witness there.example/w has seen 22 entries"),
        "{said}"
    );
    // Without the witness, by the cosignature beside the ledger alone.
    right(&["verify", text(&ledger), "--witness-key", &key]);

    let begin = here.file("begin.ledger");
    copy(&ledger, &begin);
    let desk = start(&here, witnesses.clone());
    log(&desk, 21..=30);
    desk.stop();
    let kept = here.file("kept.ledger");
    fs::rename(&ledger, &kept).unwrap();
    fs::rename(&begin, &ledger).unwrap();
    right(&["verify", text(&ledger), "--witness-key", &key]);
    let (status, said, _) = sessions(&["verify", text(&ledger), "--witness", &prefix]);
    assert!(
        status == 1 && said.contains("rolled back: ") && said.contains("seen 32 entries, found 22"),
        "{said}"
    );
    // A desk that goes on from there learns it at once, and says so.
    let desk = start(&here, witnesses.clone());
    let body = until(&desk, |status, _| status == 503);
    assert_eq!(body["error"]["code"], "witness_failing");
    let said = body["error"]["message"].as_str().unwrap();
    assert!(
        said.contains("it has seen 32 entries, and there are 22"),
        "{said}"
    );
    // It does so too once it has grown past that in another way.
    log(&desk, 41..=70);
    let body = until(&desk, |_, body| {
        let said = body["error"]["message"].as_str().unwrap_or_default();
        said.contains("are not the first of the 52 that there are")
    });
    assert_eq!(body["error"]["code"], "witness_failing");
    let (_, log) = desk.stop();
    assert!(log.contains("a witness contradicts the ledger"), "{log}");
    let (status, said, _) = sessions(&["verify", text(&ledger), "--witness", &prefix]);
    assert!(status == 1 && said.contains("rewritten: "), "{said}");
    right(&["verify", text(&kept), "--witness", &prefix]);

    // The witness knows what it has seen when it comes back.
    desk_there.kill();
    let (_desk, prefix, again) = witness(&there, &[&log_key]);
    assert_eq!(again, key);
    let (status, ..) = sessions(&["verify", text(&ledger), "--witness", &prefix]);
    assert_eq!(status, 1);
    right(&["verify", text(&kept), "--witness", &prefix]);
    let (status, _, error) = sessions(&["verify", text(&there.ledger()), "--witness", &prefix]);
    assert!(status == 2 && error.contains("404"), "{error}");
}

#[test]
fn a_witness_answers_as_the_specification_says() {
    let (here, log_key) = made();
    let there = Folder::new();
    let (desk, _, _) = witness(&there, &[&log_key]);
    let post = |body: &str| {
        call(
            desk.http,
            "POST",
            "/v1/witness/add-checkpoint",
            None,
            Some(body),
        )
    };
    let checkpoint = fs::read_to_string(here.ledger().join("checkpoint")).unwrap();
    let answer = post(&format!("old 0\n\n{checkpoint}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        answer.body.starts_with("\u{2014} there.example/w ") && answer.body.ends_with('\n'),
        "{}",
        answer.body
    );
    let answer = post(&format!("old 0\n\n{checkpoint}"));
    assert_eq!((answer.status, answer.body.as_str()), (409, "1\n"));
    assert!(
        answer.head.contains("content-type: text/x.tlog.size\r\n"),
        "{}",
        answer.head
    );
    for (body, status) in [
        (format!("old 2\n\n{checkpoint}"), 400),
        ("old 1\n".to_owned(), 400),
        (
            format!("old 1\n\n{checkpoint}").replace("\n1\n", "\n9\n"),
            403,
        ),
        (
            format!("old 1\n\n{checkpoint}").replace("portcullis/", "other/"),
            404,
        ),
        (
            format!("old 1\n{}\n\n{checkpoint}", "A".repeat(70_000)),
            413,
        ),
    ] {
        let answer = post(&body);
        assert_eq!(answer.status, status, "{}", answer.body);
    }
    let answer = call(desk.http, "GET", "/v1/witness/add-checkpoint", None, None);
    assert_eq!(answer.status, 405);
    let answer = call(desk.http, "GET", "/v1/witness/abc/checkpoint", None, None);
    assert_eq!(answer.status, 404);
    // A desk that is no witness has no such address.
    let desk = Desk::start(&here);
    let answer = call(
        desk.http,
        "POST",
        "/v1/witness/add-checkpoint",
        None,
        Some(""),
    );
    assert_eq!(answer.status, 404);
}

#[test]
fn a_required_witness_that_is_away_makes_the_desk_unwell_and_stops_nothing() {
    let (here, log_key) = made();
    let there = Folder::new();
    let (desk_there, prefix, key) = witness(&there, &[&log_key]);
    desk_there.kill();
    let member = |within: Option<u64>| {
        let mut one = json!({ "witness": prefix, "key": key });
        if let Some(within) = within {
            one["required_within"] = within.into();
        }
        json!({ "witnesses": [one] })
    };
    let desk = start(&here, member(None));
    log(&desk, 1..=10);
    until(&desk, |status, body| {
        assert_eq!(status, 200, "{body}");
        body["witnesses"][0]["error"].is_string() && body["witnesses"][0]["behind"] == 2
    });
    desk.stop();
    let desk = start(&here, member(Some(1)));
    log(&desk, 11..=20);
    let body = until(&desk, |status, _| status == 503);
    assert_eq!(body["error"]["code"], "witness_failing");
    let said = body["error"]["message"].as_str().unwrap();
    assert!(
        said.contains("the witness there.example/w lacks checkpoints"),
        "{said}"
    );
    log(&desk, 21..=30);
    let (status, log) = desk.stop();
    assert!(
        status.success() && log.contains("a witness could not be told"),
        "{log}"
    );
    let said = right(&["verify", text(&here.ledger())]);
    assert!(
        said.contains("32 signed for"),
        "what is published goes on: {said}"
    );
}

/// The headers and the body of a request; its first line is the header "".
type Asked = (HashMap<String, String>, String);

/// A server that gives these answers, one a connection, and tells what it was asked.
fn server(answers: Vec<String>) -> (String, Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/hook?token=s3cret-s3cret",
        listener.local_addr().unwrap()
    );
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            if sender.send(request(&mut stream)).is_err() {
                return;
            }
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (url, receiver)
}

fn request(stream: &mut TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut headers = HashMap::new();
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    headers.insert(String::new(), line.trim_end().to_owned());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    (headers, String::from_utf8(body).unwrap())
}

fn answer(status: &str, more: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: 0\r\n{more}\r\n")
}

#[test]
fn a_webhook_gets_the_newest_checkpoint_again_until_it_takes_one() {
    let (here, log_key) = made();
    let (elsewhere, asked_elsewhere) = server(vec![answer("200 OK", "")]);
    let (url, asked) = server(vec![
        answer("500 Oh", ""),
        answer("302 Found", &format!("location: {elsewhere}\r\n")),
        answer("204 No Content", ""),
        answer("204 No Content", ""),
    ]);
    let hook = json!({ "webhook": url, "authorization": "Bearer ${DESK_KEY}" });
    let desk = start(&here, json!({ "witnesses": [hook] }));
    let list = VerifierList::new(vec![Box::new(StandardVerifier::new(&log_key).unwrap())]);
    let size = |body: &str| -> u64 {
        let note = Note::from_bytes(body.as_bytes()).unwrap();
        let (verified, _) = note.verify(&list).unwrap();
        assert_eq!(verified.len(), 1);
        tlog_tiles::Checkpoint::from_bytes(note.text())
            .unwrap()
            .size()
    };
    let (headers, body) = asked.recv().unwrap();
    assert_eq!(headers[""], "POST /hook?token=s3cret-s3cret HTTP/1.1");
    assert_eq!(headers["authorization"], format!("Bearer {EDGE}"));
    assert_eq!(size(&body), 1);
    let body = until(&desk, |_, body| body["witnesses"][0]["error"].is_string());
    assert_eq!(body["witnesses"][0]["name"], "127.0.0.1");
    assert!(!body.to_string().contains("s3cret"), "{body}");
    log(&desk, 1..=10);
    asked.recv().unwrap();
    // The one that it takes at last is the newest.
    let (_, body) = asked.recv().unwrap();
    assert_eq!(size(&body), 12);
    until(&desk, |_, body| body["witnesses"][0]["seen"] == 12);
    log(&desk, 11..=20);
    let (_, log) = desk.stop();
    let (_, body) = asked.recv().unwrap();
    assert_eq!(size(&body), 22);
    assert!(
        asked_elsewhere.try_recv().is_err(),
        "redirects are not followed"
    );
    assert!(
        log.contains("found the answer 302") && !log.contains("s3cret"),
        "{log}"
    );
}

#[test]
fn an_answer_without_end_or_with_another_cosignature_is_no_witness() {
    let (here, _) = made();
    let line = "\u{2014} there.example/w AAAAAAAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n";
    let long = "x".repeat(100_000);
    let whole = |body: &str| {
        format!(
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let other = Folder::new();
    let (desk_other, _, key) = witness(&other, &[&public_key(&here)]);
    desk_other.stop();
    for (sent, said) in [
        (whole(line), "no cosignature of the key"),
        (whole(""), "no cosignature of the key"),
        (whole(&long), "limit"),
        (answer("409 Conflict", ""), "expected a size"),
        (answer("404 Not Found", ""), "doesn't know the log"),
        (answer("403 Forbidden", ""), "the log's latest public key"),
    ] {
        let (url, asked) = server(vec![sent.clone(), sent]);
        let desk = start(
            &here,
            json!({ "witnesses": [{ "witness": url, "key": key }] }),
        );
        let (headers, body) = asked.recv().unwrap();
        assert_eq!(
            headers[""],
            "POST /hook?token=s3cret-s3cret/add-checkpoint HTTP/1.1"
        );
        assert!(body.starts_with("old 0\n\nportcullis/"), "{body}");
        let body = until(&desk, |_, body| body["witnesses"][0]["error"].is_string());
        let error = body["witnesses"][0]["error"].as_str().unwrap();
        assert!(error.contains(said), "{error}");
        assert_eq!(body["witnesses"][0]["seen"], 0);
        desk.kill();
    }
    assert!(!here.ledger().join("cosigned").exists());
}

#[test]
fn witnesses_in_the_configuration_are_one_of_three_kinds() {
    let read = |members: Value| {
        let base = json!({ "filters": [{ "name": "edge", "key": EDGE }], "reviewers": [] });
        let text = crate::harness::with(base, members).to_string();
        config::read(&text, &|_| None)
    };
    let key = "there.example/w+00000000+AAAA";
    for (one, said) in [
        (json!({}), "/witnesses/0: expected one of"),
        (
            json!({ "file": "a", "webhook": "https://b" }),
            "/witnesses/0: expected one of",
        ),
        (
            json!({ "file": "a", "required_within": 5 }),
            "/witnesses/0/required_within: found it",
        ),
        (
            json!({ "file": "a", "ca": "b" }),
            "/witnesses/0/ca: found it",
        ),
        (
            json!({ "webhook": "ftp://b" }),
            "/witnesses/0/webhook: found another form",
        ),
        (
            json!({ "webhook": "https://b", "key": key }),
            "/witnesses/0/key: found it",
        ),
        (
            json!({ "webhook": "https://b", "authorization": "${NONE}" }),
            "/witnesses/0/authorization: found ${NONE}",
        ),
        (
            json!({ "webhook": "https://b", "authorization": "a\nb" }),
            "/witnesses/0/authorization: found 3 bytes",
        ),
        (
            json!({ "webhook": "https://b", "required_within": 0 }),
            "/witnesses/0/required_within: found 0",
        ),
        (
            json!({ "witness": "https://b" }),
            "/witnesses/0/key: expected",
        ),
        (
            json!({ "witness": "https://b", "key": key }),
            "/witnesses/0/key: expected",
        ),
        (
            json!({ "witness": "https://b", "other": 1 }),
            "unknown field",
        ),
    ] {
        let error = read(json!({ "witnesses": [one] })).unwrap_err();
        assert!(error.contains(said), "{said}: {error}");
    }
    let many = vec![json!({ "file": "a" }); 17];
    let error = read(json!({ "witnesses": many })).unwrap_err();
    assert!(error.contains("/witnesses: found 17"), "{error}");
    for (one, said) in [
        (json!({ "name": "a b", "logs": ["k"] }), "/witness/name"),
        (json!({ "name": "a", "logs": [] }), "/witness/logs: found 0"),
        (
            json!({ "name": "a", "logs": ["k"] }),
            "/witness/logs/0: expected",
        ),
    ] {
        let error = read(json!({ "witness": one })).unwrap_err();
        assert!(error.contains(said), "{said}: {error}");
    }
}

#[test]
fn files_in_the_configuration_are_written_beside_that_of_the_command_line() {
    let folder = Folder::new();
    let config = config_with(
        &folder,
        json!({ "witnesses": [{ "file": folder.file("one") }, { "file": folder.file("two") }] }),
    );
    let desk = Desk::start_witnessed(&config, &folder.store(), &folder.file("three"));
    log(&desk, 1..=10);
    desk.stop();
    let one = fs::read(folder.file("one")).unwrap();
    assert!(!one.is_empty());
    for name in ["two", "three"] {
        assert_eq!(fs::read(folder.file(name)).unwrap(), one);
    }
    // A whole request without a body, as a browser might send it, is no order for a witness.
    let desk = start(&folder, json!({}));
    let answer = raw(
        desk.http,
        "POST /v1/witness/add-checkpoint HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    );
    assert_eq!(answer.status, 404);
}
