//! `portcullis grants list`.

use std::io::Write;

use serde_json::Value;

use super::DONE;
use super::ahead::{calendar, holder, model};
use super::failed::Status;
use super::list::{ROWS, pages};
use super::member::{any, left};
use super::remote::Remote;
use super::table::{json_line, table};

/// Lists what was granted and still holds, newest first.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn grants(desk: &Remote, out: &mut dyn Write) -> Status {
    let mut rows = Vec::new();
    pages(desk, "/v1/grants?", "grants", ROWS, &mut |grant, at| {
        match desk.json {
            true => json_line(out, grant)?,
            false => rows.push(row(grant, at)),
        }
        Ok(true)
    })?;
    if desk.json {
        return Ok(DONE);
    }
    if rows.is_empty() {
        writeln!(out, "There are no grants.")?;
        return Ok(DONE);
    }
    let headings = [
        "ID",
        "LEFT",
        "USES LEFT",
        "WHO",
        "ISSUER",
        "RULE",
        "OPERATION",
        "MODEL",
        "WHEN",
        "BY",
    ];
    table(out, &headings, &rows)?;
    Ok(DONE)
}

/// How long it holds; by a calendar, also while that is closed.
fn left_of(approval: &Value, grant: &Value, at: i64) -> Option<String> {
    match approval.get("calendar") {
        Some(Value::Object(_)) => left(approval, "expires", at),
        _ => left(grant, "expires", at),
    }
}

fn row(approval: &Value, at: i64) -> Vec<String> {
    let nothing = Value::Null;
    let grant = approval.get("grant").unwrap_or(&nothing);
    let uses = match &*any(grant, "uses_left") {
        "" => "any".to_owned(),
        uses => uses.to_owned(),
    };
    vec![
        any(approval, "id"),
        left_of(approval, grant, at).unwrap_or_default(),
        uses,
        holder(approval),
        any(approval, "issuer"),
        any(approval, "rule"),
        any(approval, "operation"),
        model(approval),
        calendar(approval),
        any(approval, "reviewer"),
    ]
}
