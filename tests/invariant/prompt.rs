//! Text is held back only while it may still become part of a match.

use portcullis::mask::{Format, Matcher, Sink, Text, Walker};
use testbed::amazon::Operation;
use testbed::prose::Prose;
use testbed::streams::{Api, Escapes};

use super::machine::Frames;
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

/// What carries a text in each of the forms in which servers stream.
fn kinds() -> Vec<Frames> {
    let apis = Api::EACH.map(|api| Frames::of(api, Escapes::Ascii));
    let operations = Operation::EACH.map(|one| Frames::Amazon(one, Escapes::Ascii));
    let others = operations.into_iter().chain([Frames::Messages]);
    apis.into_iter().chain(others).collect()
}

/// How many events there are in what has come out.
fn events(kind: &Frames, mut out: &[u8]) -> usize {
    let separator = match kind {
        Frames::Events { api, .. } => api.separator(),
        Frames::Messages | Frames::Amazon(..) => {
            let mut count = 0;
            while let Some((_, rest)) = kind.read(out) {
                out = rest;
                count += 1;
            }
            return count + usize::from(!out.is_empty());
        }
    };
    str::from_utf8(out).unwrap().matches(separator).count()
}

/// An event leaves with the token that decides the last of its text, and not before: none waits for
/// the end of the text, and none overtakes another.
#[test]
fn an_event_leaves_when_its_text_is_decided() {
    let mask = mask();
    let matcher = mask.matcher();
    let prose = Prose::with_addresses(7, 9).take(if is_exhaustive() { 400_000 } else { 6_000 });
    for kind in kinds() {
        let is = |api: Api| matches!(kind, Frames::Events { api: it, .. } if it == api);
        let prose = match is(Api::Plain) {
            true => prose.replace('\n', " "),
            false => prose.clone(),
        };
        assert!(kind.can_say(&prose));
        let name = match &kind {
            Frames::Events { api, .. } => format!("{api:?}"),
            other => format!("{other:?}"),
        };
        let mut walker = Walker::new(kind.format());
        let mut text = Text::default();
        let mut decided = Decided::default();
        let mut out = Vec::new();
        let mut said = kind.front().to_owned();
        text.push(matcher, said.as_bytes(), &mut decided);
        // Where the text of each event ends that is in, and how many are out; and how much of what has
        // been said is in none of these.
        let mut ends: Vec<usize> = Vec::new();
        let mut left = 0;
        let mut waiting = Vec::new();
        for token in tokens(&prose) {
            said.push_str(token);
            ends.push(said.len());
            text.push(matcher, token.as_bytes(), &mut decided);
            out.clear();
            let event = kind.event(if kind.front().is_empty() {
                token
            } else {
                &said
            });
            walker.push(&mask, &event, &mut out).unwrap();
            left += events(&kind, &out);
            let must = ends.partition_point(|end| *end <= said.len() - text.pending());
            assert!(
                left == must,
                "{name}: {left} events have left, not {must}, behind {:?}",
                &said[said.len().saturating_sub(60)..]
            );
            let out_to = left.checked_sub(1).map_or(0, |last| ends[last]);
            waiting.push(said.len() - out_to);
        }
        assert!(decided.replaced > 0);
        waiting.sort_unstable();
        let median = waiting[waiting.len() / 2];
        println!("bytes of text that wait in {name}: p50 {median}");
        assert!(median < 16, "{name}: the median is {median}");
        // The end of the text needs no more than to be said.
        out.clear();
        let end = kind.end();
        walker.push(&mask, &end, &mut out).unwrap();
        if !end.is_empty() && !is(Api::Ollama) {
            assert_eq!(walker.held(), 0, "{name}: the end lets go");
        }
        walker.finish(&mask, &mut out).unwrap();
        left += events(&kind, &out);
        assert_eq!(left, ends.len() + usize::from(!end.is_empty()), "{name}");
    }
}

/// A keep-alive stands where it stood, since its place is part of the stream: it leaves with the text in
/// front of it. How much more text that takes is bounded, and little; how long, the model says.
#[test]
fn a_keep_alive_leaves_when_the_text_in_front_of_it_is_decided() {
    let mask = mask();
    let bound = mask.matcher().max_pending();
    let prose = Prose::with_addresses(9, 9).take(6_000);
    for (api, ping) in [
        // docs.claude.com, "Streaming messages", ping events; openrouter.ai/docs, "Streaming", comments.
        (
            Api::Anthropic,
            "event: ping\ndata: {\"type\": \"ping\"}\n\n",
        ),
        (Api::Chat, ": OPENROUTER PROCESSING\n\n"),
    ] {
        let mut walker = Walker::new(Format::Events);
        let mut out = Vec::new();
        let mut said = 0;
        // Behind how much text each came, and how much more each that has left has waited for.
        let mut came = Vec::new();
        let mut waited = Vec::new();
        for token in tokens(&prose) {
            said += token.len();
            came.push(said);
            out.clear();
            let events = api.token(token, Escapes::Few) + ping;
            walker.push(&mask, events.as_bytes(), &mut out).unwrap();
            let left = str::from_utf8(&out).unwrap().matches(ping).count();
            let leaving = &came[waited.len()..waited.len() + left];
            waited.extend(leaving.iter().map(|before| said - before));
        }
        waited.sort_unstable();
        let part = |percent: usize| waited[(waited.len() * percent / 100).min(waited.len() - 1)];
        let (median, most) = (part(50), part(100));
        let tail = part(99);
        println!(
            "{api:?}: bytes of text for which a keep-alive waits: p50 {median}, p99 {tail}, at most {most} of {bound}"
        );
        assert!(median < 16, "the median is {median}");
        assert!(most <= bound, "{most}");

        // While nothing is said, as many wait as events may; then what is undecided is masked.
        let mut walker = Walker::new(Format::Events);
        out.clear();
        let word = api.token("ask ana", Escapes::Few);
        walker.push(&mask, word.as_bytes(), &mut out).unwrap();
        let mut pings = 0;
        while out.is_empty() {
            pings += 1;
            assert!(pings < 1000, "they wait on");
            walker.push(&mask, ping.as_bytes(), &mut out).unwrap();
        }
        assert_eq!(pings, 256);
        let forced = word.replace("ana", "[EMAIL]") + &ping.repeat(pings);
        assert_eq!(String::from_utf8(out).unwrap(), forced);
    }
}
