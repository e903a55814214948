use crate::policy::{BUILT_IN_DETECTORS, Detection, Detector, Style};
use crate::window::{Behind, Hit, Miss, Past, Window};
use crate::{Matcher, Sink, Text};

use super::detect::Start;
use super::*;

/// Texts and what they become.
pub(super) type Table = &'static [(&'static str, &'static str)];

/// Everything that a detector's file shows, and what only long texts can show.
pub(crate) fn examples() -> Vec<(String, String)> {
    let families = [
        money::EXAMPLES,
        national::EXAMPLES,
        network::EXAMPLES,
        person::EXAMPLES,
    ];
    let tables = families.into_iter().flatten().copied();
    tables
        .chain(secret::examples())
        .flatten()
        .map(|(text, masked)| ((*text).to_owned(), (*masked).to_owned()))
        .collect()
}

pub(crate) fn built_ins(style: Style) -> Vec<Detection> {
    BUILT_IN_DETECTORS
        .iter()
        .map(|name| Detection {
            detector: Detector::BuiltIn(name),
            style,
        })
        .collect()
}

pub(crate) fn pattern(name: &str, pattern: &str) -> Detection {
    Detection {
        detector: Detector::Pattern {
            name: name.to_owned(),
            pattern: pattern.to_owned(),
            near: Vec::new(),
            label: name.to_ascii_uppercase(),
        },
        style: Style::Label,
    }
}

pub(crate) fn words(name: &str, words: &[&str]) -> Detection {
    Detection {
        detector: Detector::Words {
            name: name.to_owned(),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            label: name.to_ascii_uppercase(),
        },
        style: Style::Label,
    }
}

/// Puts together what a text becomes, and checks that every byte was decided once.
#[derive(Default)]
pub(crate) struct Output {
    given: Vec<u8>,
    decided: usize,
    pub(crate) written: Vec<u8>,
    /// Of each byte, whether it stayed.
    pub(crate) kept: Vec<bool>,
}

impl Sink for Output {
    fn keep(&mut self, len: usize) {
        let kept = &self.given[self.decided..self.decided + len];
        self.written.extend_from_slice(kept);
        self.decided += len;
        self.kept.resize(self.decided, true);
    }

    fn replace(&mut self, len: usize, with: &str, _detector: usize) {
        self.decided += len;
        self.kept.resize(self.decided, false);
        assert!(len > 0 && self.decided <= self.given.len());
        self.written.extend_from_slice(with.as_bytes());
    }
}

impl Output {
    pub(crate) fn push(&mut self, matcher: &Matcher, text: &mut Text, piece: &[u8]) {
        self.given.extend_from_slice(piece);
        text.push(matcher, piece, self);
        assert_eq!(text.pending(), self.given.len() - self.decided);
        assert!(text.pending() <= matcher.max_pending());
    }

    pub(crate) fn force(&mut self, matcher: &Matcher, text: &mut Text) {
        text.force(matcher, self);
        assert_eq!(text.pending(), 0);
        assert_eq!(self.decided, self.given.len());
    }

    pub(crate) fn finish(&mut self, matcher: &Matcher, text: &mut Text) {
        text.finish(matcher, self);
        assert_eq!(text.pending(), 0);
        assert_eq!(self.decided, self.given.len());
    }
}

pub(crate) fn mask<'a>(matcher: &Matcher, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut output = Output::default();
    let mut text = Text::default();
    for piece in pieces {
        output.push(matcher, &mut text, piece);
    }
    output.finish(matcher, &mut text);
    output.written
}

pub(crate) fn mask_str(matcher: &Matcher, text: &str) -> String {
    String::from_utf8(mask(matcher, [text.as_bytes()])).unwrap()
}

#[test]
fn every_example_becomes_what_its_table_says() {
    let matcher = Matcher::new(&built_ins(Style::Label)).unwrap();
    let wrong: Vec<_> = examples()
        .into_iter()
        .map(|(text, masked)| (mask_str(&matcher, &text), masked, text))
        .filter(|(is, should, _)| is != should)
        .collect();
    assert!(wrong.is_empty(), "is, should be, text: {wrong:#?}");
}

/// The property on which the streaming rests: a detector that has answered has answered.
#[test]
fn no_detector_changes_its_answer_when_it_is_shown_more() {
    let long_header = format!("eyJ{}.", "a".repeat(3000));
    let mut texts: Vec<String> = examples().into_iter().map(|(text, _)| text).collect();
    let all = texts.join(" ");
    texts.extend([
        all,
        long_header,
        "1234 ".repeat(20),
        "4111-".repeat(20),
        "a.".repeat(300) + "@b.co",
        "a@".to_owned() + &"b-".repeat(400),
        "-----BEGIN A PRIVATE KEY-----".to_owned() + &" abc".repeat(90),
        "1:".repeat(40),
        "password: ".to_owned() + &"a1b2c3d4e5f6".repeat(30),
        "https://".to_owned() + &"a:".repeat(300) + "@b",
        "postgres://".to_owned() + &"a:".repeat(300) + "@b",
        "+49 ".to_owned() + &"12 ".repeat(20),
        "call (12) ".repeat(9),
    ]);
    let built_ins = BUILT_IN_DETECTORS
        .iter()
        .map(|name| (*name, built_in(name).unwrap().0));
    for (name, detect) in built_ins {
        for text in texts.iter().map(String::as_bytes) {
            for at in 0..text.len() {
                if detect.starts(text[at]) == Start::Never {
                    continue;
                }
                check_monotone(
                    name,
                    detect.as_ref(),
                    Past::default().behind().then(text, at),
                    &text[at..],
                );
            }
        }
    }
}

/// What the scan for anchors relies on: without an anchor near its beginning, a match is not
/// found.
#[test]
fn every_match_has_an_anchor() {
    struct Matches {
        at: usize,
        /// Where the last match ends.
        end: usize,
        starts: Vec<(usize, usize)>,
    }
    impl Sink for Matches {
        fn keep(&mut self, len: usize) {
            self.at += len;
        }
        fn replace(&mut self, len: usize, _with: &str, detector: usize) {
            // A match of open length comes in parts.
            if self.at == 0 || self.at != self.end {
                self.starts.push((self.at, detector));
            }
            self.at += len;
            self.end = self.at;
        }
    }
    // Asked everywhere, so that a match without an anchor would be found.
    let matcher = Matcher::without_anchors(&built_ins(Style::Label)).unwrap();
    let mut found = std::collections::BTreeSet::new();
    for (text, _) in examples() {
        let mut matches = Matches {
            at: 0,
            end: 0,
            starts: Vec::new(),
        };
        let mut state = Text::default();
        state.push(&matcher, text.as_bytes(), &mut matches);
        state.finish(&matcher, &mut matches);
        for (start, detector) in matches.starts {
            let name = matcher.detector_name(detector);
            found.insert(name.to_owned());
            let rest = &text.as_bytes()[start..];
            assert!(is_anchored(rest), "{name} in {text} has no anchor");
        }
    }
    let missing: Vec<_> = BUILT_IN_DETECTORS
        .iter()
        .filter(|name| !found.contains(**name))
        .collect();
    assert!(missing.is_empty(), "no example shows {missing:?}");
}

/// Whether a text has an anchor for a match at its beginning.
fn is_anchored(text: &[u8]) -> bool {
    let run = |text: &[u8]| {
        let len = text.iter().take_while(|b| b.is_ascii_graphic()).count();
        let run = &text[..len.min(320)];
        run.iter().any(|b| b.is_ascii_digit() || *b == b'@')
            || run.windows(2).any(|pair| pair == b"--" || pair == b"::")
            || run.len() >= 20
    };
    let word = text.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let stop = usize::from(matches!(text.get(word), Some(b'.' | b',')));
    let space = text.get(word + stop) == Some(&b' ');
    let known = crate::prefilter::reach(text, word + stop + 1, 0) == 0;
    run(text) || (known && space && run(&text[word + stop + 1..]))
}

fn check_monotone(name: &str, detect: &dyn Detect, behind: Behind<'_>, text: &[u8]) {
    let ask = |len: usize, last: bool| {
        let bytes = &text[..len];
        detect.find(&Window {
            behind,
            bytes,
            last,
        })
    };
    let same = |a: &Result<Hit, Miss>, b: &Result<Hit, Miss>| match (a, b) {
        (Ok(a), Ok(b)) => a.len == b.len && a.tail.is_some() == b.tail.is_some(),
        (Err(a), Err(b)) => a == b,
        _ => false,
    };
    let whole = ask(text.len(), true);
    assert!(
        !matches!(whole, Err(Miss::More)),
        "{name} asks for more of a text that has ended"
    );
    for len in 1..=text.len().min(detect.bound() + 1) {
        let part = ask(len, false);
        if matches!(part, Err(Miss::More)) {
            assert!(len < detect.bound(), "{name} asks for more than its bound");
            continue;
        }
        assert!(
            same(&part, &whole),
            "{name}: {part:?} of {len} bytes, then {whole:?}"
        );
        break;
    }
}
