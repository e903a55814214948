use crate::config::mask::{BUILT_IN_DETECTORS, Detection, Detector, Style};
use crate::mask::window::{Behind, Hit, Miss, Past, Window};
use crate::mask::{Engine, Sink, Text};

use super::*;

/// Everything that a detector's file shows, and what only long texts can show.
pub(in crate::mask) fn examples() -> Vec<(String, String)> {
    let tables = [
        credit_card::EXAMPLES,
        email::EXAMPLES,
        iban::EXAMPLES,
        ip::EXAMPLES,
        jwt::EXAMPLES,
        phone::EXAMPLES,
        private_key::EXAMPLES,
        token::EXAMPLES,
        us_ssn::EXAMPLES,
    ];
    tables
        .into_iter()
        .flatten()
        .map(|(text, masked)| ((*text).to_owned(), (*masked).to_owned()))
        .collect()
}

pub(in crate::mask) fn built_ins(style: Style) -> Vec<Detection> {
    BUILT_IN_DETECTORS
        .iter()
        .map(|name| Detection {
            detector: Detector::BuiltIn(name),
            style,
        })
        .collect()
}

pub(in crate::mask) fn pattern(name: &str, pattern: &str) -> Detection {
    Detection {
        detector: Detector::Pattern {
            name: name.to_owned(),
            pattern: pattern.to_owned(),
            label: name.to_ascii_uppercase(),
        },
        style: Style::Label,
    }
}

pub(in crate::mask) fn words(name: &str, words: &[&str]) -> Detection {
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
pub(in crate::mask) struct Output {
    given: Vec<u8>,
    decided: usize,
    pub(in crate::mask) written: Vec<u8>,
    /// Of each byte, whether it stayed.
    pub(in crate::mask) kept: Vec<bool>,
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
    pub(in crate::mask) fn push(&mut self, engine: &Engine, text: &mut Text, piece: &[u8]) {
        self.given.extend_from_slice(piece);
        text.push(engine, piece, self);
        assert_eq!(text.pending(), self.given.len() - self.decided);
        assert!(text.pending() <= engine.max_pending());
    }

    pub(in crate::mask) fn force(&mut self, engine: &Engine, text: &mut Text) {
        text.force(engine, self);
        assert_eq!(text.pending(), 0);
        assert_eq!(self.decided, self.given.len());
    }

    pub(in crate::mask) fn finish(&mut self, engine: &Engine, text: &mut Text) {
        text.finish(engine, self);
        assert_eq!(text.pending(), 0);
        assert_eq!(self.decided, self.given.len());
    }
}

pub(in crate::mask) fn mask<'a>(
    engine: &Engine,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let mut output = Output::default();
    let mut text = Text::default();
    for piece in pieces {
        output.push(engine, &mut text, piece);
    }
    output.finish(engine, &mut text);
    output.written
}

pub(in crate::mask) fn mask_str(engine: &Engine, text: &str) -> String {
    String::from_utf8(mask(engine, [text.as_bytes()])).unwrap()
}

#[test]
fn every_example_becomes_what_its_table_says() {
    let engine = Engine::new(&built_ins(Style::Label)).unwrap();
    let wrong: Vec<_> = examples()
        .into_iter()
        .map(|(text, masked)| (mask_str(&engine, &text), masked, text))
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
    ]);
    let list = ["jane", "jane@example", "the", "4111", "BEGIN RSA", "-"].map(str::to_owned);
    let own: Vec<(&str, Box<dyn Detect>)> = vec![
        (
            "pattern",
            Box::new(Pattern::new(r"\bE-[0-9]{4,6}\b|é.", 1 << 16).unwrap()),
        ),
        ("words", Box::new(Words::new(&list).unwrap())),
    ];
    let built_ins = BUILT_IN_DETECTORS
        .iter()
        .map(|name| (*name, built_in(name).unwrap().0));
    for (name, detect) in built_ins.chain(own) {
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

#[test]
fn the_countries_are_in_order() {
    assert!(iban::LENGTHS.is_sorted_by(|a, b| a.0 < b.0));
}
