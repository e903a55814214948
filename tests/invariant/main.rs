//! What masking promises of streams, from the outside: the same bytes however a body is cut, and
//! none held back that can't become part of a match.
//!
//! Texts that nobody here wrote are read from the folder that `PORTCULLIS_VECTORS` names. Where
//! trying everything would take minutes, an even part of it is tried, and how much is printed; with
//! `PORTCULLIS_EXHAUSTIVE` in the environment, all of it. That wants an optimized build:
//!
//! ```sh
//! PORTCULLIS_EXHAUSTIVE=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
//!   cargo test --release -p portcullis --lib --test invariant -- --nocapture mask::tests vectors
//! ```
#![cfg(not(target_arch = "wasm32"))]
// clippy.toml excuses tests, but not the functions that they share.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used
)]

mod faults;
mod machine;
mod mutations;
mod prompt;
mod vectors;

use std::env;

use portcullis::mask::policy::{BUILT_IN_DETECTORS, Detection, Detector, Style};
use portcullis::mask::{CompiledMask, Format, GrpcMessage, WalkError, Walker};

/// How many bytes a test masks at most, unless it is to try everything.
const EFFORT: usize = 4 << 20;

/// Whether everything is to be tried, however long it takes.
fn is_exhaustive() -> bool {
    env::var_os("PORTCULLIS_EXHAUSTIVE").is_some()
}

/// One of how many things to try, where all of them are so many bytes.
fn stride(bytes: usize) -> usize {
    if is_exhaustive() {
        1
    } else {
        1 + bytes / EFFORT
    }
}

fn mask() -> CompiledMask {
    let detections: Vec<Detection> = BUILT_IN_DETECTORS
        .iter()
        .map(|name| Detection {
            detector: Detector::BuiltIn(name),
            style: Style::Label,
        })
        .collect();
    CompiledMask::new(&detections).unwrap()
}

/// What a body becomes in these pieces, how many matches there were, and how it ended.
fn masked<'a>(
    mask: &CompiledMask,
    format: Format,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<u8>, u64, Result<(), WalkError>) {
    let mut walker = Walker::new(format);
    let mut out = Vec::new();
    let mut pieces = pieces.into_iter();
    let end = pieces
        .try_for_each(|piece| walker.push(mask, piece, &mut out))
        .and_then(|()| walker.finish(mask, &mut out));
    (out, walker.counts().total(), end)
}

/// Checks a body byte by byte and in two pieces, for every place that the stride leaves; gives
/// what it becomes, and how many matches there were.
fn same_in_any_pieces(
    mask: &CompiledMask,
    format: Format,
    body: &[u8],
    stride: usize,
) -> (Vec<u8>, u64) {
    let whole = masked(mask, format, [body]);
    let check = |how: &str, came: (Vec<u8>, u64, Result<(), WalkError>)| {
        assert!(
            came == whole,
            "{format:?} {how}: {}, {:?}\nnot {}, {:?}\nof  {}",
            String::from_utf8_lossy(&came.0),
            came.2,
            String::from_utf8_lossy(&whole.0),
            whole.2,
            String::from_utf8_lossy(body)
        );
    };
    check("byte by byte", masked(mask, format, body.chunks(1)));
    for at in (body.len() % stride..=body.len()).step_by(stride) {
        let (head, tail) = body.split_at(at);
        let came = masked(mask, format, [head, tail]);
        check(&format!("cut at {at}"), came);
    }
    let (out, matches, _) = whole;
    (out, matches)
}
