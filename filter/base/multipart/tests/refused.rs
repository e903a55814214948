//! What is refused, and which servers read it differently: python-multipart (Starlette), aiohttp,
//! werkzeug (Flask), Django, Go, Busboy, Node's own reader, and multer in Rust.

use super::{A, one, read};

fn reason(body: &str) -> &'static str {
    match read(body.as_bytes(), "B") {
        Ok(parts) => panic!("{body:?} is read as {parts:?}"),
        Err(error) => {
            assert!(error.at <= body.len(), "{error} of {body:?}");
            error.reason
        }
    }
}

/// Each body, and which servers read it differently.
#[test]
fn delimiters_that_servers_see_differently_are_refused() {
    let b = one("Content-Disposition: form-data; name=\"b\"", "2");
    let good = one(A, "1");
    for (body, expected) in [
        // Werkzeug, aiohttp and Go skip a preamble, python-multipart refuses it.
        (format!("x\r\n{good}"), "no boundary at the beginning"),
        (format!("\r\n{good}"), "no boundary at the beginning"),
        (String::new(), "no boundary at the beginning"),
        // Aiohttp and werkzeug skip blanks, Busboy drops the part.
        (
            good.replacen("--B\r\n", "--B \r\n", 1),
            "a boundary that neither CRLF nor two hyphens follow",
        ),
        (
            good.replacen("--B\r\n", "--B\n", 1),
            "a boundary that neither CRLF nor two hyphens follow",
        ),
        // Data to python-multipart and Go, the end of the part to Busboy and Django.
        (
            one(A, "1\r\n--BX\r\n2"),
            "a boundary that neither CRLF nor two hyphens follow",
        ),
        (
            one(A, "1\r\n--B-\r\n2"),
            "a boundary that neither CRLF nor two hyphens follow",
        ),
        // A delimiter to werkzeug and Django, data to the others.
        (
            one(A, &format!("1\n{b}")),
            "a boundary that no CRLF of its own is in front of",
        ),
        (
            one(A, &format!("1\r{b}")),
            "a boundary that no CRLF of its own is in front of",
        ),
        // A delimiter to Django only.
        (
            one(A, &format!("1{b}")),
            "a boundary that no CRLF of its own is in front of",
        ),
        // Two parts to werkzeug, aiohttp and Go, one to python-multipart and Busboy.
        (
            format!("--B\r\n{A}\r\n\r\n{b}"),
            "a boundary that no CRLF of its own is in front of",
        ),
        // The last name to Django, none to Busboy, an error to python-multipart.
        (
            format!("--B\r\n{A}\r\n{b}"),
            "headers that no empty line ends in front of the next boundary",
        ),
        // A header to python-multipart, the end of the part to Busboy.
        (
            one(&format!("{A}\r\n--B: x"), "1"),
            "headers that no empty line ends in front of the next boundary",
        ),
        // A part to Django, nothing to the others.
        (format!("{good}{good}"), "bytes behind the last delimiter"),
        (format!("{good}\r\n"), "bytes behind the last delimiter"),
        (
            good.replace("--B--\r\n", "--B--\n"),
            "bytes behind the last delimiter",
        ),
        // A part to Django, none to python-multipart, an error to the others.
        (
            good.replace("\r\n--B--\r\n", ""),
            "no delimiter behind a part",
        ),
    ] {
        assert_eq!(reason(&body), expected, "{body:?}");
    }
}

#[test]
fn headers_that_servers_see_differently_are_refused() {
    const PRINTABLE: &str = "a header with a byte that is not printable ASCII";
    let and = |header: &str| format!("{A}\r\n{header}");
    for (head, expected) in [
        // Two headers to werkzeug and aiohttp, one to python-multipart, an error to Busboy.
        (and("X: y\nZ: 1"), "a line end other than CRLF in headers"),
        (and("X: y\rZ: 1"), "a line end other than CRLF in headers"),
        // One header to Busboy and werkzeug, an error to python-multipart.
        (A.replace("; ", ";\r\n "), "a folded header"),
        (A.replace("; ", ";\r\n\t"), "a folded header"),
        (A.replace(": ", ":\t"), PRINTABLE),
        // Latin-1 to Busboy.
        (A.replace("\"a\"", "\"ä\""), PRINTABLE),
        (A.replace("\"a\"", "\"a\0\""), PRINTABLE),
        // No name to Django, a name to werkzeug, an error to python-multipart.
        (A.replace(": ", " : "), "a header whose name is no token"),
        (and(": x"), "a header whose name is no token"),
        (and("x"), "a header without a colon"),
        // No part at all to Node's own reader.
        (format!("{A} "), "a blank at the end of a header"),
        // The first to Busboy and werkzeug, the last to python-multipart.
        (and(A), "a header that occurs twice"),
        (
            and("Content-Type: text/plain\r\ncontent-type: text/plain"),
            "a header that occurs twice",
        ),
        ("X: y".to_owned(), "no content-disposition"),
        // Decoded by aiohttp and python-multipart, not by werkzeug.
        (
            and("Content-Transfer-Encoding: base64"),
            "a content-transfer-encoding other than 7bit, 8bit and binary",
        ),
        (
            and("Content-Encoding: gzip"),
            "a content-encoding of a part",
        ),
        (
            and("Content-Length: 2"),
            "a content-length that is not the value's",
        ),
        (
            and("Content-Length: 01"),
            "a content-length that is not the value's",
        ),
        // Decoded by werkzeug, aiohttp and Busboy, not by Go.
        (
            and("Content-Type: text/plain; charset=iso-8859-1"),
            "a part whose charset is not UTF-8",
        ),
        // UTF-8 to Busboy, Latin-1 to werkzeug.
        (
            and("Content-Type: text/plain; charset=utf-8; charset=iso-8859-1"),
            "a parameter that occurs twice",
        ),
        (
            and("Content-Type: a/b; charset*=utf-8''utf-8"),
            "a parameter of a content-type whose name is no token",
        ),
        (and("Content-Type: a/b; c"), "a parameter without a value"),
        (
            and("Content-Type: a/b; c=\"d"),
            "a quote that is not closed",
        ),
        (
            and("Content-Type: a/b; c=\"; charset=latin1\""),
            "a backslash or a semicolon in quotes",
        ),
        (
            and("Content-Type: a/b; c=\"d\"e"),
            "a content-type with more than parameters",
        ),
        (
            and("Content-Type: a/b, c/d"),
            "a content-type that is no media type",
        ),
        (and("Content-Type: text"), "a content-type without a slash"),
        (
            and("Content-Type: multipart/mixed; boundary=x"),
            "a part with parts of its own",
        ),
        // A file to Busboy only.
        (
            and("Content-Type: application/octet-stream"),
            "a part without a file name that says it is application/octet-stream",
        ),
    ] {
        assert_eq!(reason(&one(&head, "1")), expected, "{head:?}");
    }
}

#[test]
fn names_that_servers_see_differently_are_refused() {
    const OTHER: &str = "a content-disposition other than form-data";
    const BETWEEN: &str = "a content-disposition whose parameters don't follow \"; \"";
    let long = format!("form-data; name=\"{}\"", "x".repeat(101));
    let long_file = format!("form-data; name=\"a\"; filename=\"{}\"", "x".repeat(256));
    for (disposition, expected) in [
        // A field to werkzeug and aiohttp, none to Busboy.
        ("attachment; name=\"a\"", OTHER),
        ("Form-Data; name=\"a\"", OTHER),
        ("form-datax; name=\"a\"", BETWEEN),
        ("", OTHER),
        ("form-data", "a content-disposition without a name"),
        (
            "form-data; filename=\"f\"",
            "a content-disposition without a name",
        ),
        // `"a"x` to python-multipart, nothing to Busboy, `a` to werkzeug.
        ("form-data; name=\"a\"x; filename=\"f\"", BETWEEN),
        ("form-data; name=\"a\";", BETWEEN),
        ("form-data;name=\"a\"", BETWEEN),
        (
            "form-data;  name=\"a\"",
            "a parameter other than name and filename",
        ),
        (
            "form-data; name =\"a\"",
            "a parameter other than name and filename",
        ),
        (
            "form-data; NAME=\"a\"",
            "a parameter other than name and filename",
        ),
        (
            "form-data; name=\"a\"; xname=\"b\"",
            "a parameter other than name and filename",
        ),
        ("form-data; name", "a parameter without a value"),
        ("form-data; name=", "a value that needs quotes"),
        ("form-data; name=a b", "a value that needs quotes"),
        ("form-data; name='a'", "a value that needs quotes"),
        (
            "form-data; filename=\"f\"; name=\"a\"",
            "a name behind the file's name",
        ),
        ("form-data; name=\"a", "a quote that is not closed"),
        // The first to Busboy, the last to werkzeug.
        (
            "form-data; name=\"a\"; name=\"b\"",
            "a parameter that occurs twice",
        ),
        (
            "form-data; name=\"a\"; filename=\"b\"; filename=\"c\"",
            "a parameter that occurs twice",
        ),
        (
            "form-data; name=\"a\"; filename=\"b\"; filename*=utf-8''c; name=\"d\"",
            "an extended parameter (RFC 8187)",
        ),
        (
            "form-data; name=\"\u{e4}\"",
            "a header with a byte that is not printable ASCII",
        ),
        (
            "form-data; name*0=\"a\"",
            "an extended parameter (RFC 8187)",
        ),
        // Dropped by werkzeug and aiohttp only.
        ("form-data; name=\"a\\b\"", "a backslash in quotes"),
        ("form-data; name=\"a\\\"b\"", "a backslash in quotes"),
        // A quote to werkzeug, line ends to Node's own reader.
        ("form-data; name=\"a%22b\"", "a percent sign in quotes"),
        ("form-data; name=\"a%0D%0Ab\"", "a percent sign in quotes"),
        // An error to aiohttp.
        ("form-data; name=\"a;b;c\"", "a semicolon in quotes"),
        (
            "form-data; name=\"=?utf-8?Q?a?=\"",
            "what looks like an encoded word in quotes",
        ),
        // None to Busboy, empty to the others.
        ("form-data; name=\"\"", "a name that is empty"),
        ("form-data; name=\" a\"", "a blank at an end of a name"),
        ("form-data; name=\"_charset_\"", "a field named _charset_"),
        (&long, "a name longer than 100 bytes"),
        // `a` to aiohttp.
        (
            "form-data; name=\"/a\"",
            "a name with a slash in front or an equals sign",
        ),
        (
            "form-data; name=\"filename=x\"",
            "a name with a slash in front or an equals sign",
        ),
        // No file to Busboy and aiohttp.
        (
            "form-data; name=\"a\"; filename=\"\"",
            "a file name that is empty",
        ),
        // A path that ends in a slash, and so no name, to Django.
        (
            "form-data; name=\"a\"; filename=\"a&#47\"",
            "an entity in a file name",
        ),
        // A path that ends in a slash, and so no name, to those who undo it.
        (
            "form-data; name=\"a\"; filename=\"a%2F\"",
            "an escape in a file name that some undo",
        ),
        (
            "form-data; name=\"a\"; filename=\"f \"",
            "a blank at an end of a file name",
        ),
        (&long_file, "a file name longer than 255 bytes"),
    ] {
        let head = format!("Content-Disposition: {disposition}");
        assert_eq!(reason(&one(&head, "1")), expected, "{disposition:?}");
    }
}
