//! What becomes of a response, as the request's verdict has it.

use crate::exchange::asked::Asked;
use crate::exchange::taps::Wanted;

/// What becomes of a response, once there is one.
#[derive(Debug)]
pub(in crate::exchange) struct ResponsePlan {
    /// The request that it answers.
    pub(in crate::exchange) asked: Box<Asked>,
    /// What is wanted of it.
    pub(in crate::exchange) wanted: Wanted,
}
