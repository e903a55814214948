use super::*;
use crate::mask::window::steps;

/// The error of an expression.
fn refused(text: &str) -> String {
    Engine::new(&[pattern("mine", text)]).unwrap_err().reason
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

#[test]
fn an_endless_match_is_masked_as_far_as_it_is_followed() {
    for text in ["x[a-z]*!", "x[a-z]{3,}", "-?x[a-z]+"] {
        let patterns = [text, "[0-9]+"];
        let engine = Engine::new(&detections(&patterns)).unwrap();
        let references = patterns.map(Reference::new);
        for len in [4093, 4094, 4095, 4096, 4097, 5000] {
            for end in ["", "!", " "] {
                let text = format!("a 12 x{}{end} b 7", "y".repeat(len));
                let expected = expected(&references, text.as_bytes());
                for size in [1000, 4096, 4101, text.len()] {
                    let pieces = text.as_bytes().chunks(size);
                    assert_eq!(found(&engine, pieces), expected, "{len} {end} {size}");
                }
                if len >= 4097 {
                    assert!(expected.contains(&(5, 4096, 0)));
                }
            }
        }
        assert!(engine.max_pending() <= 4096 + 5);
    }
}

#[test]
fn prose_waits_for_what_could_be_a_match_only() {
    let engine = Engine::new(&detections(&[
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
        text.push(&engine, &[byte], &mut Nothing);
        let (seen, _) = prose.split_at(index + 1);
        let word = seen.len() - seen.rfind(' ').map_or(0, |at| at + 1);
        assert!(text.pending() <= word, "{} after {seen}", text.pending());
    }
}

/// The bytes that are looked at for each byte of 64 KiB of a text.
fn steps_for(engine: &Engine, text: &str) -> usize {
    let text = text.repeat((64 << 10) / text.len() + 1);
    steps::take();
    found(engine, text.as_bytes().chunks(16 << 10));
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
    let engine = Engine::new(&detections(&patterns)).unwrap();
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
        let steps = steps_for(&engine, text);
        assert!(steps <= 300, "{steps} steps a byte for {text}");
    }
    // An endless one is followed from each place where it may begin, for its bound and no more.
    let engine = Engine::new(&detections(&["curl .*! -u"])).unwrap();
    let steps = steps_for(&engine, "curl ");
    assert!(steps <= 2 * 4096 / 5 + 10, "{steps} steps a byte");
}
