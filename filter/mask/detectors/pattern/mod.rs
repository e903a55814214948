//! Regular expressions of the policy's own, all of a mask's together.
//!
//! # What is matched
//! An expression is matched on bytes, with ASCII classes only and with the preference among
//! alternatives that Perl has. An empty match is none. A match never begins or ends inside a UTF-8
//! character: its end is moved behind the character that it would cut. What is replaced is the
//! whole match, or the group named `mask` of an expression that has one ([`part`]). Of several
//! expressions that match at a position the first one wins, with the end that it has by itself.
//!
//! An expression may have words of which one must stand in front of a match ([`near`]).
//!
//! # Bound
//! The expression's longest match as its syntax gives it, at most 4096 bytes, with up to five bytes
//! to see the end. One that has no longest match (`+`, `*`, `{20,}`) is followed for 4096 bytes. If
//! it is not decided there whether and where it ends, these 4096 bytes are masked, not released,
//! and with them the rest of the word that they end in, which may be any length. Behind that the
//! text goes on as behind a match: what of a still longer one is left is masked only as far as it
//! is a match again.
//!
//! # How
//! [`outline`] says with which bytes matches begin, [`filter`] finds the places where such bytes
//! stand, and [`automata`] decides there, an expression at a time. An expression whose matches have
//! something in front of what is rare in them is looked for by the rare part ([`leads`]); the
//! others by their first bytes ([`fronts`]). What neither finds is not held: of prose, what waits
//! is a word that could be a lead and what begins like a match.
//!
//! The work is linear in the text, but an expression that begins everywhere and goes far before it
//! fails may look at as many bytes as its bound for each byte of the text.

mod automata;
mod bytes;
mod filter;
mod fronts;
mod leads;
mod near;
mod outline;
mod part;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

use super::group::{Answer, Group};
use crate::mask::window::{Hit, Miss, Tail, Window};
use automata::{Automata, Verdict};
use fronts::Fronts;
use leads::Leads;
use near::Near;
use outline::Outline;
pub(in crate::mask) use part::{Part, parts};

/// The longest match, and after how many bytes an expression without one is given up.
const LONGEST: usize = 4096;
/// How deep groups and repetitions may be nested.
const DEEPEST: u32 = 100;

/// An expression of the policy.
pub(in crate::mask) struct Source<'a> {
    /// Its rank among a mask's detectors.
    pub rank: usize,
    pub pattern: &'a str,
    /// Words of which one must stand in front of a match; none that nothing must.
    pub near: &'a [String],
}

/// What the groups share.
struct Patterns {
    /// In the order of the ranks.
    list: Vec<Pattern>,
    automata: Automata,
}

struct Pattern {
    rank: usize,
    automaton: usize,
    near: Near,
    bound: usize,
}

/// A way in which an expression may begin.
struct Way {
    /// Its place in the list.
    pattern: usize,
    outline: Outline,
    /// The automaton of what follows the lead.
    rest: usize,
}

/// Makes groups of expressions, whose automata have about `cache` bytes together. No more than
/// two come of it.
///
/// # Errors
/// The rank of an expression that cannot be used, and why.
pub(in crate::mask) fn groups(
    sources: &[Source<'_>],
    cache: usize,
) -> Result<Vec<Box<dyn Group>>, (usize, String)> {
    let mut patterns = Patterns {
        list: Vec::new(),
        automata: Automata::new(cache),
    };
    let mut order: Vec<&Source<'_>> = sources.iter().collect();
    order.sort_by_key(|source| source.rank);
    let (mut fronts, mut leads) = (Vec::new(), Vec::new());
    for source in order {
        let ways = patterns.add(source);
        let ways = ways.map_err(|reason| (source.rank, reason))?;
        for way in ways {
            let led = way.outline.lead.most > 0;
            if led { &mut leads } else { &mut fronts }.push(way);
        }
    }
    let patterns = Rc::new(patterns);
    let mut groups: Vec<Box<dyn Group>> = Vec::new();
    if !fronts.is_empty() {
        groups.push(Box::new(Fronts::new(Rc::clone(&patterns), fronts)));
    }
    if !leads.is_empty() {
        groups.push(Box::new(Leads::new(patterns, leads)));
    }
    Ok(groups)
}

/// Parses an expression, and gives its bound.
fn parse(pattern: &str) -> Result<(Hir, usize), String> {
    let hir = ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .nest_limit(DEEPEST)
        .build()
        .parse(pattern)
        .map_err(|error| error.to_string())?;
    let longest = hir.properties().maximum_len().unwrap_or(LONGEST);
    if longest > LONGEST {
        return Err(format!(
            "its longest match has {longest} bytes, but {LONGEST} is the most"
        ));
    }
    Ok((hir, longest + 5))
}

impl Patterns {
    fn add(&mut self, source: &Source<'_>) -> Result<Vec<Way>, String> {
        let (hir, bound) = parse(source.pattern)?;
        let pattern = self.list.len();
        let mut ways = Vec::new();
        let cuts = outline::cuts(&hir);
        let automaton = self.automata.add(hir, 0)?;
        for cut in cuts {
            let lead = cut.outlines.first().map_or(0, |one| one.lead.most);
            let rest = match cut.rest {
                Some(hir) => self.automata.add(hir, lead)?,
                None => automaton,
            };
            ways.extend(cut.outlines.into_iter().map(|outline| Way {
                pattern,
                outline,
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
    fn ask(&self, window: &Window<'_>, below: usize, mut places: Vec<usize>) -> Answer {
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
    fn rank(&self, place: usize) -> usize {
        self.list.get(place).map_or(usize::MAX, |one| one.rank)
    }

    fn bound(&self) -> usize {
        let bounds = self.list.iter().map(|pattern| pattern.bound);
        bounds.max().unwrap_or(0)
    }
}

/// What of a word is left behind a match that is given up: it may be the rest of a secret.
const WORD: Tail = Tail::Run {
    class: |byte| !matches!(byte, 0..=b' ' | 0x7f),
    joiners: &[],
};

fn is_continuation(byte: u8) -> bool {
    matches!(byte, 0x80..=0xbf)
}
