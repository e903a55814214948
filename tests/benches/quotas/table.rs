//! What is printed: the quietest tenth, and what of it is the counter.

use crate::variants::{Limits, Variant};
use crate::window::Sample;

/// What was measured of one variant.
pub struct Row {
    variant: Variant,
    windows: Vec<Sample>,
    rounds: Vec<Sample>,
    /// Times that a count was changed by another worker meanwhile.
    pub retries: u64,
}

impl Row {
    /// A row without samples.
    pub fn new(variant: Variant) -> Self {
        Self {
            variant,
            windows: Vec::new(),
            rounds: Vec::new(),
            retries: 0,
        }
    }

    /// Adds the windows of a round.
    pub fn add(&mut self, windows: &[Sample]) {
        self.windows.extend_from_slice(windows);
        self.rounds.push(Sample::quiet(windows));
    }

    /// Of all requests in windows, which have one length, in percent.
    fn tried_again(&self) -> f64 {
        let requests: f64 = self.windows.iter().map(|window| window.rate).sum();
        let length = crate::WINDOW.as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "there are few")]
        let retries = self.retries as f64;
        100.0 * retries / (requests * length).max(1.0)
    }

    fn cpu(&self) -> f64 {
        Sample::quiet(&self.windows).cpu
    }
}

/// Prints a table: for each variant the whole time of a request, what its quotas add, how far that
/// spreads from round to round, and that as a multiple of what Envoy's own filter adds.
pub fn print(title: &str, rows: &[Row]) {
    println!("\n{title}");
    println!(
        "  {:34}{:>10}{:>30}{:>20}{:>12}",
        "CPU time a request, microseconds",
        "whole",
        "the counter alone",
        "x local_ratelimit",
        "retries"
    );
    let find = |variant: Variant| rows.iter().find(|row| row.variant == variant);
    let alone = |row: &Row| Some(row.cpu() - find(row.variant.without())?.cpu());
    for row in rows {
        print!("  {:34}{:>10.1}", row.variant.name(), row.cpu());
        if row.variant.limits() == Limits::None {
            println!();
            continue;
        }
        let Some((base, own)) = find(row.variant.without()).zip(alone(row)) else {
            continue;
        };
        let pairs = row.rounds.iter().zip(&base.rounds);
        let each: Vec<f64> = pairs.map(|(own, base)| own.cpu - base.cpu).collect();
        let least = each.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = each.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        print!("{:>30}", format!("{own:.2} ({least:.1} to {greatest:.1})"));
        match row.variant.peer().and_then(find).and_then(alone) {
            Some(peer) => println!("{:>20.2}{:>11.2}%", own / peer, row.tried_again()),
            None => println!(),
        }
    }
}
