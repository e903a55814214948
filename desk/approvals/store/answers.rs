//! What is kept of answers that wait for people, beside their approvals.

use crate::approvals::machine::Ends;
use crate::store::StoreError;

/// An answer that waits for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The approval that it waits for.
    pub approval: String,
    /// The filter that put it.
    pub filter: String,
    /// By what answers to the same request are found.
    pub request: String,
    /// Until when it is kept, in milliseconds since 1970.
    pub expires: i64,
    /// The answer, which only filters can open; nothing once it has been denied.
    pub sealed: Vec<u8>,
}

/// What a transaction sees and changes of them. All of these fail only when the database does.
#[allow(
    clippy::missing_errors_doc,
    reason = "they have one, and it is told once"
)]
pub trait KeptAnswers {
    /// Keeps an answer, unless there is one of the same approval.
    fn put_answer(&mut self, answer: &KeptAnswer) -> Result<(), StoreError>;

    /// The answer of an approval that is kept, and not erased.
    fn answer(&mut self, approval: &str, now: i64) -> Result<Option<KeptAnswer>, StoreError>;

    /// The approvals of answers that are kept under this name, or were until they were denied, newest first.
    fn answers_to(
        &mut self,
        filter: &str,
        request: &str,
        now: i64,
        most: u32,
    ) -> Result<Vec<String>, StoreError>;

    /// The first 32 digits of the names of a filter's answers, newest first.
    fn answer_names(
        &mut self,
        filter: &str,
        now: i64,
        most: u32,
    ) -> Result<Vec<String>, StoreError>;

    /// How many answers there are, and how many bytes they have together.
    fn answers_size(&mut self) -> Result<(u64, u64), StoreError>;

    /// The kept answer of an approval ends, if there is one.
    fn end_answer(&mut self, approval: &str, ends: Ends) -> Result<(), StoreError>;

    /// Removes answers whose time is over.
    fn forget_answers(&mut self, now: i64, most: u32) -> Result<(), StoreError>;
}
