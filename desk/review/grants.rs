//! `portcullis grants list`.

use std::io::Write;

use serde_json::Value;

use super::DONE;
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
        "BY",
    ];
    table(out, &headings, &rows)?;
    Ok(DONE)
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
        left(grant, "expires", at).unwrap_or_default(),
        uses,
        any(approval, "subject"),
        any(approval, "issuer"),
        any(approval, "rule"),
        any(approval, "operation"),
        any(approval, "model"),
        any(approval, "reviewer"),
    ]
}
