//! What holds without a question.

use serde::Serialize;

use super::orders::blocks;
use super::resets::resets;
use crate::approvals::protocol::{
    Changed, LEASE_MILLIS, Standing, StandingBlock, StandingGrant, StandingReset,
};
use crate::approvals::work::{Halt, Work};
use crate::seldom::Seldom;

/// That grants are left out is said seldom: filters ask each second.
static LEFT_OUT: Seldom = Seldom::new();

/// The most grants that are listed. For what is left out, filters ask.
const MAX_GRANTS: u32 = 10_000;

/// The most kept answers whose names are listed. If there are more, filters ask about each request.
const MAX_ANSWERS: u32 = 10_000;

/// The longest answer, in bytes, with room for what stands around the lists: filters take no more than 8 MiB.
/// What is blocked and what is reset is shorter than that by itself, so that only grants are left out.
const MAX_BYTES: usize = (8 << 20) - 1024;

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
    let listed = listed.into_iter();
    let listed = listed.filter(|approval| approval.is_vouched_by(filter));
    let grants = listed.filter_map(|approval| {
        // One whose window is over by now is listed until that is noted.
        let left = approval.left(now).filter(|left| left.left_ms > 0)?;
        let (matter, ahead) = (approval.question.matter, approval.ahead);
        Some(StandingGrant {
            id: approval.id,
            issuer: matter.issuer,
            subject: ahead.group.is_none().then_some(matter.subject),
            group: ahead.group,
            except: approval.apart,
            rule: matter.rule,
            rule_digest: matter.rule_digest?,
            operation: Some(matter.operation),
            model: matter.model,
            models: ahead.models,
            left_ms: left.left_ms,
        })
    });
    let blocks = blocks(work)?.into_iter();
    let blocks = blocks.map(|(block, left_ms)| StandingBlock {
        id: block.id,
        issuer: block.issuer,
        subject: block.subject,
        token_id: block.token_id,
        left_ms,
        reason: block.reason,
    });
    let blocks: Vec<StandingBlock> = blocks.collect();
    let resets = resets(work)?.into_iter();
    let resets = resets.map(|(reset, left_ms)| StandingReset {
        id: reset.id,
        quota: reset.quota,
        key: reset.key,
        left_ms,
    });
    let resets: Vec<StandingReset> = resets.collect();
    let most = usize::try_from(MAX_ANSWERS).unwrap_or(usize::MAX);
    let names = work.rows.answer_names(filter, now, MAX_ANSWERS + 1)?;
    let answers = (names.len() <= most).then_some(names);
    let taken = blocks.iter().map(bytes).fold(0, usize::saturating_add);
    let taken = resets.iter().map(bytes).fold(taken, usize::saturating_add);
    let taken = taken.saturating_add(answers.as_ref().map_or(0, bytes));
    let (grants, left_out) = fitting(grants, MAX_BYTES.saturating_sub(taken));
    if left_out > 0
        && let Some(times) = LEFT_OUT.again()
    {
        tracing::warn!(
            filter,
            times,
            grants = left_out,
            "not all grants fit into what filters are told: they ask about each request of the oldest"
        );
    }
    Ok(Standing::Changed(Changed {
        revision,
        lease_ms: LEASE_MILLIS,
        grants,
        blocks,
        resets,
        answers,
    }))
}

/// The grants that fit into this many bytes, the first ones first, and how many of them don't.
fn fitting(
    grants: impl Iterator<Item = StandingGrant>,
    most: usize,
) -> (Vec<StandingGrant>, usize) {
    let (mut fit, mut left_out, mut taken) = (Vec::new(), 0_usize, 0_usize);
    for grant in grants {
        taken = taken.saturating_add(bytes(&grant));
        if taken > most {
            left_out = left_out.saturating_add(1);
        } else {
            fit.push(grant);
        }
    }
    (fit, left_out)
}

/// How long something is in the answer.
fn bytes<T: Serialize>(value: &T) -> usize {
    // With the comma behind it.
    serde_json::to_vec(value).map_or(0, |text| text.len().saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(text: &str) -> StandingGrant {
        StandingGrant {
            id: "apr_1".to_owned(),
            issuer: "i".to_owned(),
            subject: Some("s".to_owned()),
            group: None,
            except: Vec::new(),
            rule: "r".to_owned(),
            rule_digest: "d".to_owned(),
            operation: Some("o".to_owned()),
            model: Some(text.to_owned()),
            models: None,
            left_ms: 1,
        }
    }

    #[test]
    fn the_newest_grants_are_told_as_many_as_fit() {
        // What JSON makes of a text counts.
        let long = "\u{1}".repeat(4096);
        let grants = (0..1000).map(|_| grant(&long));
        let (fit, left_out) = fitting(grants, MAX_BYTES);
        assert_eq!(fit.len() + left_out, 1000);
        let told = Standing::Changed(Changed {
            revision: "r".repeat(64),
            lease_ms: LEASE_MILLIS,
            grants: fit,
            blocks: Vec::new(),
            resets: Vec::new(),
            answers: None,
        });
        let told = bytes(&told);
        assert!(told < 8 << 20 && told > 7 << 20, "{told}");
        let (fit, left_out) = fitting([grant("new"), grant(&long)].into_iter(), 200);
        assert_eq!((fit, left_out), (vec![grant("new")], 1));
    }
}
