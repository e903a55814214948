//! Calls to the desk that end in every way but a good one.

use serde_json::json;
use testbed::model::Model;

use super::{gated, masked_with};
use crate::crude::{Crude, Then};
use crate::support::{CREDENTIAL, ana, chat, code};
use crate::versions::in_each_envoy;
use crate::vms::Vms;
use testbed::mesh::Mesh;

in_each_envoy!(no_answer_of_the_desk_lets_a_request_pass);

/// An answer that would approve, if it were whole.
const APPROVAL: &str = r#"{"id":"apr_1","state":"approved"}"#;

fn head(length: usize) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n")
}

fn whole(body: &str) -> String {
    head(body.len()) + body
}

/// What the caller of a desk of this name is told.
fn why(name: &str) -> &'static str {
    match name {
        "fails" => "approval_service_failed",
        "has-no-text"
        | "is-not-json"
        | "says-two-things"
        | "has-no-id"
        | "has-an-id-of-its-own"
        | "has-a-state-of-its-own"
        | "creates" => "approval_not_understood",
        _ => "approval_unavailable",
    }
}

fn no_answer_of_the_desk_lets_a_request_pass(version: &str) {
    let stay = || Then::Stay;
    let close = || Then::Close;
    let silence = || Then::Silence;
    let padded = format!("{APPROVAL}{}", " ".repeat(33 << 20));
    let desks: Vec<(&str, Crude)> = vec![
        ("says-nothing", Crude::always("", close)),
        (
            "breaks-off-in-its-head",
            Crude::always("HTTP/1.1 200 OK\r\ncontent-", close),
        ),
        (
            "breaks-off-behind-its-head",
            Crude::always(head(APPROVAL.len()), close),
        ),
        (
            "breaks-off-in-its-body",
            Crude::always(head(APPROVAL.len() + 1) + APPROVAL, close),
        ),
        (
            "breaks-off-in-its-chunks",
            Crude::always(
                format!(
                    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{APPROVAL}\r\n",
                    APPROVAL.len()
                ),
                close,
            ),
        ),
        (
            "speaks-another-protocol",
            Crude::always("SSH-2.0-OpenSSH_9.2\r\n", close),
        ),
        ("has-no-text", Crude::always(whole(""), stay)),
        ("is-not-json", Crude::always(whole("approved"), stay)),
        (
            "says-two-things",
            Crude::always(
                whole(r#"{"id":"apr_1","state":"denied","state":"approved"}"#),
                stay,
            ),
        ),
        (
            "has-no-id",
            Crude::always(whole(r#"{"state":"approved"}"#), stay),
        ),
        (
            "has-an-id-of-its-own",
            Crude::always(whole(r#"{"id":"a\r\nb","state":"approved"}"#), stay),
        ),
        (
            "has-a-state-of-its-own",
            Crude::always(whole(r#"{"id":"a","state":"APPROVED"}"#), stay),
        ),
        (
            "fails",
            Crude::always(
                format!(
                    "HTTP/1.1 500 Oops\r\ncontent-length: {}\r\n\r\n{APPROVAL}",
                    APPROVAL.len()
                ),
                stay,
            ),
        ),
        (
            "creates",
            Crude::always(
                format!(
                    "HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n{APPROVAL}",
                    APPROVAL.len()
                ),
                stay,
            ),
        ),
        (
            "says-more-than-is-read",
            Crude::always(whole(&format!("{APPROVAL}{}", " ".repeat(65_536))), stay),
        ),
        (
            "says-more-than-envoy-takes",
            Crude::always(whole(&padded), stay),
        ),
        ("never-answers", Crude::always("", silence)),
        (
            "never-ends",
            Crude::always(head(APPROVAL.len() + 1) + APPROVAL, silence),
        ),
    ];
    let model = Model::start().unwrap();
    let mut mesh = Mesh::builder()
        .version(Some(version))
        .policy(masked_with(&json!({})))
        .variable("MODEL_SERVER_KEY", CREDENTIAL)
        .shared()
        .model(model.port())
        .listener("missing", gated("no-such-cluster"))
        .listener("not-there", gated("desk"));
    let mut names = vec!["missing", "not-there"];
    for (name, desk) in &desks {
        let mut policy = gated(name);
        if name.starts_with("never") {
            policy["approvals"]["timeout"] = json!("300ms");
        }
        mesh = mesh.cluster(name, desk.port()).listener(name, policy);
        names.push(name);
    }
    let mesh = mesh.start().unwrap();
    let vms = Vms::of(&mesh);
    for name in names {
        // Twice on one connection: the refusal leaves it in order.
        let client = testbed::http::Client::http1(mesh.port_of(name).unwrap()).unwrap();
        for _ in 0..2 {
            let refused = client.send(chat(&ana(), "Hi")).unwrap();
            assert_eq!(refused.status, 503, "{name}: {}", refused.text());
            assert_eq!(code(&refused), why(name), "{name}");
        }
    }
    assert_eq!(model.begun(), 0);
    for (name, desk) in &desks {
        assert!(!desk.requests().is_empty(), "{name} was not asked");
    }
    let response = testbed::http::send(mesh.port(), chat(&ana(), "Hi")).unwrap();
    assert_eq!(response.status, 200);
    vms.all_live(&mesh);
}
