//! Regular expressions of the policy's own.
//!
//! Matched on bytes, ASCII classes only, with the preference among alternatives that Perl
//! has. An empty match is none. A match never begins or ends inside a UTF-8 character: its
//! end is moved behind the character that it would cut.
//!
//! Bound: the expression's longest match as its syntax gives it, at most 4096 bytes, with
//! up to five bytes to see the end.
//!
//! A lazy DFA runs it, anchored: its states are made when a text first needs them, within a
//! cache that starts anew when it is full. Nothing of the cache's content outlives a call,
//! so what is in it, or that it was cleared, cannot change an answer.

use std::cell::RefCell;

use regex_automata::Anchored;
use regex_automata::hybrid::LazyStateID;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::nfa::thompson;
use regex_automata::util::start;
use regex_syntax::ParserBuilder;

use super::{Detect, Hit, Miss, Start, Window, hit};

const LONGEST: usize = 4096;
/// The expression's automaton in memory, in bytes: repetitions inside one another multiply.
const LARGEST_AUTOMATON: usize = 1 << 20;

pub(in crate::mask) struct Pattern {
    dfa: DFA,
    cache: RefCell<Cache>,
    bound: usize,
    starts: Vec<Start>,
}

impl Pattern {
    /// Compiles `pattern` with a cache of about `cache` bytes (or the least that it can run with).
    ///
    /// # Errors
    /// Why the expression cannot be used.
    pub(in crate::mask) fn new(pattern: &str, cache: usize) -> Result<Self, String> {
        let hir = ParserBuilder::new()
            .unicode(false)
            .utf8(false)
            .build()
            .parse(pattern)
            .map_err(|error| error.to_string())?;
        let longest = hir.properties().maximum_len();
        let longest =
            longest.ok_or("its longest match has no bound: write {0,20} in place of *")?;
        if longest > LONGEST {
            return Err(format!(
                "its longest match has {longest} bytes, but {LONGEST} is the most"
            ));
        }
        let nfa = thompson::Compiler::new()
            .configure(
                thompson::Config::new()
                    .utf8(false)
                    .nfa_size_limit(Some(LARGEST_AUTOMATON)),
            )
            .build_from_hir(&hir)
            .map_err(|error| error.to_string())?;
        let dfa = DFA::builder()
            .configure(
                DFA::config()
                    .cache_capacity(cache)
                    .skip_cache_capacity_check(true),
            )
            .build_from_nfa(nfa)
            .map_err(|error| error.to_string())?;
        let mut cache = dfa.create_cache();
        let starts = (0..=u8::MAX)
            .map(|first| starts(&dfa, &mut cache, first))
            .collect();
        Ok(Self {
            cache: RefCell::new(cache),
            bound: longest + 5,
            dfa,
            starts,
        })
    }

    /// Where the match that begins at the window's first byte ends.
    fn end(&self, window: &Window<'_>) -> Result<Option<usize>, Failure> {
        let mut cache = self.cache.try_borrow_mut().map_err(|_| Failure::Broken)?;
        let mut state = begin(&self.dfa, &mut cache, window.behind.denoted())?;
        let mut end = None;
        // The match state comes one byte after the match.
        for (index, byte) in window.bytes.iter().enumerate() {
            #[cfg(test)]
            super::super::window::steps::add(1);
            state = self.dfa.next_state(&mut cache, state, *byte)?;
            if state.is_match() {
                end = Some(index);
            } else if state.is_dead() {
                return Ok(end);
            } else if state.is_quit() {
                return Err(Failure::Broken);
            }
        }
        if !window.last {
            return Err(Failure::Miss(Miss::More));
        }
        state = self.dfa.next_eoi_state(&mut cache, state)?;
        if state.is_match() {
            end = Some(window.bytes.len());
        }
        Ok(end)
    }
}

/// Why a search did not come to its end.
enum Failure {
    Miss(Miss),
    /// The automaton gave up, which it is not configured to do.
    Broken,
}

impl From<regex_automata::hybrid::CacheError> for Failure {
    fn from(_: regex_automata::hybrid::CacheError) -> Self {
        Self::Broken
    }
}

fn begin(dfa: &DFA, cache: &mut Cache, behind: Option<u8>) -> Result<LazyStateID, Failure> {
    let config = start::Config::new()
        .anchored(Anchored::Yes)
        .look_behind(behind);
    dfa.start_state(cache, &config).map_err(|_| Failure::Broken)
}

/// Where a match may begin with `first`: what an automaton that is dead after it cannot match.
fn starts(dfa: &DFA, cache: &mut Cache, first: u8) -> Start {
    if is_continuation(first) {
        return Start::Never;
    }
    let mut lives = |behind| {
        begin(dfa, cache, behind)
            .and_then(|state| Ok(dfa.next_state(cache, state, first)?))
            .map_or(true, |state| !state.is_dead())
    };
    if lives(Some(b'a')) {
        Start::Anywhere
    } else if [None, Some(b' '), Some(b'\n'), Some(b'\r'), Some(b'_')]
        .into_iter()
        .any(lives)
    {
        Start::Edge
    } else {
        Start::Never
    }
}

fn is_continuation(byte: u8) -> bool {
    matches!(byte, 0x80..=0xbf)
}

impl Detect for Pattern {
    fn starts(&self, first: u8) -> Start {
        self.starts
            .get(usize::from(first))
            .copied()
            .unwrap_or(Start::Anywhere)
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let end = match self.end(window) {
            Ok(end) => end.filter(|end| *end > 0).ok_or(Miss::No)?,
            Err(Failure::Miss(miss)) => return Err(miss),
            // What cannot be searched is masked.
            Err(Failure::Broken) => 1,
        };
        let cut = window.run(end, 3, is_continuation)?;
        Ok(hit(end + cut))
    }

    fn bound(&self) -> usize {
        self.bound
    }
}
