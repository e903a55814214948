//! What it costs to know the caller, in a real Envoy: `cargo bench --bench load`.
//!
//! It prints Envoy's processor time for a request, with nothing before the router, with Envoy's
//! own `jwt_authn` and with this filter, all in front of the same upstream. The variants take
//! turns in short windows, so that whatever else the machine does hits them alike. Nothing is
//! asserted about time; an answer other than 200 ends the run with an error.
//!
//! Words behind `--` choose tables by a part of their title. `PORTCULLIS_LOAD_ROUNDS` says how
//! many rounds there are (9 if not said, which takes about two minutes).

mod bare_modules;
#[path = "../common/cpu.rs"]
mod cpu;
mod peer;
mod table;
mod tokens;
mod upstream;
mod variants;
mod window;

use std::env;
use std::process::ExitCode;
use std::time::Duration;

use table::Row;
use testbed::idp::Idp;
use tokens::Case;
use upstream::Upstream;
use variants::Variant;
use window::Target;

/// How long a variant is under load before another has its turn.
const WINDOW: Duration = Duration::from_millis(10);

/// How many turns each variant has in a round, of which the quiet ones count.
const TURNS: u32 = 40;

const ROUNDS: u32 = 9;

/// Caches are filled and connections to the upstream opened before anything counts.
const WARM_UP: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    // `cargo test --benches` runs this too, without the word that `cargo bench` gives.
    let (flags, words): (Vec<_>, Vec<_>) =
        env::args().skip(1).partition(|word| word.starts_with('-'));
    if !flags.iter().any(|flag| flag == "--bench") {
        println!("nothing measured: run `cargo bench --bench load`");
        return ExitCode::SUCCESS;
    }
    let mut cases = Case::ALL.to_vec();
    cases.retain(|case| {
        let title = case.to_string();
        words.is_empty() || words.iter().any(|word| title.contains(word))
    });
    match rounds().and_then(|rounds| measure(&cases, rounds)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("load: {why}");
            ExitCode::FAILURE
        }
    }
}

fn rounds() -> Result<u32, String> {
    let Ok(text) = env::var("PORTCULLIS_LOAD_ROUNDS") else {
        return Ok(ROUNDS);
    };
    match text.parse() {
        Ok(rounds) if rounds > 0 => Ok(rounds),
        _ => Err(format!(
            "PORTCULLIS_LOAD_ROUNDS is {text:?}, expected a number of rounds"
        )),
    }
}

fn measure(cases: &[Case], rounds: u32) -> Result<(), String> {
    if cases.is_empty() {
        return Ok(());
    }
    let idp = Idp::start()?;
    let mut targets = Vec::new();
    for variant in Variant::ALL {
        let target = start(variant, &idp).map_err(|why| format!("{}: {why}", variant.name()))?;
        targets.push((variant, target));
    }
    println!(
        "no access log in any variant; of {rounds} rounds of {TURNS} windows of {WINDOW:?} for each \
         variant, in turn,\nthe quietest tenth, and in brackets the least to the greatest that a \
         round by itself gives"
    );
    for case in cases {
        let requests = case.requests(&idp);
        let mut taking_part: Vec<(&mut Target, Row)> = targets
            .iter_mut()
            .filter(|(variant, _)| variant.takes_part(*case))
            .map(|(variant, target)| (target, Row::new(variant.name())))
            .collect();
        for (target, _) in &mut taking_part {
            target.window(&requests, WARM_UP)?;
        }
        for _ in 0..rounds {
            round(&mut taking_part, &requests)?;
        }
        let rows: Vec<Row> = taking_part.into_iter().map(|(_, row)| row).collect();
        table::print(
            &case.to_string(),
            &rows,
            &Variant::REFERENCES.map(Variant::name),
        );
    }
    Ok(())
}

fn start(variant: Variant, idp: &Idp) -> Result<Target, String> {
    let said = |error: std::io::Error| error.to_string();
    let upstream = Upstream::listen().map_err(said)?;
    let mesh = variant
        .mesh(idp)
        .map_err(said)?
        .model(upstream.port())
        .start()?;
    Target::new(mesh, upstream).map_err(said)
}

/// One round: adds a sample to each row.
fn round(taking_part: &mut [(&mut Target, Row)], requests: &[Vec<u8>]) -> Result<(), String> {
    let mut turns = vec![Vec::new(); taking_part.len()];
    for _ in 0..TURNS {
        for ((target, _), turns) in taking_part.iter_mut().zip(&mut turns) {
            turns.push(target.window(requests, WINDOW)?);
        }
    }
    for ((_, row), turns) in taking_part.iter_mut().zip(&turns) {
        row.add(turns);
    }
    Ok(())
}
