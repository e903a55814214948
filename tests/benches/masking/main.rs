//! What masking costs, in a real Envoy and natively: `cargo bench --bench masking`.
//!
//! Envoy's processor time for whole answers is taken with nothing before the router, with a module
//! that only passes bodies on, with Lua that replaces one pattern, and with this filter and all its
//! detectors; what a variant adds to the bare proxy's time is its cost, and what the detectors add to the
//! filter without a mask is the cost of masking. The variants take turns, so
//! that whatever else the machine does hits them alike. The same bodies are masked in this process
//! too, and both must give the same bytes. Then sixteen streams are timed token by token.
//!
//! Nothing is asserted about time. Words behind `--` choose tables by a part of their title.
//! `PORTCULLIS_MASKING_ROUNDS` says how many rounds there are (5 if not said).

mod bodies;
#[path = "../common/cpu.rs"]
mod cpu;
mod latency;
mod link;
mod native;
mod places;
mod table;
mod variants;

use std::env;
use std::process::ExitCode;

use bodies::Workload;
use cpu::Used;
use link::{Link, Script};
use table::Row;
use testbed::idp::Idp;
use variants::Variant;

const ROUNDS: u32 = 5;

/// What the table of tokens is called.
const TOKENS: &str = "time to tokens";

fn main() -> ExitCode {
    // `cargo test --benches` runs this too, without the word that `cargo bench` gives.
    let (flags, words): (Vec<_>, Vec<_>) =
        env::args().skip(1).partition(|word| word.starts_with('-'));
    if !flags.iter().any(|flag| flag == "--bench") {
        println!("nothing measured: run `cargo bench --bench masking`");
        return ExitCode::SUCCESS;
    }
    let wanted = |title: &str| words.is_empty() || words.iter().any(|word| title.contains(word));
    let mut workloads = Workload::ALL.to_vec();
    workloads.retain(|workload| wanted(workload.name()));
    match rounds().and_then(|rounds| measure(&workloads, wanted(TOKENS), rounds)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("masking: {why}");
            ExitCode::FAILURE
        }
    }
}

fn rounds() -> Result<u32, String> {
    let Ok(text) = env::var("PORTCULLIS_MASKING_ROUNDS") else {
        return Ok(ROUNDS);
    };
    match text.parse() {
        Ok(rounds) if rounds > 0 => Ok(rounds),
        _ => Err(format!(
            "PORTCULLIS_MASKING_ROUNDS is {text:?}, expected a number of rounds"
        )),
    }
}

fn measure(workloads: &[Workload], tokens: bool, rounds: u32) -> Result<(), String> {
    let idp = Idp::start()?;
    let mut links = Vec::new();
    for variant in Variant::ALL {
        let link = start(variant, &idp).map_err(|why| format!("{}: {why}", variant.name()))?;
        links.push((variant, link));
    }
    if let Err(why) = places::part_from(links.iter().map(|(_, link)| link.process())) {
        println!("Envoy and its clients share their processors: {why}");
    }
    let bearer = idp.good("ana", &["engineers"]);
    let request = |client: usize| {
        format!(
            "GET /v1/answer HTTP/1.1\r\nhost: models.example.com\r\nauthorization: Bearer {bearer}\
             \r\nx-client: {client}\r\n\r\n"
        )
        .into_bytes()
    };
    println!("{rounds} rounds in turn; in brackets the least to the greatest of a round by itself");
    for workload in workloads {
        throughput(*workload, &mut links, &request, rounds)?;
    }
    if tokens {
        latency::measure(&mut links, &request, rounds)?;
    }
    Ok(())
}

fn start(variant: Variant, idp: &Idp) -> Result<Link, String> {
    let said = |error: std::io::Error| error.to_string();
    let (listener, port) = Link::listener().map_err(said)?;
    let mesh = variant.mesh(idp).map_err(said)?.model(port).start()?;
    Ok(Link::new(mesh, listener))
}

fn throughput(
    workload: Workload,
    links: &mut [(Variant, Link)],
    request: &dyn Fn(usize) -> Vec<u8>,
    rounds: u32,
) -> Result<(), String> {
    let body = workload.body();
    let script = Script::new(&body);
    let clients = workload.connections();
    let masked = native::masked(&body)?;
    let mut rows = Vec::new();
    for (variant, link) in &mut *links {
        if !variant.takes_part(workload) {
            continue;
        }
        let named = |why: String| format!("{}: {why}", variant.name());
        let came = link
            .exchange(request, &script, clients, true)
            .map_err(named)?;
        let expected = match variant {
            Variant::Bare | Variant::PassThrough | Variant::Unmasked => Some(body.bytes()),
            Variant::Portcullis => Some(masked.clone()),
            // One pattern, and not the filter's.
            Variant::LuaWhole | Variant::LuaPieces => None,
        };
        let came = without_frames(&came);
        if expected.is_some_and(|expected| expected != came) {
            return Err(named(format!("another body in {}", workload.name())));
        }
        rows.push((link, Row::new(variant.name())));
    }
    let mut native = Row::new("the same, natively");
    for _ in 0..rounds {
        let mut turns = vec![Vec::new(); rows.len()];
        for _ in 0..workload.turns() {
            for ((link, _), turns) in rows.iter_mut().zip(&mut turns) {
                let before = Used::now(link.process())?;
                link.exchange(request, &script, clients, false)?;
                turns.push(Used::now(link.process())?.since(&before)?.as_secs_f64());
            }
        }
        for ((_, row), turns) in rows.iter_mut().zip(turns) {
            row.add(turns);
        }
        native.add(native::times(&body, workload.turns())?);
    }
    let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
    let clients = u32::try_from(clients).unwrap_or(u32::MAX);
    let masking = (Variant::Unmasked.name(), Variant::Portcullis.name());
    table::print(workload, &body, clients, (&rows, &native), masking);
    Ok(())
}

/// A body that came in chunks, without their frames; any other as it is.
fn without_frames(came: &[u8]) -> Vec<u8> {
    fn next(rest: &[u8]) -> Option<(&[u8], &[u8])> {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = str::from_utf8(rest.get(..end)?).ok()?;
        let size = usize::from_str_radix(size, 16).ok()?;
        let from = end.checked_add(2)?;
        let to = from.checked_add(size)?;
        Some((rest.get(from..to)?, rest.get(to.checked_add(2)?..)?))
    }
    let mut body = Vec::with_capacity(came.len());
    let mut rest = came;
    while let Some((piece, after)) = next(rest) {
        body.extend_from_slice(piece);
        rest = after;
    }
    match body.is_empty() {
        true => came.to_vec(),
        false => body,
    }
}
