//! Removing old entries: what is said first, what goes, and what an end in between leaves to do.
//!
//! 1. What stands for the entries in the tree is made to outlive a crash ([`expired`](crate::ledger::expired)).
//! 2. An event says what is removed, and is signed for.
//! 3. The segments go, oldest first, then their rows in the index.
//!
//! Whatever ends the desk behind the second step, the next start goes on from there.

use super::books::{Books, BooksError};
use super::event::{Event, What, Who, time_text};
use super::{index, standing};
use crate::ledger::{Expired, LedgerError, Reader, Removal};

/// How many rows are taken out of the index at once.
const ROWS: u32 = 5000;

impl Books {
    /// Removes the oldest segment, all of whose entries are from before `before` (milliseconds since 1970). It
    /// may have grown since it was looked at; then nothing is removed, and `false` returned.
    ///
    /// # Errors
    /// Something can't be written. What was said to be removed and is not goes at the next start.
    pub fn remove(&mut self, expired: &Expired, before: u64) -> Result<bool, BooksError> {
        let (from, to) = (expired.from, expired.to);
        let has_grown = !expired.is_followed && self.ledger.size() != to;
        if has_grown || from != self.ledger.horizon() {
            return Ok(false);
        }
        self.settle()?;
        let said = latest(&self.index, &self.ledger.reader())?;
        if said.as_ref().is_none_or(|said| said.to < to) {
            let mut keys = said.map_or_else(Vec::new, |said| said.keys);
            keys.retain(|key| key.entry < from);
            keys.extend(expired.keys.iter().cloned());
            let transaction = self.index.unchecked_transaction()?;
            let workers = standing::carried(&transaction, to)?;
            let until = time_text(i64::try_from(before).unwrap_or(i64::MAX));
            let what = What::Retention {
                from,
                to,
                count: to.saturating_sub(from),
                until,
                keys,
                workers,
            };
            let event = Event::new(Who::Desk, what)?;
            transaction.commit()?;
            self.standing.reload();
            if !expired.is_followed {
                self.ledger.seal();
            }
            self.take([], &[&event])?;
            self.settle()?;
        }
        self.finish_removal()?;
        Ok(true)
    }

    /// Does what is left to do of the removal that was said last: it is signed for, and what it is about goes.
    ///
    /// # Errors
    /// Something can't be written or removed; or entries are missing of which nothing says that they were
    /// removed.
    pub(super) fn finish_removal(&mut self) -> Result<(), BooksError> {
        let horizon = self.ledger.horizon();
        let said = latest(&self.index, &self.ledger.reader())?.map_or(0, |said| said.to);
        if said < horizon {
            return Err(BooksError::Ledger(LedgerError::Damaged(format!(
                "the entries {said} to {} are missing, and no entry says that they were removed",
                horizon.saturating_sub(1)
            ))));
        }
        if said > horizon {
            self.ledger.checkpoint()?;
            self.ledger.remove(said)?;
        }
        if said > 0 {
            self.forgetting = Some(said);
        }
        Ok(())
    }

    /// Leaves the rows of removed entries to the next start.
    pub fn forgets_later(&mut self) {
        self.forgetting = None;
    }

    /// Takes some rows of removed entries out of the index, and says whether there may be more.
    ///
    /// # Errors
    /// The index fails.
    pub fn forget(&mut self) -> Result<bool, BooksError> {
        let Some(to) = self.forgetting else {
            return Ok(false);
        };
        let more = index::forget(&self.index, to, ROWS)?;
        if !more {
            self.forgetting = None;
        }
        Ok(more)
    }
}

/// What the latest event says of what was removed.
fn latest(index: &rusqlite::Connection, ledger: &Reader) -> Result<Option<Removal>, BooksError> {
    let Some(hit) = index::latest_event(index, "retention")? else {
        return Ok(None);
    };
    let entry = ledger.at(hit.seq, hit.place)?;
    let removal = entry.and_then(|entry| Removal::read(entry.kind, &entry.bytes));
    removal.map(Some).ok_or_else(|| {
        BooksError::Ledger(LedgerError::Damaged(format!(
            "entry {}: found another one, expected what says which entries were removed",
            hit.seq
        )))
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::ledger::{Kind, Options, Question, expired, segments, verify};
    use crate::sessions::{Entry as Record, Sender};

    fn record(worker: &str, number: u64) -> Record {
        let text = format!(
            r#"{{"version":1,"id":"{worker}{number:016x}","worker":"{worker}","number":{number},"time":"t"}}"#
        );
        Record::read(text.as_bytes()).unwrap()
    }

    fn options(folder: &Path) -> Options {
        Options::new(&folder.join("ledger"), &folder.join("keys"))
    }

    fn open(folder: &Path) -> Books {
        let (mut books, _, _) = Books::open(&options(folder)).unwrap();
        books.set_filters(["edge".into(), "inner".into()].into());
        books
    }

    fn take(books: &mut Books, peer: &str, records: &[Record]) -> (usize, usize) {
        let sender = Sender::Stream(Some(peer.into()));
        let records = records.iter().map(|record| (&sender, record));
        let outcome = books.take(records, &[]).unwrap();
        (outcome.new, outcome.foreign.len())
    }

    /// A ledger of two segments: aa has records in both, bb in the first only.
    fn filled(folder: &Path) -> Books {
        let mut books = open(folder);
        let first: Vec<_> = (1..=9).map(|number| record("aa", number)).collect();
        take(&mut books, "edge", &first);
        take(&mut books, "inner", &[record("bb", 1)]);
        books.ledger().seal();
        take(&mut books, "edge", &[record("aa", 12)]);
        books.checkpoint().unwrap();
        books.settle().unwrap();
        books
    }

    fn remove(books: &mut Books) {
        let before = u64::MAX / 4;
        let found = expired(&books.ledger.reader(), before).unwrap().unwrap();
        assert!(books.remove(&found, before).unwrap());
        while books.forget().unwrap() {}
    }

    fn is_right(folder: &Path) -> bool {
        let verdict = verify(&folder.join("ledger"), &Question::default()).unwrap();
        verdict.is_right()
    }

    fn first_segment(folder: &Path) -> (u64, PathBuf) {
        let first = segments(&folder.join("ledger")).unwrap().remove(0);
        (first.first, first.path)
    }

    #[test]
    fn an_end_between_saying_and_removing_is_made_good() {
        for signed in [true, false] {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            let mut books = filled(folder);
            let (_, old) = first_segment(folder);
            let checkpoint = folder.join("ledger/checkpoint");
            let (segment, note) = (fs::read(&old).unwrap(), fs::read(&checkpoint).unwrap());
            remove(&mut books);
            drop(books);
            let (horizon, _) = first_segment(folder);
            assert!(horizon > 0 && is_right(folder));
            // As it was when the entry was there, and signed for or not.
            fs::write(&old, &segment).unwrap();
            if !signed {
                fs::write(&checkpoint, note).unwrap();
            }
            assert!(is_right(folder));
            drop(open(folder));
            assert_eq!(first_segment(folder).0, horizon);
            assert!(is_right(folder));
        }
    }

    #[test]
    fn what_is_known_of_workers_outlives_their_records_and_the_index() {
        for lost in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            let mut books = filled(folder);
            remove(&mut books);
            // The segment of aa's last record, with what was said before, goes as well.
            take(&mut books, "edge", &[record("aa", 13)]);
            books.ledger().seal();
            take(&mut books, "edge", &[record("aa", 14)]);
            books.checkpoint().unwrap();
            remove(&mut books);
            drop(books);
            if lost {
                fs::remove_file(folder.join("ledger/index.sqlite")).unwrap();
            }
            let mut books = open(folder);
            assert_eq!(take(&mut books, "inner", &[record("aa", 15)]), (0, 1));
            assert_eq!(take(&mut books, "edge", &[record("aa", 15)]), (1, 0));
            // bb has no records any more, and may go on.
            assert_eq!(take(&mut books, "edge", &[record("bb", 2)]), (0, 1));
            assert_eq!(take(&mut books, "inner", &[record("bb", 2)]), (1, 0));
            let said = latest(&books.index, &books.ledger.reader())
                .unwrap()
                .unwrap();
            assert_eq!(said.keys.len(), 1);
            books.settle().unwrap();
            let entry = index::latest_event(&books.index, "retention")
                .unwrap()
                .unwrap();
            let entry = books
                .ledger
                .reader()
                .at(entry.seq, entry.place)
                .unwrap()
                .unwrap();
            assert_eq!(entry.kind, Kind::EVENT);
            let Some(What::Retention { workers, .. }) =
                Event::read(&entry.bytes).map(|event| event.what)
            else {
                panic!("expected what was removed");
            };
            let kept = workers.iter().map(|one| (one.worker.as_str(), one.removed));
            assert_eq!(kept.collect::<Vec<_>>(), [("aa", 13), ("bb", 1)]);
            assert!(is_right(folder));
        }
    }

    #[test]
    fn an_old_log_brings_nothing_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut books = filled(folder.path());
        remove(&mut books);
        let log = [
            record("aa", 3),
            record("aa", 9),
            record("aa", 11),
            record("bb", 1),
        ];
        let outcome = books.put(&log).unwrap();
        assert_eq!((outcome.new, outcome.known), (1, 3), "only 11 was missing");
        let outcome = books.put(&log).unwrap();
        assert_eq!((outcome.new, outcome.known), (0, 4));
    }

    #[test]
    fn a_segment_that_has_grown_stays() {
        let folder = tempfile::tempdir().unwrap();
        let mut books = open(folder.path());
        take(&mut books, "edge", &[record("aa", 1)]);
        books.checkpoint().unwrap();
        let found = expired(&books.ledger.reader(), u64::MAX / 4)
            .unwrap()
            .unwrap();
        assert!(!found.is_followed);
        take(&mut books, "edge", &[record("aa", 2)]);
        assert!(!books.remove(&found, u64::MAX / 4).unwrap());
        books.checkpoint().unwrap();
        remove(&mut books);
        assert_eq!(first_segment(folder.path()).0, found.to + 1);
        assert!(is_right(folder.path()));
        drop(books);
        let mut books = open(folder.path());
        assert_eq!(take(&mut books, "inner", &[record("aa", 3)]), (0, 1));
        assert_eq!(take(&mut books, "edge", &[record("aa", 3)]), (1, 0));
    }
}
