//! All detectors of a mask compiled into one table.

#[cfg(test)]
mod tests;

use std::rc::Rc;

use crate::config::mask::{BUILT_IN_DETECTORS, Detection, Detector};

use super::detectors::{self, Detect, Pattern, Start, Words};
use super::render::{Originals, Pseudonyms, Replacement};
use super::window::{Behind, Hit, Miss, Window};

/// Memory for the lazily built automata of all of a mask's patterns together, in bytes.
const CACHE: usize = 4 << 20;

/// Where something may begin, by byte; and what a byte means to the one after it.
const AT_EDGE: u8 = 1;
const ANYWHERE: u8 = 2;
const WORD: u8 = 4;
const ESCAPE_LETTER: u8 = 8;
const BACKSLASH: u8 = 16;

/// All detectors of a mask, compiled once and shared by every text that is masked with them.
pub struct Engine {
    /// In the order of the detections given.
    compiled: Vec<Compiled>,
    flags: [u8; 256],
    /// By first byte, the detectors that may begin with it, in the order in which they are tried.
    candidates: Vec<Box<[usize]>>,
    pseudonyms: Rc<Pseudonyms>,
}

struct Compiled {
    name: String,
    detect: Box<dyn Detect>,
    replacement: Replacement,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.compiled.iter().map(|one| &one.name);
        f.debug_list().entries(names).finish()
    }
}

/// Why a mask could not be compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineError {
    /// The detector's name.
    pub detector: String,
    /// What is wrong with it.
    pub reason: String,
}

impl std::fmt::Display for EngineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "detector {}: {}", self.detector, self.reason)
    }
}

impl std::error::Error for EngineError {}

/// What the engine says about one position of a text.
#[derive(Debug)]
pub(super) enum Answer {
    /// No match begins here.
    Nothing,
    /// A match of a detector begins here.
    Found(usize, Hit),
    /// It is open: this many candidates are out of the question, and the next one needs more.
    Open(usize),
}

impl Engine {
    /// Compiles the detectors.
    ///
    /// Where two of them match at the same place, the built-in ones come first, in the order
    /// of [`BUILT_IN_DETECTORS`], and then the policy's own in the order given here.
    ///
    /// # Errors
    /// A detector that does not exist, an expression that does not compile or whose longest
    /// match is not bounded (by 4096 bytes), and a word that is empty or longer than that.
    pub fn new(detections: &[Detection]) -> Result<Self, EngineError> {
        let patterns = detections
            .iter()
            .filter(|detection| matches!(detection.detector, Detector::Pattern { .. }))
            .count();
        Self::with_cache(detections, CACHE / patterns.max(1))
    }

    /// Compiles the detectors with `cache` bytes for each pattern.
    pub(super) fn with_cache(detections: &[Detection], cache: usize) -> Result<Self, EngineError> {
        let pseudonyms = Rc::default();
        let compiled = detections
            .iter()
            .map(|detection| Compiled::new(detection, cache, &pseudonyms))
            .collect::<Result<Vec<_>, _>>()?;
        let mut order: Vec<(usize, usize)> = detections
            .iter()
            .enumerate()
            .map(|(index, detection)| (rank(&detection.detector), index))
            .collect();
        order.sort_unstable();
        let mut flags = [0; 256];
        let mut candidates = Vec::with_capacity(flags.len());
        for (byte, flags) in (0..=u8::MAX).zip(&mut flags) {
            let mut starting = Vec::new();
            for (_, index) in &order {
                let start = compiled.get(*index).map(|one| one.detect.starts(byte));
                match start {
                    Some(Start::Edge) => *flags |= AT_EDGE,
                    Some(Start::Anywhere) => *flags |= ANYWHERE,
                    Some(Start::Never) | None => continue,
                }
                starting.push(*index);
            }
            if byte.is_ascii_alphanumeric() {
                *flags |= WORD;
            }
            if matches!(byte, b'n' | b'r' | b't') {
                *flags |= ESCAPE_LETTER;
            }
            if byte == b'\\' {
                *flags |= BACKSLASH;
            }
            candidates.push(starting.into_boxed_slice());
        }
        Ok(Self {
            compiled,
            flags,
            candidates,
            pseudonyms,
        })
    }

    /// The name of detector `index`, as [`Sink::replace`](super::Sink::replace) gives it.
    #[must_use]
    pub fn detector_name(&self, index: usize) -> &str {
        self.compiled.get(index).map_or("", |one| one.name.as_str())
    }

    /// From now on, pseudonyms are made with this key. Without one, they are labels alone.
    pub fn set_pseudonym_key(&self, key: &[u8]) {
        self.pseudonyms.set_key(key);
    }

    /// Keeps what gets pseudonyms until [`Self::end_noting`].
    pub fn begin_noting(&self) {
        self.pseudonyms.begin_noting();
    }

    /// What got pseudonyms since [`Self::begin_noting`].
    #[must_use]
    pub fn end_noting(&self) -> Originals {
        self.pseudonyms.end_noting()
    }

    /// The most bytes of a text that may be undecided at a time, for a caller that sets limits.
    #[must_use]
    pub fn max_pending(&self) -> usize {
        let bounds = self.compiled.iter().map(|one| one.detect.bound());
        bounds.max().unwrap_or(0)
    }

    /// The first position of `bytes`, from `at` on, where a detector has to be asked.
    ///
    /// `behind` is what stands in front of `at`.
    pub(super) fn next_start(&self, behind: Behind<'_>, bytes: &[u8], at: usize) -> usize {
        let flags = |byte: u8| self.flags.get(usize::from(byte)).copied().unwrap_or(0);
        let mut two = behind.second().map_or(0, flags);
        let mut one = behind.byte().map_or(0, flags);
        let rest = bytes.get(at..).unwrap_or_default();
        for (index, byte) in rest.iter().enumerate() {
            let here = flags(*byte);
            // The same as Behind::in_word, on flags.
            let escape = one & ESCAPE_LETTER != 0 && two & BACKSLASH != 0;
            let edge = one & WORD == 0 || escape;
            if here & ANYWHERE != 0 || (edge && here & AT_EDGE != 0) {
                return at + index;
            }
            two = one;
            one = here;
        }
        bytes.len()
    }

    /// Asks the detectors what begins at the window's first byte, but for the first `skip`
    /// of those that could, which have been asked.
    pub(super) fn ask(&self, window: &Window<'_>, skip: usize) -> Answer {
        let edge = !window.behind.in_word();
        let first = window.bytes.first().copied().unwrap_or(0);
        let candidates = self.candidates.get(usize::from(first));
        let candidates = candidates.map_or(&[][..], |all| all);
        for (place, index) in candidates.iter().enumerate().skip(skip) {
            let Some(one) = self.compiled.get(*index) else {
                continue;
            };
            if !edge && one.detect.starts(first) != Start::Anywhere {
                continue;
            }
            match one.detect.find(window) {
                Ok(hit) => return Answer::Found(*index, hit),
                Err(Miss::More) => return Answer::Open(place),
                Err(Miss::No) => {}
            }
        }
        Answer::Nothing
    }

    /// The detector of the place that [`Answer::Open`] gave for this first byte.
    pub(super) fn candidate(&self, first: u8, place: usize) -> Option<usize> {
        self.candidates.get(usize::from(first))?.get(place).copied()
    }

    /// What is written in the place of detector `index`'s matches.
    pub(super) fn replacement(&self, index: usize) -> Option<&Replacement> {
        self.compiled.get(index).map(|one| &one.replacement)
    }
}

impl Compiled {
    fn new(
        detection: &Detection,
        cache: usize,
        pseudonyms: &Rc<Pseudonyms>,
    ) -> Result<Self, EngineError> {
        let name = match &detection.detector {
            Detector::BuiltIn(name) => *name,
            Detector::Pattern { name, .. } | Detector::Words { name, .. } => name.as_str(),
        };
        let error = |reason| EngineError {
            detector: name.to_owned(),
            reason,
        };
        let (detect, label): (Box<dyn Detect>, &str) = match &detection.detector {
            Detector::BuiltIn(name) => detectors::built_in(name)
                .ok_or_else(|| error("there is no built-in detector of this name".to_owned()))?,
            Detector::Pattern { pattern, label, .. } => (
                Box::new(Pattern::new(pattern, cache).map_err(error)?),
                label,
            ),
            Detector::Words { words, label, .. } => {
                (Box::new(Words::new(words).map_err(error)?), label)
            }
        };
        Ok(Self {
            name: name.to_owned(),
            detect,
            replacement: Replacement::new(detection.style, name, label, pseudonyms),
        })
    }
}

/// A detector's place in the order in which they are tried, before that in the policy.
fn rank(detector: &Detector) -> usize {
    match detector {
        Detector::BuiltIn(name) => BUILT_IN_DETECTORS.iter().position(|one| one == name),
        Detector::Pattern { .. } | Detector::Words { .. } => None,
    }
    .unwrap_or(BUILT_IN_DETECTORS.len())
}
