//! People's approvals, as an exchange goes through them.
//!
//! | here | what it is |
//! |---|---|
//! | `gate` | where an exchange is stopped, and what a person is asked there |
//! | `step` | a question, until it is decided |
//! | `claiming` | the approvals of all gates, taken one after the other before something goes |
//! | `kept` | an answer that is kept, when the same request is made once more |
//! | `sealed` | an answer that waits, as it is kept |
//! | `claims` | what has been taken, and goes back if it was for nothing |
//!
//! The keeper asks and waits, once for all exchanges with the same question; the exchange claims.

mod claiming;
mod claims;
mod gate;
mod kept;
mod sealed;
mod shown;
mod step;

pub(super) use claiming::{Claimed, Claiming};
pub(super) use claims::Claims;
pub use gate::Ask;
pub(super) use gate::{Gate, OPEN, Stop, enter, enter_to_look};
pub(super) use kept::{Finding, Found};
pub(super) use sealed::{Sealed, Sealing};
pub(super) use shown::{Shown, shown, shown_answer};
pub(super) use step::{ApprovalStep, Decided};
