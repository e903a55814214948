//! What time does: it is an event, too.

use super::orders::read;
use crate::approvals::entries;
use crate::approvals::protocol::{Block, Delegation};
use crate::approvals::store::Kind;
use crate::approvals::work::{Halt, Work};
use crate::sessions::{What, Who};

/// How much is ended at a time.
const MAX_ENDED: u32 = 100;

/// Ends what has run out of time.
///
/// # Errors
/// The store fails.
pub fn sweep(work: &mut Work<'_>) -> Result<(), Halt> {
    let now = work.now;
    for due in work.rows.due(now, MAX_ENDED)? {
        let step = due.approval.clone().expire(now);
        work.apply(&Who::Desk, &due, step)?;
    }
    for kept in work.rows.ended(Kind::Block, now, MAX_ENDED)? {
        let block: Block = read(&kept)?;
        work.rows.unkeep(Kind::Block, &kept.id)?;
        work.enter(Who::Desk, What::Unblock(entries::block(&block)));
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
