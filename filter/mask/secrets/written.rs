//! The ways in which formats write a secret.
//!
//! Keys of most services have letters, digits, dashes and underscores only, and there is one way to
//! write these.

/// Every way, the plain one among them; some may be the same.
pub(super) fn ways(secret: &str) -> [Vec<u8>; 11] {
    [
        plain,
        json,
        php,
        python,
        go,
        dotnet,
        percent_upper,
        percent_lower,
        quote,
        grpc_message,
        xml,
    ]
    .map(|write| {
        let mut out = String::with_capacity(secret.len());
        secret.chars().for_each(|letter| write(letter, &mut out));
        out.into_bytes()
    })
}

fn plain(letter: char, out: &mut String) {
    out.push(letter);
}

/// What JSON can't have in a string as it is (RFC 8259, section 7). A secret has no control
/// characters.
fn json(letter: char, out: &mut String) {
    if matches!(letter, '"' | '\\') {
        out.push('\\');
    }
    out.push(letter);
}

/// `json_encode` escapes slashes, and what is not ASCII.
fn php(letter: char, out: &mut String) {
    match letter {
        '/' => out.push_str("\\/"),
        letter => python(letter, out),
    }
}

/// `json.dumps` escapes what is not ASCII.
fn python(letter: char, out: &mut String) {
    if letter.is_ascii() {
        json(letter, out);
    } else {
        unicode(letter, out, false);
    }
}

/// `encoding/json` escapes what has a meaning in HTML.
fn go(letter: char, out: &mut String) {
    match letter {
        '<' | '>' | '&' => unicode(letter, out, false),
        letter => json(letter, out),
    }
}

/// `System.Text.Encodings.Web.JavaScriptEncoder.Default` escapes more of it, and the plus sign.
fn dotnet(letter: char, out: &mut String) {
    match letter {
        '"' | '&' | '\'' | '+' | '<' | '>' | '`' => unicode(letter, out, true),
        letter if letter.is_ascii() => json(letter, out),
        letter => unicode(letter, out, true),
    }
}

fn unicode(letter: char, out: &mut String, upper: bool) {
    let mut units = [0; 2];
    for unit in letter.encode_utf16(&mut units) {
        out.push_str(&if upper {
            format!("\\u{unit:04X}")
        } else {
            format!("\\u{unit:04x}")
        });
    }
}

/// In a URL, as `encodeURIComponent` writes it but for a few marks.
fn percent_upper(letter: char, out: &mut String) {
    percent(letter, out, |byte| format!("%{byte:02X}"));
}

fn percent_lower(letter: char, out: &mut String) {
    percent(letter, out, |byte| format!("%{byte:02x}"));
}

/// `urllib.parse.quote` keeps slashes.
fn quote(letter: char, out: &mut String) {
    match letter {
        '/' => out.push('/'),
        letter => percent_upper(letter, out),
    }
}

/// In `grpc-message`, what can be printed stays (gRPC over HTTP/2, "Responses").
fn grpc_message(letter: char, out: &mut String) {
    match letter {
        ' '..='$' | '&'..='~' => out.push(letter),
        letter => percent_upper(letter, out),
    }
}

/// Whatever is not unreserved (RFC 3986, section 2.3) is escaped.
fn percent(letter: char, out: &mut String, escape: impl Fn(u8) -> String) {
    if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~') {
        return out.push(letter);
    }
    let mut bytes = [0; 4];
    for byte in letter.encode_utf8(&mut bytes).bytes() {
        out.push_str(&escape(byte));
    }
}

/// In HTML and XML.
fn xml(letter: char, out: &mut String) {
    match letter {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        letter => out.push(letter),
    }
}
