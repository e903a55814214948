//! Character references.

/// The longest that is read; a longer one is no reference.
const MAX_REFERENCE_BYTES: usize = 32;

/// What a byte does to a reference whose beginning is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It goes on.
    More,
    /// It ends, with the byte or in front of it.
    End {
        /// Whether the byte belongs to it.
        taken: bool,
    },
}

/// The step that the byte makes behind what is held, which begins with `&`.
pub(super) fn step(held: &[u8], byte: u8) -> Step {
    if byte == b';' {
        return Step::End { taken: true };
    }
    let fits = match held {
        [_] => byte == b'#' || byte.is_ascii_alphabetic(),
        [_, b'#'] => matches!(byte, b'x' | b'X') || byte.is_ascii_digit(),
        [_, b'#', b'x' | b'X', ..] => byte.is_ascii_hexdigit(),
        [_, b'#', ..] => byte.is_ascii_digit(),
        _ => byte.is_ascii_alphanumeric(),
    };
    if fits && held.len() < MAX_REFERENCE_BYTES {
        Step::More
    } else {
        Step::End { taken: false }
    }
}

/// The character that a reference stands for. Numbers need no semicolon.
pub(super) fn decode(held: &[u8]) -> Option<char> {
    let bare = held.strip_prefix(b"&")?;
    if let Some(number) = bare.strip_prefix(b"#") {
        let number = number.strip_suffix(b";").unwrap_or(number);
        let text = core::str::from_utf8(number).ok()?;
        let code = match text.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => text.parse(),
        };
        return code.ok().and_then(char::from_u32);
    }
    let name = bare.strip_suffix(b";")?;
    let known = NAMED.iter().find(|(known, _)| known.as_bytes() == name)?;
    Some(known.1)
}

const NAMED: &[(&str, char)] = &[
    ("amp", '&'),
    ("AMP", '&'),
    ("lt", '<'),
    ("LT", '<'),
    ("gt", '>'),
    ("GT", '>'),
    ("quot", '"'),
    ("QUOT", '"'),
    ("apos", '\''),
    ("nbsp", '\u{A0}'),
    ("commat", '@'),
    ("period", '.'),
    ("comma", ','),
    ("colon", ':'),
    ("semi", ';'),
    ("excl", '!'),
    ("quest", '?'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("ast", '*'),
    ("plus", '+'),
    ("equals", '='),
    ("sol", '/'),
    ("bsol", '\\'),
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("lpar", '('),
    ("rpar", ')'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("rcub", '}'),
    ("rbrace", '}'),
    ("vert", '|'),
    ("verbar", '|'),
    ("grave", '`'),
    ("Hat", '^'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("hyphen", '\u{2010}'),
    ("dash", '\u{2010}'),
    ("ndash", '\u{2013}'),
    ("mdash", '\u{2014}'),
];
