//! The policy: JSON in, a checked and compiled [`Policy`](crate::config) out.

pub mod mask;
