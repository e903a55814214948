//! `portcullis approvals list`.

use std::io::Write;

use serde_json::Value;

use super::ahead::{holder, model};
use super::failed::{Failed, Status};
use super::member::{ago, any, counted, left, text, texts, wanted_list};
use super::remote::Remote;
use super::table::{json_line, table};
use super::{DONE, member};

/// Rows of one call.
pub(super) const ROWS: usize = 200;

/// Lists approvals in this state, or in all; the newest, `most` of them.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn list(desk: &Remote, state: Option<&str>, most: usize, out: &mut dyn Write) -> Status {
    let mut rows = Vec::new();
    let mut left_off = false;
    let mut count = 0;
    pages(
        desk,
        &path(state),
        "approvals",
        most,
        &mut |approval, at| {
            if count == most {
                left_off = true;
                return Ok(false);
            }
            count += 1;
            match desk.json {
                true => json_line(out, approval)?,
                false => rows.push(row(approval, at)),
            }
            Ok(true)
        },
    )?;
    if desk.json {
        return Ok(DONE);
    }
    if rows.is_empty() {
        let which = state.map_or(String::new(), |state| format!(" {state}"));
        writeln!(out, "There are no{which} approvals.")?;
        return Ok(DONE);
    }
    let headings = [
        "ID",
        "STATE",
        "AGE",
        "LEFT",
        "WHO",
        "WHAT",
        "RULE",
        "REVIEWERS",
        "APPROVALS",
        "WAITING",
    ];
    table(out, &headings, &rows)?;
    if left_off {
        writeln!(out, "There are more: --limit says how many are listed.")?;
    }
    Ok(DONE)
}

/// Takes an approval and the desk's time; says whether to go on.
pub(super) type Take<'t> = &'t mut dyn FnMut(&Value, i64) -> Result<bool, Failed>;

/// The list of approvals in this state, or in all.
pub(super) fn path(state: Option<&str>) -> String {
    let state = state.map_or(String::new(), |state| format!("state={state}&"));
    format!("/v1/approvals?{state}")
}

/// Hands over what stands in the list `name`, newest first, as long as `take` wants more.
pub(super) fn pages(
    desk: &Remote,
    path: &str,
    name: &str,
    wanted: usize,
    take: Take<'_>,
) -> Result<(), Failed> {
    let rows = wanted.saturating_add(1).min(ROWS);
    let mut before = String::new();
    loop {
        let said = desk.get(&format!("{path}limit={rows}{before}"))?;
        for one in wanted_list(&said, name)? {
            if !take(one, said.at)? {
                return Ok(());
            }
        }
        let Some(next) = text(&said.value, "next") else {
            return Ok(());
        };
        before = format!("&before={}", member::id(next)?);
    }
}

fn row(approval: &Value, at: i64) -> Vec<String> {
    let is_open = matches!(text(approval, "state"), Some("pending" | "approved"));
    let left = left(approval, "expires", at).filter(|_| is_open);
    vec![
        any(approval, "id"),
        any(approval, "state"),
        ago(approval, "created", at).unwrap_or_default(),
        left.unwrap_or_default(),
        holder(approval),
        what(approval),
        any(approval, "rule"),
        texts(approval, "reviewers"),
        counted(approval).unwrap_or_default(),
        any(approval, "waiting"),
    ]
}

/// What is asked for, in a few words.
pub(super) fn what(approval: &Value) -> String {
    let mut said = any(approval, "operation");
    match &*model(approval) {
        "" => {}
        model => said.push_str(&format!(" of {model}")),
    }
    if text(approval, "about") == Some("answer") {
        said.push_str(", its answer");
    }
    said
}
