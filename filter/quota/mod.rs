//! Quotas: how much of something may be asked for, counted once over all workers.
//!
//! Counts are entries of the [shared table](crate::shared::Table), known by a digest of their quota
//! and key. A count that finds no room there is refused. What is in an entry depends on its
//! [`Window`]: a [ring](ring) of sub-windows, one number for a calendar's day or month, or a
//! [bucket]. What may be under way at once is [held](in_flight), a row for each VM.
//!
//! What is taken is a [`Reservation`], which knows the time that it was taken for: it can be settled
//! or given back later.
//!
//! A person may have a count [emptied](reset()): once by all workers, whoever hears of it first.
//!
//! Who can make up the names in a key (models, claims, addresses) can make so many counts with them,
//! and shares one with themselves beyond that: see [names].

mod bucket;
mod calendar;
mod charge;
mod in_flight;
mod limit;
mod names;
mod reservation;
mod reset;
mod ring;
mod section;
mod take;
mod taking;
mod window;

#[cfg(test)]
mod tests;

pub use calendar::Period;
pub use charge::{Charge, ChargeError, Inventor};
pub use in_flight::{InFlight, Slot};
pub use limit::{Special, Weight};
pub use names::OTHERS;
pub use reservation::{Reservation, Unsettled};
pub use reset::{NotReset, Reset, reset};
pub use section::{Dimension, Measure, QUOTAS, Quota, Span, read};
pub use take::{charge, look};
pub use window::Window;
