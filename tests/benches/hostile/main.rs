//! What the worst input costs, natively: `cargo bench --bench hostile`.
//!
//! Each kind of input is made in four sizes, of which each is twice the one before, and masked with
//! all built-in detectors in pieces of 16 KiB; the smallest byte by byte as well. The time for a
//! byte must be the same for all sizes, and what is held must not grow. Nothing is asserted about
//! time; what is held beyond the bound ends the run with an error.
//!
//! Words behind `--` choose inputs by a part of their name.

mod heap;
mod inputs;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use inputs::Input;
use portcullis::coding::{BUFFER_BYTES, Decoder};
use portcullis::mask::policy::{BUILT_IN_DETECTORS, Detection, Detector, Style};
use portcullis::mask::{CompiledMask, WalkError, Walker};
use testbed::cpu;

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

/// How much comes at a time.
const PIECE: usize = 16 << 10;

/// What may be held of any body: an event or a frame, and what waits in front of it.
const MAX_HELD_BYTES: usize = 4 << 20;

/// How often each is masked at most; the fastest counts.
const TURNS: u32 = 5;

/// How long one is masked again and again.
const MAX_TIME: Duration = Duration::from_millis(300);

/// What masking a body took.
struct Cost {
    nanoseconds_a_byte: f64,
    held: usize,
    heap: usize,
    length: usize,
    end: Result<(), String>,
}

/// A body that was masked.
struct Done {
    /// How many bytes there were to mask.
    length: usize,
    /// How many of them were held at a time, at most.
    held: usize,
    end: Result<(), String>,
}

fn main() -> ExitCode {
    // `cargo test --benches` runs this too, without the word that `cargo bench` gives.
    let (flags, words): (Vec<_>, Vec<_>) =
        env::args().skip(1).partition(|word| word.starts_with('-'));
    if !flags.iter().any(|flag| flag == "--bench") {
        println!("nothing measured: run `cargo bench --bench hostile`");
        return ExitCode::SUCCESS;
    }
    match measure(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("hostile: {why}");
            ExitCode::FAILURE
        }
    }
}

fn measure(words: &[String]) -> Result<(), String> {
    let detections: Vec<Detection> = BUILT_IN_DETECTORS
        .iter()
        .map(|name| Detection {
            detector: Detector::BuiltIn(name),
            style: Style::Label,
        })
        .collect();
    let mask = CompiledMask::new(&detections).map_err(|error| error.to_string())?;
    println!(
        "  {:46}{:>10}{:>9}{:>9}{:>9}{:>9}{:>8}{:>12}{:>11}{:>11}",
        "CPU time, nanoseconds a byte",
        "largest",
        "x 1",
        "x 2",
        "x 4",
        "x 8",
        "8 : 1",
        "by bytes",
        "held",
        "heap"
    );
    for input in inputs::all() {
        if words.is_empty() || words.iter().any(|word| input.name.contains(word)) {
            row(&mask, &input)?;
        }
    }
    Ok(())
}

fn row(mask: &CompiledMask, input: &Input) -> Result<(), String> {
    let mut costs = Vec::new();
    let mut largest = 0;
    for times in [1, 2, 4, 8] {
        let cost = cost(mask, input, &input.body(times), PIECE);
        largest = cost.length;
        costs.push(cost);
    }
    // Of a body in single bytes, no more than what is looked at in a second or two.
    let mut small = input.body(1);
    if small.len() > 1 << 20 && input.cut_at_will {
        small.truncate(1 << 20);
    }
    let single = cost(mask, input, &small, 1);
    let held = costs.iter().map(|cost| cost.held).max().unwrap_or(0);
    let heap = costs.iter().map(|cost| cost.heap).max().unwrap_or(0);
    print!("  {:46}{:>10}", input.name, size(largest));
    for cost in &costs {
        print!("{:>9.2}", cost.nanoseconds_a_byte);
    }
    let ratio = match (costs.first(), costs.last()) {
        (Some(first), Some(last)) => last.nanoseconds_a_byte / first.nanoseconds_a_byte,
        _ => f64::NAN,
    };
    println!(
        "{ratio:>8.2}{:>12.2}{:>11}{:>11}  {}",
        single.nanoseconds_a_byte,
        size(held),
        size(heap),
        match costs.last().map(|cost| &cost.end) {
            Some(Err(error)) => error.as_str(),
            _ => "",
        }
    );
    match held > MAX_HELD_BYTES {
        true => Err(format!("{} bytes are held of {}", held, input.name)),
        false => Ok(()),
    }
}

fn cost(mask: &CompiledMask, input: &Input, body: &[u8], piece: usize) -> Cost {
    let mut best = Cost {
        nanoseconds_a_byte: f64::INFINITY,
        held: 0,
        heap: 0,
        length: 0,
        end: Ok(()),
    };
    let begun = cpu::of_this_thread();
    for _ in 0..TURNS {
        heap::begin();
        let start = cpu::of_this_thread();
        let done = walk(mask, input, body, piece);
        let time = (cpu::of_this_thread() - start).as_secs_f64();
        // Of what is encoded, the bytes that it becomes count.
        let length = u32::try_from(done.length).unwrap_or(u32::MAX).max(1);
        let time = time * 1e9 / f64::from(length);
        best.nanoseconds_a_byte = best.nanoseconds_a_byte.min(time);
        best.held = best.held.max(done.held);
        best.heap = best.heap.max(heap::most());
        best.length = done.length;
        best.end = done.end;
        if cpu::of_this_thread() - begun > MAX_TIME {
            break;
        }
    }
    best
}

fn walk(mask: &CompiledMask, input: &Input, body: &[u8], piece: usize) -> Done {
    let said = |error: WalkError| error.to_string();
    // What is written is sent on, and not kept.
    let mut out = Vec::with_capacity(4 * PIECE);
    let mut walker = Walker::new(input.format);
    let mut done = Done {
        length: 0,
        held: 0,
        end: Ok(()),
    };
    let mut decoder = input.coding.map(Decoder::new);
    let mut room = vec![0; BUFFER_BYTES];
    let mut take = |piece: &[u8]| {
        out.clear();
        let taken = walker.push(mask, piece, &mut out);
        done.held = done.held.max(walker.held());
        done.length = done.length.saturating_add(piece.len());
        taken.map_err(said)
    };
    let end = body.chunks(piece).try_for_each(|mut piece| {
        let Some(decoder) = &mut decoder else {
            return take(piece);
        };
        loop {
            let read = decoder.read(&mut piece, &mut room);
            match read.map_err(|error| format!("{error:?}"))? {
                0 => return Ok(()),
                count => take(room.get(..count).unwrap_or_default())?,
            }
        }
    });
    done.end = end.and_then(|()| {
        out.clear();
        walker.finish(mask, &mut out).map_err(said)
    });
    done
}

/// A number of bytes for people.
fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}
