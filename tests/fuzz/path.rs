//! Looks for a path that a server takes for another one than was judged.
//!
//! `masking.rs` says how it is run, with `--bin path` behind `--package fuzz`; `judged/path.rs` says what
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

use judged::path;
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: seeds::write(path::seeds),
    |data: &[u8]| path::check(data)
);
