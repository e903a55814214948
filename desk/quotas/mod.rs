//! How much of quotas is left, as far as records tell.
//!
//! Envoy keeps counts to itself: they lie in the memory of its workers under digests, and can't be asked for. But
//! each record says what its request left of which count. So the desk remembers the last that it was told of each
//! count of each Envoy, in memory, and says how old that is. What nobody has charged since the desk was started, it
//! doesn't know.
//!
//! Emptying a count is an order of a person's, and stands with those: `approvals/acts/resets.rs`.

mod api;
mod charged;
mod figures;
mod protocol;

pub use api::{Quotas, routes};
pub use charged::Charged;
pub use figures::{Figures, From, MAX_FIGURES, NEAR, Wanted};
pub use protocol::{Figure, Figured};
