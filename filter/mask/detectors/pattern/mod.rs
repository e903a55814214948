//! Regular expressions of the policy's own, all of a mask's together.
//!
//! # What is matched
//! An expression is matched on bytes, with ASCII classes only and with the preference among
//! alternatives that Perl has. An empty match doesn't count. A match never begins or ends inside a
//! UTF-8 character: its end is moved behind the character that it would cut. What is replaced is
//! the whole match, or the group named `mask` of an expression that has one ([`part`]). Of several
//! expressions that match at a position the first one wins, with the end that it has by itself.
//!
//! An expression may require one of several words in front of a match ([`near`]).
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
//! [`prefix_sets`] says with which bytes matches begin, [`filter`] finds the places where such
//! bytes stand, and [`automata`] decides there, an expression at a time. An expression whose
//! matches have something in front of what is rare in them is looked for by the rare part
//! ([`inner_search`]); the others by their first bytes ([`prefix_search`]). What neither finds is
//! not held: of prose, what waits is a word that could be a lead and what begins like a match.
//!
//! The work is linear in the text, but an expression that begins everywhere and goes far before it
//! fails may look at as many bytes as its bound for each byte of the text.

mod automata;
mod bytes;
mod expression;
mod filter;
mod inner_search;
mod near;
mod part;
mod patterns;
mod prefix_search;
mod prefix_sets;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use std::rc::Rc;

use super::group::Group;
pub(crate) use expression::Source;
use inner_search::InnerSearch;
pub(crate) use part::{Part, parts};
use patterns::Patterns;
use prefix_search::PrefixSearch;

/// Makes groups of expressions, whose automata have about `cache` bytes together. No more than
/// two come of it.
///
/// # Errors
/// The rank of an expression that cannot be used, and why.
pub(crate) fn groups(
    sources: &[Source<'_>],
    cache: usize,
) -> Result<Vec<Box<dyn Group>>, (usize, String)> {
    let mut patterns = Patterns::new(cache);
    let mut order: Vec<&Source<'_>> = sources.iter().collect();
    base::sort::sort_by_key(&mut order, |source| source.rank);
    let (mut fronts, mut leads) = (Vec::new(), Vec::new());
    for source in order {
        let ways = patterns.add(source);
        let ways = ways.map_err(|reason| (source.rank, reason))?;
        for way in ways {
            let led = way.prefix.lead.most > 0;
            if led { &mut leads } else { &mut fronts }.push(way);
        }
    }
    let patterns = Rc::new(patterns);
    let mut groups: Vec<Box<dyn Group>> = Vec::new();
    if !fronts.is_empty() {
        groups.push(Box::new(PrefixSearch::new(Rc::clone(&patterns), fronts)));
    }
    if !leads.is_empty() {
        groups.push(Box::new(InnerSearch::new(patterns, leads)));
    }
    Ok(groups)
}
