//! What the groups of expressions share: the expressions, and whether one matches at a position.

use super::super::group::Answer;
use super::automata::{Automata, Verdict};
use super::expression::{Source, is_continuation, parse};
use super::near::Near;
use super::prefix_sets::{self, PrefixSets};
use crate::window::{Hit, Miss, Tail, Window};

/// What the groups share.
pub(super) struct Patterns {
    /// In the order of the ranks.
    pub(super) list: Vec<Pattern>,
    pub(super) automata: Automata,
}

pub(super) struct Pattern {
    pub(super) rank: usize,
    automaton: usize,
    pub(super) near: Near,
    bound: usize,
}

/// A way in which an expression may begin.
pub(super) struct Way {
    /// Its place in the list.
    pub(super) pattern: usize,
    pub(super) prefix: PrefixSets,
    /// The automaton of what follows the lead.
    pub(super) rest: usize,
}

impl Patterns {
    /// None yet; their automata will have about `cache` bytes together.
    pub(super) fn new(cache: usize) -> Self {
        Self {
            list: Vec::new(),
            automata: Automata::new(cache),
        }
    }

    /// Adds an expression, and gives the ways in which its matches may begin.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) fn add(&mut self, source: &Source<'_>) -> Result<Vec<Way>, String> {
        let (hir, bound) = parse(source.pattern)?;
        let pattern = self.list.len();
        let mut ways = Vec::new();
        let cuts = prefix_sets::cuts(&hir);
        let automaton = self.automata.add(hir, 0)?;
        for cut in cuts {
            let lead = cut.prefixes.first().map_or(0, |one| one.lead.most);
            let rest = match cut.rest {
                Some(hir) => self.automata.add(hir, lead)?,
                None => automaton,
            };
            ways.extend(cut.prefixes.into_iter().map(|prefix| Way {
                pattern,
                prefix,
                rest,
            }));
        }
        self.list.push(Pattern {
            rank: source.rank,
            automaton,
            near: Near::new(source.near),
            bound,
        });
        Ok(ways)
    }

    /// What begins at the window's first byte, among the patterns of some places.
    pub(super) fn ask(&self, window: &Window<'_>, below: usize, mut places: Vec<usize>) -> Answer {
        places.sort_unstable();
        places.dedup();
        let list = places.iter().filter_map(|place| self.list.get(*place));
        for pattern in list.take_while(|pattern| pattern.rank < below) {
            if !pattern.near.met(window.behind) {
                continue;
            }
            let denoted = window.behind.denoted();
            let automaton = pattern.automaton;
            let found = self
                .automata
                .run(automaton, denoted, window.bytes, window.last);
            let (end, tail) = match found {
                Verdict::No | Verdict::Match(0) => continue,
                Verdict::More => return Answer::Open(pattern.rank),
                Verdict::Match(end) => (end, None),
                Verdict::Endless(end) => (end, Some(WORD)),
            };
            return match window.run(end, 3, is_continuation) {
                Ok(cut) => Answer::Found(
                    pattern.rank,
                    Hit {
                        len: end + cut,
                        tail,
                    },
                ),
                Err(Miss::More | Miss::No) => Answer::Open(pattern.rank),
            };
        }
        Answer::Nothing
    }

    /// The rank of the pattern of a place.
    pub(super) fn rank(&self, place: usize) -> usize {
        self.list.get(place).map_or(usize::MAX, |one| one.rank)
    }

    pub(super) fn bound(&self) -> usize {
        let bounds = self.list.iter().map(|pattern| pattern.bound);
        bounds.max().unwrap_or(0)
    }
}

/// The rest of the word in which a match is given up, since it may be the rest of a secret.
pub(super) const WORD: Tail = Tail::Run {
    class: |byte| !matches!(byte, 0..=b' ' | 0x7f),
    joiners: &[],
};
