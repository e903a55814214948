//! Ledgers in folders of their own, and hands that change them.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::ledger::group::pack;
use crate::ledger::segments::{self, Found, SegmentReader};
use crate::ledger::verify::{Question, Verdict, Wrong, verify};
use crate::ledger::{Entry, Kind, Ledger, Opened, Options, Reader};

/// A ledger that is not open.
pub struct Shelf {
    folder: TempDir,
    pub segment_bytes: u64,
}

impl Shelf {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            segment_bytes: 64 << 20,
        }
    }

    /// With `count` entries beside the first, in groups of `each`, and signed for.
    pub fn with(count: u64, each: u64, segment_bytes: u64) -> Self {
        let mut shelf = Self::new();
        shelf.segment_bytes = segment_bytes;
        let mut ledger = shelf.open();
        let entries: Vec<_> = (1..=count).map(entry).collect();
        for part in entries.chunks(each.try_into().unwrap()) {
            ledger.append(part).unwrap();
        }
        ledger.checkpoint().unwrap();
        shelf
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("ledger")
    }

    pub fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    pub fn witness(&self) -> PathBuf {
        self.folder.path().join("witness")
    }

    pub fn options(&self) -> Options {
        Options {
            witnesses: vec![self.witness()],
            segment_bytes: self.segment_bytes,
            segment_millis: u64::MAX,
            ..Options::new(&self.path(), &self.keys())
        }
    }

    pub fn open(&self) -> Ledger {
        self.opened().0
    }

    pub fn opened(&self) -> (Ledger, Opened) {
        Ledger::open(&self.options(), 1).unwrap()
    }

    pub fn reader(&self) -> Reader {
        Reader::new(&self.path())
    }

    pub fn checkpoint(&self) -> PathBuf {
        self.path().join("checkpoint")
    }

    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = Vec::new();
        self.reader()
            .each::<crate::ledger::LedgerError>(0, &mut |number, _, part| {
                let place = u64::try_from(entries.len()).unwrap();
                assert_eq!(number, self.reader().horizon().unwrap() + place);
                entries.push(part.to_entry());
                Ok(())
            })
            .unwrap();
        entries
    }

    pub fn segments(&self) -> Vec<PathBuf> {
        let list = segments::list(&self.path()).unwrap();
        list.into_iter().map(|segment| segment.path).collect()
    }

    /// What is wrong, without a witness.
    pub fn wrongs(&self) -> Vec<(Wrong, Option<(u64, u64)>)> {
        told(&self.verify())
    }

    pub fn verify(&self) -> Verdict {
        let question = Question {
            threads: 2,
            ..Question::default()
        };
        verify(&self.path(), &question).unwrap()
    }

    /// What is wrong, with the witness.
    pub fn wrongs_by_witness(&self) -> Vec<(Wrong, Option<(u64, u64)>)> {
        let question = Question {
            witnesses: vec![(
                "witness".to_owned(),
                std::fs::read_to_string(self.witness()).unwrap(),
            )],
            threads: 2,
            ..Question::default()
        };
        told(&verify(&self.path(), &question).unwrap())
    }

    /// Writes other entries in place of a segment's, as somebody would who knows the form: with
    /// numbers and checksums that fit.
    pub fn rewrite(&self, segment: usize, change: impl FnOnce(&mut Vec<Entry>)) {
        let list = segments::list(&self.path()).unwrap();
        let segment = &list[segment];
        let mut entries = Vec::new();
        let mut reader = SegmentReader::open(segment).unwrap();
        while let Found::Group(group) = reader.next().unwrap() {
            let block = group.unpack().unwrap();
            entries.extend(block.entries().map(|part| part.to_entry()));
        }
        change(&mut entries);
        let mut bytes = segments::start(segment.first);
        bytes.extend(pack(segment.first, &entries).unwrap().bytes);
        std::fs::write(&segment.path, bytes).unwrap();
    }
}

fn told(verdict: &Verdict) -> Vec<(Wrong, Option<(u64, u64)>)> {
    let list = verdict.problems.list.iter();
    list.map(|problem| (problem.wrong, problem.entries))
        .collect()
}

pub fn entry(number: u64) -> Entry {
    // Text that doesn't pack to nothing.
    let digest = crate::ledger::Hash::of(&number.to_be_bytes());
    let text = format!("{{\"number\":{number},\"text\":\"{digest}\"}}");
    Entry {
        kind: Kind(1),
        time: 1_700_000_000_000 + number,
        bytes: text.into_bytes(),
    }
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        let target = to.join(file.file_name());
        if file.file_type().unwrap().is_dir() {
            copy(&file.path(), &target);
        } else {
            std::fs::copy(file.path(), target).unwrap();
        }
    }
}
