//! Why a text is refused, and where.

use core::fmt;
use std::borrow::Cow;

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    reason: Cow<'static, str>,
    line: usize,
    column: usize,
}

impl JsonError {
    /// For the byte at `at`.
    #[cold]
    pub(super) fn new(text: &[u8], at: usize, reason: Cow<'static, str>) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let mut lines = before.rsplit(|byte| *byte == b'\n');
        let column = lines.next().map_or(0, <[u8]>::len);
        Self {
            reason,
            line: 1 + lines.count(),
            column: 1 + column,
        }
    }
}

impl fmt::Display for JsonError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            reason,
            line,
            column,
        } = self;
        write!(formatter, "{reason} at line {line} column {column}")
    }
}

impl std::error::Error for JsonError {}

/// Why a text is refused. Nothing of the text is told but a name that occurs twice: the rest may be
/// a secret.
#[derive(Clone, Copy, Debug)]
pub(super) enum Reason {
    Ended,
    Value,
    Word,
    Name,
    Colon,
    CommaOrBracket,
    CommaOrBrace,
    Trailing,
    Utf8,
    Control,
    Escape,
    Surrogate,
    Number,
    Range,
    Depth,
    Members,
    Twice,
    TwiceInMany,
}

impl Reason {
    /// In words; `name` is the one that occurs twice.
    #[cold]
    pub(super) fn words(self, name: &str) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Ended => "unexpected end of the text",
            Self::Value => "expected a value",
            Self::Word => "expected `true`, `false` or `null`",
            Self::Name => "expected a member's name in quotes",
            Self::Colon => "expected `:`",
            Self::CommaOrBracket => "expected `,` or `]`",
            Self::CommaOrBrace => "expected `,` or `}`",
            Self::Trailing => "expected the end of the text",
            Self::Utf8 => "invalid UTF-8",
            Self::Control => "control character in a string",
            Self::Escape => "invalid escape",
            Self::Surrogate => "half of a surrogate pair",
            Self::Number => "invalid number",
            Self::Range => "number out of range",
            Self::Depth => "more than 127 objects and arrays in each other",
            Self::Members => "more than 262144 members",
            Self::Twice => return Cow::Owned(twice(name)),
            Self::TwiceInMany => "a member of an object with more than 32 members occurs twice",
        })
    }
}

/// What is said of a member's name that occurs twice.
pub(in super::super) fn twice(name: &str) -> String {
    let shown: String = name.chars().take(64).collect();
    format!("the member {shown:?} occurs twice")
}
