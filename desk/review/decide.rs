//! `portcullis approvals approve`, `deny` and `revoke`, and `portcullis grants revoke`.

use std::io::Write;

use serde_json::{Value, json};

use super::failed::{Failed, Status, Telling};
use super::member::{any, id, wanted_list};
use super::remote::{Remote, shortened};
use super::table::json_line;
use super::{DONE, REFUSED};
use crate::plain::plain;

/// The most decisions of one call.
const MAX_DECISIONS: usize = 1000;

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may go.
    Approve,
    /// It may not.
    Deny,
    /// What was approved is taken back.
    Revoke,
}

impl Decision {
    fn name(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Revoke => "revoke",
        }
    }
}

/// A decision on some approvals.
#[derive(Clone, Copy, Debug)]
pub struct Decided<'d> {
    /// What is decided.
    pub decision: Decision,
    /// On which.
    pub ids: &'d [String],
    /// Why.
    pub reason: Option<&'d str>,
    /// Whether the rules for reviewers are set aside, by one who may.
    pub break_glass: bool,
}

/// Decides on all of these; what the desk refuses goes to `wrong`, a line each.
///
/// # Errors
/// The desk refused altogether, or can't be reached.
pub fn decide(
    desk: &Remote,
    decided: &Decided<'_>,
    out: &mut dyn Write,
    wrong: &mut dyn Write,
) -> Status {
    for one in decided.ids {
        id(one)?;
    }
    let most = if decided.break_glass {
        1
    } else {
        MAX_DECISIONS
    };
    let (mut status, mut done, mut telling) = (DONE, 0, Telling::default());
    for ids in decided.ids.chunks(most) {
        let results = match decided.break_glass {
            true => alone(desk, decided, ids),
            false => together(desk, decided, ids),
        };
        for result in &results.map_err(|failed| so_far(failed, done))? {
            done += 1;
            if refusal(result).is_some() {
                status = REFUSED;
            }
            telling.note(tell(desk, decided.decision, result, out, wrong));
        }
    }
    telling.end(status)
}

/// Decides on many with one call.
fn together(desk: &Remote, decided: &Decided<'_>, ids: &[String]) -> Result<Vec<Value>, Failed> {
    let name = decided.decision.name();
    let body = json!({ "ids": ids, "decision": name, "reason": decided.reason });
    let said = desk.post("/v1/decisions", &body)?;
    Ok(wanted_list(&said, "results")?.to_vec())
}

/// Sets the rules for reviewers aside, which is done with a call for each.
fn alone(desk: &Remote, decided: &Decided<'_>, ids: &[String]) -> Result<Vec<Value>, Failed> {
    let name = decided.decision.name();
    let body = json!({ "reason": decided.reason, "break_glass": true });
    let call = |id: &String| {
        Ok(desk
            .post(&format!("/v1/approvals/{id}/{name}"), &body)?
            .value)
    };
    ids.iter().map(call).collect()
}

/// Why the desk refused one, if it did.
fn refusal(result: &Value) -> Option<&Value> {
    result.get("error").filter(|error| !error.is_null())
}

/// Says what came of one.
fn tell(
    desk: &Remote,
    decision: Decision,
    result: &Value,
    out: &mut dyn Write,
    wrong: &mut dyn Write,
) -> Result<(), Failed> {
    if desk.json {
        json_line(out, result)?;
    } else if let Some(error) = refusal(result) {
        let (code, message) = (any(error, "code"), any(error, "message"));
        let (id, code) = (plain(&any(result, "id")), shortened(&code));
        writeln!(wrong, "{id}  refused, {code}: {}", shortened(&message))?;
    } else {
        let state = any(result, "state");
        let more = match (decision, &*state) {
            (Decision::Approve, "pending") => ": your approval counts, and others are needed",
            _ => "",
        };
        writeln!(
            out,
            "{}  {}{more}",
            plain(&any(result, "id")),
            plain(&state)
        )?;
    }
    Ok(())
}

/// Says that some of it was done.
fn so_far(failed: Failed, done: usize) -> Failed {
    if done == 0 {
        return failed;
    }
    let more = |said: &str| format!("{said} (the first {done} ids are done)");
    match failed {
        Failed::Refused { status, said } => Failed::Refused {
            status,
            said: more(&said),
        },
        Failed::Unable(said) => Failed::Unable(more(&said)),
        other => other,
    }
}
