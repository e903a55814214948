//! Looks for a body that is masked otherwise in pieces than as a whole, or not at all.
//!
//! A stable compiler will do. Without an argument the fuzzer runs until it finds something, and
//! writes that into the folder it runs in:
//!
//! ```sh
//! RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
//!   -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
//!   -Cllvm-args=-sanitizer-coverage-pc-table -Cdebug-assertions -Coverflow-checks" \
//!   cargo run --release --package fuzz --target-dir target/fuzz --target x86_64-unknown-linux-gnu \
//!   -- -max_len=4096 -max_total_time=600 target/fuzz/corpus
//! ```
//!
//! With `PORTCULLIS_SEEDS` in the environment, the inputs to begin with are written into the folder
//! that it names first.
#![no_main]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a panic is how a finding is reported"
)]

mod invariant;
mod seeds;

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    init: seeds::write(invariant::seeds),
    |data: &[u8]| invariant::check(data)
);
