//! Looks for a form that is let through although it could have been written otherwise.
//!
//! `masking.rs` says how it is run, with `--bin multipart` behind `--package fuzz`. The first byte
//! says how long the boundary is that follows; the rest is the body.
#![no_main]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is how a finding is reported"
)]

use base::multipart::{FormError, Part, parts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| check(data));

fn check(data: &[u8]) {
    let Some((length, rest)) = data.split_first() else {
        return;
    };
    let Some((boundary, rest)) = rest.split_at_checked(usize::from(*length % 80)) else {
        return;
    };
    let Ok(boundary) = core::str::from_utf8(boundary) else {
        return;
    };
    let _ = read(rest, boundary);
    // Few inputs begin and end as a form does.
    let framed = [
        b"--",
        boundary.as_bytes(),
        b"\r\n",
        rest,
        b"\r\n--",
        boundary.as_bytes(),
        b"--",
    ];
    for body in [rest.to_vec(), framed.concat()] {
        if let Ok(parts) = read(&body, boundary) {
            is_certain(&body, boundary, &parts);
        }
    }
}

fn read<'a>(body: &'a [u8], boundary: &str) -> Result<Vec<Part<'a>>, FormError> {
    let mut reader = parts(body, boundary);
    let mut all = Vec::new();
    loop {
        match reader.read_next() {
            Ok(Some(part)) => all.push(part),
            Ok(None) => return Ok(all),
            Err(error) => {
                assert!(error.at <= body.len(), "{error} is behind the end");
                assert_eq!(reader.read_next(), Err(error), "an error is no end");
                return Err(error);
            }
        }
    }
}

fn is_certain(body: &[u8], boundary: &str, parts: &[Part<'_>]) {
    // The crudest reader there is finds as many parts.
    let delimiter = format!("--{boundary}");
    let found = body
        .windows(delimiter.len())
        .filter(|bytes| *bytes == delimiter.as_bytes());
    // Such a boundary overlaps what follows it.
    if !boundary.starts_with('-') && !boundary.ends_with('-') {
        assert_eq!(found.count(), parts.len() + 1, "a boundary that is none");
    }
    // What was read is written again in one way only.
    let again = write(boundary, parts);
    let all = read(&again, boundary).expect("what is written is read");
    assert_eq!(all, parts, "another form");
    // Nothing shorter is a form, but without the last line end.
    let body = body.strip_suffix(b"\r\n").unwrap_or(body);
    for end in (0..body.len()).rev().take(200) {
        assert!(read(&body[..end], boundary).is_err(), "cut at {end}");
    }
}

fn write(boundary: &str, parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for part in parts {
        let mut head = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"",
            part.name
        );
        if let Some(name) = part.file_name {
            head += &format!("; filename=\"{name}\"");
        }
        if let Some(media) = part.media {
            head += &format!("\r\nContent-Type: {media}");
        }
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(b"\r\n\r\n");
        body.extend_from_slice(part.value);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    body
}
