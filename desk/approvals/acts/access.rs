//! Asking ahead of need.

use std::fmt::Write as _;

use serde_json::Map;
use sha2::{Digest as _, Sha256};

use super::asking::{Limits, make_room};
use super::deciding::list;
use super::ids::new_id;
use crate::approvals::machine::Approval;
use crate::approvals::protocol::{
    About, Access, Approvals, GrantTerms, Matter, Question, ReasonRule, State, View, is_hex,
};
use crate::approvals::store::Which;
use crate::approvals::work::{Halt, Work};
use crate::http::{Person, Refusal};
use crate::sessions::Who;
use crate::store::Page;

/// How long such a question stays open, in seconds: a week.
const OPEN_SECONDS: u64 = 7 * 24 * 60 * 60;

/// `person` asks for requests of their own to come.
///
/// # Errors
/// The subject isn't the person's, or something is malformed.
pub fn ask_ahead(work: &mut Work<'_>, access: &Access, person: &Person) -> Result<View, Halt> {
    let matches =
        |wanted: &Option<String>, own: &String| wanted.as_ref().is_none_or(|wanted| wanted == own);
    let linked = person
        .subjects
        .iter()
        .find(|one| matches(&access.issuer, &one.issuer) && matches(&access.subject, &one.subject));
    let linked = linked.ok_or_else(|| {
        Refusal::malformed("\"subject\" is one that is linked to you, of its \"issuer\".")
    })?;
    let digest = access.rule_digest.as_ref();
    if digest.is_some_and(|digest| !is_hex(digest, 64)) {
        let message = "\"rule_digest\" is SHA-256 in 64 lower-case hex digits.";
        return Err(Refusal::malformed(message).into());
    }
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
        expires: OPEN_SECONDS,
        grant: Some(GrantTerms {
            seconds: access.seconds,
            uses: access.uses,
        }),
        unknown: Map::from_iter([("purpose".to_owned(), access.reason.clone().into())]),
    };
    question.check_terms().map_err(Refusal::malformed)?;
    make_room(work, &question.matter, Limits::STANDARD)?;
    let (now, who) = (work.now, Who::Reviewer(person.name.clone()));
    let step = Approval::ask(id, question, None, Some(&person.name), now);
    Ok(work.add(&who, step)?.view(now))
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
