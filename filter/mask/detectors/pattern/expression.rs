//! An expression of the policy, parsed within bounds.

use regex_syntax::ParserBuilder;
use regex_syntax::hir::Hir;

/// The longest match, and after how many bytes an expression without one is given up.
pub(super) const MAX_MATCH_BYTES: usize = 4096;
/// How deep groups and repetitions may be nested.
const MAX_NESTING: u32 = 100;

/// An expression of the policy.
pub(crate) struct Source<'a> {
    /// Its rank among a mask's detectors.
    pub rank: usize,
    pub pattern: &'a str,
    /// Words one of which must precede a match; empty if none is required.
    pub near: &'a [String],
}

/// Parses an expression, and gives its bound.
pub(super) fn parse(pattern: &str) -> Result<(Hir, usize), String> {
    let hir = ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .nest_limit(MAX_NESTING)
        .build()
        .parse(pattern)
        .map_err(|error| error.to_string())?;
    let longest = hir.properties().maximum_len().unwrap_or(MAX_MATCH_BYTES);
    if longest > MAX_MATCH_BYTES {
        return Err(format!(
            "its longest match has {longest} bytes, but {MAX_MATCH_BYTES} is the most"
        ));
    }
    Ok((hir, longest + 5))
}

/// Whether a byte continues a UTF-8 character.
pub(super) fn is_continuation(byte: u8) -> bool {
    matches!(byte, 0x80..=0xbf)
}
