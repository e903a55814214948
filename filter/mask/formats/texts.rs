//! The texts of a stream that go on from entry to entry, and the entries that wait for them.

use std::collections::{BTreeMap, BTreeSet};

use super::findings::Findings;
use super::output::Place;
use super::pending_entries::PendingEntries;
use super::rewriter::{Rewriter, Work};
pub(super) use super::text_id::Id;
use super::unknown_texts::{Relation, UnknownTexts};
use super::writing::Writing;
use crate::CompiledMask;

/// The most texts that may be open at once. A stream has some choices and a choice some texts; with more,
/// those that have not gone on for longest are masked as far as they wait, and forgotten.
const MAX_OPEN_TEXTS: usize = 1024;
/// How many texts are forgotten at once, since finding them means looking at all.
const TEXTS_FORGOTTEN_AT_ONCE: usize = 64;
/// The most entries that may wait before the oldest one's text is forced.
const MAX_PENDING_ENTRIES: usize = 256;
/// In how many entries its owner's other texts may go on while a text waits.
const MAX_PASSED_ENTRIES: u64 = 16;
/// The same for one other text that begins meanwhile and goes on alone, entry after entry. A model that
/// reasons and then answers does not go back; one that does both at once takes turns.
const MAX_PASSED_IN_A_ROW: u64 = 3;
/// The most bytes of entries that may wait after the oldest one before its text is forced.
const MAX_PENDING_BYTES: usize = 256 * 1024;

/// What a text belongs to, and so what ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Owner {
    /// The choice or candidate.
    pub(super) choice: Option<i64>,
    /// The content block.
    pub(super) block: Option<i64>,
    /// The output item, or the answer among several on one stream.
    pub(super) output: Option<i64>,
}

#[derive(Clone, Debug, PartialEq)]
struct Open {
    owner: Owner,
    /// It passes, but for the guard's own secrets.
    kept: bool,
    rewriter: Rewriter,
    /// When it went on last.
    used: u64,
    /// The same, in its owner's turns.
    turn: u64,
}

/// The open texts of one owner.
#[derive(Clone, Debug, Default, PartialEq)]
struct Owned {
    texts: BTreeSet<Id>,
    /// Those that may wait, by the turn in which they went on last.
    waiting: BTreeSet<(u64, Id)>,
    /// In how many entries texts of this owner went on, and the last such entry.
    turns: u64,
    entry: u64,
    /// The text that alone went on in the last turns, if it began in them, and the first of these.
    alone: Option<(Id, u64)>,
}

impl Owned {
    /// Notes that the text `id` begins or goes on in an entry, and gives back the turn.
    fn turn(&mut self, id: &Id, begins: bool, entry: u64) -> u64 {
        if self.turns == 0 || self.entry != entry {
            self.turns += 1;
            self.entry = entry;
        }
        if !matches!(&self.alone, Some((alone, _)) if alone == id) {
            self.alone = begins.then_some((*id, self.turns));
        }
        self.turns
    }

    /// The last turn of those texts that seem to be over by now.
    fn over(&self) -> u64 {
        let row = self.alone.map_or(0, |(_, first)| self.turns + 1 - first);
        let passed = self.turns.saturating_sub(MAX_PASSED_ENTRIES + 1);
        if row > MAX_PASSED_IN_A_ROW {
            passed.max(self.turns - row)
        } else {
            passed
        }
    }
}

/// Open texts and waiting entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Texts {
    open: BTreeMap<Id, Open>,
    /// The open texts of each owner.
    owned: BTreeMap<Owner, Owned>,
    uses: u64,
    /// A text may go on though others have begun meanwhile.
    in_any_order: bool,
    pub(super) pending: PendingEntries,
    unknown: UnknownTexts,
}

impl Texts {
    /// Texts of which it isn't known that one follows the other.
    pub(super) fn in_any_order() -> Self {
        Self {
            in_any_order: true,
            ..Self::default()
        }
    }

    /// Calls `feed` with the text `id`, the place where its next bytes go, and what it works with. One
    /// that is `kept` passes, but for the guard's own secrets.
    pub(super) fn feed(
        &mut self,
        id: &Id,
        owner: Owner,
        (writing, kept): (Writing, bool),
        (mask, found): (&CompiledMask, &mut Findings),
        feed: impl FnOnce(&mut Rewriter, Place, &mut Work<'_>),
    ) {
        self.uses += 1;
        if self.open.len() >= MAX_OPEN_TEXTS && !self.open.contains_key(id) {
            self.forget(mask, found);
        }
        let place = self.pending.place();
        let owned = self.owned.entry(owner).or_default();
        let open = self.open.entry(*id).or_insert_with(|| {
            owned.texts.insert(*id);
            Open {
                owner,
                kept,
                rewriter: Rewriter::new(writing),
                used: 0,
                turn: 0,
            }
        });
        open.used = self.uses;
        feed(
            &mut open.rewriter,
            place,
            &mut Work {
                matcher: mask.matcher_of(open.kept),
                out: &mut self.pending,
                found,
            },
        );
        let before = open.turn;
        open.turn = owned.turn(id, before == 0 && !self.in_any_order, place.entry);
        owned.waiting.remove(&(before, *id));
        if open.rewriter.waits_in().is_some() {
            owned.waiting.insert((open.turn, *id));
        }
        self.pass(owner, (mask, found));
    }

    /// Ends waiting texts of this owner that seem to be over.
    fn pass(&mut self, owner: Owner, (mask, found): (&CompiledMask, &mut Findings)) {
        let Some(owned) = self.owned.get_mut(&owner) else {
            return;
        };
        let over = owned.over();
        while let Some(first) = owned.waiting.first().filter(|(turn, _)| *turn <= over) {
            let (turn, id) = *first;
            owned.waiting.remove(&(turn, id));
            if let Some(open) = self.open.get_mut(&id) {
                open.rewriter.finish(&mut Work {
                    matcher: mask.matcher_of(open.kept),
                    out: &mut self.pending,
                    found,
                });
            }
        }
    }

    /// What a string is to the one before it in the text `id`, which is one that is `known` to go on, or
    /// may do so. `hides` is whether less is found where it goes on with the text than in both.
    pub(super) fn relation(
        &mut self,
        id: &Id,
        raw: &[u8],
        known: bool,
        hides: impl FnOnce(Option<&Rewriter>) -> bool,
    ) -> Relation {
        let open = self.open.get(id).map(|open| &open.rewriter);
        match known {
            true => {
                let begun = open.is_some();
                self.unknown.take_known(id, raw, begun, || hides(open))
            }
            false => self.unknown.take(id, raw, || hides(open)),
        }
    }

    /// Whether there is something of the text `id`.
    pub(super) fn has_begun(&self, id: &Id) -> bool {
        self.open.contains_key(id)
    }

    /// Ends the text `id`, if it has begun.
    pub(super) fn end(&mut self, id: &Id, mask: &CompiledMask, found: &mut Findings) {
        if let Some(mut open) = self.remove(id) {
            open.rewriter.finish(&mut Work {
                matcher: mask.matcher_of(open.kept),
                out: &mut self.pending,
                found,
            });
        }
    }

    /// Ends the texts whose owner is told by `ends`.
    pub(super) fn finish(
        &mut self,
        mask: &CompiledMask,
        found: &mut Findings,
        ends: impl Fn(&Owner) -> bool,
    ) {
        let over: Vec<Owner> = self
            .owned
            .keys()
            .filter(|owner| ends(owner))
            .copied()
            .collect();
        for id in over
            .iter()
            .filter_map(|owner| self.owned.remove(owner))
            .flat_map(|owned| owned.texts)
        {
            if let Some(mut open) = self.open.remove(&id) {
                open.rewriter.finish(&mut Work {
                    matcher: mask.matcher_of(open.kept),
                    out: &mut self.pending,
                    found,
                });
            }
        }
    }

    fn remove(&mut self, id: &Id) -> Option<Open> {
        let open = self.open.remove(id)?;
        if let Some(owned) = self.owned.get_mut(&open.owner) {
            owned.waiting.remove(&(open.turn, *id));
            owned.texts.remove(id);
            if owned.texts.is_empty() {
                self.owned.remove(&open.owner);
            }
        }
        Some(open)
    }

    /// Decides everything that waits; the texts go on.
    pub(super) fn force(&mut self, mask: &CompiledMask, found: &mut Findings) {
        for open in self.open.values_mut() {
            open.rewriter.force(&mut Work {
                matcher: mask.matcher_of(open.kept),
                out: &mut self.pending,
                found,
            });
        }
    }

    /// Moves what is decided to `out`; when too much waits for one text, that is decided first.
    pub(super) fn release(&mut self, mask: &CompiledMask, found: &mut Findings, out: &mut Vec<u8>) {
        self.pending.release(out);
        while self.pending.len() > MAX_PENDING_ENTRIES
            || self.pending.size_behind_front() > MAX_PENDING_BYTES
        {
            let front = self.pending.front();
            for open in self
                .open
                .values_mut()
                .filter(|open| open.rewriter.waits_in() == front)
            {
                open.rewriter.force(&mut Work {
                    matcher: mask.matcher_of(open.kept),
                    out: &mut self.pending,
                    found,
                });
            }
            self.pending.release(out);
            if self.pending.front() == front {
                return;
            }
        }
    }

    fn forget(&mut self, mask: &CompiledMask, found: &mut Findings) {
        let ages = self.open.iter().map(|(id, open)| (open.used, *id));
        let mut ages: Vec<(u64, Id)> = ages.collect();
        base::sort::sort(&mut ages);
        for (_, id) in ages.iter().take(TEXTS_FORGOTTEN_AT_ONCE) {
            if let Some(mut open) = self.remove(id) {
                open.rewriter.force(&mut Work {
                    matcher: mask.matcher_of(open.kept),
                    out: &mut self.pending,
                    found,
                });
            }
        }
    }
}
