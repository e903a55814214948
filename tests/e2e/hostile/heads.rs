//! Heads of requests: too long, too many, absurd tokens, upgrades.

use std::iter;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use testbed::http::raw::Connection;
use testbed::http::{Client, Request, Response};
use testbed::idp::Alg;

use super::strict;
use crate::support::{Guarded, ana, idp};
use crate::versions::in_the_current_envoy;
use crate::vms::Vms;

in_the_current_envoy!(absurd_heads_are_refused, absurd_tokens_are_refused);

fn absurd_heads_are_refused(version: &str) {
    let guarded = Guarded::start(version, &strict());
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let vms = Vms::of(mesh);
    model.answer(
        "/echo",
        testbed::model::Answer::json(&json!({"text": "ana@corp.com"})),
    );
    let long = "a".repeat(60 * 1024);
    let path = |length: usize| format!("/{}", "a".repeat(length - 1));
    let get = |path: &str| Request::get(path).bearer(&ana());
    for two in [false, true] {
        // Envoy closes a connection on which too much was sent, so each has its own.
        let send = |request| -> Result<Response, String> {
            match two {
                true => Client::http2(mesh.port())?.send(request),
                false => Client::http1(mesh.port())?.send(request),
            }
        };
        let too_much = [
            get("/echo").header("x-note", &long),
            Request::get("/echo").header("authorization", format!("Bearer {long}")),
            get("/echo").header("content-type", &long),
            (0..3000).fold(get("/echo"), |request, at| {
                request.header(&format!("x-{at}"), "1")
            }),
            (0..3000).fold(get("/echo"), |request, _| request.header("x-note", "1")),
            get(&path(64 * 1024)),
        ];
        model.forget();
        for request in too_much {
            // HTTP/2 may end the stream instead of answering.
            if let Ok(refused) = send(request) {
                assert!(matches!(refused.status, 400 | 431), "{}", refused.status);
            }
        }
        assert_eq!(model.begun(), 0);

        // What Envoy still takes, the filter takes too.
        let note = "e".repeat(50 * 1024);
        for (what, request) in [
            ("a long header", get("/echo").header("x-note", &note)),
            (
                "many names",
                (0..80).fold(get("/echo"), |request, at| {
                    request.header(&format!("x-{at}"), "1")
                }),
            ),
            (
                "many values",
                (0..80).fold(get("/echo"), |request, _| {
                    request.header("x-note", "\u{e9}")
                }),
            ),
            (
                "a long query",
                get(&format!("/echo?{}", "q=%&%41;".repeat(1000))),
            ),
        ] {
            let what = format!("HTTP/2: {two}, {what}");
            let response = send(request).unwrap_or_else(|why| panic!("{what}: {why}"));
            assert_eq!(response.status, 200, "{}", response.text());
            assert_eq!(response.text(), r#"{"text":"[EMAIL]"}"#);
        }
        let response = send(get(&path(8 * 1024))).unwrap();
        assert_eq!(response.status, 404);
        let response = send(get(&"/..".repeat(2700))).unwrap();
        assert_eq!(response.status, 400, "{}", response.text());
        let response = send(get(&"/%2e%2E".repeat(1100))).unwrap();
        assert_eq!(response.status, 400, "{}", response.text());
        // Headers that should stand once.
        let twice = get("/echo")
            .header("content-type", "a/b")
            .header("content-type", "c/d");
        assert_eq!(send(twice).unwrap().status, 200);
    }

    // What no client library sends.
    let token = ana();
    for (head, statuses) in [
        ("GET /echo HTTP/1.1\r\n", &[400][..]),
        ("GET echo HTTP/1.1\r\nhost: h\r\n", &[400, 404]),
        ("GET http://h/echo HTTP/1.1\r\nhost: other\r\n", &[200]),
        ("GET * HTTP/1.1\r\nhost: h\r\n", &[400, 404]),
        ("OPTIONS * HTTP/1.1\r\nhost: h\r\n", &[400, 404]),
        ("CONNECT h:80 HTTP/1.1\r\nhost: h:80\r\n", &[400, 403, 404]),
        ("GET /a\\..\\echo HTTP/1.1\r\nhost: h\r\n", &[400]),
        ("GET /%2fecho HTTP/1.1\r\nhost: h\r\n", &[400]),
        ("GET /echo%00 HTTP/1.1\r\nhost: h\r\n", &[400]),
        ("GET /echo\u{e9} HTTP/1.1\r\nhost: h\r\n", &[400]),
        ("GET /echo HTTP/1.1\r\nhost: \u{e9}\r\n", &[200, 400]),
        (
            "POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ncontent-length: 6\r\n",
            &[400],
        ),
        (
            "POST /echo HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n",
            &[400],
        ),
    ] {
        let mut connection = Connection::open(mesh.port()).unwrap();
        let whole = format!("{head}authorization: Bearer {token}\r\n\r\n");
        connection.send(whole.as_bytes()).unwrap();
        let response = connection.response().unwrap();
        assert!(
            statuses.contains(&response.status),
            "{head}: {}",
            response.status
        );
        assert!(
            !response.text().contains('@'),
            "{head}: {}",
            response.text()
        );
    }
    // An upgrade under a mask would carry what nobody masks.
    for protocol in ["websocket", "h2c", "foo"] {
        let mut connection = Connection::open(mesh.port()).unwrap();
        let head = format!(
            "GET /echo HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {token}\r\n\
             connection: Upgrade\r\nupgrade: {protocol}\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        connection.send(head.as_bytes()).unwrap();
        let response = connection.response().unwrap();
        assert_ne!(response.status, 101, "{protocol}");
        assert!(
            !response.text().contains('@'),
            "{protocol}: {}",
            response.text()
        );
    }
    vms.all_live(mesh);
}

fn absurd_tokens_are_refused(version: &str) {
    let guarded = Guarded::start(version, &strict());
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let vms = Vms::of(mesh);
    let good = ana();
    let parts: Vec<&str> = good.split('.').collect();
    let claims = idp().claims("ana", &["engineers"]);
    let deep = format!("{}1{}", "[".repeat(6000), "]".repeat(6000));
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let mut tokens: Vec<String> = vec![
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        "...".to_owned(),
        ".".repeat(10_000),
        "a.b.c".to_owned(),
        "=.=.=".to_owned(),
        format!("{good}."),
        format!(".{good}"),
        format!("{good}=="),
        format!("{good} {good}"),
        format!("{},{}", good, good),
        good.to_uppercase(),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}..{}", parts[0], parts[2]),
        format!("{}.{}.{}", parts[1], parts[0], parts[2]),
        format!("{}.{}.{}", encode("x"), parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], encode(&deep), parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], "A".repeat(12_000)),
        format!("{}.{}.{}", parts[0], "A".repeat(12_000), parts[2]),
        format!("{}.{}.{}", "A".repeat(12_000), parts[1], parts[2]),
        "A".repeat(50_000),
        idp().unsigned("ana", &["engineers"]),
        idp().forged("ana", &["engineers"]),
    ];
    // Signed with the right key, and no token all the same.
    for header in [
        json!({}),
        json!([]),
        json!({"alg": null, "kid": "ec-1"}),
        json!({"alg": "none", "kid": "ec-1"}),
        json!({"alg": "HS256", "kid": "ec-1"}),
        json!({"alg": "es256", "kid": "ec-1"}),
        json!({"alg": "RS256", "kid": "ec-1"}),
        json!({"alg": "ES256", "kid": 1}),
        json!({"alg": "ES256", "kid": "ec-1", "crit": ["exp"]}),
        json!({"alg": "ES256", "kid": "ec-1", "jwk": idp().jwks()["keys"][1]}),
        json!({"alg": "ES256", "kid": "ec-1", "b64": false}),
        json!({"alg": "ES256", "kid": "k".repeat(8000)}),
    ] {
        tokens.push(idp().token_with(&header, &claims, Alg::Es256));
    }
    for (name, value) in [
        ("exp", json!("9999999999")),
        ("exp", json!(-1)),
        ("exp", json!(null)),
        ("exp", json!([])),
        ("nbf", json!("now")),
        ("nbf", json!(1e300)),
        ("iss", json!(["x"])),
        ("iss", json!({})),
        ("aud", json!({"inference": true})),
        ("aud", json!([])),
        ("aud", json!(7)),
        ("sub", json!("")),
        ("sub", json!(["ana"])),
        ("sub", json!(null)),
    ] {
        let claims = testbed::idp::with(claims.clone(), name, value);
        tokens.push(idp().token(&claims, Alg::Es256));
    }
    for claims in [json!([]), json!("ana"), json!(null), json!({})] {
        tokens.push(idp().token(&claims, Alg::Es256));
    }
    let client = Client::http1(mesh.port()).unwrap();
    for token in &tokens {
        let shown: String = token.chars().take(80).collect();
        let refused = client
            .send(Request::get("/v1/models").bearer(token))
            .unwrap();
        assert_eq!(refused.status, 401, "{shown}: {}", refused.text());
        assert!(refused.header("www-authenticate").is_some(), "{shown}");
    }
    for value in ["", "Bearer", "Bearer ", "Basic YTpi", "bearerx", "Bearer\t"] {
        let request = Request::get("/v1/models").header("authorization", value);
        assert_eq!(client.send(request).unwrap().status, 401, "{value:?}");
    }
    assert_eq!(model.begun(), 0);
    let many = json!(iter::repeat_n("group", 500).collect::<Vec<_>>());
    let token = idp().token(&testbed::idp::with(claims, "groups", many), Alg::Es256);
    let response = client
        .send(Request::get("/v1/models").bearer(&token))
        .unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    vms.all_live(mesh);
}
