//! The lazy automata of a mask's expressions.
//!
//! An automaton is made when a text first comes near a match of it, and its states when a text
//! first needs them: of hundreds of expressions most are never run. Its states are in a cache; all
//! caches together have a limit, at which they are thrown away and start anew. Nothing of a
//! cache's content outlives a call, so what is in it, or that it was cleared, cannot change an
//! answer.

use std::cell::{OnceCell, RefCell};

use regex_automata::Anchored;
use regex_automata::hybrid::dfa::{Cache, DFA};
use regex_automata::hybrid::{CacheError, LazyStateID};
use regex_automata::nfa::thompson;
use regex_automata::util::start;
use regex_syntax::hir::{Hir, HirKind};

use super::expression::MAX_MATCH_BYTES;

/// The most states of an expression's automaton before it is made deterministic: repetitions
/// inside one another multiply. A state takes about forty bytes.
const MAX_STATES: usize = 25_000;

/// The most bytes of one automaton's cache: it starts anew there.
const MAX_CACHE_BYTES: usize = 512 << 10;

/// What an automaton says about the text from a position on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A match of this many bytes, possibly empty.
    Match(usize),
    No,
    /// It depends on bytes that are not known yet.
    More,
    /// An expression without a longest match is still undecided after this many bytes.
    Endless(usize),
}

pub(super) struct Automata {
    list: Vec<Automaton>,
    pool: RefCell<Pool>,
    /// Of one cache, in bytes.
    capacity: usize,
}

struct Automaton {
    hir: Hir,
    /// After how many bytes it is given up, if its longest match has no bound.
    endless: Option<usize>,
    /// None in it, if it can't be made: then all that may be a match is one.
    dfa: OnceCell<Option<DFA>>,
}

struct Pool {
    /// By automaton; a cache is large, and taken out while it is in use.
    caches: Vec<Option<Box<Cache>>>,
    /// Memory of the caches, in bytes.
    used: usize,
    limit: usize,
}

/// The automaton gave up, which it is not configured to do.
struct Broken;

impl From<CacheError> for Broken {
    fn from(_: CacheError) -> Self {
        Self
    }
}

impl Automata {
    /// Automata whose caches have `limit` bytes together, or what the one in use needs.
    pub(super) fn new(limit: usize) -> Self {
        Self {
            list: Vec::new(),
            capacity: limit.min(MAX_CACHE_BYTES),
            pool: RefCell::new(Pool {
                caches: Vec::new(),
                used: 0,
                limit,
            }),
        }
    }

    /// Adds an expression. One that has no longest match is given up after [`MAX_MATCH_BYTES`]
    /// bytes, less `lead`.
    ///
    /// # Errors
    /// If it is too large.
    pub(super) fn add(&mut self, hir: Hir, lead: usize) -> Result<usize, String> {
        let states = states(&hir);
        if states > MAX_STATES {
            return Err(format!(
                "it is too large: an automaton of {states} states, but {MAX_STATES} is the most"
            ));
        }
        let endless = hir.properties().maximum_len().is_none();
        self.list.push(Automaton {
            endless: endless.then(|| MAX_MATCH_BYTES.saturating_sub(lead)),
            hir,
            dfa: OnceCell::new(),
        });
        self.pool.get_mut().caches.push(None);
        Ok(self.list.len() - 1)
    }

    /// Runs automaton `index` on a text that `denoted` precedes.
    pub(super) fn run(
        &self,
        index: usize,
        denoted: Option<u8>,
        bytes: &[u8],
        last: bool,
    ) -> Verdict {
        // What cannot be searched is masked.
        let broken = Verdict::Match(1);
        let Some(automaton) = self.list.get(index) else {
            return broken;
        };
        let Some(dfa) = automaton
            .dfa
            .get_or_init(|| make(&automaton.hir, self.capacity))
        else {
            return broken;
        };
        let Ok(mut pool) = self.pool.try_borrow_mut() else {
            return broken;
        };
        let cached = pool.caches.get_mut(index).and_then(Option::take);
        let before = cached.as_ref().map_or(0, |cache| cache.memory_usage());
        let mut cache = cached.unwrap_or_else(|| Box::new(dfa.create_cache()));
        let verdict = run(dfa, &mut cache, denoted, automaton.endless, bytes, last);
        pool.put(index, before, cache);
        verdict.unwrap_or(broken)
    }
}

impl Pool {
    fn put(&mut self, index: usize, before: usize, cache: Box<Cache>) {
        self.used = self.used.saturating_sub(before) + cache.memory_usage();
        if self.used > self.limit {
            self.caches.fill_with(|| None);
            self.used = 0;
        } else if let Some(place) = self.caches.get_mut(index) {
            *place = Some(cache);
        }
    }
}

fn make(hir: &Hir, capacity: usize) -> Option<DFA> {
    let config = thompson::Config::new().utf8(false);
    let nfa = thompson::Compiler::new()
        .configure(config.which_captures(thompson::WhichCaptures::None))
        .build_from_hir(hir)
        .ok()?;
    let config = DFA::config().cache_capacity(capacity);
    DFA::builder()
        .configure(config.skip_cache_capacity_check(true))
        .build_from_nfa(nfa)
        .ok()
}

fn begin(dfa: &DFA, cache: &mut Cache, denoted: Option<u8>) -> Result<LazyStateID, Broken> {
    let config = start::Config::new().anchored(Anchored::Yes);
    let config = config.look_behind(denoted);
    dfa.start_state(cache, &config).map_err(|_| Broken)
}

fn run(
    dfa: &DFA,
    cache: &mut Cache,
    denoted: Option<u8>,
    endless: Option<usize>,
    bytes: &[u8],
    last: bool,
) -> Result<Verdict, Broken> {
    let mut state = begin(dfa, cache, denoted)?;
    let mut end = None;
    let verdict = |end: Option<usize>| end.map_or(Verdict::No, Verdict::Match);
    // The match state comes one byte after the match.
    for (index, byte) in bytes.iter().enumerate() {
        #[cfg(test)]
        crate::window::steps::add(1);
        state = dfa.next_state(cache, state, *byte)?;
        if state.is_match() {
            end = Some(index);
        } else if state.is_dead() {
            return Ok(verdict(end));
        } else if state.is_quit() {
            return Err(Broken);
        }
        if endless == Some(index) {
            return Ok(Verdict::Endless(index));
        }
    }
    if !last {
        return Ok(Verdict::More);
    }
    state = dfa.next_eoi_state(cache, state)?;
    if state.is_match() {
        end = Some(bytes.len());
    }
    Ok(verdict(end))
}

/// How many states an automaton for `hir` has, roughly, and rather too many.
pub(super) fn states(hir: &Hir) -> usize {
    let sum = |subs: &[Hir]| {
        let each = subs.iter().map(states);
        each.fold(1, usize::saturating_add)
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(_) => 2,
        HirKind::Capture(capture) => states(&capture.sub),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => sum(subs),
        HirKind::Repetition(repetition) => {
            let least = repetition.min.saturating_add(1);
            let times = repetition.max.unwrap_or(least).max(1);
            let times = usize::try_from(times).unwrap_or(usize::MAX);
            states(&repetition.sub)
                .saturating_add(1)
                .saturating_mul(times)
        }
    }
}
