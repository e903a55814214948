//! `portcullis grants list`.

use std::io::Write;

use serde_json::Value;

use super::DONE;
use super::failed::Status;
use super::member::{any, left, wanted_list};
use super::remote::Remote;
use super::table::{json_line, table};

/// Lists what was granted and still holds.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn grants(desk: &Remote, out: &mut dyn Write) -> Status {
    let said = desk.get("/v1/grants")?;
    let grants = wanted_list(&said, "grants")?;
    if desk.json {
        for grant in grants {
            json_line(out, grant)?;
        }
    } else if grants.is_empty() {
        writeln!(out, "There are no grants.")?;
    } else {
        let rows: Vec<_> = grants.iter().map(|grant| row(grant, said.at)).collect();
        let headings = [
            "ID",
            "LEFT",
            "USES LEFT",
            "WHO",
            "ISSUER",
            "RULE",
            "OPERATION",
            "MODEL",
        ];
        table(out, &headings, &rows)?;
    }
    Ok(DONE)
}

fn row(grant: &Value, at: i64) -> Vec<String> {
    let who = match &*any(grant, "group") {
        "" => any(grant, "subject"),
        group => format!("group {group}"),
    };
    let uses = match &*any(grant, "uses_left") {
        "" => "any".to_owned(),
        uses => uses.to_owned(),
    };
    vec![
        any(grant, "id"),
        left(grant, "expires", at).unwrap_or_default(),
        uses,
        who,
        any(grant, "issuer"),
        any(grant, "rule"),
        any(grant, "operation"),
        any(grant, "model"),
    ]
}
