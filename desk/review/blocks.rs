//! `portcullis block`, `unblock` and `blocks`.

use std::io::Write;

use serde_json::{Value, json};

use super::failed::{Failed, Status, Telling};
use super::list::{ROWS, pages};
use super::member::{any, id, left};
use super::remote::Remote;
use super::table::{json_line, table};
use super::{DONE, REFUSED};
use crate::plain::plain;

/// Who is blocked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blocked {
    /// The issuer of the subject's or the token's id; without it, any.
    pub issuer: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// The id of one token.
    pub token_id: Option<String>,
    /// For how many seconds; without it, until it is taken back.
    pub seconds: Option<u64>,
    /// Why.
    pub reason: String,
}

/// Refuses a subject or a token everywhere.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn block(desk: &Remote, blocked: &Blocked, out: &mut dyn Write) -> Status {
    if blocked.subject.is_some() == blocked.token_id.is_some() {
        return Err(Failed::Wrong(
            "expected --subject or --token-id, and not both".to_owned(),
        ));
    }
    let mut body = json!({});
    for (name, value) in [
        ("issuer", blocked.issuer.as_deref().map(Value::from)),
        ("subject", blocked.subject.as_deref().map(Value::from)),
        ("token_id", blocked.token_id.as_deref().map(Value::from)),
        ("for", blocked.seconds.map(Value::from)),
        ("reason", Some(json!(blocked.reason))),
    ] {
        if let (Some(value), Some(body)) = (value, body.as_object_mut()) {
            body.insert(name.to_owned(), value);
        }
    }
    let said = desk.post("/v1/blocks", &body)?;
    match desk.json {
        true => json_line(out, &said.value)?,
        false => writeln!(out, "{}  blocked", plain(&any(&said.value, "id")))?,
    }
    Ok(DONE)
}

/// Takes blocks back; what the desk refuses goes to `wrong`, a line each.
///
/// # Errors
/// The desk can't be reached.
pub fn unblock(
    desk: &Remote,
    ids: &[String],
    out: &mut dyn Write,
    wrong: &mut dyn Write,
) -> Status {
    for one in ids {
        id(one)?;
    }
    let (mut status, mut telling) = (DONE, Telling::default());
    for one in ids {
        let told = match desk.delete(&format!("/v1/blocks/{one}")) {
            Ok(said) if desk.json => json_line(out, &said.value),
            Ok(_) => writeln!(out, "{one}  is no longer blocked").map_err(Failed::from),
            Err(Failed::Refused { said, .. }) => {
                status = REFUSED;
                match desk.json {
                    true => json_line(out, &json!({ "id": one, "error": { "message": said } })),
                    false => writeln!(wrong, "{one}  {said}").map_err(Failed::from),
                }
            }
            Err(failed) => return Err(failed),
        };
        telling.note(told);
    }
    telling.end(status)
}

/// Lists who is blocked.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn blocks(desk: &Remote, out: &mut dyn Write) -> Status {
    let mut rows = Vec::new();
    pages(desk, "/v1/blocks?", "blocks", ROWS, &mut |block, at| {
        match desk.json {
            true => json_line(out, block)?,
            false => rows.push(row(block, at)),
        }
        Ok(true)
    })?;
    if desk.json {
        return Ok(DONE);
    }
    if rows.is_empty() {
        writeln!(out, "Nobody is blocked.")?;
    } else {
        table(out, &["ID", "LEFT", "WHO", "ISSUER", "BY", "REASON"], &rows)?;
    }
    Ok(DONE)
}

fn row(block: &Value, at: i64) -> Vec<String> {
    let who = match &*any(block, "token_id") {
        "" => any(block, "subject"),
        token => format!("token {token}"),
    };
    vec![
        any(block, "id"),
        left(block, "expires", at).unwrap_or_default(),
        who,
        any(block, "issuer"),
        any(block, "reviewer"),
        any(block, "reason"),
    ]
}
