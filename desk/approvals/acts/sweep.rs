//! What time does: it is an event, too.

use std::time::Duration;

use super::orders::read;
use crate::approvals::entries;
use crate::approvals::protocol::{Block, Delegation};
use crate::approvals::store::Kind;
use crate::approvals::work::{Halt, Work};
use crate::sessions::{What, Who};

/// How much is ended, and how much removed, at a time.
const MAX_ENDED: u32 = 100;

/// How many windows open or close at a time: those of a whole office begin at once.
const MAX_TURNED: u32 = 1000;

/// For how long an approval is kept behind its end, in milliseconds: 30 days.
pub const KEPT_FOR: i64 = 30 * A_DAY;

const A_DAY: i64 = 24 * 60 * 60 * 1000;

/// For how long approvals are kept behind their end where records are kept for `retention`: as long as those, but
/// a day at least, and no longer than usual.
#[must_use]
pub fn kept_for(retention: Option<Duration>) -> i64 {
    let millis = |kept: Duration| i64::try_from(kept.as_millis()).unwrap_or(i64::MAX);
    retention.map_or(KEPT_FOR, |kept| millis(kept).clamp(A_DAY, KEPT_FOR))
}

/// Ends what has run out of time, lists what opens and no longer what closes, and removes what ended `keep` milliseconds ago.
///
/// # Errors
/// The store fails.
pub fn sweep(work: &mut Work<'_>, keep: i64) -> Result<(), Halt> {
    let now = work.now;
    for due in work.rows.due(now, MAX_ENDED)? {
        let step = due.approval.clone().expire(now);
        work.apply(&Who::Desk, &due, step)?;
    }
    for turning in work.rows.turning(now, MAX_TURNED)? {
        let step = turning.approval.clone().expire(now);
        work.apply(&Who::Desk, &turning, step)?;
    }
    work.rows.forget(now.saturating_sub(keep), MAX_ENDED)?;
    work.rows.forget_answers(now, MAX_ENDED)?;
    for kept in work.rows.ended(Kind::Block, now, MAX_ENDED)? {
        let block: Block = read(&kept)?;
        work.rows.unkeep(Kind::Block, &kept.id)?;
        work.enter(Who::Desk, What::Unblock(entries::block(&block)));
        work.revise();
    }
    for kept in work.rows.ended(Kind::Reset, now, MAX_ENDED)? {
        work.rows.unkeep(Kind::Reset, &kept.id)?;
        work.revise();
    }
    for kept in work.rows.ended(Kind::Delegation, now, MAX_ENDED)? {
        let delegation: Delegation = read(&kept)?;
        work.rows.unkeep(Kind::Delegation, &kept.id)?;
        let what = What::DelegationEnd(entries::delegation(&delegation));
        work.enter(Who::Desk, what);
    }
    Ok(())
}
