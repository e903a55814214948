mod refused;

use proptest::prelude::*;

use super::{FormError, MAX_HEAD_BYTES, MAX_PARTS, Part, parts};

/// All parts, or what is wrong.
fn read<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, FormError> {
    let mut reader = parts(body, boundary);
    let mut all = Vec::new();
    loop {
        match reader.read_next() {
            Ok(Some(part)) => all.push(part),
            Ok(None) => {
                assert_eq!(reader.read_next(), Ok(None));
                return Ok(all);
            }
            Err(error) => {
                assert_eq!(reader.read_next(), Err(error), "an error is no end");
                return Err(error);
            }
        }
    }
}

/// A part, as straightforward clients write it.
fn write(body: &mut Vec<u8>, boundary: &str, part: &Part<'_>) {
    body.extend_from_slice(format!("--{boundary}\r\nContent-Disposition: form-data; ").as_bytes());
    body.extend_from_slice(format!("name=\"{}\"", part.name).as_bytes());
    if let Some(name) = part.file_name {
        body.extend_from_slice(format!("; filename=\"{name}\"").as_bytes());
    }
    body.extend_from_slice(b"\r\n");
    if let Some(media) = part.media {
        body.extend_from_slice(format!("Content-Type: {media}\r\n").as_bytes());
    }
    body.extend_from_slice(b"\r\n");
    body.extend_from_slice(part.value);
    body.extend_from_slice(b"\r\n");
}

fn written(boundary: &str, parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        write(&mut body, boundary, part);
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}

fn field<'a>(name: &'a str, value: &'a [u8]) -> Part<'a> {
    Part {
        name,
        file_name: None,
        media: None,
        value,
    }
}

/// A body of one part with these headers and this value.
fn one(head: &str, value: &str) -> String {
    format!("--B\r\n{head}\r\n\r\n{value}\r\n--B--\r\n")
}

const A: &str = "Content-Disposition: form-data; name=\"a\"";

#[test]
fn parts_are_read_as_clients_write_them() {
    let upload = Part {
        name: "file",
        file_name: Some("a b (1).m4a"),
        media: Some("audio/webm;codecs=\"opus, pcm\""),
        value: b"\r\n\0\xFF--B--\r\n--",
    };
    let json = Part {
        media: Some("application/json; charset=UTF-8"),
        ..field("options[]", b"{\"a\": 1}\r\n")
    };
    let all = [
        field("model", b"whisper-1"),
        upload,
        json,
        field("empty", b""),
    ];
    let boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW";
    let body = written(boundary, &all);
    assert_eq!(read(&body, boundary).unwrap(), all);
    let without = body.strip_suffix(b"\r\n").unwrap();
    assert_eq!(read(without, boundary).unwrap(), all);
}

#[test]
fn a_form_may_have_no_parts() {
    assert_eq!(read(b"--B--", "B").unwrap(), []);
    assert_eq!(read(b"--B--\r\n", "B").unwrap(), []);
}

#[test]
fn headers_that_nobody_reads_make_no_difference() {
    for head in [
        A.to_owned(),
        A.to_ascii_lowercase(),
        A.replace(": ", ":"),
        format!("X-A:\r\n{A}\r\nContent-ID:   <a@b>"),
        format!("{A}\r\nContent-Transfer-Encoding: binary"),
        // As OkHttp writes it.
        format!("{A}\r\nContent-Length: 1"),
        format!("{A}\r\nContent-Type: text/plain;charset=utf-8"),
    ] {
        let body = one(&head, "1");
        let parts = read(body.as_bytes(), "B").unwrap();
        assert_eq!(
            (parts[0].name, parts[0].value),
            ("a", b"1".as_slice()),
            "{head}"
        );
    }
}

#[test]
fn what_clients_write_of_files_is_read() {
    for (head, name, file_name) in [
        // .NET's clients.
        (
            "name=a; filename=b.wav; filename*=utf-8''b.wav",
            "a",
            "b.wav",
        ),
        (
            "name=\"a\"; filename=\"a folder/b.md\"",
            "a",
            "a folder/b.md",
        ),
        (
            "name=\"a\"; filename=\"M\u{e4}rz.m4a\"",
            "a",
            "M\u{e4}rz.m4a",
        ),
        (
            "name=\"a\"; filename=\"R & D, 100% done.md\"",
            "a",
            "R & D, 100% done.md",
        ),
        // Python's requests.
        (
            "name=\"a\"; filename*=utf-8''%C3%A4.wav",
            "a",
            "utf-8''%C3%A4.wav",
        ),
        (
            "name=\"a\"; filename=\"=?utf-8?B?TcOkcno=?=\"",
            "a",
            "=?utf-8?B?TcOkcno=?=",
        ),
    ] {
        let body = one(&format!("Content-Disposition: form-data; {head}"), "1");
        let parts = read(body.as_bytes(), "B").unwrap();
        assert_eq!((parts[0].name, parts[0].file_name), (name, Some(file_name)));
    }
}

#[test]
fn boundaries_that_are_none_are_refused() {
    for boundary in ["", "a\"", "a\r\nb", "é", "a ", &"x".repeat(71)] {
        let error = read(b"--a--", boundary).unwrap_err();
        assert_eq!(error.reason, "a boundary that RFC 2046 doesn't allow");
    }
}

#[test]
fn a_field_is_utf_8_and_a_file_is_anything() {
    for (value, expected) in [
        (b"\xFF".as_slice(), "a field that is not UTF-8"),
        (b"\xEF\xBB\xBFa", "a byte order mark in front of a field"),
    ] {
        let error = read(&written("B", &[field("a", value)]), "B").unwrap_err();
        assert_eq!(error.reason, expected);
        let file = Part {
            file_name: Some("f"),
            ..field("a", value)
        };
        assert_eq!(read(&written("B", &[file]), "B").unwrap(), [file]);
    }
}

#[test]
fn limits_are_kept() {
    let most = vec![field("a", b""); MAX_PARTS];
    assert_eq!(read(&written("B", &most), "B").unwrap().len(), MAX_PARTS);
    let more = written("B", &[most.as_slice(), &[field("a", b"")]].concat());
    assert_eq!(
        read(&more, "B").unwrap_err().reason,
        "more than 1,000 parts"
    );

    let padding = "x".repeat(MAX_HEAD_BYTES - A.len() - "\r\nX: ".len());
    let longest = one(&format!("{A}\r\nX: {padding}"), "1");
    assert_eq!(read(longest.as_bytes(), "B").unwrap().len(), 1);
    let longer = one(&format!("{A}\r\nX: {padding}x"), "1");
    let error = read(longer.as_bytes(), "B").unwrap_err();
    assert_eq!(error.reason, "headers of more than 8 KiB");
}

#[test]
fn a_body_that_is_cut_is_refused() {
    let body = written("B", &[field("a", b"1"), field("b", b"2")]);
    for end in 0..body.len() - 2 {
        assert!(read(&body[..end], "B").is_err(), "{end}");
    }
    assert!(read(&body[..body.len() - 1], "B").is_err());
}

#[test]
fn an_error_says_where() {
    let body = one(A, "1\n--B\r\n");
    let error = read(body.as_bytes(), "B").unwrap_err();
    assert_eq!(error.at, body.find("--B\r\n\r\n--B--").unwrap());
    let body = one(&format!("{A}\r\nX y: 1"), "1");
    let error = read(body.as_bytes(), "B").unwrap_err();
    assert_eq!(error.at, body.find("X y").unwrap());
}

type Written = (String, Option<String>, Option<&'static str>, Vec<u8>);

fn any_part() -> impl Strategy<Value = Written> {
    let name = "[a-zA-Z0-9_.\\[\\]&,:+]{1,20}";
    let file = proptest::option::of("[a-zA-Z0-9_(][a-zA-Z0-9_ =,.+]{0,20}[a-z]");
    let media = [
        None,
        Some("text/plain"),
        Some("application/json; charset=utf-8"),
    ];
    let media = proptest::sample::select(media.to_vec());
    let text = "([\r\n a-]|--|\r\n--|é){0,40}".prop_map(String::into_bytes);
    (
        name,
        file,
        media,
        text,
        proptest::collection::vec(any::<u8>(), 0..40),
    )
        .prop_map(|(name, file, media, text, bytes)| match file {
            Some(_) => (name, file, media, bytes),
            None => (name, file, media, text),
        })
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        all in proptest::collection::vec(any_part(), 0..5),
        boundary in "-{0,4}[a-zA-Z0-9'+_,./:=?]{8,40}",
    ) {
        let parts: Vec<_> = all.iter().map(|(name, file, media, value)| Part {
            name,
            file_name: file.as_deref(),
            media: *media,
            value,
        }).collect();
        let body = written(&boundary, &parts);
        prop_assert_eq!(read(&body, &boundary), Ok(parts));
    }

    #[test]
    fn nothing_panics(body in proptest::collection::vec(any::<u8>(), 0..200), boundary in ".{0,4}") {
        let _ = read(&body, &boundary);
        let framed = [b"--B\r\n".as_slice(), &body, b"\r\n--B--"].concat();
        let _ = read(&framed, "B");
    }

    /// Whatever is let through is what a straightforward writer would have written of it.
    #[test]
    fn what_is_read_is_written_again(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "--B", "\r\n", "\n", "--", A, "; filename=\"f\"", "\"", ";", "x", ": ", "é",
            "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n", "\r\n--B--\r\n",
        ]), 0..12),
    ) {
        let body = format!("--B\r\n{A}{}", pieces.concat());
        if let Ok(parts) = read(body.as_bytes(), "B") {
            let again = written("B", &parts);
            prop_assert_eq!(read(&again, "B"), Ok(parts));
        }
    }
}
