//! What waits, waits for a reason: something could follow with which it would be masked.
//!
//! Behind each character of some prose, the first byte that waits must have such a continuation.
//! It is looked for among the ends of the detectors' own examples, with other digits where a
//! check asks for them, and tried on the matcher. Bytes behind the first can't leave before it.

use std::collections::{BTreeMap, BTreeSet};

use testbed::prose::Prose;

use super::*;
use crate::window::{Past, Window};
use crate::{Matcher, Sink, Text};

/// What is decided of a text first from some place on.
#[derive(Default)]
struct First {
    masked: Option<bool>,
    decided: usize,
}

impl Sink for First {
    fn keep(&mut self, len: usize) {
        self.masked.get_or_insert(false);
        self.decided += len;
    }

    fn replace(&mut self, len: usize, _with: &str, _detector: usize) {
        self.masked.get_or_insert(true);
        self.decided += len;
    }
}

/// Looks for what could follow.
struct Oracle {
    matcher: Matcher,
    /// Each example from where something of it is masked, and that up to its end.
    matches: Vec<String>,
    /// The ends of all of them.
    ends: Vec<String>,
    /// What was found, the last first.
    found: Vec<String>,
    /// What was held where nothing was found, by what stood in front of it.
    without: BTreeMap<(String, String), bool>,
    chance: Prose,
}

/// So many bytes wait in vain at most, of prose.
const MAX_IN_VAIN: usize = 24;
/// Of what was found, so much is tried first.
const RECENT: usize = 48;
/// So often other digits are tried.
const DIGITS: usize = 500;

impl Oracle {
    fn new() -> Self {
        let matcher = Matcher::new(&built_ins(Style::Label)).unwrap();
        let mut matches = vec!["AB 123456 C".to_owned()];
        for (text, _) in examples() {
            let mut output = crate::detectors::tests::Output::default();
            let mut state = Text::default();
            output.push(&matcher, &mut state, text.as_bytes());
            output.finish(&matcher, &mut state);
            let mut before = true;
            for (at, kept) in output.kept.iter().enumerate() {
                if before && !kept {
                    matches.extend(text.get(at..).map(str::to_owned));
                }
                before = *kept;
            }
        }
        matches.sort();
        matches.dedup();
        let mut ends: Vec<String> = matches
            .iter()
            .flat_map(|text| {
                text.char_indices()
                    .filter_map(|(at, _)| text.get(at..).map(str::to_owned))
            })
            .collect();
        ends.sort_by_key(|end| (end.len(), end.clone()));
        let mut shapes = BTreeSet::new();
        ends.retain(|end| shapes.insert(shape(end)));
        Self {
            matcher,
            matches,
            ends,
            found: Vec::new(),
            without: BTreeMap::new(),
            chance: Prose::new(5),
        }
    }

    /// Whether the first byte that waits is masked if this follows.
    fn masks(&self, state: &Text, follows: &str) -> bool {
        let mut state = state.clone();
        let mut first = First::default();
        state.push(&self.matcher, follows.as_bytes(), &mut first);
        if first.masked.is_none() {
            state.finish(&self.matcher, &mut first);
        }
        first.masked == Some(true)
    }

    /// Whether there is something with which the first byte of `held` is masked.
    fn justifies(&mut self, state: &Text, (behind, held): (&str, &str)) -> bool {
        if let Some(at) = self.found.iter().position(|end| self.masks(state, end)) {
            self.found[..=at].rotate_right(1);
            return true;
        }
        let mut near: Vec<char> = behind.chars().rev().take(3).collect();
        near.reverse();
        let key = (near.into_iter().collect(), held.to_owned());
        if let Some(known) = self.without.get(&key) {
            return *known;
        }
        let found = self.search(state, held);
        let justified = found.is_some();
        if let Some(end) = found {
            self.found.insert(0, end);
            self.found.truncate(RECENT);
        } else {
            self.without.insert(key, false);
        }
        justified
    }

    /// The same with other digits: with any, with such as are not in `held`, or with others at
    /// its end only, where check digits are.
    fn other_digits(&mut self, text: &str, held: &str, turn: usize) -> String {
        let tail = text.char_indices().rev();
        let tail = tail.filter(|(_, letter)| letter.is_ascii_digit()).nth(2);
        let from = tail.filter(|_| turn % 3 == 2).map_or(0, |(at, _)| at);
        let mut unused: Vec<char> = ('0'..='9').filter(|digit| !held.contains(*digit)).collect();
        unused.truncate(if turn % 3 == 1 { 10 } else { 0 });
        let other = |(at, letter): (usize, char)| match letter {
            '0'..='9' if at >= from && !unused.is_empty() => {
                unused.swap_remove(self.chance.below(unused.len()))
            }
            '0'..='9' if at >= from => char::from(b"0123456789"[self.chance.below(10)]),
            _ => letter,
        };
        text.char_indices().map(other).collect()
    }

    fn search(&mut self, state: &Text, held: &str) -> Option<String> {
        let alike: Vec<String> = self
            .matches
            .iter()
            .filter_map(|text| rest(text, held))
            .collect();
        for end in alike.iter().chain(&self.ends) {
            if self.masks(state, end) {
                return Some(end.clone());
            }
        }
        let mut shapes = BTreeSet::new();
        let mut alike = alike;
        alike.retain(|end| {
            end.contains(|letter: char| letter.is_ascii_digit()) && shapes.insert(shape(end))
        });
        for turn in 0..DIGITS {
            for end in &alike {
                let other = self.other_digits(end, held, turn);
                if self.masks(state, &other) {
                    return Some(other);
                }
            }
        }
        None
    }
}

/// A text without which digits and letters it has.
fn shape(text: &str) -> String {
    let one = |letter: char| match letter {
        '0'..='9' => '0',
        'a'..='z' => 'a',
        'A'..='Z' => 'A',
        _ => letter,
    };
    text.chars().map(one).collect()
}

/// What follows on the front of an example that looks like `held`: digits for digits, letters for
/// letters.
fn rest(example: &str, held: &str) -> Option<String> {
    let (front, rest) = example.split_at_checked(held.len())?;
    let like = |a: u8, b: u8| {
        a == b
            || (a.is_ascii_digit() && b.is_ascii_digit())
            || (a.is_ascii_lowercase() && b.is_ascii_lowercase())
            || (a.is_ascii_uppercase() && b.is_ascii_uppercase())
    };
    let alike = front.bytes().zip(held.bytes()).all(|(a, b)| like(a, b));
    alike.then(|| rest.to_owned())
}

/// The places of a text behind which something waits that nothing is found for: what stands in
/// front, what waits, and who waits for more. And how many places there are in all.
fn unjustified(oracle: &mut Oracle, text: &str) -> (Vec<(String, String, String)>, usize) {
    let mut state = Text::default();
    let mut decided = First::default();
    let mut without = Vec::new();
    let mut waits = 0;
    for (at, letter) in text.char_indices() {
        let end = at + letter.len_utf8();
        state.push(&oracle.matcher, &text.as_bytes()[at..end], &mut decided);
        if state.pending() == 0 {
            continue;
        }
        waits += 1;
        let bytes = &text.as_bytes()[..end];
        let (past, held) = bytes.split_at(decided.decided);
        let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let behind = shown(&past[past.len().saturating_sub(64)..]);
        if !oracle.justifies(&state, (&behind, &shown(held))) {
            let mut front = Past::default();
            front.add(past);
            let who = oracle.matcher.in_question(&Window {
                behind: front.behind(),
                bytes: held,
                last: false,
            });
            let who = oracle.matcher.detector_name(who).to_owned();
            without.push((behind, shown(held), who));
        }
    }
    (without, waits)
}

/// What others have written, if it is there: one sentence of so many.
fn sentences(one_of: usize) -> Vec<String> {
    let Some(folder) = env::var_os(testbed::vectors::FOLDER) else {
        println!("skipped: there are no sentences that others have written");
        return Vec::new();
    };
    let path = std::path::Path::new(&folder).join("pii/generated_large.json");
    let sentences: serde_json::Value =
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let sentences = sentences.as_array().unwrap().iter().step_by(one_of);
    sentences
        .map(|sentence| sentence["full_text"].as_str().unwrap().to_owned())
        .collect()
}

/// Known to wait in vain: the phone detector, for what stands behind a decimal and a space, or
/// behind a date with slashes. What else is left are check digits that were not hit upon.
#[test]
fn whatever_waits_of_prose_could_become_a_match() {
    let (length, one_of) = match env::var_os(EXHAUSTIVE) {
        Some(_) => (400_000, 1),
        None => (6_000, 60),
    };
    let mut oracle = Oracle::new();
    let prose = vec![Prose::with_addresses(21, 30).take(length)];
    // Of what waits, so much may be without a reason; sentences made to be full of numbers have
    // more of it.
    for (texts, most) in [(prose, 500), (sentences(one_of), 100)] {
        let mut without: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let (mut all, mut places, mut vain, mut longest) = (0, 0, 0, 0);
        for text in texts {
            let (found, waits) = unjustified(&mut oracle, &text);
            places += text.len();
            all += waits;
            vain += found.len();
            for (behind, held, who) in found {
                longest = longest.max(held.len());
                let shown = without.entry(who).or_default();
                if shown.len() < 3 {
                    shown.push(format!("{held:?} behind {behind:?}"));
                }
            }
        }
        println!(
            "something waits at {all} of {places} places; at {vain} of them no reason is found, \
             for at most {longest} bytes: {without:#?}"
        );
        assert!(vain * most <= all, "{vain} of {all}");
        assert!(longest <= MAX_IN_VAIN, "{longest}");
    }
}
