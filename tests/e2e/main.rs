//! What Portcullis promises, in real Envoys with two workers each: the current version, and the
//! oldest that is supported.
#![cfg(not(target_arch = "wasm32"))]
// clippy.toml excuses tests, but not the functions that they share.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod approvals;
mod masking;
mod quotas;
mod records;
mod rules;
mod support;
mod tokens;
