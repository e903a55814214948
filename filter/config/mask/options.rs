//! What a mask does beside looking for text in the plain places.

/// Choices of a mask that are no detectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MaskOptions {
    /// A JSON string that is wholly base64 of text is masked as that text, and written as base64
    /// again when something in it matched.
    pub base64: bool,
    /// An answer that is a part of a body (status 206) passes unmasked: where it begins, nobody
    /// knows what stands before it. Otherwise it is refused.
    pub partial_content_passes: bool,
}

impl MaskOptions {
    /// What holds where two masks apply at once: whatever lets less through unmasked.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        Self {
            base64: self.base64 || other.base64,
            partial_content_passes: self.partial_content_passes && other.partial_content_passes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::MaskOptions;

    #[test]
    fn two_masks_let_through_what_both_let_through() {
        let lax = MaskOptions {
            base64: false,
            partial_content_passes: true,
        };
        let strict = MaskOptions {
            base64: true,
            partial_content_passes: false,
        };
        assert_eq!(lax.stricter(strict), strict);
        assert_eq!(strict.stricter(lax), strict);
        assert_eq!(lax.stricter(lax), lax);
    }
}
