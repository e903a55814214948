//! What it costs to count, in a real Envoy: `cargo bench --bench quotas`.
//!
//! It prints Envoy's processor time for a request, and of that the counter alone: what a quota adds to
//! the same filter without one. Envoy's own `local_ratelimit` behind `jwt_authn` does the same job in
//! the same run. Variants take turns in short windows, so that whatever else the machine does hits
//! them alike. Nothing is asserted about time; an answer other than 200 ends the run with an error.
//!
//! Words behind `--` choose tables by a part of their title. `PORTCULLIS_LOAD_ROUNDS` says how many
//! rounds there are (9 if not said).

#[path = "../common/cpu.rs"]
mod cpu;
mod floor;
#[path = "../load/peer.rs"]
mod peer;
mod requests;
mod table;
#[path = "../load/upstream.rs"]
mod upstream;
mod variants;
#[path = "../load/window.rs"]
mod window;

use std::env;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use table::Row;
use testbed::idp::Idp;
use upstream::Upstream;
use variants::{Limits, NAMES, Variant};
use window::{Sample, Target};

/// How long a variant is under load before another has its turn.
const WINDOW: Duration = Duration::from_millis(10);

/// How many turns each variant has in a round.
const TURNS: u32 = 40;

const ROUNDS: u32 = 9;

/// Caches are filled and connections to the upstream opened before anything counts.
const WARM_UP: Duration = Duration::from_millis(500);

/// A table.
#[derive(Clone, Copy)]
struct Case {
    workers: u32,
    /// How many callers ask, in turn.
    callers: usize,
    /// Callers that have filled the table of counts before.
    fillers: usize,
}

impl Case {
    const ALL: [Self; 4] = [
        Self::new(1, 10, 0),
        Self::new(1, 1000, 210),
        Self::new(2, 10, 0),
        Self::new(2, 1000, 210),
    ];

    const fn new(workers: u32, callers: usize, fillers: usize) -> Self {
        Self {
            workers,
            callers,
            fillers,
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            workers, callers, ..
        } = self;
        write!(to, "workers: {workers}, {callers} callers")?;
        match self.fillers {
            0 => Ok(()),
            fillers => write!(to, ", {} other counts", fillers * NAMES),
        }
    }
}

fn main() -> ExitCode {
    // `cargo test --benches` runs this too, without the word that `cargo bench` gives.
    let (flags, words): (Vec<_>, Vec<_>) =
        env::args().skip(1).partition(|word| word.starts_with('-'));
    if !flags.iter().any(|flag| flag == "--bench") {
        println!("nothing measured: run `cargo bench --bench quotas`");
        return ExitCode::SUCCESS;
    }
    let rounds = env::var("PORTCULLIS_LOAD_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(ROUNDS);
    let chosen = Case::ALL.iter().filter(|case| {
        let title = case.to_string();
        words.is_empty() || words.iter().any(|word| title.contains(word))
    });
    println!(
        "{rounds} rounds of {TURNS} windows of {WINDOW:?} for each variant, in turn; the quietest tenth"
    );
    for case in chosen {
        if let Err(why) = measure(*case, rounds) {
            eprintln!("quotas: {why}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

fn measure(case: Case, rounds: u32) -> Result<(), String> {
    let idp = Idp::start()?;
    let list = requests::lists(&idp, case.callers);
    let filling = requests::names(&idp, case.fillers);
    let mut all = Vec::new();
    for variant in Variant::ALL {
        let mut target = start(variant, &idp, case.workers)
            .map_err(|why| format!("{}: {why}", variant.name()))?;
        // Who asks has its count before others fill what is left.
        target.window(&list, WARM_UP)?;
        target.each(&list)?;
        if matches!(variant, Variant::Portcullis(limits, _) if limits != Limits::None) {
            target.each(&filling)?;
        }
        all.push((target, Row::new(variant)));
    }
    let mut before = Vec::new();
    for (target, _) in &all {
        before.push(retries(target)?);
    }
    for _ in 0..rounds {
        let mut turns: Vec<Vec<Sample>> = vec![Vec::new(); all.len()];
        for _ in 0..TURNS {
            for ((target, _), turns) in all.iter_mut().zip(&mut turns) {
                turns.push(target.window(&list, WINDOW)?);
            }
        }
        for ((_, row), turns) in all.iter_mut().zip(&turns) {
            row.add(turns);
        }
    }
    let mut rows = Vec::new();
    for ((target, mut row), before) in all.into_iter().zip(before) {
        row.retries = retries(&target)?.saturating_sub(before);
        rows.push(row);
    }
    table::print(&case.to_string(), &rows);
    Ok(())
}

fn start(variant: Variant, idp: &Idp, workers: u32) -> Result<Target, String> {
    let said = |error: std::io::Error| error.to_string();
    let upstream = Upstream::listen().map_err(said)?;
    let mesh = variant
        .mesh(idp, workers)
        .map_err(said)?
        .model(upstream.port())
        .start()?;
    Target::new(mesh, upstream).map_err(said)
}

/// How often a count was changed by another worker while it was being changed.
fn retries(target: &Target) -> Result<u64, String> {
    let stats = target.mesh().stats("quota_retries")?;
    Ok(stats.values().copied().sum())
}
