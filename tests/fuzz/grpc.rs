//! Looks for a message of gRPC of which something else is told than its reader finds.
//!
//! `masking.rs` says how it is run, with `--bin grpc` behind `--package fuzz`; `judged/messages.rs` says what
//! the first bytes are.
#![no_main]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    reason = "a panic is how a finding is reported"
)]

#[allow(dead_code, reason = "each target uses its part")]
mod judged;
mod seeds;

use judged::messages;
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: seeds::write(messages::seeds),
    |data: &[u8]| messages::check(data)
);
