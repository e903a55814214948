//! The part of a match that is replaced, where an expression names one: its group `mask`.
//!
//! The automata say where a match ends, and know nothing of groups. Where there is a match, this
//! looks for the group in it, in a slower way, in the same bytes and with the same preferences. So
//! the group depends on the text alone, as the match does. Where it takes no part in the match, or
//! is empty, the whole match is replaced; so is one that has no end within the bound.

use std::cell::{OnceCell, RefCell};

use regex_automata::nfa::thompson::{self, pikevm};
use regex_automata::util::primitives::PatternID;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Hir, HirKind};

use super::automata::states;
use super::expression::{MAX_MATCH_BYTES, Source, is_continuation, parse};
use crate::window::Window;

/// The group's name.
const NAME: &str = "mask";

/// The most states of an expression with such a group: each byte of a match takes as many steps at
/// worst.
const MAX_STATES: usize = 4000;

/// The group of one expression.
pub(crate) struct Part {
    hir: Hir,
    /// The most bytes of a text that a match depends on.
    bound: usize,
    /// None in it, if it can't be made: then matches are replaced as wholes.
    machine: OnceCell<Option<Machine>>,
}

struct Machine {
    vm: pikevm::PikeVM,
    /// Where the group's place begins in what a search gives.
    slot: usize,
    cache: RefCell<pikevm::Cache>,
}

/// The groups of those expressions that have one, with the expressions' ranks.
///
/// # Errors
/// The rank of an expression that is too large for it, or can't be used at all, and why.
pub(crate) fn parts(sources: &[Source<'_>]) -> Result<Vec<(usize, Part)>, (usize, String)> {
    let mut parts = Vec::new();
    for source in sources {
        // Most have no group of any name.
        if !source.pattern.contains(NAME) {
            continue;
        }
        let part = Part::new(source.pattern).map_err(|reason| (source.rank, reason))?;
        parts.extend(part.map(|part| (source.rank, part)));
    }
    Ok(parts)
}

impl Part {
    fn new(pattern: &str) -> Result<Option<Self>, String> {
        let (hir, bound) = parse(pattern)?;
        if !names(&hir) {
            return Ok(None);
        }
        let states = states(&hir);
        if states > MAX_STATES {
            return Err(format!(
                "it is too large for a group {NAME:?}: an automaton of {states} states, but \
                 {MAX_STATES} is the most"
            ));
        }
        Ok(Some(Self {
            hir,
            bound: bound.max(MAX_MATCH_BYTES),
            machine: OnceCell::new(),
        }))
    }

    /// Where the group begins and ends in the match of `len` bytes that the window begins with; not
    /// where it is the whole match.
    pub(crate) fn of(&self, window: &Window<'_>, len: usize) -> Option<(usize, usize)> {
        let machine = self.machine.get_or_init(|| Machine::new(&self.hir));
        let machine = machine.as_ref()?;
        let mut text = Vec::new();
        text.extend(window.behind.denoted());
        let front = text.len();
        text.extend_from_slice(window.slice(0, self.bound));
        let (start, end) = machine.search(&text, front)?;
        // A character goes with the group as a whole.
        let matched = window.slice(0, len);
        let inside = |at: usize| matched.get(at).copied().is_some_and(is_continuation);
        let start = (0..=start).rev().find(|at| !inside(*at)).unwrap_or(0);
        let end = (end..len).find(|at| !inside(*at)).unwrap_or(len);
        (start < end && end <= len && (start, end) != (0, len)).then_some((start, end))
    }
}

impl Machine {
    fn new(hir: &Hir) -> Option<Self> {
        let nfa = thompson::Compiler::new()
            .configure(thompson::Config::new().utf8(false))
            .build_from_hir(hir)
            .ok()?;
        let group = nfa.group_info().to_index(PatternID::ZERO, NAME)?;
        let vm = pikevm::PikeVM::new_from_nfa(nfa).ok()?;
        Some(Self {
            slot: group.checked_mul(2)?,
            cache: RefCell::new(vm.create_cache()),
            vm,
        })
    }

    /// Where the group is in the match that begins behind the first `front` bytes, counted from
    /// there.
    fn search(&self, text: &[u8], front: usize) -> Option<(usize, usize)> {
        let input = Input::new(text).range(front..).anchored(Anchored::Yes);
        let mut slots = vec![None; self.slot.checked_add(2)?];
        let mut cache = self.cache.try_borrow_mut().ok()?;
        self.vm.search_slots(&mut cache, &input, &mut slots)?;
        let place = |slot: usize| slots.get(slot).copied()??.get().checked_sub(front);
        let (start, end) = (place(self.slot)?, place(self.slot.checked_add(1)?)?);
        (start < end).then_some((start, end))
    }
}

/// Whether an expression has the group. Groups are nested no deeper than is parsed.
fn names(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Capture(capture) => capture.name.as_deref() == Some(NAME) || names(&capture.sub),
        HirKind::Concat(subs) | HirKind::Alternation(subs) => subs.iter().any(names),
        HirKind::Repetition(repetition) => names(&repetition.sub),
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => false,
    }
}
