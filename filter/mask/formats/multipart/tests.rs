use std::rc::Rc;

use proptest::prelude::*;

use super::super::tests::{mask, masked_text, try_pieces};
use super::super::{Format, Framing, WalkError, Walker};
use super::Boundary;
use crate::policy::{Options, Passing};
use crate::{CompiledMask, Originals};

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
        "content-type: text/plain; charset=utf-16",
        "content-type: text/csv; x=y; Charset=\"UTF-16LE\"",
        "content-type: application/json;charset = utf-32",
        "content-type: text/plain; charset*=utf-8''utf-16",
        "content-type: text/plain; charset=utf-8; charset=utf-16",
        "content-type: text/plain;\r\n charset=utf-7",
        "content-type: text/plain\r\ncontent-type: application/json",
        "content-type: image/png\r\ncontent-type: text/plain",
        "x-of: a\r\n content-type: application/json",
        "content-transfer-encoding:\r\n quoted-printable",
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

#[test]
fn parts_whose_encoding_keeps_ascii_are_masked() {
    for headers in [
        "content-type: text/plain; charset=utf-8",
        "content-type: text/plain; charset=\"ISO-8859-1\"; format=flowed",
        "content-type: text/plain;\r\n\tcharset=windows-1252",
        "content-type: text/plain; format=flowed",
    ] {
        let said = part(headers, "caf\u{e9} a@b.io");
        let seen = part(headers, "caf\u{e9} [EMAIL]");
        assert_eq!(masked_text(&mask(), format(), &said), seen, "{headers}");
    }
}

#[test]
fn a_name_on_a_continued_line_is_masked() {
    let head = |mail: &str| {
        part(
            &format!("content-disposition: form-data;\r\n name=\"{mail}\""),
            "a",
        )
    };
    assert_eq!(
        masked_text(&mask(), format(), &head("alice@example.com")),
        head("[EMAIL]")
    );
}

/// A mask that lets these media types pass.
fn passing(media: &[&str]) -> CompiledMask {
    mask().with(&Options {
        pass: Passing::of_media(media),
        ..Options::default()
    })
}

#[test]
fn parts_pass_as_whole_bodies_would() {
    let mask = passing(&["application/pdf", "text/csv"]);
    let pdf = part("Content-Type: Application/PDF; a=b", "a@b.io");
    let csv = part("content-type: text/csv; charset=utf-16", "a@b.io");
    let said = [pdf.clone(), csv.clone(), part("x: y", "a@b.io")].concat();
    let seen = [pdf, csv, part("x: y", "[EMAIL]")].concat();
    assert_eq!(masked_text(&mask, format(), &said), seen);
    for media in [
        "image/png",
        "application/zip",
        "text/csv; charset=utf-16\r\ncontent-type: a/b",
    ] {
        let body = part(&format!("content-type: {media}"), "x");
        assert_eq!(
            try_pieces(&mask, format(), body.as_bytes(), &[]),
            Err(WalkError::UnknownPart),
            "{media}"
        );
    }
}

#[test]
fn nothing_is_refused_where_values_are_only_put_back() {
    let mask = CompiledMask::restoring(&Rc::new(Originals::default()));
    for headers in [
        "content-type: application/zip",
        "content-type: text/plain; charset=utf-16",
        "content-type:",
    ] {
        let body = part(headers, "a@b.io");
        assert_eq!(masked_text(&mask, format(), &body), body);
    }
}

#[test]
fn parts_of_any_type_pass_where_the_operation_lets_them() {
    let framing = Framing {
        opaque_parts: true,
        ..Framing::default()
    };
    let walk = |body: &str| {
        let mut walker = Walker::framed(format(), framing);
        let mut out = Vec::new();
        walker.push(&mask(), body.as_bytes(), &mut out)?;
        walker.finish(&mask(), &mut out)?;
        Ok(String::from_utf8(out).expect("UTF-8"))
    };
    let zip = part("content-type: application/zip", "a@b.io");
    let said = [zip.clone(), part("content-type: text/csv", "a@b.io")].concat();
    let seen = [zip, part("content-type: text/csv", "[EMAIL]")].concat();
    assert_eq!(walk(&said), Ok(seen));
    for headers in [
        "content-type: multipart/mixed; boundary=b",
        "content-type: text/plain; charset=utf-16",
        "content-type: application/grpc",
        "content-type:",
    ] {
        assert_eq!(walk(&part(headers, "x")), Err(WalkError::UnknownPart));
    }
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
