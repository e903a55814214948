//! How far an object or a list goes, of which the end has not come.

use crate::prefilter::end_of_string;

/// An object or a list, as far as it has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Extent {
    /// Objects and arrays that are open.
    depth: usize,
    /// Within a string, and whether the last byte was a backslash.
    string: Option<bool>,
}

impl Extent {
    /// Where in the piece it ends, if it does.
    pub(super) fn end(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = piece.get(at) {
            if let Some(escaped) = self.string {
                let rest = piece.get(at..).unwrap_or_default();
                let (end, escaped) = end_of_string(rest, escaped);
                self.string = end.is_none().then_some(escaped);
                at += end.map_or(rest.len(), |end| end + 1);
                continue;
            }
            match byte {
                b'"' => self.string = Some(false),
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
            if self.depth == 0 {
                return Some(at);
            }
        }
        None
    }
}
