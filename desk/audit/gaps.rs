//! `gaps`: which numbers of which worker are missing.
//!
//! The highest number that is known need not be a record's: of an exchange that went on for a while,
//! the number is in the ledger before its record.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use portcullis::base::time::rfc3339;

use super::select::record;
use super::{Failed, RIGHT, Status, WRONG, line, open};
use crate::ledger::Kind;
use crate::sessions::{Entry as Record, Event, RUNNING, What};

/// The numbers of one worker.
#[derive(Debug, Default)]
struct Numbers {
    /// Those of records that are there, as runs from the first to the last.
    runs: BTreeMap<i64, i64>,
    /// Of those that are not, the ones that were said to go on, with their ids and when that was.
    running: BTreeMap<i64, Running>,
    /// Numbers whose record is another exchange's than the one that was said to go on.
    taken: BTreeMap<i64, Running>,
}

/// An exchange that went on, or a number that was given to one, whose id isn't known then.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Running {
    id: String,
    /// Since 1970.
    at: Duration,
}

impl Numbers {
    /// An exchange went on; its record may come.
    fn begin(&mut self, number: i64, running: Running) {
        let before = self.runs.range(..=number).next_back();
        if before.is_none_or(|(_, last)| *last < number) {
            let known = self.running.entry(number).or_insert(running.clone());
            if known.id.is_empty() {
                *known = running;
            }
        }
    }

    fn add(&mut self, number: i64, id: &str) {
        if let Some(running) = self.running.remove(&number)
            && !running.id.is_empty()
            && running.id != id
        {
            self.taken.insert(number, running);
        }
        let before = self
            .runs
            .range(..=number)
            .next_back()
            .map(|(first, last)| (*first, *last));
        let (mut first, mut last) = (number, number);
        if let Some((start, end)) = before {
            if end >= number {
                return;
            }
            if end == number - 1 {
                first = start;
            }
        }
        if let Some(end) = number
            .checked_add(1)
            .and_then(|next| self.runs.remove(&next))
        {
            last = end;
        }
        self.runs.insert(first, last);
    }

    /// The runs that are missing, each number that was said to go on for itself. A worker counts
    /// from 1; records up to the number `removed` may be gone.
    fn gaps(&self, removed: i64) -> Vec<Gap<'_>> {
        let mut gaps = Vec::new();
        let mut next = removed.saturating_add(1);
        for (first, last) in &self.runs {
            self.missing(next, first.saturating_sub(1), &mut gaps);
            match last.checked_add(1) {
                Some(behind) => next = next.max(behind),
                // There is no number behind it.
                None => return gaps,
            }
        }
        if let Some((last, _)) = self.running.last_key_value() {
            self.missing(next, *last, &mut gaps);
        }
        gaps
    }

    fn missing<'n>(&'n self, first: i64, last: i64, gaps: &mut Vec<Gap<'n>>) {
        let mut next = first;
        let unknown = |first: i64, last: i64, gaps: &mut Vec<Gap<'n>>| {
            if first <= last {
                gaps.push((first, last, None));
            }
        };
        if first > last {
            return;
        }
        for (number, running) in self.running.range(first..=last) {
            unknown(next, number.saturating_sub(1), gaps);
            gaps.push((*number, *number, Some(running)));
            next = number.saturating_add(1);
        }
        unknown(next, last, gaps);
    }
}

/// The first and the last number that is missing, and what is known of it.
type Gap<'n> = (i64, i64, Option<&'n Running>);

/// Tells each worker's missing numbers, a line a gap.
///
/// # Errors
/// The ledger can't be read.
pub fn gaps(folder: &Path, out: &mut dyn Write) -> Status {
    let mut workers: BTreeMap<String, Numbers> = BTreeMap::new();
    let mut removed: BTreeMap<String, i64> = BTreeMap::new();
    open(folder)?.each::<Failed>(0, &mut |entry, _, part| {
        if part.kind == Kind::EVENT
            && let Some(Event {
                what: What::Retention { workers, .. },
                ..
            }) = Event::read(part.bytes)
        {
            // The latest speaks for all.
            let kept = workers.into_iter();
            removed = kept.map(|kept| (kept.worker, kept.removed)).collect();
        }
        let time = part.time;
        if part.kind == RUNNING {
            let running = Record::read_logged(part.bytes).map_err(|why| {
                Failed::new(format!("entry {entry}: expected a running exchange: {why}"))
            })?;
            let at = Duration::from_millis(time);
            let id = running.id;
            let numbers = workers.entry(running.worker).or_default();
            numbers.begin(running.number, Running { id, at });
        } else if let Some(record) = record(entry, part)? {
            match workers.get_mut(&record.worker) {
                Some(numbers) => numbers.add(record.number, &record.id),
                None => {
                    let numbers = workers.entry(record.worker).or_default();
                    numbers.add(record.number, &record.id);
                }
            }
        }
        Ok(())
    })?;
    let mut status = RIGHT;
    for (worker, numbers) in &workers {
        let removed = removed.get(worker).copied().unwrap_or(0);
        for (first, last, running) in numbers.gaps(removed) {
            status = WRONG;
            let text = match running {
                Some(Running { id, at }) if id.is_empty() => format!(
                    "worker {worker}: record {first} is missing: its number was given before {}",
                    rfc3339(*at)
                ),
                Some(Running { id, at }) => format!(
                    "worker {worker}: record {first} is missing: its exchange, {id}, went on at {}",
                    rfc3339(*at)
                ),
                None if first == last => format!("worker {worker}: record {first} is missing"),
                None => {
                    let count = last.saturating_sub(first).saturating_add(1);
                    format!("worker {worker}: records {first} to {last} are missing ({count})")
                }
            };
            line(out, &text)?;
        }
        for (number, Running { id, at }) in &numbers.taken {
            status = WRONG;
            let text = format!(
                "worker {worker}: the record of the exchange {id}, which went on at {}, is missing: record {number} is another one's",
                rfc3339(*at)
            );
            line(out, &text)?;
        }
    }
    Ok(status)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn gaps_begin_at_one_and_end_before_the_highest() {
        let mut numbers = Numbers::default();
        for number in [5, 3, 4, 9, 3, i64::MAX] {
            numbers.add(number, "");
        }
        let unknown = |(first, last)| (first, last, None);
        let expected = [(1, 2), (6, 8), (10, i64::MAX - 1)];
        assert_eq!(numbers.gaps(0), expected.map(unknown));
        assert_eq!(numbers.gaps(2), [(6, 8), (10, i64::MAX - 1)].map(unknown));
        assert_eq!(numbers.gaps(7), [(8, 8), (10, i64::MAX - 1)].map(unknown));
        assert_eq!(numbers.gaps(9), [(10, i64::MAX - 1)].map(unknown));
    }

    #[test]
    fn an_exchange_that_went_on_is_missed_until_its_record_comes() {
        let mut numbers = Numbers::default();
        let running = |id: &str| Running {
            id: id.to_owned(),
            at: Duration::from_secs(1),
        };
        numbers.add(1, "");
        for (number, id) in [(3, "c"), (3, "again"), (9, "i"), (1, "there"), (6, "f")] {
            numbers.begin(number, running(id));
        }
        numbers.add(6, "f");
        assert_eq!(numbers.taken, BTreeMap::new());
        let (third, ninth) = (running("c"), running("i"));
        let expected = [
            (2, 2, None),
            (3, 3, Some(&third)),
            (4, 5, None),
            (7, 8, None),
            (9, 9, Some(&ninth)),
        ];
        assert_eq!(numbers.gaps(0), expected);
        (2..10).for_each(|number| numbers.add(number, "c"));
        assert_eq!(numbers.gaps(0), []);
        // The record 9 is another exchange's than the one that went on.
        assert_eq!(numbers.taken, BTreeMap::from([(9, running("i"))]));
    }

    proptest! {
        #[test]
        fn gaps_are_what_was_not_added(added in prop::collection::vec(1i64..60, 1..80)) {
            let mut numbers = Numbers::default();
            added.iter().for_each(|number| numbers.add(*number, ""));
            let missing: Vec<_> = numbers.gaps(0).into_iter().flat_map(|(first, last, _)| first..=last).collect();
            let highest = added.iter().copied().max().unwrap();
            let expected: Vec<_> = (1..highest).filter(|number| !added.contains(number)).collect();
            prop_assert_eq!(missing, expected);
        }
    }
}
