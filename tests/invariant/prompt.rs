//! Text is held back only while it may still become part of a match.

use portcullis::mask::{Engine, Format, Sink, Text, Walker};
use testbed::prose::Prose;
use testbed::streams::{Api, Escapes};

use super::engine;

/// Counts what is decided.
#[derive(Default)]
struct Decided {
    kept: usize,
    replaced: usize,
}

impl Sink for Decided {
    fn keep(&mut self, len: usize) {
        self.kept += len;
    }

    fn replace(&mut self, len: usize, _with: &str, _detector: usize) {
        self.replaced += len;
    }
}

/// Words with the space in front of each, as tokenizers cut.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = rest
            .char_indices()
            .skip(1)
            .find(|(_, letter)| *letter == ' ');
        let (token, after) = rest.split_at(at.map_or(rest.len(), |(at, _)| at));
        tokens.push(token);
        rest = after;
    }
    tokens
}

/// Prose in which no word has a digit, nor anything else that begins a match.
fn plain_words(seed: u64, length: usize) -> String {
    let prose = Prose::new(seed).take(length);
    let words = prose
        .split_whitespace()
        .filter(|word| !word.contains(|letter: char| letter.is_ascii_digit()));
    words.collect::<Vec<_>>().join(" ")
}

/// Where the last two words of a text begin.
fn last_words(text: &str) -> usize {
    let ends = text.trim_end();
    let one = ends.rfind(char::is_whitespace).unwrap_or(0);
    let two = ends[..one].trim_end();
    two.rfind(char::is_whitespace).unwrap_or(0)
}

#[test]
fn of_plain_words_no_more_than_the_last_two_are_held_back() {
    let engine = engine();
    let prose = plain_words(1, 40_000);
    let mut text = Text::default();
    let mut sink = Decided::default();
    let mut seen = 0;
    for token in tokens(&prose) {
        text.push(&engine, token.as_bytes(), &mut sink);
        seen += token.len();
        assert!(
            sink.kept >= last_words(&prose[..seen]),
            "{} bytes wait behind {:?}",
            text.pending(),
            &prose[seen.saturating_sub(80)..seen]
        );
    }
    text.finish(&engine, &mut sink);
    assert_eq!((sink.kept, sink.replaced), (prose.len(), 0));
}

/// How many bytes wait after each token of some prose.
fn held(engine: &Engine, prose: &str) -> Vec<usize> {
    let mut text = Text::default();
    let mut sink = Decided::default();
    let tokens = tokens(prose);
    let held = tokens.into_iter().map(|token| {
        text.push(engine, token.as_bytes(), &mut sink);
        text.pending()
    });
    held.collect()
}

#[test]
fn of_ordinary_prose_few_bytes_are_held_back() {
    let engine = engine();
    for seed in 2..6 {
        let prose = Prose::with_addresses(seed, 40).take(60_000);
        let mut held = held(&engine, &prose);
        assert!(held.len() > 8000);
        held.sort_unstable();
        let part = |percent: usize| held[(held.len() * percent / 100).min(held.len() - 1)];
        println!(
            "bytes that wait after a token of prose: p50 {}, p90 {}, p99 {}, at most {}",
            part(50),
            part(90),
            part(99),
            part(100)
        );
        assert!(part(50) < 16, "the median is {}", part(50));
        assert!(part(100) <= engine.max_pending());
    }
}

#[test]
fn no_more_than_the_bound_is_held_back_of_anything() {
    let engine = engine();
    let bound = engine.max_pending();
    let teasers = [
        "a@",
        "a.",
        "a@a.",
        "4111 ",
        "4111-1111-",
        "1:1:",
        "::",
        "eyJ",
        "eyJ.",
        "-----BEGIN ",
        "password=",
        "+1 ",
        "xoxb-",
        "DE89 ",
        "1.",
        "0x",
        "AKIA",
        "://a:",
        "A",
        "1",
        "-",
        ".",
        " ",
    ];
    for teaser in teasers {
        let long = teaser.repeat(2 * bound / teaser.len() + 100);
        for behind in ["", "a@b.co ", "é"] {
            let mut text = Text::default();
            let mut sink = Decided::default();
            for piece in [long.as_str(), behind, "x"] {
                for piece in piece.as_bytes().chunks(97) {
                    text.push(&engine, piece, &mut sink);
                    assert!(text.pending() <= bound, "{teaser:?}: {}", text.pending());
                }
            }
            text.finish(&engine, &mut sink);
            let given = long.len() + behind.len() + 1;
            assert_eq!(sink.kept + sink.replaced, given, "{teaser:?}");
        }
    }
}

/// The events of a stream leave once the words behind theirs are there: none waits for the end of
/// the text, and none overtakes another.
#[test]
fn an_event_leaves_when_the_text_behind_it_shows_that_it_is_harmless() {
    let engine = engine();
    let prose = plain_words(7, 8_000);
    let tokens = tokens(&prose);
    for api in Api::EACH {
        let format = match api.lines() {
            true => Format::Lines,
            false => Format::Events,
        };
        let mut walker = Walker::new(format);
        let mut given = Vec::new();
        let mut out = Vec::new();
        // Where each event's text ends, and where the event itself does.
        let mut ends: Vec<(usize, usize)> = Vec::new();
        let mut seen = 0;
        for token in &tokens {
            let event = api.token(token, Escapes::Ascii);
            given.extend_from_slice(event.as_bytes());
            seen += token.len();
            ends.push((seen, given.len()));
            walker.push(&engine, event.as_bytes(), &mut out).unwrap();
            assert!(
                given.starts_with(&out),
                "{api:?}: a change behind {token:?}"
            );
            let decided = last_words(&prose[..seen]);
            let harmless = ends.iter().rev().find(|(text, _)| *text <= decided);
            let must = harmless.map_or(0, |(_, event)| *event);
            assert!(
                out.len() >= must,
                "{api:?}: {} of {must} bytes have left behind {:?}",
                out.len(),
                &prose[seen.saturating_sub(60)..seen]
            );
        }
        // The end of the text needs no more than to be said.
        let end = api.end();
        walker.push(&engine, end.as_bytes(), &mut out).unwrap();
        given.extend_from_slice(end.as_bytes());
        if !end.is_empty() && api != Api::Ollama {
            assert!(out == given, "{api:?}: the end lets go");
        }
        walker.finish(&engine, &mut out).unwrap();
        assert!(out == given, "{api:?}");
    }
}
