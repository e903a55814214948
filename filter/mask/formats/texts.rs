//! The texts of a stream that go on from entry to entry, and the entries that wait for them.

use std::collections::BTreeMap;

use super::findings::Findings;
use super::output::Place;
use super::pending_entries::PendingEntries;
use super::rewriter::{Rewriter, Work};
pub(super) use super::text_id::Id;
use super::unknown_texts::UnknownTexts;
use super::writing::Writing;
use crate::Matcher;

/// The most texts that may be open at once. A stream has some choices and a choice some texts; with more,
/// those that have not gone on for longest are masked as far as they wait, and forgotten.
const MAX_OPEN_TEXTS: usize = 1024;
/// How many texts are forgotten at once, since finding them means looking at all.
const TEXTS_FORGOTTEN_AT_ONCE: usize = 64;
/// The most entries that may wait before the oldest one's text is forced.
const MAX_PENDING_ENTRIES: usize = 256;
/// In how many entries its owner's other texts may go on while a text waits. A model that reasons
/// and then answers does not go back; one that does both at once takes turns.
const MAX_PASSED_ENTRIES: u32 = 16;
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
    rewriter: Rewriter,
    /// When it went on last.
    used: u64,
    /// In how many entries since then other texts of its owner went on, and the last such entry.
    passed: u32,
    passed_in: u64,
}

/// Open texts and waiting entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Texts {
    open: BTreeMap<Id, Open>,
    /// The open texts of each owner.
    owned: BTreeMap<Owner, Vec<Id>>,
    uses: u64,
    pub(super) pending: PendingEntries,
    pub(super) unknown: UnknownTexts,
}

impl Texts {
    /// Calls `feed` with the text `id`, the place where its next bytes go, and what it works with.
    pub(super) fn feed(
        &mut self,
        id: &Id,
        owner: Owner,
        writing: Writing,
        (matcher, found): (&Matcher, &mut Findings),
        feed: impl FnOnce(&mut Rewriter, Place, &mut Work<'_>),
    ) {
        self.uses += 1;
        if self.open.len() >= MAX_OPEN_TEXTS && !self.open.contains_key(id) {
            self.forget(matcher, found);
        }
        let place = self.pending.place();
        let owned = &mut self.owned;
        let open = self.open.entry(*id).or_insert_with(|| {
            owned.entry(owner).or_default().push(*id);
            Open {
                owner,
                rewriter: Rewriter::new(writing),
                used: 0,
                passed: 0,
                passed_in: 0,
            }
        });
        open.used = self.uses;
        open.passed = 0;
        feed(
            &mut open.rewriter,
            place,
            &mut Work {
                matcher,
                out: &mut self.pending,
                found,
            },
        );
        if self.open.len() > 1 {
            self.pass(id, owner, place.entry, (matcher, found));
        }
    }

    /// Notes that the text `id` went on, and ends waiting texts of its owner that seem to be over.
    fn pass(
        &mut self,
        id: &Id,
        owner: Owner,
        entry: u64,
        (matcher, found): (&Matcher, &mut Findings),
    ) {
        let owned = self.owned.get(&owner).map_or(&[][..], |ids| ids.as_slice());
        for other in owned.iter().filter(|other| *other != id) {
            let Some(open) = self.open.get_mut(other) else {
                continue;
            };
            if open.rewriter.waits_in().is_none() {
                continue;
            }
            if open.passed == 0 || open.passed_in != entry {
                open.passed += 1;
                open.passed_in = entry;
            }
            if open.passed > MAX_PASSED_ENTRIES {
                open.rewriter.finish(&mut Work {
                    matcher,
                    out: &mut self.pending,
                    found,
                });
            }
        }
    }

    /// The text `id` as far as it has come.
    pub(super) fn copy_of(&self, id: &Id) -> Option<Rewriter> {
        self.open.get(id).map(|open| open.rewriter.clone())
    }

    /// Ends the text `id`, if it has begun.
    pub(super) fn end(&mut self, id: &Id, matcher: &Matcher, found: &mut Findings) {
        if let Some(mut open) = self.remove(id) {
            open.rewriter.finish(&mut Work {
                matcher,
                out: &mut self.pending,
                found,
            });
        }
    }

    /// Ends the texts whose owner is told by `ends`.
    pub(super) fn finish(
        &mut self,
        matcher: &Matcher,
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
            .flatten()
        {
            if let Some(mut open) = self.open.remove(&id) {
                open.rewriter.finish(&mut Work {
                    matcher,
                    out: &mut self.pending,
                    found,
                });
            }
        }
    }

    fn remove(&mut self, id: &Id) -> Option<Open> {
        let open = self.open.remove(id)?;
        if let Some(owned) = self.owned.get_mut(&open.owner) {
            owned.retain(|other| other != id);
            if owned.is_empty() {
                self.owned.remove(&open.owner);
            }
        }
        Some(open)
    }

    /// Decides everything that waits; the texts go on.
    pub(super) fn force(&mut self, matcher: &Matcher, found: &mut Findings) {
        for open in self.open.values_mut() {
            open.rewriter.force(&mut Work {
                matcher,
                out: &mut self.pending,
                found,
            });
        }
    }

    /// Moves what is decided to `out`; when too much waits for one text, that is decided first.
    pub(super) fn release(&mut self, matcher: &Matcher, found: &mut Findings, out: &mut Vec<u8>) {
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
                    matcher,
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

    fn forget(&mut self, matcher: &Matcher, found: &mut Findings) {
        let ages = self.open.iter().map(|(id, open)| (open.used, *id));
        let mut ages: Vec<(u64, Id)> = ages.collect();
        ages.sort_unstable();
        for (_, id) in ages.iter().take(TEXTS_FORGOTTEN_AT_ONCE) {
            if let Some(mut open) = self.remove(id) {
                open.rewriter.force(&mut Work {
                    matcher,
                    out: &mut self.pending,
                    found,
                });
            }
        }
    }
}
