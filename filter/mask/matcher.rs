//! All detectors of a mask compiled into one table, which says what begins at a position of a text.

#[cfg(test)]
mod tests;

use std::rc::Rc;

use crate::policy::{BUILT_IN_DETECTORS, Detection, Detector, Style};

use super::detectors;
use super::detectors::custom::Custom;
use super::detectors::detect::Detect;
use super::detectors::group::{Answer, Group, Known, Singles};
use super::detectors::noise;
use super::detectors::{DetectorError, OwnSecrets, Part, Placeholder};
use super::prefilter::Anchors;
use super::render::{Originals, Pseudonyms, Replacement};
use super::secrets::{OWN_SECRET, Secrets};
use super::window::Window;

/// Memory for the lazily built automata of all of a mask's patterns together, in bytes.
const MAX_AUTOMATA_BYTES: usize = 4 << 20;

/// The most groups of a mask.
const MAX_GROUPS: usize = 6;

/// All detectors of a mask, compiled once and shared by every text that is masked with them.
pub struct Matcher {
    /// In the order of the detections given.
    compiled: Vec<Compiled>,
    /// By rank, the place in `compiled`.
    ranks: Vec<usize>,
    /// At most [`MAX_GROUPS`].
    groups: Vec<Box<dyn Group>>,
    bound: usize,
    only_built_in: bool,
    pseudonyms: Rc<Pseudonyms>,
}

struct Compiled {
    name: String,
    replacement: Replacement,
    /// The part of a match that is replaced, if not all of it.
    part: Option<Part>,
}

impl Compiled {
    fn of_secrets(pseudonyms: &Rc<Pseudonyms>) -> Self {
        Self {
            name: OWN_SECRET.to_owned(),
            replacement: Replacement::new(Style::Stars, OWN_SECRET, "SECRET", pseudonyms),
            part: None,
        }
    }
}

impl std::fmt::Debug for Matcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = self.compiled.iter().map(|one| &one.name);
        f.debug_list().entries(names).finish()
    }
}

/// Where each group has to be asked next within one run of known bytes.
pub(super) struct Cursor {
    next: [usize; MAX_GROUPS],
    /// For the group of the built-in detectors, the only one that asks for them.
    anchors: Anchors,
    /// Up to where the groups have been looked for.
    asked: bool,
}

impl Cursor {
    /// At the front of the bytes.
    pub(super) fn new() -> Self {
        Self {
            next: [0; MAX_GROUPS],
            anchors: Anchors::default(),
            asked: false,
        }
    }
}

impl Matcher {
    /// Compiles the detectors.
    ///
    /// Where two of them match at the same place, the built-in ones come first, in the order
    /// of [`BUILT_IN_DETECTORS`], and then the policy's custom in the order given here.
    ///
    /// # Errors
    /// A detector that does not exist, an expression that does not compile, is too large or whose
    /// longest match is longer than 4096 bytes, and a word or canary that is too short or too long.
    pub fn new(detections: &[Detection]) -> Result<Self, DetectorError> {
        Self::build(detections, MAX_AUTOMATA_BYTES, true)
    }

    /// The same, which besides finds the guard's own secrets, before anything else. By their place
    /// they come behind the detectors given.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn guarding(
        detections: &[Detection],
        secrets: Option<&Rc<Secrets>>,
    ) -> Result<Self, DetectorError> {
        Self::assemble(detections, secrets, MAX_AUTOMATA_BYTES, true)
    }

    /// A matcher that finds the guard's own secrets, and nothing else.
    #[must_use]
    pub(super) fn of_secrets(secrets: &Rc<Secrets>) -> Self {
        Self::of_secrets_at(0, secrets)
    }

    /// The same, which gives them the place that they have behind so many detectors.
    #[must_use]
    pub(super) fn of_secrets_at(place: usize, secrets: &Rc<Secrets>) -> Self {
        let group = OwnSecrets::new(secrets);
        let pseudonyms = Rc::default();
        let compiled = (0..=place).map(|_| Compiled::of_secrets(&pseudonyms));
        Self {
            bound: group.bound(),
            ranks: vec![place],
            compiled: compiled.collect(),
            only_built_in: true,
            groups: vec![Box::new(group)],
            pseudonyms,
        }
    }

    /// Like [`Self::new`], but asks built-in detectors wherever they may begin, not only near
    /// anchors.
    #[cfg(test)]
    pub(super) fn without_anchors(detections: &[Detection]) -> Result<Self, DetectorError> {
        Self::build(detections, MAX_AUTOMATA_BYTES, false)
    }

    /// Compiles the detectors with `cache` bytes for the automata of all patterns.
    pub(super) fn build(
        detections: &[Detection],
        cache: usize,
        anchored: bool,
    ) -> Result<Self, DetectorError> {
        Self::assemble(detections, None, cache, anchored)
    }

    fn assemble(
        detections: &[Detection],
        secrets: Option<&Rc<Secrets>>,
        cache: usize,
        anchored: bool,
    ) -> Result<Self, DetectorError> {
        let mut order: Vec<(usize, usize)> = detections
            .iter()
            .enumerate()
            .map(|(index, detection)| (order(&detection.detector), index))
            .collect();
        base::sort::sort(&mut order);
        if secrets.is_some() {
            order.insert(OwnSecrets::RANK, (0, detections.len()));
        }
        let pseudonyms = Rc::default();
        let mut compiled = Vec::with_capacity(detections.len());
        let mut custom = Custom::default();
        let mut built_in = Vec::new();
        for (index, detection) in detections.iter().enumerate() {
            let rank = order.iter().position(|(_, of)| *of == index);
            let rank = rank.unwrap_or(usize::MAX);
            let name = detection.detector.name();
            let label = match &detection.detector {
                Detector::BuiltIn(name) => {
                    let (detect, label) =
                        detectors::built_in(name).ok_or_else(|| DetectorError {
                            detector: (*name).to_owned(),
                            reason: "there is no built-in detector of this name".to_owned(),
                        })?;
                    built_in.push((rank, detect));
                    label
                }
                detector => custom.add(rank, detector),
            };
            compiled.push(Compiled {
                name: name.to_owned(),
                replacement: Replacement::new(detection.style, name, label, &pseudonyms),
                part: None,
            });
        }
        let mut groups: Vec<Box<dyn Group>> = Vec::new();
        if let Some(secrets) = secrets {
            compiled.push(Compiled::of_secrets(&pseudonyms));
            groups.push(Box::new(OwnSecrets::new(secrets)));
        }
        if !built_in.is_empty() {
            groups.push(Box::new(Singles::new(built_in, anchored)));
        }
        for (rank, part) in custom.parts()? {
            let index = order.get(rank).map(|(_, index)| *index);
            if let Some(one) = index.and_then(|index| compiled.get_mut(index)) {
                one.part = Some(part);
            }
        }
        let custom = custom.groups(cache)?;
        let only_built_in = custom.is_empty();
        groups.extend(custom);
        Ok(Self {
            bound: bound_of(&groups),
            ranks: order.into_iter().map(|(_, index)| index).collect(),
            compiled,
            only_built_in,
            groups,
            pseudonyms,
        })
    }

    /// A matcher that finds a request's pseudonyms in its answer, and writes what they stand for.
    #[must_use]
    pub(super) fn restoring(originals: &Rc<Originals>) -> Self {
        let detect: Box<dyn Detect> = Box::new(Placeholder::new(originals));
        let group = Singles::new(vec![(0, detect)], false);
        Self {
            bound: group.bound(),
            ranks: vec![0],
            compiled: vec![Compiled {
                name: "pseudonym".to_owned(),
                replacement: Replacement::restoring(originals),
                part: None,
            }],
            only_built_in: false,
            groups: vec![Box::new(group)],
            pseudonyms: Rc::default(),
        }
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

    /// The most bytes of a text that may be undecided at a time, for a caller that sets limits.
    #[must_use]
    pub fn max_pending(&self) -> usize {
        self.bound
    }

    /// The first position of the bytes, from `at` on, where a group has to be asked.
    pub(super) fn next(&self, known: &Known<'_>, at: usize, cursor: &mut Cursor) -> usize {
        let mut first = known.bytes.len();
        for (group, next) in self.groups.iter().zip(&mut cursor.next) {
            if *next < at || !cursor.asked {
                *next = group.next(known, at, &mut cursor.anchors);
            }
            first = first.min(*next);
        }
        cursor.asked = true;
        first
    }

    /// What begins at the window's first byte, which is position `at`.
    pub(super) fn ask(&self, window: &Window<'_>, at: usize, cursor: &Cursor) -> Answer {
        let mut found = Answer::Nothing;
        let mut below = usize::MAX;
        let mut open = None;
        for (group, next) in self.groups.iter().zip(&cursor.next) {
            if *next != at {
                continue;
            }
            match group.ask(window, below) {
                Answer::Nothing => {}
                Answer::Found(rank, hit) => {
                    below = rank;
                    found = Answer::Found(rank, hit);
                }
                Answer::Open(rank) => open = open.min(Some(rank)).or(Some(rank)),
            }
        }
        match open {
            Some(rank) if rank < below => Answer::Open(rank),
            _ => found,
        }
    }

    /// The place of the first detector that depends on bytes behind the window's.
    pub(super) fn in_question(&self, window: &Window<'_>) -> usize {
        let groups = self.groups.iter();
        let open = groups.clone().filter_map(|group| group.in_question(window));
        // What is found may wait for what follows it all the same.
        let found = groups.filter_map(|group| match group.ask(window, usize::MAX) {
            Answer::Found(rank, _) => Some(rank),
            Answer::Nothing | Answer::Open(_) => None,
        });
        let first = open.min().or_else(|| found.min());
        self.ranked(first.unwrap_or(usize::MAX))
    }

    /// Whether nothing but a secret of the guard's own, which is looked for in the bytes besides,
    /// matches in a number that has fewer than [`TELLING_DIGITS`](super::prefilter::TELLING_DIGITS)
    /// digits in a row in front of its decimal point: where all detectors are built in.
    pub(super) fn passes_plain_numbers(&self) -> bool {
        self.only_built_in
    }

    /// The place of the detector of a rank among the detections given.
    pub(super) fn ranked(&self, rank: usize) -> usize {
        self.ranks.get(rank).copied().unwrap_or(usize::MAX)
    }

    /// The part of detector `index`'s match that is replaced. The match begins the window and has
    /// `len` bytes; the part is where it begins and ends in it, or `None` for the whole match.
    pub(super) fn part(
        &self,
        index: usize,
        window: &Window<'_>,
        len: usize,
    ) -> Option<(usize, usize)> {
        self.compiled.get(index)?.part.as_ref()?.of(window, len)
    }

    /// What replaces the matches of detector `index`.
    pub(super) fn replacement(&self, index: usize) -> Option<&Replacement> {
        self.compiled.get(index).map(|one| &one.replacement)
    }
}

/// How much of what follows a match may decide about it.
pub(crate) const MAX_BEHIND_BYTES: usize = noise::MAX_BEHIND_BYTES;

/// The most that waits: for a match, and for what follows it.
fn bound_of(groups: &[Box<dyn Group>]) -> usize {
    let bound = groups.iter().map(|group| group.bound()).max();
    bound.map_or(0, |bound| bound + MAX_BEHIND_BYTES)
}

/// A detector's place in the order in which they are tried, before that in the policy.
fn order(detector: &Detector) -> usize {
    match detector {
        Detector::BuiltIn(name) => BUILT_IN_DETECTORS.iter().position(|one| one == name),
        Detector::Pattern { .. } | Detector::Words { .. } | Detector::Canaries { .. } => None,
    }
    .unwrap_or(BUILT_IN_DETECTORS.len())
}
