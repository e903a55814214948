//! Globs: `*` stands for any run of characters, everything else for itself.

/// A pattern such as `inference.*` or `small-*`, matched whole and case-sensitively.
///
/// The work is bounded by the product of both lengths, and patterns come from the policy only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob(String);

impl Glob {
    /// Every text is a valid glob.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(pattern.to_owned())
    }

    /// Whether the whole text fits.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
            return false;
        };
        let mut parts: Vec<&str> = parts.collect();
        let Some(last) = parts.pop() else {
            return rest.is_empty();
        };
        let Some(mut rest) = rest.strip_suffix(last) else {
            return false;
        };
        // The shortest stretch for every inner star leaves the most for those that follow.
        for part in parts {
            match rest.split_once(part) {
                Some((_, after)) => rest = after,
                None => return false,
            }
        }
        true
    }

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn matches_whole_texts() {
        for (pattern, yes, no) in [
            ("inference.*", "inference.chat", "xinference.chat"),
            ("inference.*", "inference.", "inference"),
            ("a", "a", "ab"),
            ("*", "", "\u{0}never"),
            ("a*b*c", "aXbYc", "aXcYb"),
            ("a*a", "aa", "a"),
            ("*.gguf", "x/y.gguf", "x.gguf.txt"),
            ("a**c", "abc", "ab"),
        ] {
            let glob = Glob::new(pattern);
            assert!(glob.matches(yes), "{pattern} should match {yes}");
            if pattern != "*" {
                assert!(!glob.matches(no), "{pattern} should not match {no}");
            }
        }
    }
}
