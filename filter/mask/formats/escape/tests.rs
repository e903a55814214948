use super::{Unescape, Unit, write};

/// What the content reads as, and what of it was taken for escapes; alike for every split.
fn read(content: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let pieces = |cuts: &[usize]| {
        let (mut raw_seen, mut decoded_seen): (Vec<u8>, Vec<u8>) = Default::default();
        let mut escapes = Vec::new();
        let mut unescape = Unescape::default();
        let mut emit = |unit: Unit<'_>| match unit {
            Unit::Plain(bytes) => {
                raw_seen.extend(bytes);
                decoded_seen.extend(bytes);
            }
            Unit::Escape { raw, decoded } => {
                raw_seen.extend(raw);
                decoded_seen.extend(decoded);
                escapes.push(raw.to_vec());
            }
        };
        let mut from = 0;
        for cut in cuts.iter().copied().chain([content.len()]) {
            unescape.push(&content[from..cut], &mut emit);
            assert!(unescape.held() < 12);
            from = cut;
        }
        unescape.finish(&mut emit);
        assert_eq!(raw_seen, content, "every byte comes out, in its order");
        (decoded_seen, escapes)
    };
    let whole = pieces(&[]);
    for first in 0..=content.len() {
        for second in first..=content.len() {
            assert_eq!(pieces(&[first, second]), whole);
        }
    }
    whole
}

fn decoded(content: &str) -> String {
    String::from_utf8(read(content.as_bytes()).0).expect("the content reads as UTF-8")
}

#[test]
fn escapes_read_as_what_they_stand_for() {
    assert_eq!(
        decoded(r#"a\"\\\/\b\f\n\r\t\u0040\u00e9\u20AC\uD83D\uDE00z"#),
        "a\"\\/\u{8}\u{c}\n\r\t@é€😀z"
    );
}

#[test]
fn what_is_no_escape_means_itself() {
    for content in [r"\x41", r"\u12", r"\u12G4", r"\", r"\u", r"\u004", r"\é"] {
        let (decoded, escapes) = read(content.as_bytes());
        assert_eq!(decoded, content.as_bytes());
        assert!(escapes.is_empty());
    }
    assert_eq!(decoded(r"\u00\u0040"), r"\u00@");
    assert_eq!(decoded(r"\x\n"), "\\x\n");
}

#[test]
fn a_lone_surrogate_is_an_escape_that_no_text_contains() {
    for content in [
        r"\ud83d",
        r"\ude00",
        r"\ud83dx",
        r"\ud83d\n",
        r"\ud83d\u0041",
        r"\ud83d\u00",
        r"\ud83d\ud83d\ude00",
        r"\ud83d\x",
    ] {
        let (decoded, escapes) = read(content.as_bytes());
        assert!(
            std::str::from_utf8(&decoded).is_err(),
            "{content} reads as text"
        );
        assert!(escapes.iter().any(|raw| raw.len() == 6));
    }
    assert!(read(br"\ud83d\u0041").0.ends_with(b"A"));
    assert!(read(br"\ud83d\n").0.ends_with(b"\n"));
    assert!(read(br"\ud83d\ud83d\ude00").0.ends_with("😀".as_bytes()));
}

#[test]
fn what_is_written_reads_as_the_text() {
    let text = "plain \"quoted\" \\ \n\u{0}\u{1f} é😀";
    let mut out = Vec::new();
    write(text, &mut out);
    let quoted = format!("\"{}\"", String::from_utf8(out).expect("UTF-8"));
    assert_eq!(
        serde_json::from_str::<String>(&quoted).ok().as_deref(),
        Some(text)
    );
}
