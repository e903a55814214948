//! Asking ahead of need.

use std::fmt::Write as _;

use serde_json::Map;
use sha2::{Digest as _, Sha256};

use super::asking::{Limits, make_room};
use super::deciding::list;
use super::ids::new_id;
use crate::approvals::machine::Approval;
use crate::approvals::protocol::{
    About, Access, Ahead, Approvals, GrantTerms, MAX_GRANT_SECONDS, MAX_GROUP_BYTES, Matter,
    Question, ReasonRule, State, View, is_hex,
};
use crate::approvals::store::Which;
use crate::approvals::work::{Halt, Work};
use crate::http::{Person, Refusal};
use crate::sessions::Who;
use crate::store::Page;

/// How long such a question stays open, in seconds: a week.
const OPEN_SECONDS: u64 = 7 * 24 * 60 * 60;

/// `person` asks for requests to come: their own, or those of a group.
///
/// # Errors
/// The subject, or the group's issuer, isn't the person's, or something is malformed.
pub fn ask_ahead(work: &mut Work<'_>, access: &Access, person: &Person) -> Result<View, Halt> {
    let matches =
        |wanted: &Option<String>, own: &String| wanted.as_ref().is_none_or(|wanted| wanted == own);
    let linked = person
        .subjects
        .iter()
        .find(|one| matches(&access.issuer, &one.issuer) && matches(&access.subject, &one.subject));
    let linked = linked.ok_or_else(|| {
        Refusal::malformed(
            "\"subject\" is one that is linked to you, of its \"issuer\"; that of a \"group\" is one of yours.",
        )
    })?;
    let digest = access.rule_digest.as_ref();
    if digest.is_some_and(|digest| !is_hex(digest, 64)) {
        let message = "\"rule_digest\" is SHA-256 in 64 lower-case hex digits.";
        return Err(Refusal::malformed(message).into());
    }
    let (seconds, open) = time(access, work.now)?;
    check_scope(access)?;
    let id = new_id("apr_")?;
    let question = Question {
        version: 2,
        binding: binding(&id),
        asker: String::new(),
        matter: Matter {
            about: About::Access,
            subject: linked.subject.clone(),
            issuer: linked.issuer.clone(),
            operation: access.operation.clone(),
            model: access.model.clone(),
            rule: access.rule.clone(),
            rule_digest: access.rule_digest.clone(),
            reviewers: access.reviewers.clone(),
            ..Matter::default()
        },
        approvals: access.approvals,
        reason: ReasonRule::Optional,
        expires: open,
        grant: Some(GrantTerms {
            seconds,
            uses: access.uses,
        }),
        unknown: Map::from_iter([("purpose".to_owned(), access.reason.clone().into())]),
    };
    question.check_terms().map_err(Refusal::malformed)?;
    make_room(work, &question.matter, Limits::STANDARD)?;
    let (now, who) = (work.now, Who::Reviewer(person.name.clone()));
    let mut step = Approval::ask(id, question, None, Some(&person.name), now);
    step.after.ahead = Ahead {
        group: access.group.clone(),
        models: access.models,
        calendar: access.calendar.clone(),
    };
    Ok(work.add(&who, step)?.view(now))
}

/// For how many seconds it is asked, and for how many the question stays open: of a calendar, no longer than that.
fn time(access: &Access, now: i64) -> Result<(u64, u64), Refusal> {
    match (access.seconds, &access.calendar) {
        (Some(seconds), None) => Ok((seconds, OPEN_SECONDS)),
        (None, Some(calendar)) => {
            calendar.check().map_err(Refusal::malformed)?;
            let left = calendar.ends().saturating_sub(now) / 1000;
            let left = u64::try_from(left).unwrap_or(0);
            if !(1..=MAX_GRANT_SECONDS).contains(&left) {
                let days = MAX_GRANT_SECONDS / (24 * 60 * 60);
                let message = format!("\"until\" is a day from today to {days} days on.");
                return Err(Refusal::malformed(message));
            }
            if calendar.turns(now).is_none() {
                let message = "The \"calendar\" has no window until its end.";
                return Err(Refusal::malformed(message));
            }
            Ok((left, left.min(OPEN_SECONDS)))
        }
        (None, None) | (Some(_), Some(_)) => Err(Refusal::malformed(
            "Access is \"for\" a number of seconds, or by a \"calendar\".",
        )),
    }
}

/// Checks for whom and for which models it is asked.
fn check_scope(access: &Access) -> Result<(), Refusal> {
    if access.models.is_some() && access.model.is_some() {
        let message = "Access is for one \"model\", or for \"any\" of the \"models\".";
        return Err(Refusal::malformed(message));
    }
    if access.group.is_some() && access.subject.is_some() {
        let message = "Access is for a \"subject\", or for a \"group\".";
        return Err(Refusal::malformed(message));
    }
    let fits = |group: &String| (1..=MAX_GROUP_BYTES).contains(&group.len());
    if !access.group.as_ref().is_none_or(fits) {
        let message = format!("\"group\" has 1 to {MAX_GROUP_BYTES} bytes.");
        return Err(Refusal::malformed(message));
    }
    Ok(())
}

/// A page of the grants that are good for more than one request.
///
/// # Errors
/// The store fails.
pub fn grants(work: &mut Work<'_>, page: &Page) -> Result<Approvals, Halt> {
    let which = Which {
        state: Some(State::Approved),
        wide: true,
    };
    list(work, which, page)
}

/// No request of a filter has this binding.
fn binding(id: &str) -> String {
    let mut hex = String::new();
    for byte in Sha256::digest(id) {
        // Writing to a string doesn't fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
