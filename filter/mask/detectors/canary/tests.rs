use crate::Matcher;
use crate::detectors::tests::mask;
use crate::matcher::MAX_BEHIND_BYTES;
use crate::policy::{Detection, Detector, Style};
use crate::window::steps;

fn canaries(name: &str, strings: &[&str]) -> Detection {
    Detection {
        detector: Detector::Canaries {
            name: name.to_owned(),
            strings: strings.iter().map(|one| (*one).to_owned()).collect(),
            label: name.to_ascii_uppercase(),
        },
        style: Style::Label,
    }
}

fn check(matcher: &Matcher, text: &str, masked: &str) {
    let bytes = text.as_bytes();
    let mask = |pieces: &[&[u8]]| String::from_utf8(mask(matcher, pieces.to_vec())).unwrap();
    for first in 0..=bytes.len() {
        let (head, tail) = bytes.split_at(first);
        assert_eq!(mask(&[head, tail]), masked, "{text:?} at {first}");
    }
    let each: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(mask(&each), masked, "{text:?} by bytes");
}

#[test]
fn canaries_are_found_however_they_are_spaced_and_cased() {
    let matcher = Matcher::new(&[canaries(
        "leak",
        &[
            "zebra-7-quartz",
            "Zebra7quartz9",
            "héron bleu 42",
            r"C:\new\path",
            "aaaaaaaab",
        ],
    )])
    .unwrap();
    let cases = [
        ("so zebra-7-quartz.", "so [LEAK]."),
        ("xZEBRA-7-QuartzY", "x[LEAK]Y"),
        ("z e b r a - 7 - q u a r t z", "[LEAK]"),
        ("z-e-b-r-a-7-q-u-a-r-t-z!", "[LEAK]!"),
        ("zebra7quartz", "[LEAK]"),
        // The longest, also where another one ends before it.
        ("zebra7quartz9 zebra-7-quartz 9", "[LEAK] [LEAK]"),
        ("ze\u{200b}bra\u{2011}7\u{ad}qua\nrtz", "[LEAK]"),
        ("zebra---7----quartz", "[LEAK]"),
        ("zebra-----7-quartz", "zebra-----7-quartz"),
        (r"zeb\nra-7\t-quartz", "[LEAK]"),
        ("HéRON bleu 42, hÉron bleu 42", "[LEAK], hÉron bleu 42"),
        (r"at C:\new\path", "at [LEAK]"),
        (r"at C: \new\ path", "at [LEAK]"),
        ("zebra-8-quartz zebra", "zebra-8-quartz zebra"),
        ("zzebra-7-quartz", "z[LEAK]"),
        ("aaaaaaaaaaab", "aaa[LEAK]"),
        ("- zebra-7-quartz -", "- [LEAK] -"),
    ];
    for (text, masked) in cases {
        check(&matcher, text, masked);
    }
}

#[test]
fn the_first_of_two_detectors_wins() {
    let matcher = Matcher::new(&[
        canaries("one", &["abcdefgh"]),
        canaries("two", &["abcdefghij", "12345678"]),
    ])
    .unwrap();
    check(&matcher, "abcdefghij 1234 5678", "[ONE]ij [TWO]");
}

#[test]
fn what_is_too_short_too_long_or_too_wide_is_refused() {
    let error = |string: &str| {
        let error = Matcher::new(&[canaries("leak", &["a fine canary", string])]).unwrap_err();
        assert_eq!(error.detector, "leak");
        error.reason
    };
    assert!(error("seven77").starts_with("a canary has 7 bytes, 7 of them"));
    assert!(error("a-b-c-d-e").starts_with("a canary has 9 bytes, 5 of them"));
    assert!(error(&"x".repeat(257)).contains("at most 256"));
    assert!(error("abcd         efgh").contains("9 bytes of white space and dashes in a row"));
}

#[test]
fn what_waits_is_bounded_and_the_work_is_linear() {
    let long = "ab".repeat(128);
    let matcher = Matcher::new(&[canaries("leak", &[&long, "abababababcd    efgh"])]).unwrap();
    assert_eq!(
        matcher.max_pending(),
        256 * (4 + 3 + 1) + 3 + MAX_BEHIND_BYTES
    );
    let wide: String = long.chars().flat_map(|c| [c, '-', ' ']).collect();
    let wide = wide.trim_end_matches(['-', ' ']);
    assert_eq!(mask(&matcher, [wide.as_bytes()]), b"[LEAK]");
    for text in ["a", "ab", "a-b ", "a       ", "ababababab-"] {
        let text = text.repeat((64 << 10) / text.len());
        steps::take();
        mask(&matcher, text.as_bytes().chunks(16 << 10));
        let each = steps::take() / text.len();
        assert!(each <= 3 * 256 * 2, "{each} steps a byte");
    }
    let plain = Matcher::new(&[canaries("leak", &["zebra-7-quartz"])]).unwrap();
    let prose = "Every zealous ghost of the old harbour fed a zebra and left. ".repeat(100);
    steps::take();
    assert_eq!(mask(&plain, [prose.as_bytes()]), prose.as_bytes());
    let each = steps::take() / prose.len();
    assert!(each <= 2, "{each} steps a byte");
}
