//! Expressions whose matches are found by their first bytes.

use std::rc::Rc;

use super::super::detect::word_byte;
use super::super::group::{Answer, Group, Known};
use super::expression::is_continuation;
use super::filter::Filter;
use super::patterns::{Patterns, Way};
use crate::prefilter::Anchors;
use crate::window::{Behind, Window};

pub(super) struct PrefixSearch {
    patterns: Rc<Patterns>,
    /// As in the filter.
    ways: Vec<Way>,
    filter: Filter,
}

impl PrefixSearch {
    pub(super) fn new(patterns: Rc<Patterns>, ways: Vec<Way>) -> Self {
        let sets = ways.iter().map(|way| way.prefix.sets.clone()).collect();
        Self {
            patterns,
            ways,
            filter: Filter::new(sets),
        }
    }

    /// The ways that matches may begin in at `at`, behind `behind`, as far as the sets of the
    /// buckets left say.
    fn ways<'a>(
        &'a self,
        buckets: u64,
        behind: Behind<'a>,
        bytes: &'a [u8],
        at: usize,
        last: bool,
    ) -> impl Iterator<Item = &'a Way> {
        let prefixes = self.filter.each(buckets, bytes, at, last);
        let ways = prefixes.filter_map(|prefix| self.ways.get(prefix));
        ways.filter(move |way| !way.prefix.edge || !behind.denoted().is_some_and(word_byte))
    }
}

impl Group for PrefixSearch {
    fn next(&self, known: &Known<'_>, from: usize, _: &mut Anchors) -> usize {
        let Known {
            behind,
            bytes,
            last,
        } = *known;
        let place = self
            .filter
            .scan(bytes, from, bytes.len(), last, |at, buckets| {
                !bytes.get(at).copied().is_some_and(is_continuation) && {
                    let behind = behind.then(bytes, at);
                    self.ways(buckets, behind, bytes, at, last).next().is_some()
                }
            });
        place.unwrap_or(bytes.len())
    }

    fn ask(&self, window: &Window<'_>, below: usize) -> Answer {
        let Window {
            behind,
            bytes,
            last,
        } = *window;
        if bytes.first().copied().is_some_and(is_continuation) {
            return Answer::Nothing;
        }
        let buckets = self.filter.at(bytes, 0, last);
        let ways = self.ways(buckets, behind, bytes, 0, last);
        let places = ways.map(|way| way.pattern).collect();
        self.patterns.ask(window, below, places)
    }

    fn bound(&self) -> usize {
        self.patterns.bound()
    }
}
