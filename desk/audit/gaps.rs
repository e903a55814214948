//! `gaps`: which numbers of which worker are missing.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use super::select::record;
use super::{Failed, RIGHT, Status, WRONG, line, open};
use crate::ledger::Kind;
use crate::sessions::{Event, What};

/// The numbers of one worker that are there, as runs from the first to the last.
#[derive(Debug, Default)]
struct Numbers(BTreeMap<i64, i64>);

impl Numbers {
    fn add(&mut self, number: i64) {
        let before = self
            .0
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
        if let Some(end) = number.checked_add(1).and_then(|next| self.0.remove(&next)) {
            last = end;
        }
        self.0.insert(first, last);
    }

    /// The runs that are missing. A worker counts from 1; records up to the number `removed` may be gone.
    fn gaps(&self, removed: i64) -> Vec<(i64, i64)> {
        let mut gaps = Vec::new();
        let mut next = removed.saturating_add(1);
        for (first, last) in &self.0 {
            if *first > next {
                gaps.push((next, first - 1));
            }
            next = next.max(last.saturating_add(1));
        }
        gaps
    }
}

/// Tells each worker's missing numbers, a line a gap.
///
/// # Errors
/// The ledger can't be read.
pub fn gaps(folder: &Path, out: &mut dyn Write) -> Status {
    let mut workers: BTreeMap<String, Numbers> = BTreeMap::new();
    let mut removed: BTreeMap<String, i64> = BTreeMap::new();
    open(folder)?.each::<Failed>(0, &mut |number, _, part| {
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
        let Some(record) = record(number, part)? else {
            return Ok(());
        };
        match workers.get_mut(&record.worker) {
            Some(numbers) => numbers.add(record.number),
            None => workers
                .entry(record.worker.clone())
                .or_default()
                .add(record.number),
        }
        Ok(())
    })?;
    let mut status = RIGHT;
    for (worker, numbers) in &workers {
        let removed = removed.get(worker).copied().unwrap_or(0);
        for (first, last) in numbers.gaps(removed) {
            status = WRONG;
            let text = if first == last {
                format!("worker {worker}: record {first} is missing")
            } else {
                let count = last.saturating_sub(first).saturating_add(1);
                format!("worker {worker}: records {first} to {last} are missing ({count})")
            };
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
            numbers.add(number);
        }
        assert_eq!(numbers.gaps(0), [(1, 2), (6, 8), (10, i64::MAX - 1)]);
        assert_eq!(numbers.gaps(2), [(6, 8), (10, i64::MAX - 1)]);
        assert_eq!(numbers.gaps(7), [(8, 8), (10, i64::MAX - 1)]);
        assert_eq!(numbers.gaps(9), [(10, i64::MAX - 1)]);
    }

    proptest! {
        #[test]
        fn gaps_are_what_was_not_added(added in prop::collection::vec(1i64..60, 1..80)) {
            let mut numbers = Numbers::default();
            added.iter().for_each(|number| numbers.add(*number));
            let missing: Vec<_> = numbers.gaps(0).into_iter().flat_map(|(first, last)| first..=last).collect();
            let highest = added.iter().copied().max().unwrap();
            let expected: Vec<_> = (1..highest).filter(|number| !added.contains(number)).collect();
            prop_assert_eq!(missing, expected);
        }
    }
}
