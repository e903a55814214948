use proptest::prelude::*;

use super::super::tests::{mask, masked_text, try_pieces};
use super::super::{Format, WalkError};
use super::Boundary;

fn format() -> Format {
    Format::Multipart(Boundary::new(b"xYz").expect("a boundary"))
}

fn part(headers: &str, content: &str) -> String {
    format!("\r\n--xYz\r\n{headers}\r\n\r\n{content}")
}

const JSON: &str =
    "Content-Type: application/json; charset=utf-8\r\nContent-Disposition: form-data; name=\"a\"";

#[test]
fn each_part_is_masked_by_its_own_type() {
    let body = |mail: &str, escaped: &str| {
        [
            format!("preamble of {mail}"),
            part(JSON, &format!("{{\"a\":\"{escaped}\"}}")),
            part("Content-Disposition: form-data; name=\"b\"", mail),
            part(
                "content-type: TEXT/HTML",
                &format!("<p>{mail}</p>\r\n--xY\r\n-- xYz"),
            ),
            part(
                "content-type: image/png",
                "\u{1}alice@example.com\r\n--xYzz\r\n",
            ),
            "\r\n--xYz--\r\nepilogue of ".to_owned() + mail,
        ]
        .concat()
    };
    assert_eq!(
        masked_text(
            &mask(),
            format(),
            &body("alice@example.com", r"alice\u0040example.com")
        ),
        body("[EMAIL]", "[EMAIL]")
    );
}

#[test]
fn names_of_fields_and_files_are_masked() {
    let body = |mail: &str| {
        let head =
            format!("Content-Disposition: form-data; name=\"of {mail}\"; filename=\"of {mail}\"");
        [part(&head, "a"), "\r\n--xYz--\r\n".to_owned()].concat()
    };
    assert_eq!(
        masked_text(&mask(), format(), &body("alice@example.com")),
        body("[EMAIL]")
    );
}

#[test]
fn a_body_may_begin_with_a_delimiter_and_parts_may_be_empty() {
    for (said, seen) in [
        (
            "--xYz\r\n\r\na@b.io\r\n--xYz--",
            "--xYz\r\n\r\n[EMAIL]\r\n--xYz--",
        ),
        (
            "--xYz\n\na@b.io\n--xYz  \n\n--xYz--\n",
            "--xYz\n\n[EMAIL]\n--xYz  \n\n--xYz--\n",
        ),
        (
            "--xYz\r\n\r\n--xYz\r\n\r\na@b.io",
            "--xYz\r\n\r\n--xYz\r\n\r\n[EMAIL]",
        ),
        (
            "--xYzz\r\n--xYz\r\ncontent-type: image/png\r\n\r\na@b.io\r\n--xYz--",
            "--xYzz\r\n--xYz\r\ncontent-type: image/png\r\n\r\na@b.io\r\n--xYz--",
        ),
        (
            "--xYz--\r\n--xYz\r\ncontent-type: image/png\r\n\r\na@b.io",
            "--xYz--\r\n--xYz\r\ncontent-type: image/png\r\n\r\n[EMAIL]",
        ),
        ("a@b.io", "[EMAIL]"),
        ("\r\n\r\n-", "\r\n\r\n-"),
        ("", ""),
    ] {
        assert_eq!(masked_text(&mask(), format(), said), seen, "{said:?}");
    }
}

#[test]
fn lengths_of_parts_go() {
    let said = part(
        "Content-Length: 7\r\ncontent-MD5: x\r\ncontent-type: text/plain",
        "a@b.io",
    );
    let seen = part("content-type: text/plain", "[EMAIL]");
    assert_eq!(masked_text(&mask(), format(), &said), seen);
}

#[test]
fn parts_that_cannot_be_read_are_refused() {
    for headers in [
        "content-type: application/octet-stream",
        "content-type: multipart/mixed; boundary=b",
        "content-type: text/plain\r\ncontent-transfer-encoding: base64",
        "content-type: text/plain\r\ncontent-encoding: gzip",
        "content-type:",
    ] {
        let body = part(headers, "x");
        for cuts in [&[][..], &[5, 9, 20]] {
            assert_eq!(
                try_pieces(&mask(), format(), body.as_bytes(), cuts),
                Err(WalkError::UnknownPart),
                "{headers}"
            );
        }
    }
    let cut = "--xYz\r\ncontent-type: text/plain\r\n";
    assert_eq!(
        try_pieces(&mask(), format(), cut.as_bytes(), &[]),
        Err(WalkError::Truncated)
    );
    let long = format!("--xYz\r\na: {}", "x".repeat(20_000));
    assert_eq!(
        try_pieces(&mask(), format(), long.as_bytes(), &[]),
        Err(WalkError::TooLarge)
    );
    assert_eq!(Boundary::new(b""), None);
    assert_eq!(Boundary::new(&[b'x'; 71]), None);
    assert_eq!(Boundary::new(b"a\r\nb"), None);
}

proptest! {
    #[test]
    fn every_split_is_the_same(
        parts in prop::collection::vec(prop_oneof![
            Just("\r\n--xYz"), Just("\n--xYz"), Just("--"), Just("\r\n"), Just("\n"), Just("\r"), Just("--xYz"),
            Just("content-type: image/png\r\n\r\n"), Just("content-type: text/html\n\n"), Just("a@b.io"), Just("x"),
            Just("&#64;"), Just("xY"), Just(" "),
        ], 0..16),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
    ) {
        let mask = mask();
        let body = parts.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (body.len() + 1)).collect();
        cuts.sort_unstable();
        let whole = try_pieces(&mask, format(), body.as_bytes(), &[]);
        prop_assert_eq!(&try_pieces(&mask, format(), body.as_bytes(), &cuts), &whole);
        if !body.contains("a@b.io") && !body.contains("&#64;") && let Ok(whole) = whole {
            prop_assert_eq!(whole, body.into_bytes());
        }
    }
}
