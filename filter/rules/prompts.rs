//! Which patterns a request's texts fit.
//!
//! Texts are looked at as a body is read, and only what they fit is kept: a request that waits for
//! a person holds none of them.

use super::patterns::Pattern;

/// The patterns that at least one text fits, by their places in the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prompts(pub(super) Vec<bool>);

impl Prompts {
    /// Whether some text fits the pattern.
    #[must_use]
    pub fn fit(&self, pattern: usize) -> bool {
        self.0.get(pattern).copied().unwrap_or(false)
    }
}

/// Looks for the patterns that rules ask for in one text after another.
#[derive(Debug)]
pub struct PromptSearch<'p> {
    patterns: &'p [Pattern],
    /// The patterns that no text has fitted so far.
    missing: Vec<usize>,
    found: Prompts,
}

impl<'p> PromptSearch<'p> {
    /// Looks for some of the policy's patterns, named by their places.
    #[must_use]
    pub fn new(wanted: impl IntoIterator<Item = usize>, patterns: &'p [Pattern]) -> Self {
        let mut missing: Vec<usize> = wanted.into_iter().collect();
        missing.sort_unstable();
        missing.dedup();
        Self {
            patterns,
            missing,
            found: Prompts(vec![false; patterns.len()]),
        }
    }

    /// Whether there is something that has not been found.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.missing.is_empty()
    }

    /// Looks at one text.
    pub fn look(&mut self, text: &[u8]) {
        let (patterns, found) = (self.patterns, &mut self.found.0);
        self.missing.retain(|index| {
            let fits = patterns
                .get(*index)
                .is_some_and(|pattern| pattern.matches(text));
            if fits && let Some(found) = found.get_mut(*index) {
                *found = true;
            }
            !fits
        });
    }

    /// What was found.
    #[must_use]
    pub fn end(self) -> Prompts {
        self.found
    }
}
