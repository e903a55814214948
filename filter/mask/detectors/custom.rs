//! The policy's own detectors, by what they are.

use crate::policy::Detector;

use super::canary::Canaries;
use super::error::DetectorError;
use super::group::Group;
use super::pattern::{self, Part, Source};
use super::words::Words;

/// The policy's own detectors of a mask, with their ranks.
#[derive(Default)]
pub(crate) struct Custom<'a> {
    names: Vec<(usize, &'a str)>,
    patterns: Vec<Source<'a>>,
    words: Vec<(usize, &'a [String])>,
    canaries: Vec<(usize, &'a [String])>,
}

impl<'a> Custom<'a> {
    /// Adds a detector, and gives its label.
    pub(crate) fn add(&mut self, rank: usize, detector: &'a Detector) -> &'a str {
        self.names.push((rank, detector.name()));
        match detector {
            Detector::Pattern {
                pattern,
                near,
                label,
                ..
            } => {
                self.patterns.push(Source {
                    rank,
                    pattern,
                    near,
                });
                label
            }
            Detector::Words { words, label, .. } => {
                self.words.push((rank, words));
                label
            }
            Detector::Canaries { strings, label, .. } => {
                self.canaries.push((rank, strings));
                label
            }
            Detector::BuiltIn(name) => name,
        }
    }

    /// For the patterns that replace only a part of their matches: that part, by rank.
    ///
    /// # Errors
    /// The first pattern that cannot be used.
    pub(crate) fn parts(&self) -> Result<Vec<(usize, Part)>, DetectorError> {
        pattern::parts(&self.patterns).map_err(|refused| self.error(refused))
    }

    fn error(&self, (rank, reason): (usize, String)) -> DetectorError {
        let name = self.names.iter().find(|(of, _)| *of == rank);
        DetectorError {
            detector: name.map_or("", |(_, name)| name).to_owned(),
            reason,
        }
    }

    /// Compiles them, with about `cache` bytes for automata. No more than four groups come of it.
    ///
    /// # Errors
    /// The first detector that cannot be used.
    pub(crate) fn groups(self, cache: usize) -> Result<Vec<Box<dyn Group>>, DetectorError> {
        let error = |refused| self.error(refused);
        let mut groups = pattern::groups(&self.patterns, cache).map_err(error)?;
        if !self.words.is_empty() {
            groups.push(Box::new(Words::new(&self.words).map_err(error)?));
        }
        if !self.canaries.is_empty() {
            groups.push(Box::new(Canaries::new(&self.canaries).map_err(error)?));
        }
        Ok(groups)
    }
}
