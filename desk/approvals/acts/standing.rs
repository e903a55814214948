//! What holds without a question.

use super::orders::blocks;
use crate::approvals::protocol::{Changed, LEASE_MILLIS, Standing, StandingBlock, StandingGrant};
use crate::approvals::work::{Halt, Work};

/// The most grants that are listed. For what is left out, filters ask.
const MAX_GRANTS: u32 = 10_000;

/// What stands for `filter`, unless that is what it knows.
///
/// # Errors
/// The store fails.
pub fn standing(work: &mut Work<'_>, filter: &str, since: Option<&str>) -> Result<Standing, Halt> {
    let (now, revision) = (work.now, work.rows.revision()?);
    if since == Some(&*revision) {
        return Ok(Standing::Unchanged {
            revision,
            unchanged: true,
        });
    }
    let listed = work.rows.listed(filter, now, MAX_GRANTS)?;
    let grants = listed.into_iter().filter_map(|approval| {
        let left = approval.left(now)?;
        let matter = approval.question.matter;
        Some(StandingGrant {
            id: approval.id,
            issuer: matter.issuer,
            subject: Some(matter.subject),
            group: None,
            rule: matter.rule,
            rule_digest: matter.rule_digest?,
            operation: Some(matter.operation),
            model: matter.model,
            left_ms: left.left_ms,
        })
    });
    let grants = grants.collect();
    let blocks = blocks(work)?.into_iter();
    let blocks = blocks.map(|(block, left_ms)| StandingBlock {
        id: block.id,
        issuer: block.issuer,
        subject: block.subject,
        token_id: block.token_id,
        left_ms,
        reason: block.reason,
    });
    Ok(Standing::Changed(Changed {
        revision,
        lease_ms: LEASE_MILLIS,
        grants,
        blocks: blocks.collect(),
    }))
}
