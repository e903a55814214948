//! Expressions that name the part of a match that is replaced.

use proptest::prelude::*;
use regex_automata::meta::Regex;
use regex_automata::util::syntax;
use regex_automata::{Anchored, Input};

use super::super::expression::is_continuation;
use super::super::sample::{Chance, sample};
use super::random::expression;
use super::*;
use crate::policy::{Detector, Style};

/// What becomes of a text, however it comes in pieces.
fn masked(detections: &[Detection], text: &str) -> String {
    let matcher = Matcher::new(detections).unwrap();
    let whole = spans(&matcher, [text.as_bytes()]);
    let bytes = text.as_bytes();
    assert_eq!(spans(&matcher, bytes.chunks(1)), whole, "byte by byte");
    for at in 0..bytes.len() {
        let (head, tail) = bytes.split_at(at);
        assert_eq!(spans(&matcher, [head, tail]), whole, "cut at {at}");
    }
    let mut out = Vec::new();
    let mut at = 0;
    for (from, len, with) in whole {
        out.extend(&bytes[at..from]);
        out.extend(with.bytes());
        at = from + len;
    }
    out.extend(&bytes[at..]);
    String::from_utf8(out).unwrap()
}

/// What is replaced: from where, how many bytes, and with what.
fn spans<'a>(
    matcher: &Matcher,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<(usize, usize, String)> {
    #[derive(Default)]
    struct Spans {
        at: usize,
        found: Vec<(usize, usize, String)>,
    }
    impl Sink for Spans {
        fn keep(&mut self, len: usize) {
            self.at += len;
        }
        fn replace(&mut self, len: usize, with: &str, _detector: usize) {
            self.found.push((self.at, len, with.to_owned()));
            self.at += len;
        }
    }
    let mut spans = Spans::default();
    let mut text = Text::default();
    for piece in pieces {
        text.push(matcher, piece, &mut spans);
    }
    text.finish(matcher, &mut spans);
    spans.found
}

#[test]
fn only_the_group_is_replaced() {
    let key = pattern(
        "key",
        r#"(?i)\bapi[_-]?key["\s]{0,3}[:=]\s{0,3}"?(?<mask>[0-9a-z]{16,40})\b"?"#,
    );
    let pin = pattern("pin", r"\bPIN(?: of \S{1,40})? is (?P<mask>[0-9]{4})\b");
    let all = [
        pin,
        key,
        Detection {
            detector: Detector::BuiltIn("email"),
            style: Style::Label,
        },
    ];
    for (text, expected) in [
        (
            "API_KEY = \"0123456789abcdef\", and more",
            "API_KEY = \"[KEY]\", and more",
        ),
        ("apikey: 0123456789ABCDEF", "apikey: [KEY]"),
        ("apikey: 0123456789ABCDE", "apikey: 0123456789ABCDE"),
        // What stands in front of the group is looked through for everything else, and what
        // stands behind it.
        (
            "the PIN of jane@example.com is 1234.",
            "the PIN of [EMAIL] is [PIN].",
        ),
        ("PIN is 1234, PIN is 567", "PIN is [PIN], PIN is 567"),
    ] {
        assert_eq!(masked(&all, text), expected);
    }
}

#[test]
fn where_the_group_says_nothing_the_match_is_replaced() {
    for (expression, text, expected) in [
        ("x(?:(?<mask>a)|b)y", "xay xby", "x[P]y [P]"),
        ("x(?<mask>a{0,2})y", "xay xy", "x[P]y [P]"),
        ("(?<mask>xay)", "xay", "[P]"),
        ("x(?<other>a)y", "xay", "[P]"),
        ("x(?<mask>a)?y", "xay xy", "x[P]y [P]"),
        // Of several times, the last one; what stands in front of it is a match as well.
        ("(?:(?<mask>[a-z])-){1,3}", "a-b-c-", "[P][P]-"),
        // No character is torn.
        (r"k(?<mask>(?s:.))", "k\u{e9}", "k[P]"),
        (r"k(?s:.)(?<mask>x{0,1}(?s:.))", "k\u{e9}", "k[P]"),
        // The match begins again behind the group.
        ("a(?<mask>b)a", "ababa", "a[P]a[P]a"),
    ] {
        assert_eq!(
            masked(&[pattern("p", expression)], text),
            expected,
            "{expression}"
        );
    }
}

#[test]
fn a_style_holds_for_the_group() {
    let secret = |style| Detection {
        style,
        ..pattern("p", "key=(?<mask>[a-z]{8})")
    };
    assert_eq!(
        masked(&[secret(Style::Stars)], "key=abcdefgh"),
        "key=********"
    );
    assert_eq!(masked(&[secret(Style::Remove)], "key=abcdefgh!"), "key=!");
}

#[test]
fn a_match_without_an_end_is_replaced_whole() {
    let text = format!("key={} and", "a".repeat(5000));
    assert_eq!(
        spans(
            &Matcher::new(&[pattern("p", "key=(?<mask>[a-z]+)")]).unwrap(),
            [text.as_bytes()]
        )
        .first()
        .map(|(from, _, _)| *from),
        Some(0)
    );
    let text = format!("key={} and", "a".repeat(3000));
    assert_eq!(
        masked(&[pattern("p", "key=(?<mask>[a-z]+)")], &text),
        "key=[P] and"
    );
}

#[test]
fn an_expression_may_be_too_large_for_a_group() {
    let large = "(?<mask>[a-z]{1,50}-){1,80}";
    let error = Matcher::new(&[pattern("p", large)]).unwrap_err();
    assert!(error.reason.contains("too large for a group"), "{error}");
    assert!(Matcher::new(&[pattern("p", &large.replace("?<mask>", ""))]).is_ok());
}

/// The expression in an matcher with groups.
pub(super) fn regex(expression: &str) -> Regex {
    let syntax = syntax::Config::new().unicode(false).utf8(false);
    let config = Regex::config().utf8_empty(false);
    let builder = &mut Regex::builder();
    let builder = builder.syntax(syntax).configure(config);
    builder.build(expression).unwrap()
}

/// What is replaced, as an matcher with groups has it that is asked at every position.
pub(super) fn oracle(
    regex: &Regex,
    text: &[u8],
    mut at: usize,
    whole: bool,
    out: &mut Vec<(usize, usize)>,
) {
    let inside = |text: &[u8], at: usize| text.get(at).copied().is_some_and(is_continuation);
    while at < text.len() {
        let mut captures = regex.create_captures();
        let input = Input::new(text).range(at..).anchored(Anchored::Yes);
        if !inside(text, at) {
            regex.search_captures(&input, &mut captures);
        }
        let Some(found) = captures.get_match().filter(|found| !found.is_empty()) else {
            at += 1;
            continue;
        };
        let behind = |mut end: usize| {
            while inside(text, end) {
                end += 1;
            }
            end
        };
        let group = captures
            .get_group_by_name("mask")
            .filter(|group| !whole && !group.is_empty());
        let (mut from, to) = group.map_or((at, found.end()), |group| (group.start, group.end));
        while from > at && inside(text, from) {
            from -= 1;
        }
        if from > at {
            oracle(regex, &text[..from], at, true, out);
        }
        at = behind(to);
        out.push((from, at - from));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn random_groups_are_found_as_by_an_engine_with_groups(
        (before, group, after) in (expression(), expression(), expression()),
        fragments in proptest::collection::vec(
            proptest::sample::select(vec!["a", "b", "ab", "key", " ", "-", "=", "é", "\n", "c", "_"]),
            1..10,
        ),
        seed in any::<u64>(),
    ) {
        let expression = format!("(?:{before})(?<mask>{group})(?:{after})");
        let matcher = Matcher::new(&detections(&[&expression])).unwrap();
        let regex = regex(&expression);
        let (hir, _) = super::super::expression::parse(&expression).unwrap();
        let mut text = fragments.concat().into_bytes();
        let mut chance = Chance::new(seed);
        for fragment in &fragments {
            sample(&hir, &mut chance, &mut text);
            text.extend_from_slice(fragment.as_bytes());
        }
        text.truncate(120);
        // A backslash in front of a letter is read as what it stands for.
        text.retain(|byte| *byte != b'\\');
        let mut expected = Vec::new();
        oracle(&regex, &text, 0, false, &mut expected);
        let spans = |matches: Matches| -> Vec<(usize, usize)> {
            matches.into_iter().map(|(at, len, _)| (at, len)).collect()
        };
        prop_assert_eq!(&spans(found(&matcher, [text.as_slice()])), &expected, "{}", expression);
        prop_assert_eq!(&spans(found(&matcher, text.chunks(1))), &expected, "{}", expression);
        prop_assert_eq!(&spans(found(&matcher, text.chunks(7))), &expected, "{}", expression);
    }
}
