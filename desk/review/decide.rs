//! `portcullis approvals approve`, `deny` and `revoke`, and `portcullis grants revoke`.

use std::io::Write;

use serde_json::{Value, json};

use super::failed::{Failed, Status};
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

/// Decides on all of these; what the desk refuses goes to `wrong`, a line each.
///
/// # Errors
/// The desk refused altogether, or can't be reached.
pub fn decide(
    desk: &Remote,
    decision: Decision,
    ids: &[String],
    reason: Option<&str>,
    out: &mut dyn Write,
    wrong: &mut dyn Write,
) -> Status {
    for one in ids {
        id(one)?;
    }
    let mut status = DONE;
    let mut decided = 0;
    for ids in ids.chunks(MAX_DECISIONS) {
        let body = json!({ "ids": ids, "decision": decision.name(), "reason": reason });
        let said = desk
            .post("/v1/decisions", &body)
            .map_err(|failed| match decided {
                0 => failed,
                _ => so_far(failed, decided),
            })?;
        for result in wanted_list(&said, "results")? {
            decided += 1;
            if !tell(desk, decision, result, out, wrong)? {
                status = REFUSED;
            }
        }
    }
    Ok(status)
}

/// Says what came of one; false if the desk refused it.
fn tell(
    desk: &Remote,
    decision: Decision,
    result: &Value,
    out: &mut dyn Write,
    wrong: &mut dyn Write,
) -> Result<bool, Failed> {
    let error = result.get("error").filter(|error| !error.is_null());
    if desk.json {
        json_line(out, result)?;
    } else if let Some(error) = error {
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
    Ok(error.is_none())
}

/// Says that some of it was done.
fn so_far(failed: Failed, decided: usize) -> Failed {
    let more = |said: &str| format!("{said} (the first {decided} have been decided)");
    match failed {
        Failed::Refused { status, said } => Failed::Refused {
            status,
            said: more(&said),
        },
        Failed::Unable(said) => Failed::Unable(more(&said)),
        other => other,
    }
}
