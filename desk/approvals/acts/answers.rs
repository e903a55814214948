//! What filters do with answers that wait for people.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::asking::load;
use crate::approvals::machine::Trouble;
use crate::approvals::protocol::{Answer, Find, Found, Keep, Sealed, State};
use crate::approvals::refusal::too_many;
use crate::approvals::store::{KeptAnswer, Stored};
use crate::approvals::work::{Halt, Work};
use crate::http::Refusal;
use crate::sessions::Who;

/// How many answers to one request are looked at.
const MAX_FOUND: u32 = 16;

/// How many answers may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// How many: filters are told of all of them.
    pub answers: u64,
    /// How many bytes they may have together.
    pub bytes: u64,
}

impl Room {
    /// The room that there is where the configuration says nothing.
    pub const STANDARD: Self = Self {
        answers: 10_000,
        bytes: 256 << 20,
    };
}

/// Keeps the answer that the approval `id` is about, unless it is kept already.
///
/// # Errors
/// There is no such approval for this filter, it is about no answer or decided against, or there is no room.
pub fn keep(
    work: &mut Work<'_>,
    id: &str,
    keep: &Keep,
    sealed: &[u8],
    filter: &str,
    room: Room,
) -> Result<Answer, Halt> {
    let (now, found) = (work.now, load(work, id, filter)?);
    let seconds = i64::try_from(keep.keep).unwrap_or(i64::MAX);
    let until = now.saturating_add(seconds.saturating_mul(1000));
    let until = found.approval.kept.unwrap_or(until);
    let first = found.approval.kept.is_none();
    let step = found.approval.clone().keep(until, now);
    if first && step.reply.is_ok() {
        let (answers, bytes) = work.rows.answers_size()?;
        let length = u64::try_from(sealed.len()).unwrap_or(u64::MAX);
        if answers >= room.answers || bytes.saturating_add(length) > room.bytes {
            return Err(too_many("answers_full", "No more answers can be kept.").into());
        }
    }
    let (approval, ()) = work.apply(&Who::Filter(filter.to_owned()), &found, step)?;
    if first {
        work.rows.put_answer(&KeptAnswer {
            approval: approval.id.clone(),
            filter: filter.to_owned(),
            request: keep.request.clone(),
            expires: until,
            sealed: sealed.to_vec(),
        })?;
        work.revise();
    }
    Ok(approval.answer(&approval.question.binding, now))
}

/// The approval of an answer to the same request that is kept: one that is approved, or else the latest.
///
/// # Errors
/// There is none.
pub fn find(work: &mut Work<'_>, find: &Find, filter: &str) -> Result<Found, Halt> {
    let now = work.now;
    let mut best: Option<Stored> = None;
    for id in work
        .rows
        .answers_to(filter, &find.request, now, MAX_FOUND)?
    {
        let Some(stored) = work.rows.find(&id)? else {
            continue;
        };
        let is_open = stored.approval.expires > now;
        match stored.approval.state {
            State::Approved if is_open => {
                best = Some(stored);
                break;
            }
            State::Pending | State::Denied if is_open && best.is_none() => best = Some(stored),
            _ => {}
        }
    }
    let found = best.ok_or_else(|| Refusal::not_found("answer"))?;
    let step = found.approval.clone().ask_again(&find.asker, now);
    let (approval, ()) = work.apply(&Who::Filter(filter.to_owned()), &found, step)?;
    Ok(Found {
        request: find.request.clone(),
        answer: approval.answer(&approval.question.binding, now),
    })
}

/// The answer that the approval `id` is about, once it may go.
///
/// # Errors
/// There is none, or it may not go.
pub fn fetch(work: &mut Work<'_>, id: &str, filter: &str) -> Result<Sealed, Halt> {
    let (now, found) = (work.now, load(work, id, filter)?);
    let step = found.approval.clone().expire(now);
    let (approval, ()) = work.apply(&Who::Desk, &found, step)?;
    if approval.state != State::Approved {
        return Err(Trouble::NotApproved.into());
    }
    let kept = work.rows.answer(id, now)?;
    let kept = kept.ok_or_else(|| Refusal::not_found("answer"))?;
    Ok(Sealed {
        id: approval.id,
        sealed: STANDARD.encode(kept.sealed),
    })
}
