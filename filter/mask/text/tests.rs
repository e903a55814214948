mod work;

use proptest::prelude::*;

use super::*;
use crate::detectors::tests::{Output, built_ins, examples, mask, mask_str, pattern, words};
use crate::policy::{Detection, Detector, Style};

/// All built-in detectors, three patterns and a word list.
fn everything(style: Style) -> Vec<Detection> {
    let mut all = built_ins(style);
    all.extend([
        pattern("employee", r"\bE-[0-9]{4,6}\b"),
        pattern("bytes", r"q.{1,5}z|(?i:over|overt)"),
        words("people", &["Jane Doe", "jane", "C++", "-x-", "Zoë"]),
        pattern("lazy", "k[a-c]{2,9}?c"),
    ]);
    for detection in &mut all {
        detection.style = style;
    }
    all
}

fn only(name: &'static str, style: Style) -> Matcher {
    Matcher::new(&[Detection {
        detector: Detector::BuiltIn(name),
        style,
    }])
    .unwrap()
}

/// What the tables of the detectors cannot say: fragments that only tease them.
const FRAGMENTS: &[&str] = &[
    " ",
    "\n",
    "\\n",
    ".",
    ",",
    "-",
    "--",
    "_",
    "@",
    ":",
    "::",
    "1",
    "12",
    "4111 ",
    "4111-",
    "0000",
    "jane",
    "Jane Doe",
    "JANE ",
    "C++",
    "-x-",
    "Zoë",
    "doe@",
    "@example",
    ".com",
    "E-12345",
    "E-1",
    "qabcz",
    "q\u{e9}z",
    "overt",
    "kabcc",
    "kabab",
    "eyJ",
    "eyJhbGciOiJIUzI1NiJ9.",
    "-----",
    "-----BEGIN ",
    "PRIVATE KEY-----",
    "MIIBOgIBAAJBAKj34GkxFhD9",
    "-----END PRIVATE KEY-----",
    "sk-",
    "sk-proj-",
    "ghp_",
    "AKIA",
    "IOSFODNN7EXAMPLE",
    "DE89",
    " 3704",
    "0400440532013000",
    "2001:db8:",
    "10.0.0.",
    "1.1",
    "é",
    "日本",
    "\u{1f511}",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

fn check_every_split(matcher: &Matcher, text: &[u8], pairs: bool) {
    let whole = mask(matcher, [text]);
    assert_eq!(mask(matcher, text.chunks(1)), whole, "one byte at a time");
    for first in 0..=text.len() {
        let (head, tail) = text.split_at(first);
        assert_eq!(mask(matcher, [head, tail]), whole, "split at {first}");
        for second in 0..=(if pairs { tail.len() } else { 0 }) {
            let (middle, end) = tail.split_at(second);
            let pieces = [head, middle, end];
            assert_eq!(
                mask(matcher, pieces),
                whole,
                "split at {first} and {second}"
            );
        }
    }
}

#[test]
fn every_pair_of_splits_of_every_example_gives_the_same() {
    for style in [Style::Label, Style::Stars, Style::Partial, Style::Remove] {
        let matcher = Matcher::new(&everything(style)).unwrap();
        for (text, _) in examples() {
            check_every_split(&matcher, text.as_bytes(), style == Style::Label);
        }
    }
}

#[test]
fn every_pair_of_splits_of_neighbouring_examples_gives_the_same() {
    let matcher = Matcher::new(&everything(Style::Stars)).unwrap();
    let examples = examples();
    for (index, neighbours) in examples.windows(3).step_by(4).enumerate() {
        let between = ["", " ", "é-"][index % 3];
        let texts: Vec<&str> = neighbours.iter().map(|(text, _)| text.as_str()).collect();
        let text = texts.join(between);
        check_every_split(&matcher, text.as_bytes(), text.len() < 60);
    }
}

fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<String> = FRAGMENTS
        .iter()
        .map(|text| (*text).to_owned())
        .chain(examples().into_iter().map(|(text, _)| text))
        .collect();
    prop_oneof![
        6 => proptest::sample::select(known).prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 1..6),
        1 => "[a-z0-9 .@:-]{1,12}".prop_map(String::into_bytes),
    ]
}

fn text_and_cuts() -> impl Strategy<Value = (Vec<u8>, Vec<usize>)> {
    (
        proptest::collection::vec(fragment(), 1..16).prop_map(|parts| parts.concat()),
        proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
    )
        .prop_map(|(text, cuts)| {
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
            cuts.sort_unstable();
            (text, cuts)
        })
}

fn pieces<'a>(text: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let ends = cuts.iter().copied().chain([text.len()]);
    let mut from = 0;
    let piece = |to| {
        let piece = &text[from..to];
        from = to;
        piece
    };
    ends.map(piece).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn pieces_do_not_change_the_output((text, cuts) in text_and_cuts(), style in 0..4_usize) {
        let style = [Style::Label, Style::Stars, Style::Partial, Style::Remove][style];
        thread_local!(static ENGINES: Vec<Matcher> = [Style::Label, Style::Stars, Style::Partial, Style::Remove]
            .map(|style| Matcher::new(&everything(style)).unwrap()).into());
        ENGINES.with(|engines| {
            let matcher = &engines[style as usize];
            let whole = mask(matcher, [text.as_slice()]);
            prop_assert_eq!(mask(matcher, pieces(&text, &cuts)), whole.clone());
            prop_assert_eq!(mask(matcher, text.chunks(1)), whole);
            Ok(())
        })?;
    }

    #[test]
    fn nothing_is_missed_away_from_anchors((text, cuts) in text_and_cuts()) {
        thread_local!(static ENGINES: [Matcher; 2] = [
            Matcher::new(&everything(Style::Label)).unwrap(),
            Matcher::without_anchors(&everything(Style::Label)).unwrap(),
        ]);
        ENGINES.with(|[anchored, asked_everywhere]| {
            let whole = mask(asked_everywhere, [text.as_slice()]);
            prop_assert_eq!(mask(anchored, [text.as_slice()]), whole.clone());
            prop_assert_eq!(mask(anchored, pieces(&text, &cuts)), whole);
            Ok(())
        })?;
    }

    #[test]
    fn force_decides_everything_and_masks_more_never_less((text, cuts) in text_and_cuts()) {
        thread_local!(static ENGINE: Matcher = Matcher::new(&everything(Style::Label)).unwrap());
        let [forced, free] = ENGINE.with(|matcher| [true, false].map(|force| {
            let mut state = Text::default();
            let mut output = Output::default();
            for piece in pieces(&text, &cuts) {
                output.push(matcher, &mut state, piece);
                if force {
                    output.force(matcher, &mut state);
                }
            }
            output.finish(matcher, &mut state);
            output.kept
        }));
        prop_assert!(forced.iter().zip(&free).all(|(forced, free)| *free || !*forced));
    }

    #[test]
    fn what_is_masked_stays_valid_utf8(text in "(jane@b\\.co|[a-zé日]{0,3}|q\\PC{0,3}z|k\\PC|10\\.0\\.0\\.1| )*") {
        thread_local!(static ENGINE: Matcher = Matcher::new(&everything(Style::Partial)).unwrap());
        let masked = ENGINE.with(|matcher| mask(matcher, [text.as_bytes()]));
        prop_assert!(String::from_utf8(masked).is_ok());
    }
}

#[test]
fn a_long_piece_behind_what_waits_gives_the_same() {
    let matcher = Matcher::new(&everything(Style::Label)).unwrap();
    for tail in [
        "x 4111 1111 1111 1111 ".repeat(2000),
        "a".repeat(50_000),
        "1".repeat(50_000),
    ] {
        let text = format!("mail jane@{tail}");
        let whole = mask(&matcher, [text.as_bytes()]);
        for first in 0..12 {
            let (head, tail) = text.as_bytes().split_at(first);
            assert_eq!(mask(&matcher, [head, tail]), whole);
        }
    }
}

#[test]
fn a_cache_that_is_always_too_small_gives_the_same() {
    let mut detections = vec![
        pattern("wide", "[a-z]{1,40}[0-9]{1,20}[a-z]{1,40}!"),
        pattern("many", "(?:a|ab|abc|bcd|cde){2,30}z"),
    ];
    detections.extend(everything(Style::Label));
    let tiny = Matcher::build(&detections, 0, true).unwrap();
    let ample = Matcher::build(&detections, 8 << 20, true).unwrap();
    let text =
        "ababcbcdcdez abc123def! a1b! aaaaa999 jane@b.co E-1234 abcabcabcab overt qxz ".repeat(20);
    let whole = mask(&ample, [text.as_bytes()]);
    assert_ne!(whole, text.as_bytes());
    assert_eq!(mask(&tiny, [text.as_bytes()]), whole);
    assert_eq!(mask(&tiny, text.as_bytes().chunks(1)), whole);
    // Texts that take turns, so that each finds the cache as the other left it.
    let mut texts = [Text::default(), Text::default()];
    let mut outputs = [Output::default(), Output::default()];
    for piece in text.as_bytes().chunks(7) {
        for (state, output) in texts.iter_mut().zip(&mut outputs) {
            output.push(&tiny, state, piece);
        }
    }
    for (state, output) in texts.iter_mut().zip(&mut outputs) {
        output.finish(&tiny, state);
        assert_eq!(output.written, whole);
    }
}

#[test]
fn prose_is_released_up_to_the_word_that_is_being_written() {
    let matcher = Matcher::new(&everything(Style::Label)).unwrap();
    let prose = "Nothing in this sentence, not even the year 2024 or 12:30, has to wait for long.";
    let mut text = Text::default();
    let mut output = Output::default();
    for (index, byte) in prose.bytes().enumerate() {
        output.push(&matcher, &mut text, &[byte]);
        // A number may go on behind one space, so that much more may wait.
        let (seen, _) = prose.split_at(index + 1);
        let words = seen.trim_end_matches(' ');
        let word = words.rsplit([' ', ',']).next().unwrap().len();
        assert!(
            text.pending() <= word + 2,
            "{} bytes wait after {:?}",
            text.pending(),
            seen
        );
    }
    output.finish(&matcher, &mut text);
    assert_eq!(output.written, prose.as_bytes());
}

#[test]
fn forced_text_is_masked_as_what_it_may_become_and_so_is_its_rest() {
    let matcher = Matcher::new(&everything(Style::Label)).unwrap();
    let cases: &[(&str, &str, &str)] = &[
        (
            "hi jane@exam",
            "ple.com, bye 10.0.0.1",
            "hi [EMAIL], bye [IP]",
        ),
        ("4111 1111 ", "1111 1111, ok", "[CREDIT_CARD], ok"),
        ("DE89 3704", " 0044 0532 0130 00.", "[IBAN]."),
        (
            "-----BEGIN PRIVATE KEY-----\n",
            "MIIBOgIBAAJBAKj3\n-----END PRIVATE KEY-----x",
            "[PRIVATE_KEY]x",
        ),
        (
            "-----BEGIN PRIV",
            "ATE KEY-----\nMIIBOgIBAAJBAKj3\n-----END PRIVATE KEY-----x",
            "[PRIVATE_KEY]x",
        ),
        ("eyJhbGciOiJIUzI1", "NiJ9.eyJzdWIiOiIxIn0.c2ln x", "[JWT] x"),
        ("sk-proj-abc", "defghijklmnopqrstuvw x", "[OPENAI_KEY] x"),
        ("Jane ", "Doe", "[PEOPLE]"),
        ("Jane ", "Day", "[PEOPLE]Day"),
        ("jane@exam", "ine this", "[EMAIL]ine this"),
        ("nothing waits. ", "jane@b.co", "nothing waits. [EMAIL]"),
    ];
    for (before, after, expected) in cases {
        let mut text = Text::default();
        let mut output = Output::default();
        output.push(&matcher, &mut text, before.as_bytes());
        output.force(&matcher, &mut text);
        output.push(&matcher, &mut text, after.as_bytes());
        output.finish(&matcher, &mut text);
        assert_eq!(
            String::from_utf8(output.written).unwrap(),
            *expected,
            "{before}|{after}"
        );
    }
}

#[test]
fn forced_between_a_token_and_a_dot_goes_on() {
    let matcher = only("secret.jwt", Style::Stars);
    let mut text = Text::default();
    let mut output = Output::default();
    output.push(&matcher, &mut text, b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.");
    assert_eq!(text.pending(), 1);
    output.force(&matcher, &mut text);
    output.push(&matcher, &mut text, b"c2ln ok");
    output.finish(&matcher, &mut text);
    assert_eq!(output.written, format!("{} ok", "*".repeat(34)).as_bytes());
}

#[test]
fn a_match_that_is_forced_anywhere_leaves_nothing() {
    let matcher = Matcher::new(&built_ins(Style::Remove)).unwrap();
    for (value, masked) in examples() {
        let whole = value != masked
            && masked.starts_with('[')
            && masked.find(']') == Some(masked.len() - 1);
        for cut in 1..(if whole { value.len() } else { 0 }) {
            let mut state = Text::default();
            let mut output = Output::default();
            let (head, tail) = value.as_bytes().split_at(cut);
            output.push(&matcher, &mut state, head);
            output.force(&matcher, &mut state);
            output.push(&matcher, &mut state, tail);
            output.finish(&matcher, &mut state);
            let left = String::from_utf8_lossy(&output.written);
            assert_eq!(left, "", "{value} at {cut}");
        }
    }
}

#[test]
fn a_key_block_that_is_forced_anywhere_ends_where_it_ends() {
    let matcher = only("secret.private_key", Style::Stars);
    let block = "-----BEGIN PRIVATE KEY-----\nMIIBOgIBAAJBAKj3--\n-----END PRIVATE KEY-----";
    let text = format!("{block} ok");
    let expected = format!("{} ok", "*".repeat(block.len()));
    for first in 11..text.len() {
        for second in [first, first + 1, first + 7] {
            let mut state = Text::default();
            let mut output = Output::default();
            for (index, byte) in text.bytes().enumerate() {
                output.push(&matcher, &mut state, &[byte]);
                if index == first || index == second {
                    output.force(&matcher, &mut state);
                }
            }
            output.finish(&matcher, &mut state);
            assert_eq!(
                String::from_utf8(output.written).unwrap(),
                expected,
                "{first} {second}"
            );
        }
    }
}

#[test]
fn a_token_of_any_length_is_masked_without_a_buffer() {
    let matcher = only("secret.jwt", Style::Label);
    let segment = "A".repeat(200_000);
    for token in [
        format!("eyJhbGciOiJIUzI1NiJ9.eyJ{segment}.{segment}"),
        format!("eyJ{segment}.eyJ{segment}.{segment}"),
    ] {
        let text = format!("a {token} b");
        assert_eq!(mask_str(&matcher, &text), "a [JWT] b");
        assert_eq!(mask(&matcher, text.as_bytes().chunks(1000)), b"a [JWT] b");
    }
}

#[test]
fn a_key_block_of_any_length_is_masked_without_a_buffer() {
    let matcher = only("secret.private_key", Style::Label);
    let line = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7-----END\n";
    let text = format!(
        "a -----BEGIN PRIVATE KEY-----\n{}-----END PRIVATE KEY----- b",
        line.repeat(5000)
    );
    let mut state = Text::default();
    let mut output = Output::default();
    for piece in text.as_bytes().chunks(999) {
        output.push(&matcher, &mut state, piece);
        assert!(state.pending() < 400);
    }
    output.finish(&matcher, &mut state);
    assert_eq!(output.written, b"a [PRIVATE_KEY] b");
}

#[test]
fn each_style_writes_a_match_in_its_way() {
    let cases = [
        (Style::Label, "a [EMAIL] [IP] [JWT]"),
        (
            Style::Stars,
            "a ************* ******* **********************************",
        ),
        (
            Style::Partial,
            "a *********e.de ******* **********************************",
        ),
        (Style::Remove, "a   "),
    ];
    let text = "a jane@möhre.de 1.1.1.1 eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxI";
    for (style, expected) in cases {
        let matcher = Matcher::new(&built_ins(style)).unwrap();
        assert_eq!(mask_str(&matcher, text), expected);
    }
}

#[test]
fn a_text_that_follows_another_does_not_see_it() {
    let matcher = Matcher::new(&built_ins(Style::Label)).unwrap();
    let mut text = Text::default();
    let mut output = Output::default();
    output.push(&matcher, &mut text, b"x");
    output.finish(&matcher, &mut text);
    output.push(&matcher, &mut text, b"1.1.1.1");
    output.finish(&matcher, &mut text);
    assert_eq!(output.written, b"x[IP]");
}
