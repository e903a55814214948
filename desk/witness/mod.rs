//! Witnesses on other machines: the ledger's checkpoints go to them, and the desk is one for others.
//!
//! What is sent and how it is checked stands in [the ledger](crate::ledger); here is the way there.

mod client;
mod post;
mod routes;
mod send;
mod states;

pub use client::{Client, Received};
pub use post::Post;
pub use routes::{Board, routes};
pub use states::States;
