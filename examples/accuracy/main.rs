//! Measures the built-in detectors against sentences with labelled spans:
//!
//! ```text
//! cargo run --release --example accuracy -- generated_large.json
//! ```
//!
//! The file is an array of objects with a `full_text` and `spans`, each with an
//! `entity_type`, a `start_position` and an `end_position` in characters: the form of
//! Presidio's evaluation sets. For each kind of label that a detector looks for, it prints
//! how many there are, how many were found, precision and recall; then what was missed,
//! what was found where nothing says so, and what the detectors without labels found. The
//! last two are to be judged by hand: labels may be missing.
//!
//! A label is *found* when every byte of it lies in a match of its detector: half a phone
//! number in the open is a miss. A match is *true* when it overlaps a label of its
//! detector's kind, and *false* otherwise, whatever else is labelled there. So recall is
//! found / labelled, and precision true / (true + false).
//!
//! | file | what it does |
//! |---|---|
//! | labelled.rs | reads the file |
//! | kinds.rs | which labels a detector answers to, and which labels don't count |
//! | measure.rs | runs the detectors, compares matches and labels |
//! | report.rs | prints |

mod kinds;
mod labelled;
mod measure;
mod report;

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(file), None) = (args.next(), args.next()) else {
        eprintln!("Usage: cargo run --release --example accuracy -- FILE");
        return ExitCode::from(2);
    };
    match labelled::read(&file).and_then(|sentences| measure::measure(&sentences)) {
        Ok(measured) => {
            print!("{}", report::Report(&measured));
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{file}: {problem}");
            ExitCode::FAILURE
        }
    }
}
