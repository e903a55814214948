//! `answers`: how much room there is for answers that wait for people.

use serde::Deserialize;

/// The most that a configuration may name, in MiB: 1 TiB.
const MAX_MEBIBYTES: u64 = 1 << 20;

/// How much room there is for answers that wait for people, and are kept until they are asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answers {
    /// How many MiB they may have together; with 0, none is kept.
    pub mebibytes: u64,
}

impl Default for Answers {
    fn default() -> Self {
        Self { mebibytes: 256 }
    }
}

impl Answers {
    pub(super) fn check(&self) -> Result<(), String> {
        match self.mebibytes <= MAX_MEBIBYTES {
            true => Ok(()),
            false => Err(format!(
                "/answers/mebibytes: found {}, expected at most {MAX_MEBIBYTES}",
                self.mebibytes
            )),
        }
    }
}
