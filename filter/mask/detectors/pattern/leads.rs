//! Expressions whose matches are found by something that stands behind a lead.

use std::rc::Rc;

use super::super::group::{Answer, Group, Known};
use super::automata::Verdict;
use super::bytes::ByteSet;
use super::filter::Filter;
use super::outline::Lead;
use super::{Patterns, Way, is_continuation};
use crate::mask::window::Window;

pub(super) struct Leads {
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
}

impl Leads {
    pub(super) fn new(patterns: Rc<Patterns>, ways: Vec<Way>) -> Self {
        let mut kinds: Vec<(Lead, Vec<usize>)> = Vec::new();
        let mut any = ByteSet::default();
        for Way {
            outline, pattern, ..
        } in &ways
        {
            match kinds.iter_mut().find(|(lead, _)| *lead == outline.lead) {
                Some((_, patterns)) if patterns.last() == Some(pattern) => {}
                Some((_, patterns)) => patterns.push(*pattern),
                None => kinds.push((outline.lead, vec![*pattern])),
            }
            any.add(&outline.lead.bytes);
        }
        let sets = ways.iter().map(|way| way.outline.sets.clone()).collect();
        Self {
            patterns,
            longest: kinds.iter().map(|(lead, _)| lead.most).max().unwrap_or(0),
            ways,
            filter: Filter::new(sets),
            kinds,
            any,
        }
    }

    /// The first position at which a match may begin whose lead ends at `at`, if one can.
    fn begin(&self, known: &Known<'_>, from: usize, at: usize, buckets: u64) -> Option<usize> {
        let Known { bytes, last, .. } = *known;
        let outlines = self.filter.each(buckets, bytes, at, last);
        let ways = outlines.filter_map(|outline| self.ways.get(outline));
        let mut first = None;
        // Alternatives of one expression have the same rest.
        let mut run: Option<(usize, bool)> = None;
        for way in ways {
            let lead = &way.outline.lead;
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

impl Group for Leads {
    fn next(&self, known: &Known<'_>, from: usize) -> usize {
        let Known { bytes, last, .. } = *known;
        let mut first = None;
        let found = self.filter.scan(bytes, from, last, |at, buckets| {
            first = self.begin(known, from, at, buckets);
            first.is_some()
        });
        // A lead may begin before the one found and end behind it: it has only its own bytes.
        let mut reached = bytes.len();
        if let (Some(found), Some(begin)) = (found, first) {
            reached = found;
            while reached < bytes.len() && reached - begin <= self.longest {
                let byte = bytes.get(reached).copied();
                if !byte.is_some_and(|byte| self.any.contains(byte)) {
                    break;
                }
                reached += 1;
                #[cfg(test)]
                crate::mask::window::steps::add(1);
                let buckets = self.filter.at(bytes, reached, last);
                if buckets != 0 && reached < bytes.len() {
                    first = first.min(self.begin(known, from, reached, buckets).or(first));
                }
            }
        }
        // What the bytes end with may be a lead.
        if reached == bytes.len() && !last {
            for (lead, _) in &self.kinds {
                let one = Lead { least: 1, ..*lead };
                let start = front(&one, bytes, from, bytes.len());
                let start = start.filter(|start| *start < bytes.len());
                first = match (first, start) {
                    (Some(first), Some(start)) => Some(first.min(start)),
                    (first, start) => first.or(start),
                };
            }
        }
        first.unwrap_or(bytes.len())
    }

    fn ask(&self, window: &Window<'_>, below: usize) -> Answer {
        let Window { bytes, last, .. } = *window;
        if bytes.first().copied().is_some_and(is_continuation) {
            return Answer::Nothing;
        }
        let run = bytes.iter().take(self.longest);
        let run = run.take_while(|byte| self.any.contains(**byte)).count();
        let mut places = Vec::new();
        for at in 0..=run.min(bytes.len().saturating_sub(1)) {
            let buckets = self.filter.at(bytes, at, last);
            if buckets == 0 {
                continue;
            }
            let outlines = self.filter.each(buckets, bytes, at, last);
            for way in outlines.filter_map(|outline| self.ways.get(outline)) {
                if covers(&way.outline.lead, bytes, at) && !places.contains(&way.pattern) {
                    places.push(way.pattern);
                }
            }
        }
        let open = if run == bytes.len() && !last {
            self.lead_only(window)
        } else {
            None
        };
        let limit = open.unwrap_or(below).min(below);
        match (self.patterns.ask(window, limit, places), open) {
            (Answer::Nothing, Some(rank)) if rank < below => Answer::Open(rank),
            (answer, _) => answer,
        }
    }

    fn bound(&self) -> usize {
        self.patterns.bound()
    }
}
