//! The desk as it runs: the built binary, real HTTP, real gRPC, a real file.

// Clippy takes only #[test] functions for tests, not what they share.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used
)]

mod access_log;
mod ahead;
mod approvals;
mod audit;
mod check;
mod client;
mod cluster;
mod connections;
mod events;
mod expiry;
mod gaps;
mod grants;
mod harness;
mod kept_answers;
mod ledger;
mod metrics;
mod model;
mod mtls;
mod other_processes;
mod owners;
mod peers;
mod protocol;
mod quotas;
mod refusals;
mod retention;
mod reviewing;
mod sessions;
mod starting;
mod tls;
mod token;
mod two_desks;
mod unread;
mod waiting;
mod witnesses;
