//! Who is calling: tokens.

use testbed::http::Request;

use super::{Expected, row};
use crate::paper::Paper;
use crate::stage::{Stage, chat};

pub fn play(paper: &mut Paper, stage: &mut Stage) -> Result<(), String> {
    paper.title("Who is calling");
    paper.head("sent", "came back", "why (from the session record)");
    good(paper, stage)?;
    let groups = &["engineers"];
    let expired = stage.idp.expired("alice", groups);
    let elsewhere = stage.idp.wrong_audience("alice", groups);
    let forged = stage.idp.forged("alice", groups);
    let question = || chat("Hello?");
    let refused: [(&str, Request, &'static str); 4] = [
        ("a chat, no token", question(), "token_missing"),
        (
            "a chat, a token that has expired",
            question().bearer(&expired),
            "token_expired",
        ),
        (
            "a chat, a token for another audience",
            question().bearer(&elsewhere),
            "audience_mismatch",
        ),
        (
            "a chat, a token that somebody else signed",
            question().bearer(&forged),
            "signature_invalid",
        ),
    ];
    for (sent, request, code) in refused {
        let seen = stage.exchange(request)?;
        let expected = Expected {
            status: 401,
            code,
            rule: "",
        };
        row(paper, sent, &seen, &expected);
        let challenge = seen.response.header("www-authenticate").unwrap_or_default();
        paper.note(&format!("WWW-Authenticate: {challenge}"));
        paper.expect(challenge.starts_with("Bearer "), "there is no challenge");
    }
    rotated(paper, stage)
}

/// A key that nobody has seen before costs the first request a short wait.
fn rotated(paper: &mut Paper, stage: &mut Stage) -> Result<(), String> {
    let before = stage.idp.fetches().jwks;
    stage.idp.rotate()?;
    let token = stage.engineer("alice");
    let seen = stage.exchange(chat("Hello?").bearer(&token))?;
    let expected = Expected {
        status: 200,
        code: "",
        rule: "engineers",
    };
    row(
        paper,
        "a chat, after the provider changed keys",
        &seen,
        &expected,
    );
    let asked = stage.idp.fetches().jwks.saturating_sub(before);
    paper.note(&format!(
        "the provider was asked for its keys: {asked} time"
    ));
    paper.expect(asked == 1, "the new keys were not asked for once");
    Ok(())
}

/// The caller's token stays here; the model server sees its own key, and who is calling.
fn good(paper: &mut Paper, stage: &mut Stage) -> Result<(), String> {
    stage.model.forget();
    let token = stage.engineer("alice");
    let seen = stage.exchange(chat("Hello?").bearer(&token))?;
    let expected = Expected {
        status: 200,
        code: "",
        rule: "engineers",
    };
    row(paper, "a chat, alice's token", &seen, &expected);
    let received = stage.model.wait_received(1)?;
    let (credential, subject) = received.last().map_or(("", ""), |request| {
        let header = |name| request.header(name).unwrap_or_default();
        (header("authorization"), header("x-portcullis-subject"))
    });
    paper.note(&format!(
        "the model server got: authorization: {}..., x-portcullis-subject: {subject}",
        credential.chars().take(19).collect::<String>()
    ));
    paper.expect(
        credential == format!("Bearer {}", stage.model_key) && subject == "alice",
        "the model server did not get its own key and the caller's name",
    );
    Ok(())
}
