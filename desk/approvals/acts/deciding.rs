//! What reviewers do with approvals.

use super::orders;
use super::people::People;
use crate::approvals::entries;
use crate::approvals::machine::{Lent, Verdict};
use crate::approvals::protocol::{Approvals, View};
use crate::approvals::store::Which;
use crate::approvals::work::{Halt, Work};
use crate::http::Person;
use crate::sessions::Who;
use crate::store::Page;

/// One approval, for a reviewer who opens it. That stands in the ledger before it is shown.
///
/// # Errors
/// There is none.
pub fn look(work: &mut Work<'_>, id: &str, person: &Person) -> Result<View, Halt> {
    let found = work.load(id)?;
    let step = found.approval.clone().expire(work.now);
    let (approval, ()) = work.apply(&Who::Desk, &found, step)?;
    work.enter(Who::Reviewer(person.name.clone()), entries::look(&approval));
    Ok(approval.view(work.now))
}

/// A page of approvals, without what bodies say: who reads that is known, and opens one.
///
/// # Errors
/// The store fails.
pub fn list(work: &mut Work<'_>, which: Which, page: &Page) -> Result<Approvals, Halt> {
    let (now, listed) = (work.now, work.rows.list(which, page)?);
    let rows = listed.rows.into_iter();
    // What has run out of time is shown so, even if that isn't noted yet.
    let approvals = rows.map(|approval| {
        let mut view = approval.expire(now).after.view(now);
        if let Some(body) = &mut view.matter.body {
            (body.text, body.cut) = (None, false);
        }
        view
    });
    Ok(Approvals {
        approvals: approvals.collect(),
        next: listed.next,
    })
}

/// `person` decides.
///
/// # Errors
/// Why not.
pub fn decide(
    work: &mut Work<'_>,
    id: &str,
    verdict: &Verdict,
    person: &Person,
    people: &People,
) -> Result<View, Halt> {
    let now = work.now;
    let delegations = orders::delegations(work)?;
    let lent: Vec<Lent<'_>> = delegations
        .iter()
        .filter(|one| one.to == person.name)
        .filter_map(|one| {
            let from = people.get(&one.from)?;
            Some(Lent {
                from,
                groups: &one.groups,
            })
        })
        .collect();
    let found = work.load(id)?;
    let step = found.approval.clone().decide(verdict, person, &lent, now);
    let who = Who::Reviewer(person.name.clone());
    let (approval, ()) = work.apply(&who, &found, step)?;
    Ok(approval.view(now))
}
