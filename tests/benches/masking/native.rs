//! The same bodies in this process: what the mask costs without Envoy and V8.

use core::hint::black_box;
use portcullis::mask::policy::{BUILT_IN_DETECTORS, Detection, Detector, Style};
use portcullis::mask::{CompiledMask, Format, Walker};
use testbed::cpu;

use crate::bodies::Body;

/// How much of a body comes at a time, where the body itself does not say.
const PIECE: usize = 16 << 10;

fn mask() -> Result<CompiledMask, String> {
    let detections: Vec<Detection> = BUILT_IN_DETECTORS
        .iter()
        .map(|name| Detection {
            detector: Detector::BuiltIn(name),
            style: Style::Label,
        })
        .collect();
    CompiledMask::new(&detections).map_err(|error| error.to_string())
}

/// What the filter has to make of a body.
///
/// # Errors
/// When it can't be masked.
pub fn masked(body: &Body) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    walk(&mask()?, body, &mut out)?;
    Ok(out)
}

/// The seconds of a processor that it takes, so many times.
///
/// # Errors
/// When it can't be masked.
pub fn times(body: &Body, turns: u32) -> Result<Vec<f64>, String> {
    let mask = mask()?;
    let mut out = Vec::with_capacity(body.bytes().len());
    let mut times = Vec::new();
    for _ in 0..turns {
        out.clear();
        let start = cpu::of_this_thread();
        walk(&mask, body, &mut out)?;
        times.push((cpu::of_this_thread() - start).as_secs_f64());
        black_box(&out);
    }
    Ok(times)
}

fn walk(mask: &CompiledMask, body: &Body, out: &mut Vec<u8>) -> Result<(), String> {
    let format = match body.events {
        0 => Format::Json,
        _ => Format::Events,
    };
    let said = |error: portcullis::mask::WalkError| error.to_string();
    let mut walker = Walker::new(format);
    for piece in &body.pieces {
        for piece in piece.chunks(PIECE) {
            walker.push(mask, piece, out).map_err(said)?;
        }
    }
    walker.finish(mask, out).map_err(said)
}
