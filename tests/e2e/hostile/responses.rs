//! Answers of a model server that is broken, or that says what can't be masked.

use serde_json::{Value, json};
use testbed::body::{Step, split};
use testbed::envoy::OLDEST;
use testbed::http::{Client, Request};
use testbed::mesh::Mesh;
use testbed::model::Answer;

use super::strict;
use crate::crude::{Crude, Then};
use crate::support::{CREDENTIAL, Guarded, ana, code};
use crate::versions::in_each_envoy;
use crate::vms::Vms;

in_each_envoy!(
    a_broken_answer_shows_nothing,
    what_cannot_be_masked_is_refused,
    an_answer_without_a_body_stays_as_it_is,
);

/// In no form may this arrive.
const ADDRESS: &str = "ana@corp.com";

fn get(path: &str) -> Request {
    Request::get(path).bearer(&ana())
}

fn a_broken_answer_shows_nothing(version: &str) {
    let guarded = Guarded::start(version, &strict());
    let http2 = Guarded::start_with(version, &strict(), |builder| {
        builder.model_http2(guarded.model.port())
    });
    let model = &guarded.model;
    let vms = [Vms::of(&guarded.mesh), Vms::of(&http2.mesh)];
    // Over HTTP/2 a cut ends one stream, and not at leisure the whole connection.
    let clients = [&guarded.mesh, &http2.mesh].map(|mesh| Client::http2(mesh.port()).unwrap());
    let event = |text: &str| {
        let delta = json!({"choices": [{"index": 0, "delta": {"content": text}}]});
        format!("data: {delta}\n\n")
    };
    // Cut off by the model server, in every place.
    for (kind, body) in [
        (
            "application/json",
            json!({"text": format!("to {ADDRESS} now")}).to_string(),
        ),
        ("text/plain", format!("Write to {ADDRESS} now")),
        (
            "text/event-stream",
            format!("{}{}{}", event("to ana"), event("@corp"), event(".com now")),
        ),
    ] {
        for at in (0..body.len()).step_by(3) {
            let steps = vec![Step::data(&body.as_bytes()[..at]), Step::Cut];
            let answer = Answer::new(200).header("content-type", kind);
            model.answer("/cut", answer.steps(steps));
            for client in &clients {
                let response = client.send(get("/cut")).unwrap();
                let text = response.text();
                for part in [ADDRESS, "ana@c", "@corp"] {
                    assert!(!text.contains(part), "{kind} cut at {at}: {text}");
                }
                // Older Envoys end the stream with "no error" here, with or without the filter.
                assert!(
                    response.broken.is_some() || version == OLDEST,
                    "{kind} at {at}"
                );
            }
        }
        // Over HTTP/1 no version makes the part pass for the whole.
        let middle = body.len() / 2;
        let steps = vec![Step::data(&body.as_bytes()[..middle]), Step::Cut];
        let answer = Answer::new(200).header("content-type", kind);
        model.answer("/cut", answer.steps(steps));
        for mesh in [&guarded.mesh, &http2.mesh] {
            let response = testbed::http::send(mesh.port(), get("/cut")).unwrap();
            assert!(response.broken.is_some(), "{kind}: {response:?}");
        }
    }
    // Ended early, or not what its type says: what is left is masked all the same.
    for (kind, body, expected) in [
        (
            "application/json",
            "{\"text\":\"to ana@corp.com",
            "{\"text\":\"to [EMAIL]",
        ),
        ("application/json", "to ana@corp.com", "to [EMAIL]"),
        ("application/json", "{\"ana@corp.com\"", "{\"[EMAIL]\""),
        (
            "application/json",
            "]}{\"a\":\"ana@corp.com\"",
            "]}{\"a\":\"[EMAIL]\"",
        ),
        (
            "application/json",
            "{\"a\":\"\\uD83D ana\\u0040corp.com \\x\"}",
            "{\"a\":\"\\uD83D [EMAIL] \\x\"}",
        ),
        (
            "text/event-stream",
            "data: to ana@corp.com",
            "data: to [EMAIL]",
        ),
        (
            "text/event-stream",
            "data: {\"a\":\"ana@corp.com",
            "data: {\"a\":\"[EMAIL]",
        ),
        ("text/event-stream", ": ana@corp.com\n\n", ": [EMAIL]\n\n"),
        ("text/plain", "ana@corp.com", "[EMAIL]"),
    ] {
        for pieces in [1, 1000] {
            let steps = split(body.as_bytes(), pieces);
            let answer = Answer::new(200).header("content-type", kind);
            model.answer("/odd", answer.steps(steps));
            for client in &clients {
                let response = client.send(get("/odd")).unwrap();
                assert_eq!((response.status, &response.broken), (200, &None), "{body}");
                assert_eq!(response.text(), expected, "{kind}");
            }
        }
    }
    // Bytes that are no text stay, and hide nothing.
    let noise: Vec<u8> = (0x80..=0xff).collect();
    for (kind, front, back) in [
        ("application/json", "{\"text\":\"", "\"}"),
        ("text/plain", "", ""),
        ("text/event-stream", "data: ", "\n\n"),
    ] {
        let body = |text: &str| {
            [
                front.as_bytes(),
                &noise,
                text.as_bytes(),
                &noise,
                back.as_bytes(),
            ]
            .concat()
        };
        let answer = Answer::new(200).header("content-type", kind);
        model.answer("/noise", answer.body(body(" ana@corp.com ")));
        let response = guarded.send(get("/noise"));
        assert_eq!((response.status, &response.broken), (200, &None), "{kind}");
        assert!(
            response.body == body(" [EMAIL] "),
            "{kind}: {}",
            response.text()
        );
    }
    // Nesting is no reason to give up.
    let depth = 10_000;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let body = |text: &str| format!("{}\"{text}\"{}", open.repeat(depth), close.repeat(depth));
        for kind in ["application/json", "text/event-stream"] {
            let (front, back) = match kind {
                "application/json" => ("", ""),
                _ => ("data: ", "\n\n"),
            };
            let whole = |text: &str| format!("{front}{}{back}", body(text));
            let answer = Answer::new(200).header("content-type", kind);
            model.answer("/deep", answer.body(whole(ADDRESS)));
            let response = guarded.send(get("/deep"));
            assert_eq!((response.status, &response.broken), (200, &None), "{kind}");
            assert!(response.text() == whole("[EMAIL]"), "{kind} of {open}");
        }
    }
    vms[0].all_live(&guarded.mesh);
    vms[1].all_live(&http2.mesh);
}

fn what_cannot_be_masked_is_refused(version: &str) {
    let guarded = Guarded::start(version, &strict());
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let vms = Vms::of(mesh);
    let body = format!("{{\"text\":\"{ADDRESS}\"}}");
    let json = || Answer::new(200).header("content-type", "application/json");
    let of_type = |kind: &str| Answer::new(200).header("content-type", kind);
    let client = Client::http1(mesh.port()).unwrap();
    for (answer, reason) in [
        (
            json().header("content-encoding", "compress"),
            "encoding_not_maskable",
        ),
        (
            json().header("content-encoding", "gzip, br"),
            "encoding_not_maskable",
        ),
        (
            json().header("content-encoding", "GZIP, identity, GZIP"),
            "encoding_not_maskable",
        ),
        (
            json()
                .header("content-encoding", "br")
                .header("content-encoding", "zstd"),
            "encoding_not_maskable",
        ),
        (
            json().status(206).header("content-range", "bytes 0-9/100"),
            "range_not_maskable",
        ),
        (
            json().header("content-type", "image/png"),
            "media_type_not_maskable",
        ),
        (
            of_type("application/octet-stream"),
            "media_type_not_maskable",
        ),
        (of_type("multipart/mixed"), "media_type_not_maskable"),
        (of_type("application/pdf"), "media_type_not_maskable"),
        (of_type("application/grpc+json"), "grpc_not_maskable"),
        (of_type("application/grpc-web-text"), "grpc_not_maskable"),
        (of_type(";"), "media_type_not_maskable"),
    ] {
        model.answer("/answer", answer.body(body.clone()));
        let refused = client.send(get("/answer")).unwrap();
        assert_eq!(refused.status, 502, "{reason}: {}", refused.text());
        assert_eq!(code(&refused), reason);
        assert!(!refused.text().contains('@'));
        assert_eq!(refused.header("content-encoding"), None);
    }
    // The model server is asked for what can be masked.
    let ranged = get("/answer")
        .header("range", "bytes=0-9")
        .header("accept-encoding", "gzip, br");
    model.forget();
    client.send(ranged).unwrap();
    let asked = &model.received()[0];
    assert_eq!(asked.header("accept-encoding"), Some("identity"));
    assert_eq!(asked.header("range"), None);

    // Whatever its status, an answer with text in it is masked.
    for status in [201, 400, 404, 429, 500, 503] {
        model.answer("/answer", json().status(status).body(body.clone()));
        let response = client.send(get("/answer")).unwrap();
        assert_eq!(response.status, status);
        assert_eq!(response.text(), "{\"text\":\"[EMAIL]\"}");
    }
    // Without a type it is taken for JSON, and masked if it is none.
    model.answer("/answer", Answer::new(200).body(ADDRESS));
    assert_eq!(client.send(get("/answer")).unwrap().text(), "[EMAIL]");
    vms.all_live(mesh);
}

fn an_answer_without_a_body_stays_as_it_is(version: &str) {
    let model = Crude::start(|head, _| {
        let start = head.split(" HTTP").next().unwrap();
        let answer = match start {
            "HEAD /known" => {
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1234\r\netag: \"1\"\r\n\r\n"
            }
            "HEAD /encoded" => {
                "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 99\r\n\r\n"
            }
            "GET /none" => "HTTP/1.1 204 No Content\r\netag: \"1\"\r\n\r\n",
            "GET /same" => {
                "HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\ncontent-type: application/json\r\n\r\n"
            }
            "GET /empty" => {
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n"
            }
            "GET /upgrade" => {
                "HTTP/1.1 101 Switching Protocols\r\nupgrade: foo\r\nconnection: upgrade\r\n\r\nana@corp.com"
            }
            "GET /early" => {
                "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 12\r\n\r\nana@corp.com"
            }
            "GET /long" => {
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3\r\n\r\n123ana@corp.com"
            }
            "GET /both" => {
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\nana@corp.com"
            }
            "GET /end" => "HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\nto ana@corp.com",
            other => panic!("{other}"),
        };
        let then = match start {
            "GET /long" | "GET /end" | "GET /upgrade" | "GET /both" => Then::Close,
            _ => Then::Stay,
        };
        (answer.as_bytes().to_vec(), then)
    });
    let mesh = Mesh::builder()
        .version(Some(version))
        .policy(strict())
        .variable("MODEL_SERVER_KEY", CREDENTIAL)
        .shared()
        .model(model.port())
        .start()
        .unwrap();
    let vms = Vms::of(&mesh);
    for two in [false, true] {
        let client = match two {
            true => Client::http2(mesh.port()).unwrap(),
            false => Client::http1(mesh.port()).unwrap(),
        };
        let send = |method: &str, path: &str| {
            client
                .send(Request::new(method, path).bearer(&ana()))
                .unwrap()
        };
        // They say of a body what would not be true of it under the mask.
        let head = send("HEAD", "/known");
        assert_eq!((head.status, head.header("content-length")), (200, None));
        assert_eq!(head.header("etag"), None);
        let encoded = send("HEAD", "/encoded");
        assert_eq!(
            (encoded.status, encoded.header("content-encoding")),
            (200, None)
        );
        let none = send("GET", "/none");
        assert_eq!((none.status, none.body.len()), (204, 0));
        assert_eq!(none.header("etag"), Some("\"1\""));
        let same = send("GET", "/same");
        assert_eq!((same.status, same.header("etag")), (304, None));
        let empty = send("GET", "/empty");
        assert_eq!((empty.status, empty.body.len()), (200, 0));
        assert_eq!(send("GET", "/early").text(), "[EMAIL]");
        assert_eq!(send("GET", "/end").text(), "to [EMAIL]");
        for path in ["/upgrade", "/both"] {
            let response = send("GET", path);
            assert!(response.status >= 500, "{path}: {}", response.status);
            assert!(
                !response.text().contains('@'),
                "{path}: {}",
                response.text()
            );
        }
        let long = send("GET", "/long");
        assert_eq!((long.status, long.text().as_str()), (200, "123"));
    }
    let records: Vec<Value> = mesh.sessions(1).unwrap();
    assert!(!records.is_empty());
    vms.all_live(&mesh);
}
