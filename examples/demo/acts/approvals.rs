//! What needs a person: a request that is held, approved or denied.

use serde_json::{Value, json};
use testbed::http::Request;

use super::{Expected, at, row};
use crate::desk::REVIEWER;
use crate::paper::Paper;
use crate::stage::{Seen, Stage};

pub fn play(paper: &mut Paper, stage: &mut Stage) -> Result<(), String> {
    paper.title("What needs a person");
    paper.head("sent", "came back", "why (from the session record)");
    stage.model.forget();

    let reason = "The data set was reviewed.";
    let seen = held(paper, stage, "alice", "file-1", "approve", reason)?;
    let expected = Expected {
        status: 200,
        code: "",
        rule: "tuning",
    };
    row(paper, "the answer to alice", &seen, &expected);
    let job = seen.response.json();
    let received = stage.model.wait_received(1)?;
    paper.note(&format!(
        "the model server has it now: job {}, {}",
        at(&job, "/id"),
        at(&job, "/status")
    ));
    paper.expect(
        received.len() == 1 && at(&job, "/status") == "queued",
        "the approved request did not make a job",
    );

    stage.model.forget();
    let reason = "This file holds customer data.";
    let seen = held(paper, stage, "bob", "file-2", "deny", reason)?;
    let expected = Expected {
        status: 403,
        code: "approval_denied",
        rule: "tuning-needs-a-person",
    };
    row(paper, "the answer to bob", &seen, &expected);
    let answer = seen.response.json();
    let message = at(&answer, "/error/message");
    paper.note(message);
    paper.expect(
        message.contains(reason),
        "the reviewer's reason is not in the answer",
    );
    paper.expect(
        stage.model.begun() == 0,
        "a request that a person denied reached the model server",
    );
    Ok(())
}

/// Sends a request that has to wait, shows that it waits, decides on it, and gives its answer.
fn held(
    paper: &mut Paper,
    stage: &mut Stage,
    who: &str,
    file: &str,
    decision: &str,
    reason: &str,
) -> Result<Seen, String> {
    let token = stage.engineer(who);
    let request = Request::post("/v1/fine_tuning/jobs")
        .json(&json!({ "model": "small-1", "training_file": file }))
        .bearer(&token);
    let pending = stage.start(request)?;
    let approval = stage.desk.pending()?;
    let held = !pending.answered() && stage.model.begun() == 0;
    let sent = format!("POST /v1/fine_tuning/jobs, {who}'s token");
    let state = if held { "nothing yet" } else { "an answer" };
    paper.event(&sent, state);
    let id = at(&approval, "/id");
    paper.note(&format!(
        "at the desk: {} is {}: {} asks for {} of {}, rule {}",
        short(id),
        at(&approval, "/state"),
        at(&approval, "/subject"),
        at(&approval, "/operation"),
        at(&approval, "/model"),
        at(&approval, "/rule"),
    ));
    paper.note(&format!(
        "at the model server: {} requests",
        stage.model.begun()
    ));
    paper.expect(held, "the request was not held");
    paper.expect(
        at(&approval, "/subject") == who,
        "the desk's approval is about somebody else",
    );
    let decided = stage.desk.decide(id, decision, reason)?;
    paper.event(
        &format!("{REVIEWER} at the desk: {decision}"),
        &state_of(&decided),
    );
    let answer = pending.response()?;
    stage.finish(answer)
}

/// `approved by ana: "..."`
fn state_of(approval: &Value) -> String {
    format!(
        "{} by {}: {:?}",
        at(approval, "/state"),
        at(approval, "/reviewer"),
        at(approval, "/reason")
    )
}

/// An id's beginning, enough to tell two apart.
fn short(id: &str) -> String {
    id.chars().take(12).collect()
}
