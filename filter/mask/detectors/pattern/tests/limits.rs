use super::*;
use crate::matcher::MAX_BEHIND_BYTES;
use crate::window::steps;

/// The error of an expression.
fn refused(text: &str) -> String {
    Matcher::new(&[pattern("mine", text)]).unwrap_err().reason
}

#[test]
fn what_is_too_long_or_too_large_is_refused() {
    assert_eq!(
        refused("a{0,5000}"),
        "its longest match has 5000 bytes, but 4096 is the most"
    );
    let large: Vec<String> = ('a'..='z').map(|c| format!("{c}[a-z]{{0,4000}}")).collect();
    assert!(refused(&large.join("|")).starts_with("it is too large"));
    assert!(refused(&format!("{}a*{}", "(?:".repeat(120), ")*".repeat(120))).contains("nest"));
    assert!(refused("(").contains("unclosed"));
    // What would multiply without end is counted, not made.
    assert!(refused("(?:(?:(?:a*){1000}){1000}){1000}").starts_with("it is too large"));
}

/// Matches of one detector that follow on each other are one: a long one is told of in parts.
fn joined(matches: Matches) -> Matches {
    let mut all = Matches::new();
    for (at, len, detector) in matches {
        match all.last_mut() {
            Some(last) if last.0 + last.1 == at && last.2 == detector => last.1 += len,
            _ => all.push((at, len, detector)),
        }
    }
    all
}

#[test]
fn an_endless_match_is_masked_as_far_as_it_is_followed_and_the_word_to_its_end() {
    for (text, longest) in [
        ("x[a-z ]*!", 4096),
        ("x[a-z]{3,}", usize::MAX),
        (r"\bx[a-z]{3,}\b", usize::MAX),
        ("-?x[a-z]+", usize::MAX),
    ] {
        let patterns = [text, "[0-9]+"];
        let matcher = Matcher::new(&detections(&patterns)).unwrap();
        let references = patterns.map(Reference::new);
        for len in [4093, 4094, 4095, 4096, 4097, 4200, 9000] {
            for end in ["", "!", " "] {
                let text = format!("a 12 x{}{end} b 7", "y".repeat(len));
                let expected = joined(expected(&references, text.as_bytes()));
                for size in [1000, 4096, 4101, text.len()] {
                    let found = joined(found(&matcher, text.as_bytes().chunks(size)));
                    assert_eq!(found, expected, "{len} {end} {size}");
                }
                if len > 4096 {
                    let word = len + 1 + usize::from(end == "!");
                    assert!(expected.contains(&(5, word, 0)), "{expected:?}");
                }
            }
        }
        let spaced = format!("x{}", "yyy ".repeat(3000));
        let masked = found(&matcher, [spaced.as_bytes()]);
        if longest == 4096 {
            assert_eq!(joined(masked), [(0, 4096, 0)]);
        }
        assert!(matcher.max_pending() <= 4096 + 5 + MAX_BEHIND_BYTES);
    }
}

#[test]
fn prose_waits_for_what_could_be_a_match_only() {
    let matcher = Matcher::new(&detections(&[
        r"(?i)[\w.-]{0,50}?(?:password|token)[ \t]{0,9}[=:]\S{8,40}",
        r"\bghp_[0-9a-zA-Z]{36}",
        r"\b[a-f0-9]{40}\b",
    ]))
    .unwrap();
    let prose = "Every ghost of the old harbour wrote a letter, fed the cat and left. ".repeat(20);
    struct Nothing;
    impl Sink for Nothing {
        fn keep(&mut self, _len: usize) {}
        fn replace(&mut self, _len: usize, _with: &str, _detector: usize) {
            panic!("nothing to mask");
        }
    }
    let mut text = Text::default();
    for (index, byte) in prose.bytes().enumerate() {
        text.push(&matcher, &[byte], &mut Nothing);
        let (seen, _) = prose.split_at(index + 1);
        let word = seen.len() - seen.rfind(' ').map_or(0, |at| at + 1);
        assert!(text.pending() <= word, "{} after {seen}", text.pending());
    }
}

/// The bytes that are looked at for each byte of 64 KiB of a text.
fn steps_for(matcher: &Matcher, text: &str) -> usize {
    let text = text.repeat((64 << 10) / text.len() + 1);
    steps::take();
    found(matcher, text.as_bytes().chunks(16 << 10));
    steps::take() / text.len()
}

#[test]
fn candidates_that_never_complete_cost_no_more_the_more_there_are() {
    let patterns = [
        r"(?i)[\w.-]{0,50}?(?:password|token)[ \t]{0,9}[=:]\S{8,40};",
        r"\bghp_[0-9a-zA-Z]{36}",
        r"\b[a-f0-9]{40}\b",
        r"[a-z]{1,20}@[a-z]{1,20}\.com",
    ];
    let matcher = Matcher::new(&detections(&patterns)).unwrap();
    for text in [
        "ghp_",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789-"
            .get(..30)
            .unwrap(),
        "token",
        "token = ",
        "tokentokentokentokentoken:aaaaaaa ",
        "password: password: ",
        "0123456789abcdef",
        "a@",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "e",
    ] {
        let steps = steps_for(&matcher, text);
        assert!(steps <= 300, "{steps} steps a byte for {text}");
    }
    // An endless one is followed from each place where it may begin, for its bound and no more.
    let matcher = Matcher::new(&detections(&["curl .*! -u"])).unwrap();
    for text in ["curl ".to_owned(), "curl ".repeat(800) + "\n"] {
        let steps = steps_for(&matcher, &text);
        assert!(steps <= 4096 / 5 + 10, "{steps} steps a byte");
    }
}
