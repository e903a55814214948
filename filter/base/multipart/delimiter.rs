//! Looks for a boundary with its two hyphens.

/// The longest boundary that RFC 2046 allows.
const MAX_BOUNDARY_BYTES: usize = 70;

const MAX_BYTES: usize = MAX_BOUNDARY_BYTES + 2;

/// Two hyphens and the boundary, with what the search of Knuth, Morris and Pratt needs: the caller
/// chooses the boundary as well as the body, and may not make the work grow with their product.
#[derive(Clone, Debug)]
pub(super) struct Delimiter {
    bytes: [u8; MAX_BYTES],
    length: usize,
    /// How much of the delimiter still matches at its end when, after so many bytes less one,
    /// the next doesn't.
    shorter: [usize; MAX_BYTES],
}

/// One that is nowhere.
impl Default for Delimiter {
    fn default() -> Self {
        Self {
            bytes: [0; MAX_BYTES],
            length: 0,
            shorter: [0; MAX_BYTES],
        }
    }
}

impl Delimiter {
    /// `None` if RFC 2046 doesn't allow the boundary.
    pub(super) fn new(boundary: &str) -> Option<Self> {
        let text = boundary.as_bytes();
        let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
        if text.is_empty() || text.ends_with(b" ") || !text.iter().all(allowed) {
            return None;
        }
        let mut delimiter = Self {
            length: text.len() + 2,
            ..Self::default()
        };
        delimiter.bytes.get_mut(..2)?.copy_from_slice(b"--");
        let room = delimiter.bytes.get_mut(2..delimiter.length)?;
        room.copy_from_slice(text);
        let mut matched = 0;
        for at in 1..delimiter.length {
            matched = delimiter.advance(matched, *delimiter.bytes.get(at)?);
            *delimiter.shorter.get_mut(at)? = matched;
        }
        Some(delimiter)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Where it first is.
    pub(super) fn find(&self, text: &[u8]) -> Option<usize> {
        let mut matched = 0;
        let mut at = 0;
        loop {
            if matched == 0 {
                at += position_of_hyphen(text.get(at..)?)?;
            }
            matched = self.advance(matched, *text.get(at)?);
            at += 1;
            if matched == self.length {
                return at.checked_sub(self.length);
            }
        }
    }

    /// How much matches with one more byte, if `matched` did, which is not all.
    fn advance(&self, mut matched: usize, byte: u8) -> usize {
        loop {
            if self.bytes.get(matched) == Some(&byte) {
                return matched + 1;
            }
            let Some(last) = matched.checked_sub(1) else {
                return 0;
            };
            matched = self.shorter.get(last).copied().unwrap_or_default();
        }
    }
}

/// Eight bytes at a time: most of what is uploaded has hardly any hyphens.
fn position_of_hyphen(text: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::MAX / 255;
    let (words, _) = text.as_chunks::<8>();
    let has_none = |word: &&[u8; 8]| {
        let other = u64::from_ne_bytes(**word) ^ (ONES * b'-' as u64);
        other.wrapping_sub(ONES) & !other & (ONES << 7) == 0
    };
    let skipped = 8 * words.iter().take_while(has_none).count();
    let rest = text.get(skipped..)?;
    Some(skipped + rest.iter().position(|byte| *byte == b'-')?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Delimiter;

    fn naive(text: &[u8], needle: &[u8]) -> Option<usize> {
        text.windows(needle.len()).position(|bytes| bytes == needle)
    }

    #[test]
    fn boundaries_are_those_of_rfc_2046() {
        for boundary in ["a", "a b", "'()+_,-./:=?", "-", &"x".repeat(70)] {
            let delimiter = Delimiter::new(boundary).unwrap();
            assert_eq!(delimiter.bytes(), format!("--{boundary}").as_bytes());
        }
        for boundary in [
            "",
            " ",
            "a ",
            "a\"",
            "a;",
            "a\r\n",
            "ä",
            "a*",
            &"x".repeat(71),
        ] {
            assert!(Delimiter::new(boundary).is_none(), "{boundary:?}");
        }
    }

    #[test]
    fn a_delimiter_is_found_wherever_it_is() {
        for boundary in [
            "x",
            "-",
            "--",
            "a-a-b",
            "----WebKitFormBoundary7MA4YWxkTrZu0gW",
        ] {
            let delimiter = Delimiter::new(boundary).unwrap();
            for front in 0..40 {
                for filler in *b"-x\0" {
                    let mut text = vec![filler; front];
                    text.extend_from_slice(delimiter.bytes());
                    assert_eq!(delimiter.find(&text), naive(&text, delimiter.bytes()));
                    assert!(delimiter.find(&text).is_some());
                    text.pop();
                    assert_eq!(delimiter.find(&text), naive(&text, delimiter.bytes()));
                }
            }
        }
    }

    proptest! {
        #[test]
        fn the_first_is_found(boundary in "[-ab]{1,6}", text in "[-ab]{0,64}") {
            let delimiter = Delimiter::new(&boundary).unwrap();
            let text = text.as_bytes();
            prop_assert_eq!(delimiter.find(text), naive(text, delimiter.bytes()));
        }

        #[test]
        fn any_byte_may_be_around(
            front in proptest::collection::vec(any::<u8>(), 0..64),
            back in proptest::collection::vec(any::<u8>(), 0..16),
        ) {
            let delimiter = Delimiter::new("a-b").unwrap();
            let text = [&front, delimiter.bytes(), &back].concat();
            prop_assert_eq!(delimiter.find(&text), naive(&text, delimiter.bytes()));
        }
    }
}
