//! Approvals: a filter asks, people decide, and the filter takes a use when the request really goes.
//!
//! `protocol` is what goes over the wire, `machine` one approval as a value, `store` where approvals are kept,
//! `acts` what can be done with them in a transaction, `clerk` the thread that does it, and `api` the routes.
//!
//! A filter's question is bound to the request, the caller and the rule by its `binding`. Asking the same again
//! finds the same approval:
//!
//! | the approval is | the answer to `POST /v1/approvals` |
//! |---|---|
//! | pending | `pending` |
//! | approved, and not used up | `approved` |
//! | denied, less than an hour ago | `denied` |
//! | used up, expired, revoked, or denied longer ago | `pending`, with a new approval |
//!
//! Asking and waiting take nothing, so that who left eats no approval: a claim does, once for each id of a claim.

pub mod acts;
mod api;
mod clerk;
mod decided;
mod entries;
pub mod machine;
mod news;
pub mod protocol;
mod refusal;
pub mod store;
pub mod work;

pub use api::{Desk, routes};
pub use clerk::Clerk;
pub use decided::Decided;
pub use news::News;
