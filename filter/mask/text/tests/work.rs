//! How much is looked at for a byte of hostile text.

use super::*;
use crate::window::steps;

/// Bytes that the detectors look at, for each byte of the text.
fn work(matcher: &Matcher, text: &[u8], piece: usize) -> usize {
    steps::take();
    mask(matcher, text.chunks(piece));
    steps::take() / text.len()
}

#[test]
fn the_work_on_hostile_text_is_bounded_per_byte() {
    let matcher = Matcher::new(&everything(Style::Label)).unwrap();
    let hostile = [
        "a",
        "1",
        "4",
        "-",
        ":",
        ".",
        "a.",
        "1 ",
        "4111 ",
        "4111-1111 ",
        "1:",
        "f:",
        "1.",
        "a@",
        "a@b.",
        "a@b-",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----\n",
        "eyJ",
        "eyJhbGciOiJIUzI1NiJ9.",
        "sk-",
        "ghp_a ",
        "DE89 ",
        "DE89370400440532013 ",
        "q",
        "qabc",
        "k",
        "over",
        "jane ",
        "Jane Do",
        "E-1",
        "\\n",
        "_",
        "é",
        "xoxe.",
    ];
    for unit in hostile {
        let text = unit.repeat(100_000 / unit.len());
        let at_once = work(&matcher, text.as_bytes(), usize::MAX);
        assert!(at_once <= 150, "{at_once} steps a byte for {unit:?}");
        let in_bytes = work(&matcher, &text.as_bytes()[..20_000], 1);
        assert!(
            in_bytes <= 1000,
            "{in_bytes} steps a byte for single bytes of {unit:?}"
        );
    }
}
