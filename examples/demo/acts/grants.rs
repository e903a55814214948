//! What people say ahead of need: that somebody may for a while, and that somebody may not.

use std::time::{Duration, Instant};

use serde_json::json;
use testbed::http::Request;

use super::{Expected, row};
use crate::desk::{ASKER, REVIEWER};
use crate::paper::Paper;
use crate::stage::{Stage, chat};

/// Whoever is blocked is refused everywhere within this time.
const LEASE: Duration = Duration::from_secs(2);

/// How much later a request may come to its answer on a busy machine.
const SLACK: Duration = Duration::from_secs(3);

pub fn play(paper: &mut Paper, stage: &mut Stage) -> Result<(), String> {
    paper.title("What is said ahead of need");
    paper.head("sent", "came back", "why (from the session record)");
    granted(paper, stage)?;
    blocked(paper, stage)
}

/// Access for half an hour: nobody is asked for what it covers.
fn granted(paper: &mut Paper, stage: &mut Stage) -> Result<(), String> {
    let asked = "access request --rule tuning-needs-a-person --operation model.tune --model small-1 \
        --for 30m --reviewers ml-leads --reason nightly-training";
    let said = command(paper, stage, ASKER, asked)?;
    let id = said.split_whitespace().next().unwrap_or_default();
    command(paper, stage, REVIEWER, &format!("approvals approve {id}"))?;
    stage.model.forget();
    for file in ["file-4", "file-5"] {
        let token = stage.engineer(ASKER);
        let request = Request::post("/v1/fine_tuning/jobs")
            .json(&json!({ "model": "small-1", "training_file": file }))
            .bearer(&token);
        let seen = stage.exchange(request)?;
        let expected = Expected {
            status: 200,
            code: "",
            rule: "tuning",
        };
        let sent = format!("POST /v1/fine_tuning/jobs, {ASKER}'s token");
        row(paper, &sent, &seen, &expected);
    }
    paper.expect(
        stage.model.begun() == 2,
        "the model server did not get both requests",
    );
    Ok(())
}

/// Somebody who is refused whatever the policy says.
fn blocked(paper: &mut Paper, stage: &mut Stage) -> Result<(), String> {
    let token = stage.engineer("frank");
    let seen = stage.exchange(chat("Hello?").bearer(&token))?;
    let expected = Expected {
        status: 200,
        code: "",
        rule: "engineers",
    };
    row(paper, "a chat, frank's token", &seen, &expected);
    let block = "block --subject frank --reason laptop-stolen";
    command(paper, stage, REVIEWER, block)?;
    let since = Instant::now();
    let (seen, after) = loop {
        let sent = since.elapsed();
        let seen = stage.exchange(chat("Hello?").bearer(&token))?;
        if seen.response.status != 200 || sent > LEASE + SLACK {
            break (seen, sent);
        }
    };
    let expected = Expected {
        status: 403,
        code: "blocked",
        rule: "",
    };
    row(paper, "a chat, frank's token", &seen, &expected);
    paper.note(&format!("sent {} ms after the block", after.as_millis()));
    Ok(())
}

/// Shows a command and what it prints.
fn command(paper: &Paper, stage: &Stage, who: &str, line: &str) -> Result<String, String> {
    let key = match who {
        ASKER => &stage.desk.asker_key,
        _ => &stage.desk.reviewer_key,
    };
    let arguments: Vec<&str> = line.split_whitespace().collect();
    let said = stage.desk.run(key, &arguments)?;
    paper.note(&format!("{who}: $ portcullis {}", arguments.join(" ")));
    for line in said.lines() {
        paper.note(line);
    }
    Ok(said)
}
