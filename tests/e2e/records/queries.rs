//! A query may hold a key (`?api_key=...`): nothing that is kept of an exchange has it.

use std::fs;
use std::time::Duration;

use serde_json::json;
use testbed::http::Request;
use testbed::http::raw::Connection;
use testbed::wait;

use crate::support::{Desk, Guarded, ana, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(a_query_is_written_nowhere);

const SECRET: &str = "sk-the-key-in-the-query";

/// Asks with the secret in every place of a head that some log of Envoy's would quote.
fn get(path: &str) -> Request {
    Request::get(&format!("{path}?api_key={SECRET}"))
        .header("referer", format!("https://app.test/?api_key={SECRET}"))
        .header("x-envoy-original-path", format!("/?api_key={SECRET}"))
        .header("user-agent", format!("client ({SECRET})"))
}

fn a_query_is_written_nowhere(version: &str) {
    let desk = Desk::start();
    let gated = policy(&json!({
        "approvals": {
            "cluster": "desk",
            "credential": "Bearer ${DESK_KEY}",
            "wait": "300ms",
        },
        "rules": [
            {
                "name": "files",
                "when": {"operation": ["file.read"]},
                "then": {"approve": {"reviewers": ["ml-leads"]}},
            },
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"},
        ],
    }));
    let guarded = Guarded::start_with(version, &gated, |builder| {
        builder
            .cluster_http2("desk", desk.port)
            .cluster_http2("desk_log", desk.log_port)
    });
    for (path, known, status) in [
        ("/v1/models", true, 200),
        ("/v1/models", false, 401),
        ("/v1%2fmodels", true, 400),
        // A question to a person.
        ("/v1/files", true, 409),
    ] {
        let request = get(path);
        let request = if known {
            request.bearer(&ana())
        } else {
            request
        };
        let answer = guarded.send(request);
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
    }
    // What Envoy refuses before the filter is asked, it logs all the same.
    let mut raw = Connection::open(guarded.mesh.port()).unwrap();
    let head = format!("GET /v1/models?api_key={SECRET}#x HTTP/1.1\r\nhost: raw.test\r\n\r\n");
    raw.send(head.as_bytes()).unwrap();
    assert_eq!(raw.response().unwrap().status, 400);

    let lines = guarded.mesh.access_log(5).unwrap();
    let paths: Vec<&str> = lines
        .iter()
        .map(|line| line["path"].as_str().unwrap())
        .collect();
    assert_eq!(
        paths,
        [
            "/v1/models",
            "/v1/models",
            "/v1%2fmodels",
            "/v1/files",
            "/v1/models"
        ]
    );
    let written = guarded.mesh.sessions(4).unwrap().len();
    let stored = || {
        let list = desk.get("/v1/sessions");
        list["sessions"].as_array().unwrap().len() == written
    };
    wait::until("the desk to have each", Duration::from_secs(30), stored).unwrap();

    let log = fs::read(guarded.mesh.file("access.log")).unwrap();
    let mut places = vec![
        ("the access log".to_owned(), log),
        ("Envoy's log".to_owned(), guarded.mesh.log().into_bytes()),
        ("the desk's log".to_owned(), desk.process.log().into_bytes()),
    ];
    // The ledger packs its records: here is what they say.
    let records = desk.get("/v1/sessions?limit=200").to_string();
    places.push(("the desk's ledger".to_owned(), records.into_bytes()));
    // The database with what waits beside it.
    let ledger = desk.place.ledger();
    for entry in fs::read_dir(ledger.parent().unwrap()).unwrap() {
        let file = entry.unwrap().path();
        if file.is_file() {
            places.push((file.display().to_string(), fs::read(&file).unwrap()));
        }
    }
    let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|at| at == text.as_bytes());
    for (store, path) in [("desk.sqlite", "/v1/files"), ("ledger", "/v1/models")] {
        let mut found = places.iter();
        let found = found.any(|(name, bytes)| name.contains(store) && has(bytes, path));
        assert!(found, "{store} was looked at");
    }
    for (place, bytes) in &places {
        assert!(!has(bytes, SECRET), "{place} has the query");
    }
}
