mod gitleaks;
mod limits;
mod part;
mod random;

use super::reference::Reference;
use crate::detectors::detect::Detect;
use crate::detectors::tests::pattern;
use crate::policy::Detection;
use crate::window::{Behind, Miss, Window};
use crate::{Matcher, Sink, Text};

/// Of each match where it begins, how long it is, and the place of its detector.
type Matches = Vec<(usize, usize, usize)>;

fn detections(patterns: &[&str]) -> Vec<Detection> {
    let numbered = patterns.iter().enumerate();
    numbered
        .map(|(index, text)| pattern(&format!("p{index}"), text))
        .collect()
}

/// What the groups find in pieces of a text.
fn found<'a>(matcher: &Matcher, pieces: impl IntoIterator<Item = &'a [u8]>) -> Matches {
    #[derive(Default)]
    struct Spans {
        at: usize,
        found: Matches,
    }
    impl Sink for Spans {
        fn keep(&mut self, len: usize) {
            self.at += len;
        }
        fn replace(&mut self, len: usize, _with: &str, detector: usize) {
            self.found.push((self.at, len, detector));
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

/// What is found by asking each expression by itself at each position.
fn expected(patterns: &[Reference], text: &[u8]) -> Matches {
    let mut matches = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let window = Window {
            behind: Behind::default().then(text, at),
            bytes: &text[at..],
            last: true,
        };
        let mut each = patterns.iter().enumerate();
        let hit = each.find_map(|(index, one)| {
            if matches!(text[at], 0x80..=0xbf) {
                return None;
            }
            match one.find(&window) {
                Ok(hit) => {
                    let rest = &text[at + hit.len..];
                    let tail = hit.tail.map_or(0, |tail| tail.eat(rest, true).0);
                    Some((index, hit.len + tail))
                }
                Err(Miss::No) => None,
                Err(Miss::More) => panic!("nothing follows"),
            }
        });
        match hit {
            Some((index, len)) => {
                matches.push((at, len, index));
                at += len;
            }
            None => at += 1,
        }
    }
    matches
}

/// Checks a text against the reference, whole, byte by byte and at every split.
fn check(matcher: &Matcher, references: &[Reference], text: &[u8]) {
    let shown = String::from_utf8_lossy(text);
    let expected = expected(references, text);
    assert_eq!(found(matcher, [text]), expected, "{shown:?}");
    assert_eq!(
        found(matcher, text.chunks(1)),
        expected,
        "{shown:?} by bytes"
    );
    for at in 1..text.len() {
        let (head, tail) = text.split_at(at);
        assert_eq!(found(matcher, [head, tail]), expected, "{shown:?} at {at}");
    }
}

fn check_all(patterns: &[&str], texts: &[&str]) {
    let matcher = Matcher::new(&detections(patterns)).unwrap();
    let references: Vec<Reference> = patterns.iter().map(|one| Reference::new(one)).collect();
    for text in texts {
        check(&matcher, &references, text.as_bytes());
    }
}

#[test]
fn the_groups_find_what_each_expression_finds_by_itself() {
    let patterns = [
        r"(?i)[\w.-]{0,10}?(?:key|token)[ \t]{0,3}[=:][ ]{0,2}([a-z0-9]{6,12})(?:[\s;]|$)",
        r"\bE-[0-9]{4,6}\b",
        r"[a-z]{1,4}@b",
        r"(?:foo|[0-9]{1,3})-bar",
        r"x{0,3}\bfoo",
        r"[a-z\\]{0,4}\Bbar",
        r".{0,6}zzz",
        r"ab|abc|abcd",
        r"k+?l*m",
        r"(?m:^)From.{1,5}(?m:$)",
        r"é.|caf.",
        r"\bpre[0-9a-f]{8}(?:[^0-9a-f]|\z)",
        r"[0-9]{0,2}#?",
        r"q[^z]*z",
    ];
    let texts = [
        "my API_key = abcdef12; and token:zzz tokens: abcdefgh\n",
        "akeykeykey=abcdef\nkey=abcdefabcdefabcdef",
        "the auth.token = abc123 E-1234, xE-1234 E-12345",
        "foo xfoo xxfoo xxxx\\nfoo xx\\tfoo nfoo-bar 12-bar 1234-bar",
        "\\nbar a\\nbar bar abar abcd\\bar \\\\nbar",
        "azzz aaaaaaaaaazzz zzzz zz",
        "jane@b a@b abcde@b @b é! café cafés",
        "From a\nFrom b c\nso From d\nFrom",
        "pre0123abcd pre0123abcde pre0123abcd",
        "kkkllm klm km kl m qqqq q z",
        "key = abcdef1",
        "日本key=abcdef ékey=abcdef1 ",
    ];
    check_all(&patterns, &texts);
    // And each by itself, so that none is found only because another one was looked for.
    for pattern in patterns {
        check_all(&[pattern], &texts);
    }
}

#[test]
fn words_in_front_decide_where_they_are_asked_for() {
    let near = |words: &[&str], pattern: &str| {
        let mut detection = super::super::tests::pattern("id", pattern);
        if let crate::policy::Detector::Pattern { near, .. } = &mut detection.detector {
            *near = words.iter().map(|word| (*word).to_owned()).collect();
        }
        detection
    };
    let cases = [
        ("Badge 123456", "Badge [ID]"),
        ("the BADGE no. 123456", "the BADGE no. [ID]"),
        ("123456 badge", "123456 badge"),
        ("badges 123456", "badges 123456"),
        ("embadge 123456", "embadge 123456"),
        ("badge123456", "badge[ID]"),
        ("employee no: 123456", "employee no: [ID]"),
        (r"{\nbadge: 123456", r"{\nbadge: [ID]"),
        // Both see the word.
        ("badge 123456 234567", "badge [ID] [ID]"),
    ];
    // Found by its first bytes, and by what follows a lead.
    for pattern in ["[0-9]{6}", "[0-9]{0,5}6|[0-9]{0,5}7"] {
        let matcher = Matcher::new(&[near(&["badge", "employee no"], pattern)]).unwrap();
        for (text, masked) in cases {
            for size in 1..=text.len() {
                let pieces = text.as_bytes().chunks(size);
                let written = super::super::tests::mask(&matcher, pieces);
                assert_eq!(String::from_utf8(written).unwrap(), masked, "{size}");
            }
        }
    }
    let matcher = Matcher::new(&[near(&["badge"], "[0-9]{6}")]).unwrap();
    for (between, masked) in [(58, true), (59, true), (60, false), (200, false)] {
        let text = format!("badge{}123456", ".".repeat(between));
        let found = !found(&matcher, [text.as_bytes()]).is_empty();
        assert_eq!(found, masked, "{between}");
    }
}
