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
use portcullis::config::mask::{BUILT_IN_DETECTORS, Detection, Detector, Style};
use portcullis::mask::{Engine, WalkError, Walker};
use testbed::cpu;

#[global_allocator]
static HEAP: heap::Counting = heap::Counting;

/// How much comes at a time.
const PIECE: usize = 16 << 10;

/// What may be held of any body: an event or a frame, and what waits in front of it.
const MOST_HELD: usize = 4 << 20;

/// How often each is masked at most; the fastest counts.
const TURNS: u32 = 5;

/// How long one is masked again and again.
const LONGEST: Duration = Duration::from_millis(300);

/// What masking a body took.
struct Cost {
    nanoseconds_a_byte: f64,
    held: usize,
    heap: usize,
    end: Result<(), WalkError>,
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
    let engine = Engine::new(&detections).map_err(|error| error.to_string())?;
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
            row(&engine, &input)?;
        }
    }
    Ok(())
}

fn row(engine: &Engine, input: &Input) -> Result<(), String> {
    let mut costs = Vec::new();
    let mut largest = 0;
    for times in [1, 2, 4, 8] {
        let body = input.body(times);
        largest = body.len();
        costs.push(cost(engine, input, &body, PIECE));
    }
    // Of a body in single bytes, no more than what is looked at in a second or two.
    let mut small = input.body(1);
    if small.len() > 1 << 20 && input.cut_at_will {
        small.truncate(1 << 20);
    }
    let single = cost(engine, input, &small, 1);
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
        match costs.last().map(|cost| cost.end) {
            Some(Err(error)) => error.to_string(),
            _ => String::new(),
        }
    );
    match held > MOST_HELD {
        true => Err(format!("{} bytes are held of {}", held, input.name)),
        false => Ok(()),
    }
}

fn cost(engine: &Engine, input: &Input, body: &[u8], piece: usize) -> Cost {
    let mut best = Cost {
        nanoseconds_a_byte: f64::INFINITY,
        held: 0,
        heap: 0,
        end: Ok(()),
    };
    let begun = cpu::of_this_thread();
    for _ in 0..TURNS {
        // What is written is sent on, and not kept.
        let mut out = Vec::with_capacity(4 * PIECE);
        let mut walker = Walker::new(input.format);
        heap::begin();
        let start = cpu::of_this_thread();
        let mut held = 0;
        let mut pieces = body.chunks(piece);
        let end = pieces
            .try_for_each(|piece| {
                out.clear();
                let taken = walker.push(engine, piece, &mut out);
                held = held.max(walker.held());
                taken
            })
            .and_then(|()| {
                out.clear();
                walker.finish(engine, &mut out)
            });
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let time = (cpu::of_this_thread() - start).as_secs_f64() * 1e9 / f64::from(length);
        best.nanoseconds_a_byte = best.nanoseconds_a_byte.min(time);
        best.held = best.held.max(held);
        best.heap = best.heap.max(heap::most());
        best.end = end;
        if cpu::of_this_thread() - begun > LONGEST {
            break;
        }
    }
    best
}

/// A number of bytes for people.
fn size(bytes: usize) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}
