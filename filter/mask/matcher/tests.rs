use super::*;
use crate::detectors::tests::{Output, built_ins, mask_str, pattern, words};
use crate::policy::Style;
use crate::{Sink, Text};

fn matcher(detections: &[Detection]) -> Matcher {
    Matcher::new(detections).unwrap()
}

fn error(detection: Detection) -> DetectorError {
    Matcher::new(&[detection]).unwrap_err()
}

#[test]
fn what_cannot_be_bounded_or_compiled_is_refused_by_name() {
    let reasons = [
        ("a{0,5000}", "5000 bytes"),
        ("(?:a{1,100}){1,100}", "10000 bytes"),
        ("(", "unclosed"),
        (r"\p{Greek}", "Unicode"),
    ];
    for (text, reason) in reasons {
        let error = error(pattern("mine", text));
        assert_eq!(error.detector, "mine");
        assert!(error.reason.contains(reason), "{text}: {}", error.reason);
    }
    for list in [["fine", ""], ["fine", &"x".repeat(4097)]] {
        assert!(error(words("list", &list)).reason.contains("1 to 4096"));
    }
    let unknown = error(Detection {
        detector: Detector::BuiltIn("shoe_size"),
        style: Style::Label,
    });
    assert_eq!(
        unknown.to_string(),
        "detector shoe_size: there is no built-in detector of this name"
    );
}

#[test]
fn the_longest_that_is_allowed_is_matched() {
    let matcher = matcher(&[
        pattern("long", "x[a-z]{0,4095}"),
        words("list", &[&"y".repeat(4096)]),
    ]);
    let text = format!(
        "{} x{} {}",
        "y".repeat(4096),
        "a".repeat(4095),
        "y".repeat(4097)
    );
    assert_eq!(
        mask_str(&matcher, &text),
        format!("[LIST] [LONG] {}", "y".repeat(4097))
    );
}

#[test]
fn a_mask_without_detectors_keeps_everything_at_once() {
    let matcher = matcher(&[]);
    let mut output = Output::default();
    let mut text = Text::default();
    output.push(&matcher, &mut text, b"jane@example.com");
    assert_eq!(text.pending(), 0);
    assert_eq!(output.written, b"jane@example.com");
    assert_eq!(matcher.max_pending(), 0);
}

#[test]
fn the_leftmost_wins_and_then_the_built_ins_and_then_the_order_of_the_policy() {
    let own = [
        words("first", &["E-1234", "1.1.1.1"]),
        pattern("second", "E-[0-9]{4}x?|a@b|see [0-9.]{1,6}"),
        words("third", &["E-1234x"]),
    ];
    let mut detections = own.to_vec();
    detections.extend(built_ins(Style::Label));
    let matcher = matcher(&detections);
    assert_eq!(mask_str(&matcher, "E-1234 1.1.1.1"), "[FIRST] [IP]");
    assert_eq!(mask_str(&matcher, "a@b.co a@b"), "[EMAIL] [SECOND]");
    assert_eq!(mask_str(&matcher, "E-1234x"), "[SECOND]");
    assert_eq!(mask_str(&matcher, "see 1.1.1.1"), "[SECOND]1");
}

#[test]
fn a_detector_is_named_as_the_policy_names_it() {
    #[derive(Default)]
    struct Names(Vec<usize>);
    impl Sink for Names {
        fn keep(&mut self, _len: usize) {}
        fn replace(&mut self, _len: usize, _with: &str, detector: usize) {
            self.0.push(detector);
        }
    }
    let mut detections = vec![pattern("employee", "E-[0-9]{4}")];
    detections.extend(built_ins(Style::Label));
    let matcher = matcher(&detections);
    let mut names = Names::default();
    let mut text = Text::default();
    text.push(&matcher, b"jane@example.com E-1234 ", &mut names);
    text.finish(&matcher, &mut names);
    let names: Vec<&str> = names
        .0
        .iter()
        .map(|index| matcher.detector_name(*index))
        .collect();
    assert_eq!(names, ["email", "employee"]);
    assert_eq!(matcher.detector_name(usize::MAX), "");
}

#[test]
fn patterns_know_what_stands_around_them() {
    let matcher = matcher(&[
        pattern("word", r"\bE-[0-9]{4}\b"),
        pattern("inside", r"\Bzz"),
        pattern("line", r"(?m:^)From.{1,5}(?m:$)"),
        pattern("end", r"bye\z"),
        pattern("start", r"\Ahello"),
        pattern("empty", "[0-9]{0,2}#?"),
    ]);
    let cases = [
        (
            "E-1234, xE-1234 E-12345",
            "[WORD], xE-[EMPTY][EMPTY] E-[EMPTY][EMPTY][EMPTY]",
        ),
        // In JSON inside a string, a line break is written with a letter.
        (r"a\nE-1234", r"a\n[WORD]"),
        ("zz xzz", "zz x[INSIDE]"),
        ("From a\nFrom b c\nso From d", "[LINE]\n[LINE]\nso From d"),
        ("bye bye", "bye [END]"),
        ("hello hello", "[START] hello"),
        ("#", "[EMPTY]"),
    ];
    for (text, masked) in cases {
        assert_eq!(mask_str(&matcher, text), masked, "{text}");
    }
}

#[test]
fn a_pattern_never_cuts_a_character() {
    let matcher = matcher(&[
        pattern("any", "caf.|\u{65e5}.|x."),
        pattern("half", r"\xa9|\xc3[a-z]"),
    ]);
    for (text, masked) in [
        ("café!", "[ANY]!"),
        ("日本語", "[ANY]語"),
        ("x🔑", "[ANY]"),
        ("é", "é"),
    ] {
        assert_eq!(mask_str(&matcher, text), masked);
    }
}

#[test]
fn words_are_matched_whole_whatever_their_case() {
    let matcher = matcher(&[words(
        "list",
        &["Acme", "acme corp", "C++", "Müller", ".net", "zoé", "R&D"],
    )]);
    let cases = [
        ("ACME acme corp Acme Corps", "[LIST] [LIST] [LIST] Corps"),
        (
            "acmes pacme _acme acme_ acme-x",
            "acmes pacme _acme acme_ [LIST]-x",
        ),
        ("C++ c++11 xC++", "[LIST] [LIST]11 xC++"),
        ("in ASP.NET, .Net", "in ASP[LIST], [LIST]"),
        ("MüLLER MÜLLER zoé!", "[LIST] MÜLLER [LIST]!"),
        ("在Acme工作", "在[LIST]工作"),
        (r"\nAcme C:\nacme", r"\n[LIST] C:\n[LIST]"),
        ("r&d r&dx", "[LIST] r&dx"),
        ("acme cor", "[LIST] cor"),
    ];
    for (text, masked) in cases {
        assert_eq!(mask_str(&matcher, text), masked, "{text}");
    }
}

#[test]
fn thousands_of_words_are_each_found() {
    let list: Vec<String> = (0..5000).map(|i| format!("name{i} of {}", i * 7)).collect();
    let refs: Vec<&str> = list.iter().map(String::as_str).collect();
    let matcher = matcher(&[words("list", &refs)]);
    for word in &list {
        assert_eq!(
            mask_str(&matcher, &format!("a {word} b {word}9")),
            format!("a [LIST] b {word}9")
        );
    }
}

#[test]
fn a_number_that_can_be_no_card_does_not_wait() {
    let matcher = matcher(&[Detection {
        detector: Detector::BuiltIn("credit_card"),
        style: Style::Label,
    }]);
    // Behind a group of two digits comes no other; no network's numbers begin like the second; a
    // date.
    for (text, waits) in [
        ("in 21 ", 0),
        ("in 2993 26", 2),
        ("in 2024-12-", 0),
        ("in 4111 ", 5),
        ("in 411", 3),
        ("4222 2222 2222 2-", 17),
    ] {
        let mut output = Output::default();
        let mut state = Text::default();
        output.push(&matcher, &mut state, text.as_bytes());
        assert_eq!(state.pending(), waits, "{text:?}");
    }
}
