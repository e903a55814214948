//! Blocks and delegations.

use axum::http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::ids::new_id;
use super::people::People;
use crate::approvals::entries;
use crate::approvals::protocol::{Block, Blocks, Delegate, Delegation, NewBlock};
use crate::approvals::refusal::too_many;
use crate::approvals::store::{Held, Kept, Kind};
use crate::approvals::work::{Halt, Work};
use crate::http::{Person, Refusal};
use crate::sessions::{What, Who, time_text};
use crate::store::{Page, StoreError};

/// The most blocks.
pub(super) const MAX_BLOCKS: u32 = 10_000;

/// The most that all blocks say together, in bytes: filters are told of all of them at once.
const MAX_BLOCK_BYTES: u64 = 7 << 20;

/// The most delegations.
const MAX_DELEGATIONS: u32 = 1_000;

/// The longest subject, issuer or token id of a block, in bytes.
const MAX_TEXT_BYTES: usize = 1024;

/// The longest delegation, in seconds: a year.
const MAX_DELEGATION_SECONDS: u64 = 366 * 24 * 60 * 60;

/// Refuses a subject or a token everywhere.
///
/// # Errors
/// The person may not, or the block is malformed.
pub fn put_block(work: &mut Work<'_>, new: &NewBlock, person: &Person) -> Result<Block, Halt> {
    may_block(person)?;
    let texts = [&new.issuer, &new.subject, &new.token_id];
    let unfit = |text: &String| text.is_empty() || text.len() > MAX_TEXT_BYTES;
    if texts.into_iter().flatten().any(unfit) {
        let message = format!("A block's texts have 1 to {MAX_TEXT_BYTES} bytes.");
        return Err(Refusal::malformed(message).into());
    }
    if new.subject.is_some() == new.token_id.is_some() {
        let message = "A block has either a \"subject\" or a \"token_id\".";
        return Err(Refusal::malformed(message).into());
    }
    if new.seconds == Some(0) {
        return Err(Refusal::malformed("\"for\" is at least 1 second.").into());
    }
    let now = work.now;
    if is_full(work.rows.held(Kind::Block, now)?) {
        return Err(too_many("too_many_blocks", "Too much is blocked already.").into());
    }
    let ends = new.seconds.map(|seconds| end(now, seconds));
    let block = Block {
        id: new_id("blk_")?,
        issuer: new.issuer.clone(),
        subject: new.subject.clone(),
        token_id: new.token_id.clone(),
        reason: new.reason.clone(),
        reviewer: person.name.clone(),
        created: time_text(now),
        expires: ends.map(time_text),
    };
    keep(work, Kind::Block, &block.id, ends, &block)?;
    work.enter(reviewer(person), What::Block(entries::block(&block)));
    work.revise();
    Ok(block)
}

/// Whether no other block fits.
fn is_full(held: Held) -> bool {
    held.number >= u64::from(MAX_BLOCKS) || held.bytes >= MAX_BLOCK_BYTES
}

/// Ends a block.
///
/// # Errors
/// The person may not, or there is none.
pub fn lift(work: &mut Work<'_>, id: &str, person: &Person) -> Result<Block, Halt> {
    may_block(person)?;
    let kept = work.rows.unkeep(Kind::Block, id)?;
    let kept = kept.ok_or_else(|| Refusal::not_found("block"))?;
    let block: Block = read(&kept)?;
    work.enter(reviewer(person), What::Unblock(entries::block(&block)));
    work.revise();
    Ok(block)
}

/// What is blocked, newest first, each with the milliseconds that are left.
///
/// # Errors
/// The store fails.
pub fn blocks(work: &mut Work<'_>) -> Result<Vec<(Block, Option<u64>)>, Halt> {
    let now = work.now;
    let kept = work.rows.kept(Kind::Block, now, MAX_BLOCKS)?;
    let blocks = kept.iter().map(|kept| {
        let left = u64::try_from(kept.expires.saturating_sub(now)).ok();
        let left = left.filter(|_| kept.expires != i64::MAX);
        Ok((read(kept)?, left))
    });
    blocks.collect()
}

/// A page of what is blocked, newest first.
///
/// # Errors
/// The store fails.
pub fn list_blocks(work: &mut Work<'_>, page: &Page) -> Result<Blocks, Halt> {
    let listed = work.rows.kept_page(Kind::Block, work.now, page)?;
    let blocks = listed.rows.iter().map(read);
    Ok(Blocks {
        blocks: blocks.collect::<Result<_, _>>()?,
        next: listed.next,
    })
}

/// Lets another reviewer decide instead of `person`.
///
/// # Errors
/// There is no such reviewer, or the groups are not the person's.
pub fn delegate(
    work: &mut Work<'_>,
    new: &Delegate,
    person: &Person,
    people: &People,
) -> Result<Delegation, Halt> {
    if !people.contains_key(&new.to) || new.to == person.name {
        return Err(Refusal::malformed("\"to\" is another reviewer's name.").into());
    }
    let own = |group: &String| person.groups.contains(group);
    if new.groups.is_empty() || !new.groups.iter().all(own) {
        return Err(Refusal::malformed("\"groups\" are groups that you are in.").into());
    }
    if !(1..=MAX_DELEGATION_SECONDS).contains(&new.seconds) {
        let message = format!("\"for\" is 1 to {MAX_DELEGATION_SECONDS} seconds.");
        return Err(Refusal::malformed(message).into());
    }
    let now = work.now;
    let before = work.rows.kept(Kind::Delegation, now, MAX_DELEGATIONS)?;
    if before.len() >= usize::try_from(MAX_DELEGATIONS).unwrap_or(usize::MAX) {
        return Err(too_many("too_many_delegations", "There are too many delegations.").into());
    }
    let ends = end(now, new.seconds);
    let mut groups = new.groups.clone();
    groups.sort();
    groups.dedup();
    let delegation = Delegation {
        id: new_id("dlg_")?,
        from: person.name.clone(),
        to: new.to.clone(),
        groups,
        created: time_text(now),
        expires: time_text(ends),
    };
    keep(
        work,
        Kind::Delegation,
        &delegation.id,
        Some(ends),
        &delegation,
    )?;
    let what = What::Delegation(entries::delegation(&delegation));
    work.enter(reviewer(person), what);
    Ok(delegation)
}

/// Ends a delegation, which either of the two may.
///
/// # Errors
/// There is none of this person's.
pub fn undelegate(work: &mut Work<'_>, id: &str, person: &Person) -> Result<Delegation, Halt> {
    let known = delegations(work)?;
    let concerned = |one: &&Delegation| one.from == person.name || one.to == person.name;
    let known = known.into_iter().find(|one| one.id == id);
    let known = known.filter(|one| concerned(&one));
    let delegation = known.ok_or_else(|| Refusal::not_found("delegation"))?;
    work.rows.unkeep(Kind::Delegation, id)?;
    let what = What::DelegationEnd(entries::delegation(&delegation));
    work.enter(reviewer(person), what);
    Ok(delegation)
}

/// All delegations, newest first.
///
/// # Errors
/// The store fails.
pub fn delegations(work: &mut Work<'_>) -> Result<Vec<Delegation>, Halt> {
    let kept = work
        .rows
        .kept(Kind::Delegation, work.now, MAX_DELEGATIONS)?;
    Ok(kept.iter().map(read).collect::<Result<_, _>>()?)
}

/// Reads what was kept.
pub(super) fn read<T: DeserializeOwned>(kept: &Kept) -> Result<T, StoreError> {
    serde_json::from_str(&kept.document).map_err(|error| StoreError::Form(error.to_string()))
}

pub(super) fn keep<T: Serialize>(
    work: &mut Work<'_>,
    kind: Kind,
    id: &str,
    ends: Option<i64>,
    value: &T,
) -> Result<(), StoreError> {
    let document = serde_json::to_string(value);
    let kept = Kept {
        id: id.to_owned(),
        expires: ends.unwrap_or(i64::MAX),
        document: document.map_err(|error| StoreError::Form(error.to_string()))?,
    };
    work.rows.keep(kind, &kept)
}

pub(super) fn end(now: i64, seconds: u64) -> i64 {
    let millis = i64::try_from(seconds).unwrap_or(i64::MAX);
    // Never is the greatest of all.
    now.saturating_add(millis.saturating_mul(1000))
        .min(i64::MAX.saturating_sub(1))
}

fn may_block(person: &Person) -> Result<(), Refusal> {
    match person.blocks {
        true => Ok(()),
        false => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "may_not_block",
            "You are not one of those who may block.",
        )),
    }
}

pub(super) fn reviewer(person: &Person) -> Who {
    Who::Reviewer(person.name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_bounded_by_their_number_and_by_what_they_say() {
        let held = |number: u64, bytes: u64| Held {
            number,
            bytes: number * bytes,
        };
        assert!(!is_full(held(9_999, 200)));
        assert!(is_full(held(10_000, 200)));
        assert!(!is_full(held(1_023, 7 << 10)));
        assert!(is_full(held(1_024, 7 << 10)));
    }
}
