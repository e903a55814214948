//! Where approvals are kept. What is kept of one is a document with a version, and beside it what it is found
//! by. A change is load, step, and replacement of the version that was loaded, in one transaction.

mod answers;
pub mod postgres;
mod sqlite;

use serde::{Deserialize, Serialize};

pub use self::answers::{KeptAnswer, KeptAnswers};
pub use self::sqlite::Sqlite;
use super::machine::Approval;
use super::protocol::{Matter, State};
use crate::store::{Listed, Page, StoreError};

/// An approval as it was loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The value.
    pub approval: Approval,
    /// Its version.
    pub version: i64,
}

/// Whose questions are counted.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'t> {
    /// One caller's.
    Caller {
        /// The issuer.
        issuer: &'t str,
        /// The subject.
        subject: &'t str,
    },
    /// Everybody's.
    All,
}

/// Which approvals are listed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Which {
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those that are good for more than one request.
    pub wide: bool,
}

/// What is kept beside approvals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Who is refused everywhere.
    Block,
    /// Who decides instead of whom.
    Delegation,
    /// Which counts of quotas are to be emptied.
    Reset,
}

/// Something of a [`Kind`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its id.
    pub id: String,
    /// When it ends, in milliseconds since 1970; `i64::MAX` for never.
    pub expires: i64,
    /// What it says, in JSON.
    pub document: String,
}

/// How much there is of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// How many.
    pub number: u64,
    /// How long their documents are together, in bytes.
    pub bytes: u64,
}

/// How many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Open {
    /// Approvals that are pending,
    pub pending: u64,
    /// of which somebody waits for this many.
    pub awaited: u64,
    /// For how many seconds the oldest of those has been open.
    pub oldest: u64,
    /// Approvals that are approved and not used up.
    pub approved: u64,
    /// Blocks.
    pub blocks: u64,
}

/// For how many seconds an approval has been open.
fn age(oldest: Option<Stored>, now: i64) -> u64 {
    let age = oldest.map(|stored| now.saturating_sub(stored.approval.created) / 1000);
    age.map_or(0, |age| u64::try_from(age).unwrap_or(0))
}

/// The place before which a page of what is kept begins.
fn before(page: &Page) -> i64 {
    let place = page.before().map(|place| place.parse().unwrap_or(0));
    place.unwrap_or(i64::MAX)
}

/// A database. It is called from one thread.
pub trait Store: Send {
    /// Begins a transaction, which ends without a trace unless it is committed.
    ///
    /// # Errors
    /// The database fails.
    fn begin(&mut self) -> Result<Box<dyn Rows + '_>, StoreError>;

    /// A number that changes when somebody else has changed something.
    ///
    /// # Errors
    /// The database fails.
    fn pulse(&mut self) -> Result<i64, StoreError>;
}

/// What a transaction sees and changes. All of these fail only when the database does.
#[allow(
    clippy::missing_errors_doc,
    reason = "they have one, and it is told once"
)]
pub trait Rows: KeptAnswers {
    /// The approval with this id.
    fn find(&mut self, id: &str) -> Result<Option<Stored>, StoreError>;

    /// The time, as this store tells it, in milliseconds since 1970: desks that share one go by the same clock.
    fn now(&mut self) -> Result<i64, StoreError>;

    /// What answers a filter that asks for this binding: the latest live approval, unless somebody has denied or
    /// revoked a later one, or else the latest of all. One that came back may be older than a question that was
    /// asked while it was taken.
    fn latest(
        &mut self,
        filter: &str,
        binding: &str,
        now: i64,
    ) -> Result<Option<Stored>, StoreError>;

    /// Approved ones for more than one request that may cover what a caller asks for, newest first: those of the
    /// subject, and those of its groups.
    fn wide(&mut self, matter: &Matter, most: u32) -> Result<Vec<Stored>, StoreError>;

    /// Adds an approval.
    fn insert(&mut self, approval: &Approval) -> Result<(), StoreError>;

    /// Replaces an approval unless its version is another by now; says whether it did.
    fn replace(&mut self, stored: &Stored) -> Result<bool, StoreError>;

    /// A page of approvals, newest first.
    fn list(&mut self, which: Which, page: &Page) -> Result<Listed<Approval>, StoreError>;

    /// How many pending ones somebody waits for.
    fn awaited(&mut self, whose: Whose<'_>, now: i64) -> Result<u64, StoreError>;

    /// Pending ones that nobody waits for, all but the newest `keep`; `most` of them.
    fn alone(
        &mut self,
        whose: Whose<'_>,
        now: i64,
        keep: u64,
        most: u32,
    ) -> Result<Vec<Stored>, StoreError>;

    /// Open ones whose time is over.
    fn due(&mut self, now: i64, most: u32) -> Result<Vec<Stored>, StoreError>;

    /// Approved ones whose calendar opens or closes by this time, the longest ago first.
    fn turning(&mut self, now: i64, most: u32) -> Result<Vec<Stored>, StoreError>;

    /// Removes what ended before this time, the oldest first; says how many these were.
    fn forget(&mut self, before: i64, most: u32) -> Result<u64, StoreError>;

    /// How many there are.
    fn open(&mut self, now: i64) -> Result<Open, StoreError>;

    /// Those that a filter may go by without asking, newest first.
    fn listed(&mut self, filter: &str, now: i64, most: u32) -> Result<Vec<Approval>, StoreError>;

    /// What is listed and blocked, as a word that is another one behind each change.
    fn revision(&mut self) -> Result<String, StoreError>;

    /// Notes that what is listed or blocked changes.
    fn revise(&mut self) -> Result<(), StoreError>;

    /// What is kept of a kind and hasn't ended, newest first.
    fn kept(&mut self, kind: Kind, now: i64, most: u32) -> Result<Vec<Kept>, StoreError>;

    /// A page of that. What follows is found by its place, since what is kept may be removed meanwhile.
    fn kept_page(&mut self, kind: Kind, now: i64, page: &Page) -> Result<Listed<Kept>, StoreError>;

    /// How much of it there is.
    fn held(&mut self, kind: Kind, now: i64) -> Result<Held, StoreError>;

    /// What is kept of a kind and has ended.
    fn ended(&mut self, kind: Kind, now: i64, most: u32) -> Result<Vec<Kept>, StoreError>;

    /// Keeps something.
    fn keep(&mut self, kind: Kind, kept: &Kept) -> Result<(), StoreError>;

    /// Removes what is kept under an id, and returns it.
    fn unkeep(&mut self, kind: Kind, id: &str) -> Result<Option<Kept>, StoreError>;

    /// Makes all of it last.
    fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
