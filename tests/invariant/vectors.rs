//! Texts and streams that others recorded or made.

use std::path::{Path, PathBuf};
use std::{env, fs};

use portcullis::mask::Format;
use serde_json::Value;
use testbed::vectors::FOLDER;

use super::{engine, masked, same_in_any_pieces, stride};

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

#[test]
fn recorded_answers_stay_as_they_are_in_any_pieces() {
    let engine = engine();
    let answers = all("llm-streams");
    let work: usize = answers.iter().map(|(_, body)| body.len().pow(2)).sum();
    let mut streams = 0;
    for (name, body) in &answers {
        let format = format(body);
        streams += usize::from(format == Format::Events);
        let (out, matches) = same_in_any_pieces(&engine, format, body, stride(work));
        assert_eq!(matches, 0, "{name}");
        assert!(out == *body, "{name} is changed");
    }
    assert!(answers.is_empty() || streams >= 5, "{streams} are streams");
}

/// A recorded stream is never held back by more than a few of its events, of which some say a
/// piece of a word; and it is out when its end is said, before the body ends.
#[test]
fn recorded_streams_leave_event_by_event() {
    let engine = engine();
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
            walker.push(&engine, event.as_bytes(), &mut out).unwrap();
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
    let engine = engine();
    let bodies = all("json-test-suite");
    let bodies = || bodies.iter().filter(|(_, body)| body.len() < 10_000);
    let work = bodies().map(|(_, body)| body.len().pow(2)).sum();
    for (name, body) in bodies() {
        let (out, matches) = same_in_any_pieces(&engine, Format::Json, body, stride(work));
        assert!(matches > 0 || out == *body, "{name} is changed");
        let event = [b"data: ", body.as_slice(), b"\n\n"].concat();
        let (out, matches) = same_in_any_pieces(&engine, Format::Events, &event, stride(work));
        assert!(matches > 0 || out == event, "{name} is changed as an event");
        let line = [body.as_slice(), b"\n"].concat();
        same_in_any_pieces(&engine, Format::Lines, &line, stride(work));
    }
}

/// Each sentence as a text, and as a JSON string.
#[test]
fn sentences_full_of_personal_data_are_masked_alike_in_any_pieces() {
    let Some(folder) = folder("pii") else {
        return;
    };
    let text = fs::read(folder.join("generated_large.json")).unwrap();
    let sentences: Value = serde_json::from_slice(&text).unwrap();
    let sentences = sentences.as_array().unwrap();
    assert!(sentences.len() > 2000);
    let sentences: Vec<&str> = sentences
        .iter()
        .map(|sentence| sentence["full_text"].as_str().unwrap())
        .collect();
    let engine = engine();
    let work: usize = sentences.iter().map(|text| 2 * text.len().pow(2)).sum();
    let stride = stride(work);
    let mut found = 0;
    for text in &sentences {
        let (masked, matches) = same_in_any_pieces(&engine, Format::Text, text.as_bytes(), stride);
        found += u64::from(matches > 0);
        let body = serde_json::to_string(text).unwrap();
        let (out, _) = same_in_any_pieces(&engine, Format::Json, body.as_bytes(), stride);
        let read: String = serde_json::from_slice(&out).unwrap();
        assert_eq!(read.as_bytes(), masked, "{text}");
    }
    assert!(found > 200, "something is found in {found} sentences only");
    // All of it as one text, in the pieces that a network makes.
    let all = sentences.join("\n");
    let whole = masked(&engine, Format::Text, [all.as_bytes()]);
    for size in [1, 7, 1460] {
        let came = masked(&engine, Format::Text, all.as_bytes().chunks(size));
        assert!(came == whole, "pieces of {size}");
    }
}
