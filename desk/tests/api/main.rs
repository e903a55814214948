//! The desk as it runs: the built binary, real HTTP, real gRPC, a real file.

mod approvals;
mod check;
mod client;
mod expiry;
mod harness;
mod refusals;
mod sessions;
mod starting;
mod waiting;
