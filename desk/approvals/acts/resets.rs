//! Counts of quotas that are to be emptied.

use axum::http::StatusCode;

use super::ids::new_id;
use super::orders::{end, keep, read, reviewer};
use crate::approvals::entries;
use crate::approvals::protocol::{MAX_RESET_SECONDS, MAX_RESET_TEXTS, NewReset, Reset, Resets};
use crate::approvals::refusal::too_many;
use crate::approvals::store::{Held, Kind};
use crate::approvals::work::{Halt, Work};
use crate::http::{Person, Refusal};
use crate::sessions::{What, time_text};
use crate::store::Page;

/// The most resets that hold.
const MAX_RESETS: u32 = 1_000;

/// The most that all of them say together, in bytes: filters are told of them beside all that is blocked.
const MAX_RESET_BYTES: u64 = 256 << 10;

/// The most of one count: each leaves a mark beside it in Envoy for as long as the reset holds.
const MAX_OF_COUNT: usize = 8;

/// The longest name of a quota, and the longest key, in bytes.
const MAX_TEXT_BYTES: usize = 1024;

/// For how long filters are told, in seconds.
const USUAL_SECONDS: u64 = 15 * 60;

/// Has every filter empty a count, once in each Envoy that hears of it in time.
///
/// # Errors
/// The person may not, or the reset is malformed.
pub fn put_reset(work: &mut Work<'_>, new: &NewReset, person: &Person) -> Result<Reset, Halt> {
    may_reset(new, person)?;
    let bytes: usize = new.key.iter().map(String::len).sum();
    if !(1..=MAX_TEXT_BYTES).contains(&new.quota.len())
        || bytes > MAX_TEXT_BYTES
        || new.key.len() > MAX_RESET_TEXTS
    {
        let message = format!(
            "\"quota\" has 1 to {MAX_TEXT_BYTES} bytes, and \"key\" {MAX_RESET_TEXTS} texts at most, with as many bytes together."
        );
        return Err(Refusal::malformed(message).into());
    }
    let seconds = new.seconds.unwrap_or(USUAL_SECONDS);
    if !(1..=MAX_RESET_SECONDS).contains(&seconds) {
        let message = format!("\"for\" is 1 to {MAX_RESET_SECONDS} seconds.");
        return Err(Refusal::malformed(message).into());
    }
    let now = work.now;
    let same = |one: &Reset| one.quota == new.quota && one.key == new.key;
    let before = resets(work)?;
    let of_count = before.iter().filter(|(one, _)| same(one)).count();
    if is_full(work.rows.held(Kind::Reset, now)?) || of_count >= MAX_OF_COUNT {
        return Err(too_many("too_many_resets", "Too many counts are reset at present.").into());
    }
    let ends = end(now, seconds);
    let reset = Reset {
        id: new_id("rst_")?,
        quota: new.quota.clone(),
        key: new.key.clone(),
        reason: new.reason.clone(),
        reviewer: person.name.clone(),
        created: time_text(now),
        expires: time_text(ends),
    };
    keep(work, Kind::Reset, &reset.id, Some(ends), &reset)?;
    work.enter(reviewer(person), What::Reset(entries::reset(&reset)));
    work.revise();
    Ok(reset)
}

/// Whether no other one fits.
fn is_full(held: Held) -> bool {
    held.number >= u64::from(MAX_RESETS) || held.bytes >= MAX_RESET_BYTES
}

/// Nobody resets a count of their own.
fn may_reset(new: &NewReset, person: &Person) -> Result<(), Refusal> {
    if !person.quotas {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "may_not_reset",
            "You are not one of those who may reset quotas.",
        ));
    }
    let alike = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
    let own = |text: &str| {
        let linked = person.subjects.iter().any(|link| link.subject == text);
        let email = person
            .email
            .as_ref()
            .is_some_and(|email| alike(email, text));
        linked || email || (person.subjects.is_empty() && alike(&person.name, text))
    };
    // The names of dimensions are not looked at: who is counted by a claim is known by it, too.
    match new.key.iter().any(|text| own(text)) {
        true => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "own_count",
            "Nobody resets a count of their own.",
        )),
        false => Ok(()),
    }
}

/// What is to be emptied, newest first, each with the milliseconds that are left.
///
/// # Errors
/// The store fails.
pub(super) fn resets(work: &mut Work<'_>) -> Result<Vec<(Reset, u64)>, Halt> {
    let now = work.now;
    let kept = work.rows.kept(Kind::Reset, now, MAX_RESETS)?;
    let resets = kept.iter().map(|kept| {
        let left = u64::try_from(kept.expires.saturating_sub(now)).unwrap_or(0);
        Ok((read(kept)?, left))
    });
    resets.collect()
}

/// A page of that, newest first.
///
/// # Errors
/// The store fails.
pub fn list_resets(work: &mut Work<'_>, page: &Page) -> Result<Resets, Halt> {
    let listed = work.rows.kept_page(Kind::Reset, work.now, page)?;
    let resets = listed.rows.iter().map(read);
    Ok(Resets {
        resets: resets.collect::<Result<_, _>>()?,
        next: listed.next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Subject;

    #[test]
    fn resets_are_bounded_by_their_number_and_by_what_they_say() {
        let held = |number: u64, bytes: u64| Held {
            number,
            bytes: number * bytes,
        };
        assert!(!is_full(held(999, 200)));
        assert!(is_full(held(1_000, 200)));
        assert!(!is_full(held(255, 1 << 10)));
        assert!(is_full(held(256, 1 << 10)));
    }

    #[test]
    fn who_may_and_whose_count_it_is_decides() {
        let new = |subject: &str| NewReset {
            quota: "few".to_owned(),
            key: ["subject", "corp", subject].map(str::to_owned).to_vec(),
            seconds: None,
            reason: "r".to_owned(),
        };
        let ana = Person {
            name: "ana".to_owned(),
            groups: Vec::new(),
            subjects: vec![Subject {
                issuer: "https://idp".to_owned(),
                subject: "a-17".to_owned(),
            }],
            email: Some("ana@example.com".to_owned()),
            break_glass: true,
            blocks: true,
            quotas: true,
        };
        let code = |new: &NewReset, person: &Person| {
            may_reset(new, person).map_err(|refusal| refusal.code)
        };
        assert_eq!(code(&new("bob"), &ana), Ok(()));
        assert_eq!(code(&new("ana"), &ana), Ok(()), "linked by another subject");
        for own in ["a-17", "Ana@Example.com"] {
            assert_eq!(code(&new(own), &ana), Err("own_count"));
        }
        let unlinked = Person {
            subjects: Vec::new(),
            ..ana.clone()
        };
        assert_eq!(code(&new("ANA"), &unlinked), Err("own_count"));
        let without = Person {
            quotas: false,
            ..ana
        };
        assert_eq!(code(&new("bob"), &without), Err("may_not_reset"));
    }
}
