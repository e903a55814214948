//! `portcullis access request`.

use std::io::Write;

use serde_json::{Value, json};

use super::DONE;
use super::failed::Status;
use super::member::any;
use super::remote::Remote;
use super::table::json_line;
use super::weekly::Weekly;
use crate::plain::plain;

/// What somebody wants to be allowed ahead of need.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The issuer of the subject's tokens; without a subject, the first that is linked to the caller.
    pub issuer: Option<String>,
    /// The subject.
    pub subject: Option<String>,
    /// The group of the issuer's tokens for which it is, instead of a subject.
    pub group: Option<String>,
    /// The rule that asks for approval.
    pub rule: String,
    /// SHA-256 of the rule, so that an edit of it voids the grant.
    pub rule_digest: Option<String>,
    /// The operation.
    pub operation: String,
    /// The model; without it, only requests that name none.
    pub model: Option<String>,
    /// Whether it is for any model instead.
    pub any_model: bool,
    /// For how many seconds,
    pub seconds: Option<u64>,
    /// or when.
    pub calendar: Option<Weekly>,
    /// How often; without it, any number of times.
    pub uses: Option<u64>,
    /// Who may decide.
    pub reviewers: Vec<String>,
    /// How many of them must approve.
    pub approvals: u32,
    /// Why.
    pub reason: String,
}

impl Wanted {
    /// The body of the call: what isn't said is left out.
    fn body(&self) -> Value {
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        let members = [
            ("issuer", text(&self.issuer)),
            ("subject", text(&self.subject)),
            ("group", text(&self.group)),
            ("rule", Some(json!(self.rule))),
            ("rule_digest", text(&self.rule_digest)),
            ("operation", Some(json!(self.operation))),
            ("model", text(&self.model)),
            ("models", self.any_model.then(|| json!("any"))),
            ("for", self.seconds.map(Value::from)),
            ("calendar", self.calendar.as_ref().map(Weekly::body)),
            ("uses", self.uses.map(Value::from)),
            ("reviewers", Some(json!(self.reviewers))),
            ("approvals", Some(json!(self.approvals))),
            ("reason", Some(json!(self.reason))),
        ];
        let members = members.into_iter();
        members
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

/// Asks for access ahead of need: a question that waits for reviewers.
///
/// # Errors
/// The desk refused, or can't be reached.
pub fn request(desk: &Remote, wanted: &Wanted, out: &mut dyn Write) -> Status {
    let said = desk.post("/v1/access", &wanted.body())?;
    if desk.json {
        json_line(out, &said.value)?;
    } else {
        let (id, state) = (any(&said.value, "id"), any(&said.value, "state"));
        writeln!(out, "{}  {}", plain(&id), plain(&state))?;
    }
    Ok(DONE)
}
