//! Quotas: how much of a window is taken, counted once over all workers.
//!
//! Counts are entries of the [shared table](crate::shared::Table), known by a digest of their quota
//! and key, and by the window's end. A count that finds no room there is refused.
//!
//! Windows are fixed: they begin at whole multiples of their length since 1970, so that all
//! workers agree on them without a word. Up to twice the limit can pass in a time as long as a
//! window that lies across two of them.
//!
//! What is taken is a [`Reservation`], which knows its window: it can be settled or given back
//! later, also when that window has ended and the next has begun.

mod charge;
mod reservation;
mod section;
mod window;

#[cfg(test)]
mod tests;

pub use charge::{Charge, ChargeError, charge};
pub use reservation::Reservation;
pub use section::{Dimension, Measure, QUOTAS, Quota, read};
