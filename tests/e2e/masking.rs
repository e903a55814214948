//! Masked answers: what the client sees instead of what the model said, in every form that an
//! answer takes.

mod chunks;
mod grpc;
mod statuses;
mod streams;

use std::fmt::Write as _;

use serde_json::{Value, json};
use testbed::body;
use testbed::http::raw::Connection;
use testbed::http::{Client, Request};
use testbed::model::Answer;

use crate::support::{Guarded, ana, chat, code, policy};
use crate::versions::in_every_envoy;

in_every_envoy!(json_is_masked);

/// Names of detectors, what each finds, and what the client sees. The forms of secrets are put
/// together here, so that nobody's scanner takes this file for a leak.
fn families() -> Vec<(&'static str, String, &'static str)> {
    let run = |prefix: &str, length: usize| {
        let rest = "a1B2c3D4e5F6g7H8i9J0".chars().cycle().take(length);
        prefix.chars().chain(rest).collect::<String>()
    };
    let key = format!(
        "-----BEGIN {0}-----\nMIIBVQIBADANBgkqhkiG9w0B\n-----END {0}-----",
        "PRIVATE KEY"
    );
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
    let pair =
        |(name, value, label): (&'static str, &str, &'static str)| (name, value.to_owned(), label);
    let mut all: Vec<_> = [
        ("email", "jane.doe@example.com", "[EMAIL]"),
        ("credit_card", "4111 1111 1111 1111", "[CREDIT_CARD]"),
        ("us_ssn", "219-09-9999", "[US_SSN]"),
        ("iban", "DE89 3704 0044 0532 0130 00", "[IBAN]"),
        ("ip", "203.0.113.77", "[IP]"),
        ("secret.jwt", jwt, "[JWT]"),
        ("ticket", "TCK-123456", "[TICKET]"),
        ("codename", "project halcyon", "[CODENAME]"),
    ]
    .map(pair)
    .into();
    all.extend([
        ("secret.private_key", key, "[PRIVATE_KEY]"),
        (
            "secret.aws_access_key",
            run("AKIA", 16).to_uppercase(),
            "[AWS_ACCESS_KEY]",
        ),
        ("secret.gcp_api_key", run("AIza", 35), "[GCP_API_KEY]"),
        ("secret.github_token", run("ghp_", 36), "[GITHUB_TOKEN]"),
        ("secret.gitlab_token", run("glpat-", 20), "[GITLAB_TOKEN]"),
        ("secret.slack_token", run("xoxb-", 40), "[SLACK_TOKEN]"),
        ("secret.stripe_key", run("sk_live_", 24), "[STRIPE_KEY]"),
        ("secret.openai_key", run("sk-proj-", 40), "[OPENAI_KEY]"),
        (
            "secret.anthropic_key",
            run("sk-ant-", 40),
            "[ANTHROPIC_KEY]",
        ),
        (
            "secret.huggingface_token",
            run("hf_", 34),
            "[HUGGINGFACE_TOKEN]",
        ),
    ]);
    all
}

/// A listener that masks, and one beside it, `plain`, that doesn't.
fn start(version: &str) -> Guarded {
    let masks = |style: &str| json!({"detect": ["email", "credit_card"], "style": style});
    let styled = |style: &str| {
        json!({
            "name": style,
            "when": {"operation": ["inference.completion"], "model": [style]},
            "then": "allow",
            "mask": [style],
        })
    };
    let masked = policy(&json!({
        "detectors": {
            "ticket": {"pattern": "\\bTCK-[0-9]{6}\\b", "label": "TICKET"},
            "codename": {"words": ["Project Halcyon", "Bluefin-7"], "label": "CODENAME"},
        },
        "masks": {
            "pii": {
                "detect": [
                    "email", "credit_card", "us_ssn", "iban", "ip", "secret.*", "ticket", "codename",
                ],
            },
            "stars": masks("stars"),
            "partial": masks("partial"),
            "remove": masks("remove"),
        },
        "rules": [
            styled("stars"),
            styled("partial"),
            styled("remove"),
            {"name": "others", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["pii"]},
        ],
    }));
    Guarded::start_with(version, &masked, |builder| {
        builder.listener("plain", policy(&json!({})))
    })
}

fn json_is_masked(version: &str) {
    let guarded = start(version);
    each_family_is_found(&guarded);
    styles_are_written(&guarded);
    every_cut_gives_the_same(&guarded);
    escapes_are_read_and_kept(&guarded);
    connections_stay_intact(&guarded);
    kserve_and_text_are_masked(&guarded);
    what_cannot_be_masked_is_not_passed(&guarded);
}

fn content(answer: &Value) -> &str {
    answer["choices"][0]["message"]["content"]
        .as_str()
        .unwrap_or_default()
}

fn each_family_is_found(guarded: &Guarded) {
    let mut everything = String::new();
    let mut all_masked = String::new();
    for (name, value, label) in families() {
        let host = format!("{name}.test");
        guarded.model.say(&format!("Take {value}, please."));
        let answer = guarded.send(chat(&ana(), "hello").header("host", &host));
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        assert_eq!(answer.broken, None, "{name}");
        assert_eq!(
            content(&answer.json()),
            format!("Take {label}, please."),
            "{name}"
        );
        // Nothing else has changed, and without the mask the value does arrive.
        let plain = guarded.send_to("plain", chat(&ana(), "hello"));
        let written = |text: &str| Value::from(text).to_string().trim_matches('"').to_owned();
        assert!(
            plain.text().contains(&written(&value)),
            "{name}: the control says it"
        );
        assert_eq!(
            plain.text().replace(&written(&value), label),
            answer.text(),
            "{name}"
        );

        let record = guarded.record(&host);
        assert_eq!(record["response"]["masked"], true, "{name}: {record}");
        assert_eq!(
            record["response"]["matches"],
            json!({name: 1}),
            "{name}: {record}"
        );
        assert_eq!(
            record["response"]["bytes_received"],
            plain.body.len(),
            "{name}: {record}"
        );
        assert_eq!(
            record["response"]["bytes_sent"],
            answer.body.len(),
            "{name}: {record}"
        );
        writeln!(everything, "- {value};").unwrap();
        writeln!(all_masked, "- {label};").unwrap();
    }
    guarded.model.say(&everything);
    let answer = guarded.send(chat(&ana(), "hello"));
    assert_eq!(content(&answer.json()), all_masked, "all at once");

    let near = "Take jane.doe at example.com, 4111 1111 1111 1112, 000-09-9999, version 1.2.3, \
                TCK-12345 and project halcyons.";
    guarded.model.say(near);
    let answer = guarded.send(chat(&ana(), "hello").header("host", "near.test"));
    assert_eq!(content(&answer.json()), near);
    assert_eq!(
        guarded.record("near.test")["response"]["matches"],
        json!({})
    );
}

fn styles_are_written(guarded: &Guarded) {
    guarded
        .model
        .say("Mail jane.doe@example.com, pay with 4111 1111 1111 1111.");
    for (style, expected) in [
        (
            "stars",
            "Mail ********************, pay with *******************.",
        ),
        (
            "partial",
            "Mail ****************.com, pay with ***************1111.",
        ),
        ("remove", "Mail , pay with ."),
        ("label", "Mail [EMAIL], pay with [CREDIT_CARD]."),
    ] {
        let body = json!({"model": style, "prompt": "hello"});
        let request = Request::post("/v1/completions").bearer(&ana()).json(&body);
        let answer = guarded.send(request).json();
        assert_eq!(answer["choices"][0]["text"], expected, "{style}");
    }
}

const JANE: &str =
    r#"{"id":"x","choices":[{"message":{"content":"Mail jane.doe@example.com or TCK-123456."}}]}"#;
const JANE_MASKED: &str =
    r#"{"id":"x","choices":[{"message":{"content":"Mail [EMAIL] or [TICKET]."}}]}"#;

/// A GET whose answer is made up by a test.
const MADE_UP: &str = "/v1/made-up";

fn made_up() -> Request {
    Request::get(MADE_UP).bearer(&ana())
}

fn every_cut_gives_the_same(guarded: &Guarded) {
    for size in [1, 2, 3, 5, 17, 40, 1000] {
        let steps = body::split(JANE.as_bytes(), size);
        let chunked = Answer::new(200)
            .header("content-type", "application/json")
            .steps(steps.clone());
        let length = chunked.clone().header("content-length", JANE.len());
        for (form, answer) in [("chunked", chunked), ("of known length", length)] {
            guarded.model.answer(MADE_UP, answer);
            let answer = guarded.send(made_up());
            assert_eq!(answer.status, 200, "{form}, pieces of {size}");
            assert_eq!(answer.broken, None, "{form}, pieces of {size}");
            assert_eq!(answer.text(), JANE_MASKED, "{form}, pieces of {size}");
        }
    }
}

fn escapes_are_read_and_kept(guarded: &Guarded) {
    for (said, seen) in [
        (
            r#"{"a":"jane\u0040example.com\n\u00e9\/"}"#,
            r#"{"a":"[EMAIL]\n\u00e9\/"}"#,
        ),
        (r#"{"a":"\u006aane@example.com"}"#, r#"{"a":"[EMAIL]"}"#),
        (
            r#"{"a":"TCK\u002d123456 \ud83d\ude00"}"#,
            r#"{"a":"[TICKET] \ud83d\ude00"}"#,
        ),
        (
            "{ \"a\" : [1.50, true , null, \"x\\ty\"],\r\n\t\"b\":{}}\n",
            "{ \"a\" : [1.50, true , null, \"x\\ty\"],\r\n\t\"b\":{}}\n",
        ),
    ] {
        let answer = Answer::new(200)
            .header("content-type", "application/json")
            .body(said);
        guarded.model.answer(MADE_UP, answer);
        assert_eq!(guarded.send(made_up()).text(), seen, "{said}");
    }
}

/// A body's length changes, and the connection goes on with the next request.
fn connections_stay_intact(guarded: &Guarded) {
    let json = || Answer::new(200).header("content-type", "application/json");
    for (form, answer) in [
        ("of known length", json().header("etag", "\"1\"").body(JANE)),
        ("chunked", json().steps(body::split(JANE.as_bytes(), 9))),
    ] {
        guarded.model.answer(MADE_UP, answer);
        let mut connection = Connection::open(guarded.mesh.port()).unwrap();
        let token = ana();
        let request =
            format!("GET {MADE_UP} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n");
        for nth in 1..=3 {
            connection.send(request.as_bytes()).unwrap();
            let answer = connection.response().unwrap();
            assert_eq!(answer.status, 200, "{form}, answer {nth}");
            assert_eq!(answer.broken, None, "{form}, answer {nth}");
            assert_eq!(answer.text(), JANE_MASKED, "{form}, answer {nth}");
            if let Some(length) = answer.header("content-length") {
                assert_eq!(
                    length,
                    JANE_MASKED.len().to_string(),
                    "{form}, answer {nth}"
                );
            }
            assert_eq!(answer.header("etag"), None, "{form}: it names other bytes");
        }
        let client = Client::http2(guarded.mesh.port()).unwrap();
        for nth in 1..=3 {
            let answer = client.send(made_up()).unwrap();
            assert_eq!(
                answer.text(),
                JANE_MASKED,
                "{form} over HTTP/2, answer {nth}"
            );
            assert_eq!(answer.broken, None, "{form} over HTTP/2, answer {nth}");
        }
    }
}

fn kserve_and_text_are_masked(guarded: &Guarded) {
    guarded.model.say("Mail jane.doe@example.com.");
    let body = json!({"inputs": [{"name": "t", "shape": [1], "datatype": "BYTES", "data": ["a"]}]});
    let request = Request::post("/v2/models/small-1/infer")
        .bearer(&ana())
        .json(&body);
    let answer = guarded.send(request).json();
    assert_eq!(answer["outputs"][0]["data"], json!(["Mail [EMAIL]."]));
    assert_eq!(answer["model_name"], "small-1");

    for media in ["text/plain; charset=utf-8", "text/csv"] {
        let said = "jane.doe@example.com,\"TCK-123456\"\r\n";
        guarded.model.answer(
            MADE_UP,
            Answer::new(200).header("content-type", media).body(said),
        );
        assert_eq!(
            guarded.send(made_up()).text(),
            "[EMAIL],\"[TICKET]\"\r\n",
            "{media}"
        );
    }
    // An error may quote what it was asked, or what it knows.
    let answer = Answer::json(&json!({"error": "no jane.doe@example.com"})).status(404);
    guarded.model.answer(MADE_UP, answer);
    let answer = guarded.send(made_up());
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (404, r#"{"error":"no [EMAIL]"}"#)
    );
}

fn what_cannot_be_masked_is_not_passed(guarded: &Guarded) {
    let said = |media: &str| Answer::new(200).header("content-type", media).body(JANE);
    for (case, expected, answer) in [
        (
            "coding",
            "encoding_not_maskable",
            said("application/json").header("content-encoding", "compress"),
        ),
        (
            "unknown-media",
            "media_type_not_maskable",
            said("application/octet-stream"),
        ),
        (
            "range",
            "range_not_maskable",
            said("application/json")
                .status(206)
                .header("content-range", "bytes 0-1/2"),
        ),
    ] {
        guarded.model.answer(MADE_UP, answer);
        let host = format!("unmaskable-{case}.test");
        let answer = guarded.send(made_up().header("host", &host));
        assert_eq!(answer.status, 502, "{case}: {}", answer.text());
        assert_eq!(code(&answer), expected, "{case}");
        assert!(!answer.text().contains("jane"), "{case}: {}", answer.text());
        let record = guarded.record(&host);
        assert_eq!(record["response"]["code"], expected, "{case}: {record}");
    }

    // The model server is asked for what can be masked.
    guarded.model.answer(MADE_UP, said("application/json"));
    guarded.model.forget();
    let request = made_up()
        .header("accept-encoding", "gzip, br")
        .header("range", "bytes=0-9");
    assert_eq!(guarded.send(request).text(), JANE_MASKED);
    let received = guarded.model.wait_received(1).unwrap();
    assert_eq!(received[0].header("accept-encoding"), Some("identity"));
    assert_eq!(received[0].header("range"), None);
}
