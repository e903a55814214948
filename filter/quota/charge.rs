//! What is to be taken from a count, and why it isn't.

use super::taking::Short;
use crate::shared::{Digest, Full, Table, Unavailable};

/// What is taken, and from which count.
#[derive(Clone, Copy, Debug)]
pub struct Charge<'a> {
    /// The quota's name, with what makes its counts unlike those of the same name under another
    /// policy.
    pub quota: &'a str,
    /// The values of its dimensions, such as the subject.
    pub key: &'a [&'a str],
    /// How much this request takes.
    pub amount: u64,
    /// How much must be left, if that is more than it takes.
    pub room: u64,
    /// How much is allowed.
    pub limit: u64,
    /// Who may have made up some of the key.
    pub inventor: Option<Inventor<'a>>,
}

/// Who makes up names: a provider and a subject.
pub type Inventor<'a> = (&'a str, &'a str);

/// Why nothing was charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeError {
    /// There is not enough left; there may be after this many seconds, at least 1.
    Over {
        /// Seconds until enough is back, unless others take it.
        retry_after: u64,
        /// How much is left.
        left: u64,
    },
    /// More than there ever is: waiting will not help.
    Never,
    /// The table can't be used, or has no room.
    Unavailable,
}

impl ChargeError {
    pub(super) fn over(short: Short) -> Self {
        Self::Over {
            retry_after: short.wait.div_ceil(1000).max(1),
            left: short.left,
        }
    }
}

impl From<Unavailable> for ChargeError {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable
    }
}

impl From<Full> for ChargeError {
    fn from(_: Full) -> Self {
        Self::Unavailable
    }
}

impl Charge<'_> {
    /// What its count is known by in the table.
    pub(super) fn digest(&self, table: &Table) -> Digest {
        digest(table, self.quota, self.key)
    }

    /// What must be left.
    pub(super) fn needs(&self) -> u64 {
        self.amount.max(self.room)
    }
}

/// What the count of a quota and a key is known by in the table.
pub(super) fn digest(table: &Table, quota: &str, key: &[&str]) -> Digest {
    table.digest([quota].into_iter().chain(key.iter().copied()))
}
