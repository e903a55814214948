//! Approvals: a filter asks, a person decides, and the decision is handed out once.
//!
//! A filter's question is bound to a digest of the request, the caller, the rule and the policy.
//! Asking the same question again finds the same approval:
//!
//! | the approval is | the answer to `POST /v1/approvals` |
//! |---|---|
//! | pending | `pending` |
//! | approved | `approved`, once; it is `used` from then on |
//! | denied, less than [`DENIED_FOR`] ago | `denied` |
//! | used, expired, or denied longer ago | `pending`, with a new approval |
//!
//! Of two who wait for the same approval, one gets `approved` and the other `used`: a wait never
//! makes a new approval, only asking does. An approval is marked as used before it is handed
//! out, so that a crash or a lost connection may waste one but never passes two requests.

mod api;
mod approval;
mod decided;
mod news;
pub mod protocol;
mod question;
mod store;

pub use api::{Desk, routes};
pub use approval::{APPROVED_FOR, Answer, Approval, DENIED_FOR, PENDING_FOR, State};
pub use decided::Decided;
pub use news::News;
pub use question::Question;
pub use store::{Limits, Trouble, ask, decide, list, look, open, take};
