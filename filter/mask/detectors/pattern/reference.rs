//! One expression by itself, asked at every position: what the groups are measured against.

use std::cell::RefCell;

use regex_automata::Anchored;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::start;

use super::expression::{MAX_MATCH_BYTES, is_continuation, parse};
use super::patterns::WORD;
use crate::detectors::detect::{Detect, Start};
use crate::window::{Hit, Miss, Tail, Window};

pub(super) struct Reference {
    dfa: DFA,
    cache: RefCell<Cache>,
    bound: usize,
    endless: bool,
}

impl Reference {
    pub(super) fn new(pattern: &str) -> Self {
        let (hir, bound) = parse(pattern).unwrap();
        let nfa = thompson::Compiler::new()
            .configure(thompson::Config::new().utf8(false))
            .build_from_hir(&hir)
            .unwrap();
        let dfa = DFA::builder().build_from_nfa(nfa).unwrap();
        Self {
            cache: RefCell::new(dfa.create_cache()),
            dfa,
            bound,
            endless: hir.properties().maximum_len().is_none(),
        }
    }

    /// Where the match ends, and how it goes on where it is given up.
    fn end(&self, window: &Window<'_>) -> Result<(Option<usize>, Option<Tail>), Miss> {
        let cache = &mut self.cache.borrow_mut();
        let config = start::Config::new()
            .anchored(Anchored::Yes)
            .look_behind(window.behind.denoted());
        let mut state = self.dfa.start_state(cache, &config).unwrap();
        let mut end = None;
        for (index, byte) in window.bytes.iter().enumerate() {
            state = self.dfa.next_state(cache, state, *byte).unwrap();
            if state.is_match() {
                end = Some(index);
            } else if state.is_dead() {
                return Ok((end, None));
            }
            if self.endless && index == MAX_MATCH_BYTES {
                return Ok((Some(MAX_MATCH_BYTES), Some(WORD)));
            }
        }
        if !window.last {
            return Err(Miss::More);
        }
        state = self.dfa.next_eoi_state(cache, state).unwrap();
        if state.is_match() {
            end = Some(window.bytes.len());
        }
        Ok((end, None))
    }
}

impl Detect for Reference {
    fn starts(&self, first: u8) -> Start {
        if is_continuation(first) {
            Start::Never
        } else {
            Start::Anywhere
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let (end, tail) = self.end(window)?;
        let end = end.filter(|end| *end > 0).ok_or(Miss::No)?;
        let len = end + window.run(end, 3, is_continuation)?;
        Ok(Hit { len, tail })
    }

    fn bound(&self) -> usize {
        self.bound
    }
}
