//! What they get back: an answer under a mask.

use super::{Expected, matches, row};
use crate::paper::Paper;
use crate::stage::{Stage, chat, said};

/// What the model says, and each value in it that nobody should see. All are well-known examples.
const ANSWER: &str = "Ana Silva <ana.silva@example.com> paid for Project Halcyon with \
    4111 1111 1111 1111, then with IBAN DE89 3704 0044 0532 0130 00 from 203.0.113.7. Her SSN is \
    536-90-4399, and the deploy key is AKIAIOSFODNN7EXAMPLE. Order 1234 5678 9012 3456 is no card.";
const VALUES: [&str; 7] = [
    "ana.silva@example.com",
    "Project Halcyon",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "203.0.113.7",
    "536-90-4399",
    "AKIAIOSFODNN7EXAMPLE",
];

pub fn play(paper: &mut Paper, stage: &mut Stage) -> Result<(), String> {
    paper.title("What they get back");
    paper.head("sent", "came back", "why (from the session record)");
    stage.model.say(ANSWER);
    let question = || chat("Who paid, and how?");
    let open = said(&stage.straight(question())?);
    let token = stage.engineer("alice");
    let seen = stage.exchange(question().bearer(&token))?;
    let masked = said(&seen.response);
    let expected = Expected {
        status: 200,
        code: "",
        rule: "engineers",
    };
    row(paper, "a chat, alice's token", &seen, &expected);
    paper.text("the model says", &open);
    paper.text("alice receives", &masked);
    paper.text("matches", &matches(&seen.record));
    for value in VALUES {
        paper.expect(
            open.contains(value),
            &format!("the model does not say {value}"),
        );
        paper.expect(!masked.contains(value), &format!("alice receives {value}"));
    }
    paper.expect(
        masked.starts_with("Ana Silva <[EMAIL]> paid") && masked.ends_with("is no card."),
        "something that is no match has changed",
    );
    Ok(())
}
