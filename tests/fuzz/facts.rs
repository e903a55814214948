//! Looks for a body of which something else is told than a server reads in it.
//!
//! `masking.rs` says how it is run, with `--bin facts` behind `--package fuzz`; `judged/facts.rs` says what
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

use judged::facts;
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: seeds::write(facts::seeds),
    |data: &[u8]| facts::check(data)
);
