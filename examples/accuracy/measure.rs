//! Runs the built-in detectors over labelled sentences and compares.

use std::ops::Range;

use portcullis::mask::policy::{BUILT_IN_DETECTORS, Detection, Detector, Style};
use portcullis::mask::{Matcher, Sink, Text};

use super::kinds::{KINDS, Kind};
use super::labelled::Sentence;

/// What was measured of all sentences.
#[derive(Debug)]
pub struct Measured {
    pub sentences: usize,
    /// In the order of [`KINDS`].
    pub tallies: Vec<Tally>,
    /// Matches of detectors that no label is known for.
    pub others: Vec<Found>,
}

/// What was measured of one kind of label.
#[derive(Debug)]
pub struct Tally {
    pub kind: &'static Kind,
    pub labelled: usize,
    /// Labels that don't count.
    pub left_out: usize,
    /// How many matches overlap a label of their kind.
    pub true_positives: usize,
    pub missed: Vec<Missed>,
    pub without_label: Vec<Found>,
}

/// A label that was not found.
#[derive(Debug)]
pub struct Missed {
    pub text: String,
    pub in_front: String,
    /// Whether a part of it was found.
    pub partly: bool,
}

/// A match that no label says to be one.
#[derive(Debug)]
pub struct Found {
    pub detector: String,
    pub text: String,
    pub in_front: String,
    /// The labels of other kinds that it overlaps.
    pub labels: Vec<String>,
}

impl Tally {
    pub fn found(&self) -> usize {
        self.labelled - self.missed.len()
    }

    pub fn recall(&self) -> f64 {
        ratio(self.found(), self.labelled)
    }

    pub fn precision(&self) -> f64 {
        let matches = self.true_positives + self.without_label.len();
        ratio(self.true_positives, matches)
    }
}

/// Counts of sentences are far from where a float stops to be exact.
#[allow(clippy::cast_precision_loss)]
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        1.0
    } else {
        part as f64 / whole as f64
    }
}

/// Runs all built-in detectors at once, as a mask would.
pub fn measure(sentences: &[Sentence]) -> Result<Measured, String> {
    let detections: Vec<Detection> = BUILT_IN_DETECTORS
        .iter()
        .map(|name| Detection {
            detector: Detector::BuiltIn(name),
            style: Style::Label,
        })
        .collect();
    let matcher = Matcher::new(&detections).map_err(|error| error.to_string())?;
    let tally = |kind| Tally {
        kind,
        labelled: 0,
        left_out: 0,
        true_positives: 0,
        missed: Vec::new(),
        without_label: Vec::new(),
    };
    let mut measured = Measured {
        sentences: sentences.len(),
        tallies: KINDS.iter().map(tally).collect(),
        others: Vec::new(),
    };
    for sentence in sentences {
        let matches = matches(&matcher, &sentence.text);
        for tally in &mut measured.tallies {
            tally.add_labels(sentence, &matches);
        }
        for one in &matches {
            measured.add_match(sentence, one);
        }
    }
    Ok(measured)
}

/// A match and the name of its detector.
struct Match {
    detector: String,
    span: Range<usize>,
}

fn matches(matcher: &Matcher, text: &str) -> Vec<Match> {
    struct Spans<'a> {
        matcher: &'a Matcher,
        at: usize,
        matches: Vec<Match>,
    }
    impl Sink for Spans<'_> {
        fn keep(&mut self, len: usize) {
            self.at += len;
        }

        fn replace(&mut self, len: usize, _with: &str, detector: usize) {
            let from = self.at;
            self.at += len;
            let detector = self.matcher.detector_name(detector);
            match self.matches.last_mut() {
                // A match of open length comes in parts.
                Some(last) if last.span.end == from && last.detector == detector => {
                    last.span.end = self.at;
                }
                _ => self.matches.push(Match {
                    detector: detector.to_owned(),
                    span: from..self.at,
                }),
            }
        }
    }
    let mut spans = Spans {
        matcher,
        at: 0,
        matches: Vec::new(),
    };
    let mut state = Text::default();
    state.push(matcher, text.as_bytes(), &mut spans);
    state.finish(matcher, &mut spans);
    spans.matches
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

impl Tally {
    fn add_labels(&mut self, sentence: &Sentence, matches: &[Match]) {
        let own = |one: &&Match| one.detector == self.kind.detector;
        for label in &sentence.labels {
            let text = part(sentence, &label.span);
            if label.entity != self.kind.entity {
                continue;
            }
            if !(self.kind.counts)(&text) {
                self.left_out += 1;
                continue;
            }
            self.labelled += 1;
            let found = |at: usize| matches.iter().filter(own).any(|one| one.span.contains(&at));
            let open = label.span.clone().filter(|at| !found(*at)).count();
            if open > 0 {
                self.missed.push(Missed {
                    text,
                    in_front: in_front(sentence, label.span.start),
                    partly: open < label.span.len(),
                });
            }
        }
    }
}

impl Measured {
    fn add_match(&mut self, sentence: &Sentence, one: &Match) {
        let labels = sentence.labels.iter();
        let labels = labels.filter(|label| overlap(&label.span, &one.span));
        let mut labels = labels.map(|label| label.entity.clone()).collect::<Vec<_>>();
        let mut tallies = self.tallies.iter_mut();
        let tally = tallies.find(|tally| tally.kind.detector == one.detector);
        let list = match tally {
            Some(tally) if labels.iter().any(|label| label == tally.kind.entity) => {
                tally.true_positives += 1;
                return;
            }
            Some(tally) => &mut tally.without_label,
            None => &mut self.others,
        };
        labels.sort_unstable();
        labels.dedup();
        list.push(Found {
            detector: one.detector.clone(),
            text: part(sentence, &one.span),
            in_front: in_front(sentence, one.span.start),
            labels,
        });
    }
}

fn part(sentence: &Sentence, span: &Range<usize>) -> String {
    let bytes = sentence.text.as_bytes().get(span.clone());
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

/// The end of what stands in front of a position.
fn in_front(sentence: &Sentence, at: usize) -> String {
    let head = String::from_utf8_lossy(sentence.text.as_bytes().get(..at).unwrap_or_default());
    let skip = head.chars().count().saturating_sub(40);
    head.chars().skip(skip).collect()
}
