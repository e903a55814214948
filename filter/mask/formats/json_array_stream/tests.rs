//! Arrays of chunks.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::tests::{mask, masked_text, plainly, try_pieces};
use super::super::{Format, Walker};
use super::{MAX_CHUNK_BYTES, MAX_FRONT_BYTES, MAX_GAP_BYTES};
use crate::CompiledMask;

/// A chunk of Gemini's with this text.
fn chunk(candidate: usize, text: &str) -> Value {
    json!({
        "candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": candidate}],
        "usageMetadata": {"totalTokenCount": 7},
        "modelVersion": "gemini-2.5-pro",
    })
}

/// An array as Gemini writes it.
fn array(chunks: &[Value]) -> String {
    let chunks = chunks.iter().map(|chunk| format!("{chunk:#}"));
    format!("[{}\n]\n", chunks.collect::<Vec<_>>().join("\n,\r\n"))
}

fn texts(pieces: &[&str]) -> String {
    let chunks = pieces.iter().map(|text| chunk(0, text));
    array(&chunks.collect::<Vec<_>>())
}

/// What a client makes of an array: the text of a candidate.
fn said(body: &[u8], candidate: usize) -> String {
    let chunks: Vec<Value> = serde_json::from_slice(body).expect("the output is JSON");
    let candidates = chunks
        .iter()
        .flat_map(|chunk| chunk["candidates"].as_array().into_iter().flatten());
    let of_it = candidates.filter(|one| one["index"] == candidate);
    let parts = of_it.flat_map(|one| one["content"]["parts"].as_array().into_iter().flatten());
    parts.filter_map(|part| part["text"].as_str()).collect()
}

fn whole(mask: &CompiledMask, body: &str) -> Vec<u8> {
    try_pieces(mask, Format::Json, body.as_bytes(), &[]).expect("the body can be masked")
}

#[test]
fn a_match_over_several_chunks_is_written_where_it_begins() {
    assert_eq!(
        masked_text(
            &mask(),
            Format::Json,
            &texts(&["I am al", "ice@exam", "ple.com", " and", " you"])
        ),
        texts(&["I am [EMAIL]", "", "", " and", " you"])
    );
    // One line, and escapes.
    let body = "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"al\\u0069ce\"}]}}]},{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\\u0040example.\"},{\"text\":\"com!\"}]}}]}]";
    let masked = "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"[EMAIL]\"}]}}]},{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"},{\"text\":\"!\"}]}}]}]";
    assert_eq!(masked_text(&mask(), Format::Json, body), masked);
}

#[test]
fn a_text_in_any_six_chunks_is_masked_as_the_whole() {
    let mask = mask();
    let text = "a@b.io 1.2.3.4";
    let expected = plainly(&mask, text);
    assert_eq!(expected, "[EMAIL] [IP]");
    let mut cuts = [0; 5];
    loop {
        let mut from = 0;
        let pieces = cuts.into_iter().chain([text.len()]).map(|cut| {
            let piece = text.get(from..cut).expect("ASCII");
            from = cut;
            piece
        });
        let body = texts(&pieces.collect::<Vec<_>>());
        assert_eq!(said(&whole(&mask, &body), 0), expected, "cut at {cuts:?}");
        let Some(last) = cuts.iter().rposition(|cut| *cut < text.len()) else {
            break;
        };
        let next = cuts[last] + 1;
        cuts[last..].fill(next);
    }
}

#[test]
fn candidates_and_thoughts_are_texts_of_their_own() {
    let mask = mask();
    let body = array(&[
        chunk(0, "jane@"),
        chunk(1, "joe@"),
        chunk(0, "a.org"),
        chunk(1, "b.org"),
    ]);
    let masked = whole(&mask, &body);
    assert_eq!(
        (said(&masked, 0), said(&masked, 1)),
        ("[EMAIL]".to_owned(), "[EMAIL]".to_owned())
    );
    let thought =
        json!({"candidates": [{"content": {"parts": [{"text": "jane@", "thought": true}]}}]});
    let body = array(&[thought, chunk(0, "example.com")]);
    assert_eq!(whole(&mask, &body), body.as_bytes());
}

#[test]
fn a_chunk_leaves_as_soon_as_its_text_is_harmless() {
    let mask = mask();
    let mut walker = Walker::new(Format::Json);
    let mut step = |piece: &str| {
        let mut out = Vec::new();
        walker
            .push(&mask, piece.as_bytes(), &mut out)
            .expect("chunks");
        String::from_utf8(out).expect("UTF-8")
    };
    let (harmless, open) = (
        chunk(0, "hello you ").to_string(),
        chunk(0, "jane@exam").to_string(),
    );
    assert_eq!(step("["), "");
    assert_eq!(step(&harmless), format!("[{harmless}"));
    assert_eq!(step(",\n"), ",\n");
    assert_eq!(step(&open), "");
    assert_eq!(step("\n,"), "");
    let (end, masked) = (
        chunk(0, "ple.com is ").to_string(),
        chunk(0, "[EMAIL]").to_string(),
    );
    assert_eq!(step(&end), format!("{masked}\n,{}", chunk(0, " is ")));
    // The one that ends its candidate waits for nothing.
    let mut last = chunk(0, "jane@example.com");
    last["candidates"][0]["finishReason"] = json!("STOP");
    assert!(step(&format!(",{last}")).contains("[EMAIL]"));
    assert_eq!(step("]"), "]");
}

#[test]
fn what_has_nothing_to_mask_stays_as_it_came() {
    let body = texts(&["hello ", "jane at", " example", ".com"]);
    for body in [
        body.as_str(),
        "[{\"candidates\":[]},{},\t{\"x\":[[{}]]}]",
        "[{\"candidates\":1}",
        "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hello",
        "[{\"candidates\":1},,{]}\"]",
        "[{\"candidates\":1}]]]{{}",
        "[{\"candidates\"",
        "[{\"cand",
        " [ { \"",
        "[",
        "",
    ] {
        assert_eq!(masked_text(&mask(), Format::Json, body), body);
    }
}

#[test]
fn what_is_no_chunk_is_masked_all_the_same() {
    for (body, masked) in [
        // No array of chunks: texts of their own.
        (
            "[{\"text\":\"jane@\"},{\"text\":\"example.com a@b.io\"}]",
            "[{\"text\":\"jane@\"},{\"text\":\"example.com [EMAIL]\"}]",
        ),
        (
            "[\"a@b.io\",{\"candidates\":1}]",
            "[\"[EMAIL]\",{\"candidates\":1}]",
        ),
        // The body breaks off, or goes on as something else.
        (
            "[{\"candidates\":1},{\"text\":\"a@b.io",
            "[{\"candidates\":1},{\"text\":\"[EMAIL]",
        ),
        (
            "[{\"candidates\":1},\"a@b.io\",a@b.io \"a@b.io\"",
            "[{\"candidates\":1},\"[EMAIL]\",[EMAIL] \"[EMAIL]\"",
        ),
        (
            "[{\"candidates\":1},{\"a\":oops \"a@b.io\"}]",
            "[{\"candidates\":1},{\"a\":oops \"[EMAIL]\"}]",
        ),
        (
            "[{\"modelVersion\":4111111111111111}]",
            "[{\"modelVersion\":\"[CREDIT_CARD]\"}]",
        ),
    ] {
        assert_eq!(masked_text(&mask(), Format::Json, body), masked);
    }
}

#[test]
fn a_chunk_beyond_the_bound_is_masked_as_it_streams() {
    let mask = mask();
    let picture = "A".repeat(MAX_CHUNK_BYTES);
    let long = |text: &str| {
        json!({"candidates": [{"content": {"parts": [
            {"inlineData": {"data": picture}}, {"text": text},
        ]}}]})
    };
    let body = array(&[
        chunk(0, "jane@exam"),
        long("a@b.io \" }]"),
        chunk(0, "ple.com"),
    ]);
    let out = try_pieces(
        &mask,
        Format::Json,
        body.as_bytes(),
        &[5, 70_000, 1_048_600],
    )
    .unwrap();
    let masked = array(&[chunk(0, "[EMAIL]"), long("[EMAIL] \" }]"), chunk(0, "")]);
    assert!(out == masked.as_bytes(), "{}", said(&out, 0));
    let mut walker = Walker::new(Format::Json);
    let mut most = 0;
    for piece in body.as_bytes().chunks(4096) {
        walker.push(&mask, piece, &mut Vec::new()).unwrap();
        most = most.max(walker.held());
    }
    assert!(most <= MAX_CHUNK_BYTES + 4096, "{most}");
}

#[test]
fn nothing_waits_without_bounds() {
    let mask = mask();
    let mut walker = Walker::new(Format::Json);
    let mut out = Vec::new();
    let open = texts(&["jane@exam"]);
    let open = open.trim_end().trim_end_matches(']');
    walker.push(&mask, open.as_bytes(), &mut out).unwrap();
    assert!(walker.held() > 0);
    let blanks = vec![b' '; MAX_GAP_BYTES + 1];
    walker.push(&mask, &blanks, &mut out).unwrap();
    assert_eq!(walker.held(), 0);
    let rest = texts(&["ple.com a@b.io"]).replacen('[', ",", 1);
    walker.push(&mask, rest.as_bytes(), &mut out).unwrap();
    walker.finish(&mask, &mut out).unwrap();
    assert_eq!(said(&out, 0), "[EMAIL] [EMAIL]");

    let mut walker = Walker::new(Format::Json);
    // What it could be otherwise is looked for in so much of it.
    let front = format!("[{}", " ".repeat(MAX_FRONT_BYTES.max(8 * 1024)));
    walker.push(&mask, front.as_bytes(), &mut out).unwrap();
    assert_eq!(walker.held(), 0);
}

/// What becomes of chunks that come as the data of events.
fn as_events(mask: &CompiledMask, chunks: &[String]) -> Vec<String> {
    let body: String = chunks
        .iter()
        .map(|chunk| format!("data: {chunk}\n\n"))
        .collect();
    let out = try_pieces(mask, Format::Events, body.as_bytes(), &[]).unwrap();
    let out = String::from_utf8(out).unwrap();
    let events = out
        .split_terminator("\n\n")
        .map(|event| event.replacen("data: ", "", 1));
    events.collect()
}

proptest! {
    #[test]
    fn chunks_are_masked_as_events_are(
        chunks in prop::collection::vec(
            (
                0..2_usize,
                prop_oneof![
                    prop::sample::select(vec!["jane@", "exam", "ple.com", " ", "1.2.3.4", "\\\"{", "4111 1111", " 1111 1111"])
                        .prop_map(str::to_owned),
                    "[a-z ]{0,8}",
                ],
                any::<bool>(),
                any::<bool>(),
            ),
            1..12,
        ),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mask = mask();
        let chunks: Vec<String> = chunks
            .iter()
            .map(|(candidate, text, ends, thought)| {
                let mut one = chunk(*candidate, text);
                if *ends {
                    one["candidates"][0]["finishReason"] = json!("STOP");
                }
                if *thought {
                    one["candidates"][0]["content"]["parts"][0]["thought"] = json!(true);
                }
                one.to_string()
            })
            .collect();
        let body = format!("[{}]", chunks.join(","));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len())).collect();
        cuts.sort_unstable();
        let out = try_pieces(&mask, Format::Json, body.as_bytes(), &cuts).unwrap();
        let expected = format!("[{}]", as_events(&mask, &chunks).join(","));
        prop_assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

/// A body of a dialect that streams in lines, masked in pieces of this size.
fn in_lines(body: &str, size: usize) -> String {
    let layout = crate::Layout::read("lines").unwrap();
    let framing = crate::Framing {
        layout: Some(Box::leak(Box::new(layout))),
        ..crate::Framing::default()
    };
    let mask = mask();
    let mut walker = Walker::framed(Format::Json, framing);
    let mut out = Vec::new();
    for piece in body.as_bytes().chunks(size) {
        walker.push(&mask, piece, &mut out).unwrap();
    }
    walker.finish(&mask, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The same, after checking that the size of the pieces doesn't matter.
fn masked_lines(body: &str) -> String {
    let whole = in_lines(body, body.len());
    for size in [1, 3, 100] {
        assert!(in_lines(body, size) == whole, "in pieces of {size}");
    }
    whole
}

#[test]
fn lines_that_are_called_json_are_read_as_lines() {
    // Ollama's lines (github.com/ollama/ollama, docs/api.md), typed by a proxy.
    let line = |text: &str| format!("{}\n", json!({"message": {"content": text}, "done": false}));
    let of = |texts: [&str; 3]| texts.map(line).concat();
    assert_eq!(
        masked_lines(&of(["ask tom.", "baker@mill.example", " ok"])),
        of(["ask [EMAIL]", "", " ok"])
    );
    let ends = line("ask tom.").replace('\n', "\r\n") + line("baker@mill.example").trim_end();
    assert_eq!(
        masked_lines(&ends),
        line("ask [EMAIL]").replace('\n', "\r\n") + line("").trim_end()
    );
    // One object, on one line or on several, is no stream.
    for one in [
        "{\"a\": \"bob@example.com\"}\n",
        "{\n \"a\": \"bob@example.com\"\n}\n",
        "{\"a\": \"bob@example.com\"} trail",
        "{\"a\": \"bob@example.com",
        " {\"a\": \"bob@example.com\"}\r\n\r\n",
    ] {
        assert_eq!(masked_lines(one), one.replace("bob@example.com", "[EMAIL]"));
    }
    let long = |text: &str| format!("{{\"a\":\"{}\",\"b\":\"{text}\"}}\n", "x ".repeat(5000));
    assert!(masked_lines(&long("bob@example.com").repeat(2)) == long("[EMAIL]").repeat(2));
}
