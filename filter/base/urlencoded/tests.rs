use proptest::prelude::*;

use super::{FormError, MAX_PAIRS, pairs};

/// All pairs, or what is wrong.
fn read(body: &[u8]) -> Result<Vec<(String, String)>, FormError> {
    let mut reader = pairs(body);
    let mut all = Vec::new();
    loop {
        match reader.read_next() {
            Ok(Some(pair)) => all.push((pair.name.into_owned(), pair.value.into_owned())),
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

/// The standard's serializer.
fn written(pairs: &[(String, String)]) -> String {
    let encoded = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            b' ' => "+".to_owned(),
            b'*' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let pair = |(name, value): &(String, String)| format!("{}={}", encoded(name), encoded(value));
    let pairs: Vec<String> = pairs.iter().map(pair).collect();
    pairs.join("&")
}

#[test]
fn pairs_are_read_as_browsers_write_them() {
    for (body, expected) in [
        ("", vec![]),
        ("a=1", vec![("a", "1")]),
        ("a=1&a=2", vec![("a", "1"), ("a", "2")]),
        ("a=", vec![("a", "")]),
        ("a=b=c", vec![("a", "b=c")]),
        ("a=+%2B%26%3D%3b%25", vec![("a", " +&=;%")]),
        ("a+b=%C3%A9%e2%82%ac", vec![("a b", "é€")]),
        ("&&a=1&&b=2&", vec![("a", "1"), ("b", "2")]),
        (
            "m[0][x]=1&f[]=2&a.b=3",
            vec![("m[0][x]", "1"), ("f[]", "2"), ("a.b", "3")],
        ),
        ("a=hello world", vec![("a", "hello world")]),
        ("a=%0D%0A%20", vec![("a", "\r\n ")]),
    ] {
        let read = read(body.as_bytes()).unwrap();
        let read: Vec<_> = read.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(read, expected, "{body}");
    }
}

/// Each body, which servers read it differently, and where that is.
#[test]
fn what_servers_read_differently_is_refused() {
    const BYTE: &str = "a byte that is neither encoded nor printable ASCII";
    let long = format!("a=1&{}=1", "x".repeat(101));
    for (body, reason, at) in [
        // Two pairs to Python before 3.9.2, one to the others.
        ("a=1;b=2", "a semicolon that is not encoded", 3),
        // An error to Busboy, as it stands to the others.
        ("a=%zz", "a malformed escape", 2),
        ("a=1%", "a malformed escape", 3),
        ("a=%4", "a malformed escape", 2),
        ("%u0041=1", "a malformed escape", 0),
        ("a=%+1", "a malformed escape", 2),
        // `%FF` to werkzeug, U+FFFD to aiohttp.
        ("b=1&a=%ff", "escapes that are not UTF-8", 6),
        ("a=%ED%A0%80", "escapes that are not UTF-8", 2),
        ("a=%C0%80", "escapes that are not UTF-8", 2),
        ("a=%00", "a NUL", 2),
        // Latin-1 to Busboy and Starlette.
        ("a=é", BYTE, 2),
        // Trimmed by aiohttp.
        ("a=1\r\n", BYTE, 3),
        ("a=1 ", "a blank at the end", 3),
        (" a=1", "a blank in front", 0),
        // `a` to who gives the body to `URLSearchParams`.
        ("?a=1", "a question mark in front", 0),
        // No pair to Busboy.
        ("a=1&=", "a name that is empty", 4),
        ("=x", "a name that is empty", 0),
        ("a=1&%41", "a pair without an equals sign", 4),
        ("{\"model\": \"m\"}", "a pair without an equals sign", 0),
        ("+a=1", "a blank at an end of a name", 0),
        ("_charset_=utf-8", "a field named _charset_", 0),
        // Cut by Busboy.
        (&long, "a name longer than 100 bytes", 4),
    ] {
        let error = read(body.as_bytes()).unwrap_err();
        assert_eq!((error.reason, error.at), (reason, at), "{body}");
    }
}

#[test]
fn the_number_of_pairs_is_limited() {
    let most = "a=&".repeat(MAX_PAIRS);
    assert_eq!(read(most.as_bytes()).unwrap().len(), MAX_PAIRS);
    let more = format!("{most}a=");
    let error = read(more.as_bytes()).unwrap_err();
    assert_eq!(
        (error.reason, error.at),
        ("more than 10,000 pairs", most.len())
    );
}

/// A name that every server reads alike, and any value but a NUL.
fn any_pair() -> impl Strategy<Value = (String, String)> {
    ("[a-zé&=+%;\\[][a-zé&=+%; \0]{0,8}[a-z\\]]", ".{0,20}")
        .prop_map(|(name, value)| (name.replace('\0', ""), value.replace('\0', "")))
}

proptest! {
    #[test]
    fn what_is_written_is_read(all in proptest::collection::vec(any_pair(), 0..6)) {
        prop_assert_eq!(read(written(&all).as_bytes()), Ok(all));
    }

    #[test]
    fn nothing_panics(body in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = read(&body);
    }

    /// Whatever is let through is what the standard's serializer would have written of it.
    #[test]
    fn what_is_read_is_written_again(body in "[ab=&+%0-9A-F;é ?]{0,20}") {
        if let Ok(pairs) = read(body.as_bytes()) {
            prop_assert_eq!(read(written(&pairs).as_bytes()), Ok(pairs));
        }
    }
}
