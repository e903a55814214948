//! The scenes, in the order in which they are shown.

mod approvals;
mod callers;
mod grants;
mod masks;
mod rules;
mod sessions;
mod stream;

use serde_json::Value;
use testbed::envoy;
use testbed::http::Response;

use crate::paper::Paper;
use crate::stage::{POLICY, Seen, Stage, chat, said};

/// What the model says where nothing else matters.
const LEAK: &str = "The card on file for Ana Silva is 4111 1111 1111 1111.";

/// Plays them all.
pub fn play(paper: &mut Paper, stage: &mut Stage) -> Result<(), String> {
    open(paper, stage)?;
    guarded(paper, stage)?;
    callers::play(paper, stage)?;
    rules::play(paper, stage)?;
    masks::play(paper, stage)?;
    stream::play(paper, stage)?;
    approvals::play(paper, stage)?;
    grants::play(paper, stage)?;
    sessions::play(paper, stage)
}

fn open(paper: &mut Paper, stage: &mut Stage) -> Result<(), String> {
    paper.title("The model server, open");
    stage.model.say(LEAK);
    let response = stage.straight(chat("Which card does Ana pay with?"))?;
    paper.head("sent straight to it", "came back", "");
    paper.row("a chat, without a token", &status(&response), "");
    let text = said(&response);
    paper.text("the model says", &text);
    paper.expect(
        response.status == 200 && text == LEAK,
        "the model server does not answer as it was told to",
    );
    Ok(())
}

fn guarded(paper: &mut Paper, stage: &Stage) -> Result<(), String> {
    paper.title("The same server behind Envoy and Portcullis");
    let version = envoy::find(None)?.version;
    paper.text("Envoy", &format!("{version}, at {}", stage.mesh.url()));
    paper.text("policy", POLICY);
    let rules = stage.policy.pointer("/rules").and_then(Value::as_array);
    let names: Vec<&str> = rules
        .into_iter()
        .flatten()
        .map(|rule| at(rule, "/name"))
        .collect();
    paper.text("its rules", &names.join(", "));
    Ok(())
}

/// What a request should lead to.
struct Expected {
    status: u16,
    /// The code of a refusal.
    code: &'static str,
    /// The rule that decided, if one did.
    rule: &'static str,
}

/// Writes a row for a request, and what differs from what was expected. The answer's body and
/// the session record must agree on the code.
fn row(paper: &mut Paper, sent: &str, seen: &Seen, expected: &Expected) {
    let Seen { response, record } = seen;
    paper.row(sent, &status(response), &why(record));
    let body = response.json();
    for (what, found, wanted) in [
        (
            "status",
            response.status.to_string(),
            expected.status.to_string(),
        ),
        (
            "code of the answer",
            code(&body).to_owned(),
            expected.code.to_owned(),
        ),
        (
            "code of the record",
            at(record, "/verdict/code").to_owned(),
            expected.code.to_owned(),
        ),
        (
            "rule of the record",
            at(record, "/verdict/rule").to_owned(),
            expected.rule.to_owned(),
        ),
    ] {
        paper.expect(
            found == wanted,
            &format!("the {what} is {found:?}, and should be {wanted:?}"),
        );
    }
}

/// `403 denied`
fn status(response: &Response) -> String {
    format!("{} {}", response.status, code(&response.json()))
        .trim_end()
        .to_owned()
}

fn code(body: &Value) -> &str {
    at(body, "/error/code")
}

/// What the record says of a verdict, on one line.
fn why(record: &Value) -> String {
    let mut parts = vec![at(record, "/verdict/action").to_owned()];
    match (at(record, "/verdict/rule"), at(record, "/verdict/code")) {
        ("", "denied") => parts.push("no rule allows it".to_owned()),
        ("", code) => parts.push(code.to_owned()),
        (rule, "" | "denied") => parts.push(format!("rule {rule}")),
        (rule, code) => parts.push(format!("{code}, rule {rule}")),
    }
    match (
        at(record, "/approval/state"),
        at(record, "/approval/reviewer"),
    ) {
        ("", _) => {}
        (state, "") => parts.push(format!("approval {state}")),
        (state, reviewer) => parts.push(format!("{state} by {reviewer}")),
    }
    parts.join(", ")
}

/// `email 1, iban 2`
fn matches(record: &Value) -> String {
    let found = record
        .pointer("/response/matches")
        .and_then(Value::as_object);
    let found: Vec<String> = found
        .into_iter()
        .flatten()
        .map(|(detector, count)| format!("{detector} {count}"))
        .collect();
    found.join(", ")
}

/// The text at a JSON pointer, empty if there is none.
fn at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
