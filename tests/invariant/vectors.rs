//! Texts and streams that others recorded or made.

use std::path::{Path, PathBuf};
use std::{env, fs};

use portcullis::mask::{CompiledMask, Format};
use serde_json::Value;
use testbed::cuts::{self, Tried, every_way};
use testbed::spread::{self, every_spread};
use testbed::streams::{Api, Escapes};
use testbed::vectors::FOLDER;

use super::machine::{Frames, Said, Walk};
use super::{is_exhaustive, mask, masked, same_in_any_pieces, stride};

/// Of a body up to so long, pieces of any length are tried; of a longer one, pieces up to the
/// longest of these.
const SHORT: usize = 4096;
const MAX_CUT_BYTES: usize = 24;

/// The folder, or a word that there is none.
fn folder(name: &str) -> Option<PathBuf> {
    let Some(folder) = env::var_os(FOLDER).filter(|folder| !folder.is_empty()) else {
        eprintln!("skipped: {FOLDER} does not name the folder that holds the vectors");
        return None;
    };
    Some(Path::new(&folder).join(name))
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, into),
            false => into.push(path),
        }
    }
    into.sort();
}

fn all(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut paths = Vec::new();
    if let Some(folder) = folder(name) {
        files(&folder, &mut paths);
        assert!(!paths.is_empty(), "{} is empty", folder.display());
    }
    paths
        .into_iter()
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect()
}

/// Event streams are told by their first field.
fn format(body: &[u8]) -> Format {
    let streamed = [b"data:".as_slice(), b"event:", b":"];
    match streamed.iter().any(|field| body.starts_with(field)) {
        true => Format::Events,
        false => Format::Json,
    }
}

/// Bodies in every way of cutting them; where not everything is tried, one of so many, in pieces of
/// a few bytes.
fn in_every_way<'a>(
    name: &str,
    mask: &CompiledMask,
    bodies: impl Iterator<Item = (Format, &'a [u8])>,
    one_of: usize,
) {
    let one_of = if is_exhaustive() { 1 } else { one_of };
    let (mut all, mut in_short) = (Tried::default(), 0);
    // The longest are cut in two only, where not everything is tried.
    let bodies = bodies.filter(|(_, body)| is_exhaustive() || body.len() < SHORT);
    for (format, body) in bodies.step_by(one_of) {
        let longest = match body.len() {
            ..SHORT if is_exhaustive() => usize::MAX,
            _ if is_exhaustive() => MAX_CUT_BYTES,
            _ => 6,
        };
        in_short += usize::from(longest < body.len());
        let machine = Walk::new(mask, format);
        match every_way(&machine, body, &cuts::whole(&machine, body), longest) {
            Ok(tried) => all.add(tried),
            Err(fault) => panic!("{format:?} {fault}\nof  {}", String::from_utf8_lossy(body)),
        }
    }
    println!("{name}: one of {one_of}, {in_short} in short pieces only, {all}");
}

#[test]
fn recorded_answers_stay_as_they_are_in_any_pieces() {
    let mask = mask();
    let answers = all("llm-streams");
    let work: usize = answers.iter().map(|(_, body)| body.len().pow(2)).sum();
    let mut streams = 0;
    for (name, body) in &answers {
        let format = format(body);
        streams += usize::from(format == Format::Events);
        let (out, matches) = same_in_any_pieces(&mask, format, body, stride(work));
        assert_eq!(matches, 0, "{name}");
        assert!(out == *body, "{name} is changed");
    }
    assert!(answers.is_empty() || streams >= 5, "{streams} are streams");
    let bodies = answers.iter().map(|(_, body)| (format(body), &body[..]));
    in_every_way("recorded answers", &mask, bodies, 2);
}

/// A recorded stream is never held back by more than a few of its events, of which some say a
/// piece of a word; and it is out when its end is said, before the body ends.
#[test]
fn recorded_streams_leave_event_by_event() {
    let mask = mask();
    for (name, body) in all("llm-streams") {
        if format(&body) != Format::Events || body.len() > 1 << 20 {
            continue;
        }
        let text = String::from_utf8(body).unwrap();
        let mut walker = portcullis::mask::Walker::new(Format::Events);
        let mut out = Vec::new();
        let mut longest = 0;
        for event in text.split_inclusive("\n\n") {
            longest = longest.max(event.len());
            walker.push(&mask, event.as_bytes(), &mut out).unwrap();
            assert!(
                walker.held() <= 8 * longest,
                "{name}: {} bytes wait behind {event:?}",
                walker.held()
            );
        }
        let ends = ["data: [DONE]", "\"message_stop\"}", "response.completed"];
        let last = text.trim_end().rsplit("\n\n").next().unwrap();
        if text.ends_with("\n\n") && ends.iter().any(|end| last.contains(end)) {
            assert!(out == text.as_bytes(), "{name}: its end is said");
        }
    }
}

/// Bodies that must, must not and may be read as JSON. What is no JSON is passed on with what
/// was found in it replaced, alike for all pieces.
#[test]
fn jsons_own_test_suite_comes_out_alike_in_any_pieces() {
    let mask = mask();
    let bodies = all("json-test-suite");
    let bodies = || bodies.iter().filter(|(_, body)| body.len() < 10_000);
    let work = bodies().map(|(_, body)| body.len().pow(2)).sum();
    for (name, body) in bodies() {
        let (out, matches) = same_in_any_pieces(&mask, Format::Json, body, stride(work));
        // What begins like UTF-16 or UTF-32 is not passed on.
        let front = body.get(..4).unwrap_or(body);
        if front.contains(&0) || front.first().is_some_and(|byte| *byte >= 0xFE) {
            assert!(out.is_empty(), "{name} is passed on");
            continue;
        }
        assert!(matches > 0 || out == *body, "{name} is changed");
        let event = [b"data: ", body.as_slice(), b"\n\n"].concat();
        let (out, matches) = same_in_any_pieces(&mask, Format::Events, &event, stride(work));
        assert!(matches > 0 || out == event, "{name} is changed as an event");
        let line = [body.as_slice(), b"\n"].concat();
        same_in_any_pieces(&mask, Format::Lines, &line, stride(work));
    }
    let each = bodies().map(|(_, body)| (Format::Json, &body[..]));
    in_every_way("JSON's test suite", &mask, each, 2);
    let each = bodies().map(|(_, body)| (Format::Lines, &body[..]));
    in_every_way("the same as lines", &mask, each, 2);
}

/// The two that are too long for every place: nested a hundred thousand times.
#[test]
fn deep_nesting_comes_out_alike_in_any_pieces() {
    let mask = mask();
    for (name, body) in all("json-test-suite") {
        if body.len() < 10_000 {
            continue;
        }
        let places = if is_exhaustive() { 500 } else { 4 };
        let stride = 1 + body.len() / places;
        println!("{name}: cut in two at one place of {stride}");
        same_in_any_pieces(&mask, Format::Json, &body, stride);
    }
}

/// A text of half a hundred thousand words with what secrets look like.
#[test]
fn the_forms_of_secrets_come_out_alike_in_any_pieces() {
    let mask = mask();
    for (name, body) in all("pii") {
        if name.ends_with(".toml") {
            let stride = stride(body.len().pow(2));
            println!("{name}: cut in two at one place of {stride}");
            same_in_any_pieces(&mask, Format::Text, &body, stride);
            let parts = body.chunks(if is_exhaustive() { body.len() } else { 2_000 });
            let parts = parts.map(|part| (Format::Text, part));
            in_every_way("the forms of secrets", &mask, parts, 20);
        }
    }
}

/// Sentences with personal data, if the folder is there.
pub(super) fn sentences() -> Vec<String> {
    let Some(folder) = folder("pii") else {
        return Vec::new();
    };
    let text = fs::read(folder.join("generated_large.json")).unwrap();
    let sentences: Value = serde_json::from_slice(&text).unwrap();
    let sentences = sentences.as_array().unwrap();
    assert!(sentences.len() > 2000);
    sentences
        .iter()
        .map(|sentence| sentence["full_text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn sentences_in_every_way_of_cutting_them_give_the_same() {
    let mask = mask();
    let sentences = sentences();
    let texts = sentences.iter().map(|text| (Format::Text, text.as_bytes()));
    in_every_way("sentences", &mask, texts, 8);
    for (escapes, one_of) in [(Escapes::Ascii, 40), (Escapes::All, 200)] {
        let strings: Vec<String> = sentences.iter().map(|text| escapes.string(text)).collect();
        let bodies = strings.iter().map(|body| (Format::Json, body.as_bytes()));
        in_every_way(&format!("in JSON, {escapes:?}"), &mask, bodies, one_of);
    }
    let html: Vec<String> = sentences
        .iter()
        .map(|text| format!("<p>{text}</p>"))
        .collect();
    let bodies = html.iter().map(|body| (Format::Html, body.as_bytes()));
    in_every_way("in HTML", &mask, bodies, 40);
}

/// Over up to six events, cut between words; of a long sentence, between every second or third.
#[test]
fn sentences_spread_over_events_are_masked_as_wholes() {
    let mask = mask();
    let (one_of, most) = if is_exhaustive() {
        (1, 20_000)
    } else {
        (20, 60)
    };
    let mut all = spread::Tried::default();
    for (number, text) in sentences().iter().enumerate().step_by(one_of) {
        let (expected, _, _) = masked(&mask, Format::Text, [text.as_bytes()]);
        let expected = String::from_utf8(expected).unwrap();
        let words: Vec<&str> = text.split_inclusive(' ').collect();
        let mut together = 1;
        while spread::ways(words.len().div_ceil(together), 6) > most {
            together += 1;
        }
        let units: Vec<String> = words.chunks(together).map(<[&str]>::concat).collect();
        let units: Vec<&str> = units.iter().map(String::as_str).collect();
        let frames = match number % 2 {
            0 => Frames::of(Api::Chat, Escapes::Few),
            _ => Frames::Messages,
        };
        let stream = Said::new(&mask, frames);
        match every_spread(&stream, &units, 6, &expected) {
            Ok(tried) => all.add(tried),
            Err(fault) => panic!("{text:?}: {fault}"),
        }
    }
    println!("one sentence of {one_of}: {all}");
}

/// Each sentence as a text, and as a JSON string.
#[test]
fn sentences_full_of_personal_data_are_masked_alike_in_any_pieces() {
    let sentences = sentences();
    if sentences.is_empty() {
        return;
    }
    let mask = mask();
    let work: usize = sentences.iter().map(|text| 2 * text.len().pow(2)).sum();
    let stride = stride(work);
    let mut found = 0;
    for text in &sentences {
        let (masked, matches) = same_in_any_pieces(&mask, Format::Text, text.as_bytes(), stride);
        found += u64::from(matches > 0);
        let body = serde_json::to_string(text).unwrap();
        let (out, _) = same_in_any_pieces(&mask, Format::Json, body.as_bytes(), stride);
        let read: String = serde_json::from_slice(&out).unwrap();
        assert_eq!(read.as_bytes(), masked, "{text}");
    }
    assert!(found > 200, "something is found in {found} sentences only");
    // All of it as one text, in the pieces that a network makes.
    let all = sentences.join("\n");
    let whole = masked(&mask, Format::Text, [all.as_bytes()]);
    for size in [1, 7, 1460] {
        let came = masked(&mask, Format::Text, all.as_bytes().chunks(size));
        assert!(came == whole, "pieces of {size}");
    }
}
