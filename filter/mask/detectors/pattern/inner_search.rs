//! Expressions whose matches are found by something that stands behind a lead.

use std::rc::Rc;

use super::super::group::{Answer, Group, Known};
use super::automata::Verdict;
use super::bytes::ByteSet;
use super::expression::is_continuation;
use super::filter::Filter;
use super::patterns::{Patterns, Way};
use super::prefix_sets::Lead;
use crate::prefilter::Anchors;
use crate::window::Window;

pub(super) struct InnerSearch {
    patterns: Rc<Patterns>,
    /// As in the filter.
    ways: Vec<Way>,
    filter: Filter,
    /// The leads of all ways, each once, with the patterns that have it in the order of the ranks.
    kinds: Vec<(Lead, Vec<usize>)>,
    /// The bytes of all leads.
    any: ByteSet,
    /// The longest lead.
    longest: usize,
    /// The first rank of all.
    lowest: usize,
}

impl InnerSearch {
    pub(super) fn new(patterns: Rc<Patterns>, ways: Vec<Way>) -> Self {
        let mut kinds: Vec<(Lead, Vec<usize>)> = Vec::new();
        let mut any = ByteSet::default();
        for Way {
            prefix, pattern, ..
        } in &ways
        {
            match kinds.iter_mut().find(|(lead, _)| *lead == prefix.lead) {
                Some((_, patterns)) if patterns.last() == Some(pattern) => {}
                Some((_, patterns)) => patterns.push(*pattern),
                None => kinds.push((prefix.lead, vec![*pattern])),
            }
            any.add(&prefix.lead.bytes);
        }
        let sets = ways.iter().map(|way| way.prefix.sets.clone()).collect();
        Self {
            lowest: ways
                .iter()
                .map(|way| patterns.rank(way.pattern))
                .min()
                .unwrap_or(0),
            longest: kinds.iter().map(|(lead, _)| lead.most).max().unwrap_or(0),
            patterns,
            ways,
            filter: Filter::new(sets),
            kinds,
            any,
        }
    }

    /// The first position at which a match may begin whose lead ends at `at`, if one can.
    fn begin(&self, known: &Known<'_>, from: usize, at: usize, buckets: u64) -> Option<usize> {
        let Known { bytes, last, .. } = *known;
        let prefixes = self.filter.each(buckets, bytes, at, last);
        let ways = prefixes.filter_map(|prefix| self.ways.get(prefix));
        let mut first = None;
        // Alternatives of one expression have the same rest.
        let mut run: Option<(usize, bool)> = None;
        for way in ways {
            let lead = &way.prefix.lead;
            let Some(start) = front(lead, bytes, from, at) else {
                continue;
            };
            if first.is_some_and(|first| first <= start) {
                continue;
            }
            let may = match run {
                Some((rest, may)) if rest == way.rest => may,
                _ => self.follows(known, at, way.rest),
            };
            run = Some((way.rest, may));
            if may {
                first = Some(start);
            }
        }
        first
    }

    /// The first rank of an expression of whose lead the window may be a part, with nothing of what
    /// follows it.
    fn lead_only(&self, window: &Window<'_>) -> Option<usize> {
        let bytes = window.bytes;
        let kinds = self.kinds.iter().filter(|(lead, _)| {
            bytes.len() <= lead.most && bytes.iter().all(|byte| lead.bytes.contains(*byte))
        });
        let first = kinds.filter_map(|(_, patterns)| {
            let list = &self.patterns.list;
            let mut patterns = patterns.iter().filter_map(|place| list.get(*place));
            let open = patterns.find(|pattern| pattern.near.met(window.behind))?;
            Some(open.rank)
        });
        first.min()
    }

    /// Where the longest lead begins that the bytes may end within.
    fn tail(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let leads = self.kinds.iter().filter_map(|(lead, _)| {
            let part = Lead { least: 1, ..*lead };
            front(&part, bytes, from, bytes.len())
        });
        leads.min().filter(|tail| *tail < bytes.len())
    }

    /// Whether no lead goes across `at` from what stands in front of it.
    fn clear(&self, bytes: &[u8], from: usize, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        at == from || !before.is_some_and(|byte| self.any.contains(*byte))
    }

    /// The first position at which a match may begin, where one may at `begin` with a lead that
    /// ends at `found`: another one may begin before it and end behind.
    fn before(&self, known: &Known<'_>, from: usize, begin: usize, found: usize) -> usize {
        let mut first = begin;
        let rest = known.bytes.get(found..).unwrap_or_default();
        let reach = (begin + self.longest).saturating_sub(found);
        let within = rest.iter().take(reach);
        let within = within.take_while(|byte| self.any.contains(**byte));
        for (index, _) in within.enumerate() {
            #[cfg(test)]
            crate::window::steps::add(1);
            let at = found + index + 1;
            let buckets = self.filter.at(known.bytes, at, known.last);
            if buckets != 0 && at < known.bytes.len() {
                let other = self.begin(known, from, at, buckets);
                first = other.map_or(first, |other| first.min(other));
            }
        }
        first
    }

    /// Whether what follows a lead may begin at `at`.
    fn follows(&self, known: &Known<'_>, at: usize, rest: usize) -> bool {
        let behind = known.behind.then(known.bytes, at);
        // A match that begins right here sees an escape as what it stands for, one that began
        // before sees the letter.
        if behind.escape().is_some() {
            return true;
        }
        let bytes = known.bytes.get(at..).unwrap_or_default();
        let automata = &self.patterns.automata;
        automata.run(rest, behind.byte(), bytes, known.last) != Verdict::No
    }
}

/// Whether the bytes up to `at` are such a lead.
fn covers(lead: &Lead, bytes: &[u8], at: usize) -> bool {
    let known = bytes.get(..at).unwrap_or_default();
    (lead.least..=lead.most).contains(&at) && known.iter().all(|byte| lead.bytes.contains(*byte))
}

/// Where the longest lead begins that ends at `at`, at `from` or after it.
fn front(lead: &Lead, bytes: &[u8], from: usize, at: usize) -> Option<usize> {
    let before = bytes.get(from..at)?;
    let run = before.iter().rev().take(lead.most);
    let run = run.take_while(|byte| lead.bytes.contains(**byte)).count();
    (run >= lead.least).then(|| {
        let start = at - run;
        let inside = bytes.get(start..at).unwrap_or_default();
        let inside = inside.iter().take_while(|byte| is_continuation(**byte));
        start + inside.count()
    })
}

impl Group for InnerSearch {
    fn next(&self, known: &Known<'_>, from: usize, _: &mut Anchors) -> usize {
        let Known { bytes, last, .. } = *known;
        // What the bytes end with may be a lead.
        let tail = if last { None } else { self.tail(bytes, from) };
        // Where no lead goes across its begin, nothing behind that matters.
        let to = tail.filter(|tail| self.clear(bytes, from, *tail));
        let to = to.unwrap_or(bytes.len());
        let mut first = None;
        let found = self.filter.scan(bytes, from, to, last, |at, buckets| {
            first = self.begin(known, from, at, buckets);
            first.is_some()
        });
        if let (Some(found), Some(begin)) = (found, first)
            && !self.clear(bytes, from, begin)
        {
            first = Some(self.before(known, from, begin, found));
        }
        match (first, tail) {
            (Some(first), Some(tail)) => first.min(tail),
            (first, tail) => first.or(tail).unwrap_or(bytes.len()),
        }
    }

    fn ask(&self, window: &Window<'_>, below: usize) -> Answer {
        let Window { bytes, last, .. } = *window;
        if bytes.first().copied().is_some_and(is_continuation) {
            return Answer::Nothing;
        }
        let run = bytes.iter().take(self.longest);
        let run = run.take_while(|byte| self.any.contains(**byte)).count();
        let open = if run == bytes.len() && !last {
            self.lead_only(window)
        } else {
            None
        };
        let limit = open.unwrap_or(below).min(below);
        if limit <= self.lowest {
            // The first of all is open: so it is most often at the end of a piece.
            return match open {
                Some(rank) if rank < below => Answer::Open(rank),
                _ => Answer::Nothing,
            };
        }
        let mut places = Vec::new();
        for at in 0..=run.min(bytes.len().saturating_sub(1)) {
            let buckets = self.filter.at(bytes, at, last);
            let prefixes = self.filter.each(buckets, bytes, at, last);
            for way in prefixes.filter_map(|prefix| self.ways.get(prefix)) {
                if self.patterns.rank(way.pattern) < limit
                    && !places.contains(&way.pattern)
                    && covers(&way.prefix.lead, bytes, at)
                {
                    places.push(way.pattern);
                }
            }
        }
        match (self.patterns.ask(window, limit, places), open) {
            (Answer::Nothing, Some(rank)) if rank < below => Answer::Open(rank),
            (answer, _) => answer,
        }
    }

    fn bound(&self) -> usize {
        self.patterns.bound()
    }
}
