//! Text is held back only while it may still become part of a match.

use portcullis::mask::{Format, Matcher, Sink, Text, Walker};
use testbed::prose::Prose;
use testbed::streams::{Api, Escapes};

use super::{is_exhaustive, mask};

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
    let mask = mask();
    let matcher = mask.matcher();
    let prose = plain_words(1, 40_000);
    let mut text = Text::default();
    let mut sink = Decided::default();
    let mut seen = 0;
    for token in tokens(&prose) {
        text.push(matcher, token.as_bytes(), &mut sink);
        seen += token.len();
        assert!(
            sink.kept >= last_words(&prose[..seen]),
            "{} bytes wait behind {:?}",
            text.pending(),
            &prose[seen.saturating_sub(80)..seen]
        );
    }
    text.finish(matcher, &mut sink);
    assert_eq!((sink.kept, sink.replaced), (prose.len(), 0));
}

/// How many bytes wait after each token of some prose.
fn held(matcher: &Matcher, prose: &str) -> Vec<usize> {
    let mut text = Text::default();
    let mut sink = Decided::default();
    let tokens = tokens(prose);
    let held = tokens.into_iter().map(|token| {
        text.push(matcher, token.as_bytes(), &mut sink);
        text.pending()
    });
    held.collect()
}

#[test]
fn of_ordinary_prose_few_bytes_are_held_back() {
    let mask = mask();
    let matcher = mask.matcher();
    for seed in 2..6 {
        let prose = Prose::with_addresses(seed, 40).take(60_000);
        let mut held = held(matcher, &prose);
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
        assert!(part(100) <= matcher.max_pending());
    }
}

#[test]
fn no_more_than_the_bound_is_held_back_of_anything() {
    let mask = mask();
    let matcher = mask.matcher();
    let bound = matcher.max_pending();
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
                    text.push(matcher, piece, &mut sink);
                    assert!(text.pending() <= bound, "{teaser:?}: {}", text.pending());
                }
            }
            text.finish(matcher, &mut sink);
            let given = long.len() + behind.len() + 1;
            assert_eq!(sink.kept + sink.replaced, given, "{teaser:?}");
        }
    }
}

/// An event leaves with the token that decides the last of its text, and not before: none waits for
/// the end of the text, and none overtakes another.
#[test]
fn an_event_leaves_when_its_text_is_decided() {
    let mask = mask();
    let matcher = mask.matcher();
    let prose = Prose::with_addresses(7, 9).take(if is_exhaustive() { 400_000 } else { 8_000 });
    for api in Api::EACH {
        let prose = match api {
            Api::Plain => prose.replace('\n', " "),
            _ => prose.clone(),
        };
        let format = match api.lines() {
            true => Format::Lines,
            false => Format::Events,
        };
        let separator = match api {
            Api::Ollama => "\n",
            Api::Gemini => "\r\n\r\n",
            _ => "\n\n",
        };
        let mut walker = Walker::new(format);
        let mut text = Text::default();
        let mut decided = Decided::default();
        let mut out = Vec::new();
        // Where the text of each event ends that is in, and how many are out.
        let mut ends: Vec<usize> = Vec::new();
        let mut left = 0;
        let mut seen = 0;
        for token in tokens(&prose) {
            seen += token.len();
            ends.push(seen);
            text.push(matcher, token.as_bytes(), &mut decided);
            out.clear();
            let event = api.token(token, Escapes::Ascii);
            walker.push(&mask, event.as_bytes(), &mut out).unwrap();
            left += str::from_utf8(&out).unwrap().matches(separator).count();
            let must = ends.partition_point(|end| *end <= seen - text.pending());
            assert!(
                left == must,
                "{api:?}: {left} events have left, not {must}, behind {:?}",
                &prose[seen.saturating_sub(60)..seen]
            );
        }
        assert!(decided.replaced > 0);
        // The end of the text needs no more than to be said.
        out.clear();
        let end = api.end();
        walker.push(&mask, end.as_bytes(), &mut out).unwrap();
        if !end.is_empty() && api != Api::Ollama {
            assert_eq!(walker.held(), 0, "{api:?}: the end lets go");
        }
        walker.finish(&mask, &mut out).unwrap();
        left += str::from_utf8(&out).unwrap().matches(separator).count();
        assert_eq!(left, ends.len() + usize::from(!end.is_empty()), "{api:?}");
    }
}
