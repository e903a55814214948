//! What filters do.

use super::ids::new_id;
use crate::approvals::machine::{Approval, Trouble};
use crate::approvals::protocol::{Answer, Claim, Claimed, GiveBack, Matter, Question};
use crate::approvals::refusal::too_many;
use crate::approvals::store::{Stored, Whose};
use crate::approvals::work::{Halt, Work};
use crate::sessions::Who;

/// How many grants are looked at for one question.
const MAX_GRANTS: u32 = 100;

/// How many questions without anybody who waits give way at a time.
const MAX_MAKING_WAY: u32 = 16;

/// How many questions there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of one caller, for which somebody waits.
    pub caller: u64,
    /// Of all, for which somebody waits.
    pub all: u64,
    /// Of one caller, for which nobody waits any more: the oldest gives way.
    pub caller_alone: u64,
    /// Of all, for which nobody waits any more.
    pub all_alone: u64,
}

impl Limits {
    /// The limits that the desk applies.
    pub const STANDARD: Self = Self {
        caller: 100,
        all: 10_000,
        caller_alone: 100,
        all_alone: 10_000,
    };
}

/// Finds what answers the question of `filter`, or begins to wait for people.
///
/// # Errors
/// Too many wait.
pub fn ask(
    work: &mut Work<'_>,
    question: &Question,
    filter: &str,
    limits: Limits,
) -> Result<Answer, Halt> {
    let (now, who) = (work.now, Who::Filter(filter.to_owned()));
    let binding = &question.binding;
    for grant in work.rows.wide(&question.matter, MAX_GRANTS)? {
        if grant.approval.covers(question, filter, now) {
            let covering = grant.approval.clone().cover(question, filter);
            let listed = covering.is_listed() != grant.approval.is_listed();
            let replaced = work.rows.replace(&Stored {
                approval: covering.clone(),
                version: grant.version,
            })?;
            if !replaced {
                return Err(crate::store::StoreError::Conflict.into());
            }
            if listed {
                work.revise();
            }
            return Ok(covering.answer(binding, now));
        }
    }
    if let Some(found) = work.rows.latest(filter, binding, now)?
        && found.approval.serves(question, now)
    {
        let step = found.approval.clone().ask_again(&question.asker, now);
        let (approval, ()) = work.apply(&who, &found, step)?;
        return Ok(approval.answer(binding, now));
    }
    make_room(work, &question.matter, limits)?;
    let id = new_id("apr_")?;
    let step = Approval::ask(id, question.clone(), Some(filter), None, now);
    Ok(work.add(&who, step)?.answer(binding, now))
}

/// Refuses a question if too many wait; those for which nobody does give way.
pub(super) fn make_room(work: &mut Work<'_>, matter: &Matter, limits: Limits) -> Result<(), Halt> {
    let now = work.now;
    let caller = Whose::Caller {
        issuer: &matter.issuer,
        subject: &matter.subject,
    };
    if work.rows.awaited(caller, now)? >= limits.caller {
        let message = "Too many requests of this subject wait for a decision.";
        return Err(too_many("too_many_pending", message).into());
    }
    if work.rows.awaited(Whose::All, now)? >= limits.all {
        let message = "Too many requests wait for a decision.";
        return Err(too_many("too_many_pending", message).into());
    }
    for (whose, most) in [
        (caller, limits.caller_alone),
        (Whose::All, limits.all_alone),
    ] {
        for alone in work.rows.alone(whose, now, most, MAX_MAKING_WAY)? {
            let step = alone.approval.clone().give_way(now);
            work.apply(&Who::Desk, &alone, step)?;
        }
    }
    Ok(())
}

/// The state of an approval that `filter` waits for. It takes nothing.
///
/// # Errors
/// There is no such approval for this filter.
pub fn wait(
    work: &mut Work<'_>,
    id: &str,
    asker: Option<&str>,
    filter: &str,
) -> Result<Answer, Halt> {
    let (now, found) = (work.now, load(work, id, filter)?);
    let step = found.approval.clone().wait(asker, now);
    let (approval, ()) = work.apply(&Who::Desk, &found, step)?;
    Ok(approval.answer(&approval.question.binding, now))
}

/// Takes a use.
///
/// # Errors
/// It is for another request, or there is no such approval for this filter.
pub fn claim(work: &mut Work<'_>, id: &str, claim: &Claim, filter: &str) -> Result<Claimed, Halt> {
    let (now, found) = (work.now, load(work, id, filter)?);
    let step = found.approval.clone().claim(claim, filter, now);
    let who = Who::Filter(filter.to_owned());
    Ok(work.apply(&who, &found, step)?.1)
}

/// Gives a use back.
///
/// # Errors
/// There is no such claim.
pub fn give_back(
    work: &mut Work<'_>,
    id: &str,
    back: &GiveBack,
    filter: &str,
) -> Result<Answer, Halt> {
    let (now, found) = (work.now, load(work, id, filter)?);
    let step = found.approval.clone();
    let step = step.give_back(&back.claim, back.why, filter, now);
    let who = Who::Filter(filter.to_owned());
    let (approval, ()) = work.apply(&who, &found, step)?;
    Ok(approval.answer(&approval.question.binding, now))
}

/// An asker's clients have gone.
///
/// # Errors
/// There is no such approval for this filter.
pub fn cancel(work: &mut Work<'_>, id: &str, asker: &str, filter: &str) -> Result<Answer, Halt> {
    let (now, found) = (work.now, load(work, id, filter)?);
    let step = found.approval.clone().cancel(asker, now);
    let who = Who::Filter(filter.to_owned());
    let (approval, ()) = work.apply(&who, &found, step)?;
    Ok(approval.answer(&approval.question.binding, now))
}

pub(super) fn load(work: &mut Work<'_>, id: &str, filter: &str) -> Result<Stored, Halt> {
    let found = work.load(id)?;
    match found.approval.is_for(filter) {
        true => Ok(found),
        false => Err(Trouble::Unknown.into()),
    }
}
