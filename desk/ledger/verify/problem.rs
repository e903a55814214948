//! What can be wrong with a ledger.

use std::fmt;

/// How many problems are told one by one.
pub const MAX_PROBLEMS: usize = 100;

/// What kind of thing is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// An entry is not the one that was signed for.
    Changed,
    /// Entries that were signed for are missing between others.
    Dropped,
    /// An entry stands there twice.
    Doubled,
    /// An entry stands at another place.
    Reordered,
    /// An entry stands between those that were signed for.
    Inserted,
    /// Entries that were signed for are missing at the end.
    Truncated,
    /// A witness has seen more entries than there are.
    RolledBack,
    /// A witness has seen other entries.
    Rewritten,
    /// A checkpoint is missing, or is not signed by the ledger's key.
    Forged,
    /// A signing key is not vouched for by the one before it.
    Key,
    /// A tile or an entry bundle is not that of the entries.
    Tile,
    /// A part of a segment has no form that can be read.
    Unreadable,
}

impl Wrong {
    /// One word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Dropped => "dropped",
            Self::Doubled => "doubled",
            Self::Reordered => "reordered",
            Self::Inserted => "inserted",
            Self::Truncated => "truncated",
            Self::RolledBack => "rolled back",
            Self::Rewritten => "rewritten",
            Self::Forged => "forged",
            Self::Key => "key",
            Self::Tile => "tile",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of thing.
    pub wrong: Wrong,
    /// The entries that it is about, if it is about some: from the first to before the last.
    pub entries: Option<(u64, u64)>,
    /// Where, what was found, and what was expected.
    pub text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.wrong.word(), self.text)
    }
}

/// The problems that were found, of which only the first are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// The first [`MAX_PROBLEMS`].
    pub list: Vec<Problem>,
    /// How many there were beside them.
    pub more: u64,
}

impl Problems {
    pub(super) fn add(&mut self, wrong: Wrong, entries: Option<(u64, u64)>, text: String) {
        if self.is_full() {
            self.more = self.more.saturating_add(1);
        } else {
            self.list.push(Problem {
                wrong,
                entries,
                text,
            });
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= MAX_PROBLEMS
    }
}
