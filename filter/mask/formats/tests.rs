//! What the walkers' tests share, and what holds for every format.

mod called;
mod places;

use super::{Format, WalkError, Walker};
use crate::policy::{BUILT_IN_DETECTORS, Detection, Detector, Style};
use crate::{CompiledMask, Sink, Text};

/// Every built-in detector, and the policy's own as given.
pub(super) fn mask_with(own: &[(&str, &str)], style: Style) -> CompiledMask {
    let built_in = BUILT_IN_DETECTORS
        .iter()
        .map(|name| Detector::BuiltIn(name));
    let own = own.iter().map(|(label, pattern)| Detector::Pattern {
        name: (*label).to_owned(),
        pattern: (*pattern).to_owned(),
        near: Vec::new(),
        label: (*label).to_owned(),
    });
    let detections: Vec<Detection> = built_in
        .chain(own)
        .map(|detector| Detection { detector, style })
        .collect();
    CompiledMask::new(&detections).expect("the detectors compile")
}

pub(super) fn mask() -> CompiledMask {
    mask_with(&[], Style::Label)
}

/// The body in the pieces that end at `cuts`.
pub(super) fn try_pieces(
    mask: &CompiledMask,
    format: Format,
    body: &[u8],
    cuts: &[usize],
) -> Result<Vec<u8>, WalkError> {
    let mut walker = Walker::new(format);
    let mut out = Vec::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([body.len()]) {
        walker.push(mask, &body[from..cut], &mut out)?;
        from = cut;
    }
    walker.finish(mask, &mut out)?;
    assert_eq!(walker.held(), 0, "something is held behind the end");
    Ok(out)
}

/// The body masked in one piece, after checking that it is masked alike in single bytes, in any
/// two pieces (of a long body: many), and where it is short, in any three pieces.
pub(super) fn masked(mask: &CompiledMask, format: Format, body: &[u8]) -> Vec<u8> {
    let whole = try_pieces(mask, format, body, &[]).expect("the body can be masked");
    let same = |cuts: &[usize]| {
        let split = try_pieces(mask, format, body, cuts).expect("the body can be masked");
        assert!(
            split == whole,
            "cut at {cuts:?}:\n{}\nis not\n{}",
            String::from_utf8_lossy(&split),
            String::from_utf8_lossy(&whole)
        );
    };
    same(&(0..body.len()).collect::<Vec<_>>());
    for cut in (0..=body.len()).step_by(1 + body.len().pow(2) / 500_000) {
        same(&[cut]);
    }
    if body.len() <= 80 {
        for first in 0..=body.len() {
            for second in first..=body.len() {
                same(&[first, second]);
            }
        }
    }
    whole
}

pub(super) fn masked_text(mask: &CompiledMask, format: Format, body: &str) -> String {
    String::from_utf8(masked(mask, format, body.as_bytes())).expect("the output is UTF-8")
}

/// A text masked by the matcher alone: what a walker's texts are measured by.
pub(super) fn plainly(mask: &CompiledMask, text: &str) -> String {
    struct Collect<'a> {
        text: &'a [u8],
        at: usize,
        out: Vec<u8>,
    }
    impl Sink for Collect<'_> {
        fn keep(&mut self, len: usize) {
            self.out.extend(&self.text[self.at..self.at + len]);
            self.at += len;
        }
        fn replace(&mut self, len: usize, with: &str, _detector: usize) {
            self.out.extend(with.bytes());
            self.at += len;
        }
    }
    let mut sink = Collect {
        text: text.as_bytes(),
        at: 0,
        out: Vec::new(),
    };
    let mut read = Text::default();
    read.push(mask.matcher(), text.as_bytes(), &mut sink);
    read.finish(mask.matcher(), &mut sink);
    String::from_utf8(sink.out).expect("the matcher cuts between characters")
}

/// The folder of foreign test data, or a line that says that it is not there.
pub(super) fn vectors(folder: &str) -> Option<std::path::PathBuf> {
    let found = std::env::var_os("PORTCULLIS_VECTORS")
        .map(|root| std::path::PathBuf::from(root).join(folder));
    if found.is_none() {
        println!("skipped: PORTCULLIS_VECTORS does not name the folder that holds {folder}");
    }
    found
}

/// Every file below a folder, with its path.
pub(super) fn files(folder: &std::path::Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let bytes = std::fs::read(&path).expect("the file can be read");
                found.push((path, bytes));
            }
        }
    }
    assert!(!found.is_empty(), "no test data");
    found
}

#[test]
fn a_text_body_is_one_text() {
    let mask = mask();
    assert_eq!(
        masked_text(
            &mask,
            Format::Text,
            "Write to alice@example.com\nor \"bob\\u0040example.com\""
        ),
        "Write to [EMAIL]\nor \"bob\\u0040example.com\""
    );
}

#[test]
fn a_match_of_open_length_is_counted_once_however_it_is_cut() {
    let mask = mask();
    let body = format!("key sk-{} end", "aB3dE5gH".repeat(40));
    for step in [1, 7, 1000] {
        let mut walker = Walker::new(Format::Text);
        let mut out = Vec::new();
        for piece in body.as_bytes().chunks(step) {
            walker.push(&mask, piece, &mut out).expect("text");
        }
        walker.finish(&mask, &mut out).expect("text");
        assert_eq!(walker.counts().total(), 1, "in pieces of {step}");
        let index = walker.counts().iter().position(|count| count == 1);
        assert_eq!(
            index.map(|index| mask.matcher().detector_name(index)),
            Some("secret.openai_key")
        );
    }
}

#[test]
fn text_that_is_no_utf8_by_its_beginning_is_refused() {
    let mask = mask();
    let wide = |text: &str, swapped: bool| -> Vec<u8> {
        let units = text.encode_utf16();
        units
            .flat_map(|unit| match swapped {
                true => unit.to_be_bytes(),
                false => unit.to_le_bytes(),
            })
            .collect()
    };
    for text in [
        "{\"a\":\"bob@example.com\"}",
        "\u{feff}[\"bob@example.com\"]",
    ] {
        for swapped in [true, false] {
            let body = wide(text, swapped);
            for format in [
                Format::Json,
                Format::Lines,
                Format::Events,
                Format::Text,
                Format::Html,
            ] {
                for cuts in [&[][..], &[1], &[1, 2, 3]] {
                    assert_eq!(
                        try_pieces(&mask, format, &body, cuts),
                        Err(WalkError::Malformed)
                    );
                }
            }
        }
    }
    assert_eq!(
        masked_text(&mask, Format::Json, "\u{feff}[1]"),
        "\u{feff}[1]"
    );
}
