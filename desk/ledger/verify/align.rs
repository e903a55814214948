//! Lays the entries that are there beside those that were signed for, and names the differences.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use super::super::hash::Hash;
use super::super::tiles::Tiles;
use super::super::tree::{TILE_ENTRIES, TILE_WIDTH};
use super::problem::{Problems, Wrong};

/// How far away an entry is looked for that is not at its place. One that is farther away counts
/// as dropped there, and as inserted or doubled here.
const LOOKAHEAD: usize = 2048;

/// How many of the entries that were passed are remembered, to tell those that come again.
const MEMORY: usize = 1 << 16;

/// Where an entry stands.
#[derive(Clone, Debug)]
pub(super) struct Location {
    pub path: Arc<PathBuf>,
    pub offset: u64,
}

impl std::fmt::Display for Location {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} at byte {}", self.path.display(), self.offset)
    }
}

/// The two sequences, as far as they were not laid beside each other yet.
pub(super) struct Aligner<'p> {
    tiles: Tiles,
    /// How many entries were signed for.
    signed: u64,
    /// The number of the next hash that is taken from the tiles.
    read: u64,
    expected: VecDeque<(u64, Hash)>,
    actual: VecDeque<(Hash, Location)>,
    passed: HashMap<Hash, u64>,
    order: VecDeque<Hash>,
    /// Entries that are known to be unreadable: from, to before.
    lost: Vec<(u64, u64)>,
    /// Dropped entries that are not told yet.
    dropped: Option<(u64, u64)>,
    problems: &'p mut Problems,
}

impl<'p> Aligner<'p> {
    /// Begins with the entry `from`; those before it were removed.
    pub fn new(tiles: Tiles, from: u64, signed: u64, problems: &'p mut Problems) -> Self {
        Self {
            tiles,
            signed,
            read: from,
            expected: VecDeque::new(),
            actual: VecDeque::new(),
            passed: HashMap::new(),
            order: VecDeque::new(),
            lost: Vec::new(),
            dropped: None,
            problems,
        }
    }

    /// Entries that can't be read, which is told already.
    pub fn lose(&mut self, first: u64, end: u64) {
        self.lost.push((first, end));
    }

    /// The next entry that is there. Returns whether it makes sense to go on.
    pub fn push(&mut self, hash: Hash, location: Location) -> bool {
        self.actual.push_back((hash, location));
        while self.actual.len() > LOOKAHEAD && !self.problems.is_full() {
            self.step();
        }
        !self.problems.is_full()
    }

    /// There are no more entries.
    pub fn end(mut self) {
        while !self.actual.is_empty() && !self.problems.is_full() {
            self.step();
        }
        self.tell_dropped();
        let next = self
            .expected
            .front()
            .map_or(self.read, |(number, _)| *number);
        let lost = self
            .lost
            .iter()
            .any(|(first, end)| *first <= next && *end >= self.signed);
        if next < self.signed && !lost && !self.problems.is_full() {
            let signed = self.signed;
            self.problems.add(
                Wrong::Truncated,
                Some((next, signed)),
                format!(
                    "the last segment ends before entry {next}, expected {signed} entries: {} are missing",
                    signed.saturating_sub(next)
                ),
            );
        }
    }

    fn step(&mut self) {
        self.fill();
        let Some((found, location)) = self.actual.front().cloned() else {
            return;
        };
        let Some((number, hash)) = self.expected.front().copied() else {
            self.beyond(found, &location);
            return;
        };
        if found == hash {
            self.tell_dropped();
            self.expected.pop_front();
            self.actual.pop_front();
            self.pass(hash, number);
            return;
        }
        if let Some(first) = self.passed.get(&found).copied() {
            self.actual.pop_front();
            self.double(first, &location);
            return;
        }
        let later = self.actual.iter().position(|(other, _)| *other == hash);
        let comes = self.expected.iter().position(|(_, other)| *other == found);
        match later {
            // Of two that stand in the other order, the one that is farther from its place moved.
            Some(place) if comes.is_some_and(|comes| comes > place) => {
                self.tell_dropped();
                self.actual.pop_front();
                let moved = comes.and_then(|comes| self.expected.remove(comes));
                let from = moved.map_or(number, |(from, _)| from);
                self.pass(found, from);
                let text = format!(
                    "{location}: found entry {from}, expected entry {number}: it stands {} places before its own",
                    from.saturating_sub(number)
                );
                self.problems
                    .add(Wrong::Reordered, Some((from, from + 1)), text);
            }
            Some(place) if comes.is_some() => {
                self.tell_dropped();
                let moved = self.actual.remove(place);
                self.expected.pop_front();
                self.pass(hash, number);
                let to = moved.map_or_else(|| location.to_string(), |(_, to)| to.to_string());
                self.problems.add(
                    Wrong::Reordered,
                    Some((number, number + 1)),
                    format!("{to}: found entry {number} {place} places behind its own"),
                );
            }
            Some(_) => {
                self.tell_dropped();
                self.actual.pop_front();
                self.problems.add(
                    Wrong::Inserted,
                    Some((number, number)),
                    format!(
                        "{location}: found an entry before entry {number} that was never signed for"
                    ),
                );
            }
            None if comes.is_some() => {
                self.expected.pop_front();
                self.drop_one(number);
            }
            None if self.is_lost(number) => {
                self.expected.pop_front();
            }
            None => {
                self.tell_dropped();
                self.expected.pop_front();
                self.actual.pop_front();
                self.problems.add(
                    Wrong::Changed,
                    Some((number, number + 1)),
                    format!(
                        "{location}: found entry {number} with the hash {found}, expected {hash}"
                    ),
                );
            }
        }
    }

    /// An entry behind all that were signed for: one of the last moments, or one that comes again.
    fn beyond(&mut self, found: Hash, location: &Location) {
        self.tell_dropped();
        self.actual.pop_front();
        if let Some(first) = self.passed.get(&found).copied() {
            self.double(first, location);
        }
    }

    fn double(&mut self, first: u64, location: &Location) {
        self.tell_dropped();
        self.problems.add(
            Wrong::Doubled,
            Some((first, first + 1)),
            format!("{location}: found entry {first} again"),
        );
    }

    fn drop_one(&mut self, number: u64) {
        if self.is_lost(number) {
            return;
        }
        match &mut self.dropped {
            Some((_, end)) if *end == number => *end = number + 1,
            _ => {
                self.tell_dropped();
                self.dropped = Some((number, number + 1));
            }
        }
    }

    fn tell_dropped(&mut self) {
        let Some((first, end)) = self.dropped.take() else {
            return;
        };
        let text = if end == first + 1 {
            format!("entry {first} is missing, expected between its neighbours")
        } else {
            format!(
                "entries {first} to {} are missing, expected between their neighbours",
                end - 1
            )
        };
        self.problems.add(Wrong::Dropped, Some((first, end)), text);
    }

    fn is_lost(&self, number: u64) -> bool {
        self.lost
            .iter()
            .any(|(first, end)| (*first..*end).contains(&number))
    }

    fn pass(&mut self, hash: Hash, number: u64) {
        self.passed.insert(hash, number);
        self.order.push_back(hash);
        if self.order.len() > MEMORY
            && let Some(oldest) = self.order.pop_front()
        {
            self.passed.remove(&oldest);
        }
    }

    /// Takes hashes from the tiles until enough are there, or no more can be read.
    fn fill(&mut self) {
        while self.expected.len() < LOOKAHEAD && self.read < self.signed {
            let index = self.read / TILE_ENTRIES;
            let begin = index.saturating_mul(TILE_ENTRIES);
            let rest = self.signed.saturating_sub(begin);
            let width = usize::try_from(rest.min(TILE_ENTRIES)).unwrap_or(TILE_WIDTH);
            let Ok(hashes) = self.tiles.read_wide(0, index, width) else {
                self.signed = self.read;
                return;
            };
            let numbered = (begin..).zip(hashes).take(width);
            let from = self.read;
            self.expected
                .extend(numbered.filter(|(number, _)| *number >= from));
            self.read = begin.saturating_add(u64::try_from(width).unwrap_or(0));
        }
    }
}
