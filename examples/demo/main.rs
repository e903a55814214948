//! Takes a model server from open to guarded, and shows it:
//!
//! ```text
//! cargo run --example demo
//! cargo run --example demo -- --keep
//! ```
//!
//! It starts, on this machine only: doubles of a model server and of an identity provider, the
//! desk, and a real Envoy with the filter and the policy in examples/policies/demo.json. Then it
//! sends requests as people would, and prints what came back and what the session record says
//! about it. Every number and every text that it shows was received; what differs from what the
//! policy promises is said, and ends in exit status 1.
//!
//! | file | what it does |
//! |---|---|
//! | stage.rs | starts everything, sends requests, finds their session records |
//! | desk.rs | the desk's process, and its API as a reviewer uses it |
//! | acts/ | the scenes, in the order in which they are shown |
//! | paper.rs | how lines look |
//! | keep.rs | the commands that `--keep` prints |

mod acts;
mod desk;
mod keep;
mod paper;
mod signals;
mod stage;

use std::process::ExitCode;

use paper::Paper;
use signals::Signals;
use stage::{Ports, Stage};

const HELP: &str = "\
Takes a model server from open to guarded, and shows it.

Usage: cargo run --example demo [-- OPTIONS]

Options:
  --keep   leave everything running afterwards, on ports 10000 (Envoy), 9901
           (its admin interface) and 7070, 7071 (the desk), with curl commands
           to play with; Enter or ctrl-c stops it
  --help   print this

Environment:
  PORTCULLIS_ENVOY  an Envoy to take instead of finding or installing one
  PORTCULLIS_WASM   a built module to take instead of building it
  PORTCULLIS_DESK   a built desk to take instead of building it
  NO_COLOR          no colors, also on a terminal
";

/// What the command line asks for.
enum Wish {
    Show { keep: bool },
    Help,
}

fn main() -> ExitCode {
    let keep = match wish(std::env::args().skip(1)) {
        Ok(Wish::Show { keep }) => keep,
        Ok(Wish::Help) => {
            Paper::new().line(HELP.trim_end());
            return ExitCode::SUCCESS;
        }
        Err(why) => return failed(&why),
    };
    let signals = match Signals::watch() {
        Ok(signals) => signals,
        Err(why) => return failed(&why),
    };
    let mut paper = Paper::new();
    let shown = show(&mut paper, &signals, keep);
    // By now everything is dropped, so everything has ended.
    match shown {
        // A signal that comes while commands are being tried is how that ends.
        Ok(()) if signals.seen() && !keep => failed(signals::STOPPED),
        Err(_) if signals.seen() => failed(signals::STOPPED),
        Err(why) => failed(&why),
        Ok(()) if paper.differences() > 0 => failed(&format!(
            "{} of what was shown differs from what was expected",
            paper.differences()
        )),
        Ok(()) => {
            paper.line("\nAll of it was as it should be; nothing is left running.");
            ExitCode::SUCCESS
        }
    }
}

fn wish(arguments: impl Iterator<Item = String>) -> Result<Wish, String> {
    let mut keep = false;
    for argument in arguments {
        match argument.as_str() {
            "--keep" => keep = true,
            "--help" | "-h" => return Ok(Wish::Help),
            other => return Err(format!("{other:?} is no option; --help lists them")),
        }
    }
    Ok(Wish::Show { keep })
}

fn show(paper: &mut Paper, signals: &Signals, keep: bool) -> Result<(), String> {
    let ports = if keep { Ports::FIXED } else { Ports::FREE };
    let mut stage = Stage::set(ports, signals)?;
    acts::play(paper, &mut stage)?;
    if keep {
        keep::commands(paper, &stage);
        signals.wait_for_enter();
    }
    Ok(())
}

fn failed(why: &str) -> ExitCode {
    eprintln!("demo: {why}");
    ExitCode::FAILURE
}
