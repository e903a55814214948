//! `portcullis approvals delegate`, `delegations` and `undelegate`.

use std::io::Write;

use serde_json::{Value, json};

use super::DONE;
use super::failed::Status;
use super::member::{any, id, left, texts, wanted_list};
use super::remote::Remote;
use super::table::{json_line, table};
use crate::plain::plain;

/// Lets another reviewer decide for some of the caller's groups, for a time.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn delegate(
    desk: &Remote,
    to: &str,
    groups: &[String],
    seconds: u64,
    out: &mut dyn Write,
) -> Status {
    let body = json!({ "to": to, "groups": groups, "for": seconds });
    let said = desk.post("/v1/delegations", &body)?;
    match desk.json {
        true => json_line(out, &said.value)?,
        false => writeln!(out, "{}  delegated", plain(&any(&said.value, "id")))?,
    }
    Ok(DONE)
}

/// Lists delegations that hold.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn delegations(desk: &Remote, out: &mut dyn Write) -> Status {
    let said = desk.get("/v1/delegations")?;
    let delegations = wanted_list(&said, "delegations")?;
    if desk.json {
        for one in delegations {
            json_line(out, one)?;
        }
    } else if delegations.is_empty() {
        writeln!(out, "There are no delegations.")?;
    } else {
        let rows: Vec<_> = delegations.iter().map(|one| row(one, said.at)).collect();
        table(out, &["ID", "LEFT", "FROM", "TO", "GROUPS"], &rows)?;
    }
    Ok(DONE)
}

/// Takes delegations back.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn undelegate(desk: &Remote, ids: &[String], out: &mut dyn Write) -> Status {
    for one in ids {
        id(one)?;
    }
    for one in ids {
        let said = desk.delete(&format!("/v1/delegations/{one}"))?;
        match desk.json {
            true => json_line(out, &said.value)?,
            false => writeln!(out, "{one}  is taken back")?,
        }
    }
    Ok(DONE)
}

fn row(delegation: &Value, at: i64) -> Vec<String> {
    vec![
        any(delegation, "id"),
        left(delegation, "expires", at).unwrap_or_default(),
        any(delegation, "from"),
        any(delegation, "to"),
        texts(delegation, "groups"),
    ]
}
