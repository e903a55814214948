//! What is printed: medians, how far they spread, and how variants compare.

use crate::window::Sample;

/// What was measured of one variant.
pub struct Row {
    name: &'static str,
    /// All windows.
    windows: Vec<Sample>,
    /// The quiet windows of each round.
    rounds: Vec<Sample>,
}

impl Row {
    /// A row without samples.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            windows: Vec::new(),
            rounds: Vec::new(),
        }
    }

    /// Adds the windows of a round.
    pub fn add(&mut self, windows: &[Sample]) {
        self.windows.extend_from_slice(windows);
        self.rounds.push(Sample::quiet(windows));
    }

    fn quiet(&self) -> Sample {
        Sample::quiet(&self.windows)
    }

    /// What a request costs more than in another row, in microseconds.
    fn added_to(&self, other: &Self) -> f64 {
        self.quiet().cpu - other.quiet().cpu
    }
}

/// Prints a table. Each row's cost is shown as it is, as what it adds to the first row's, and that
/// as a multiple of what each of the rows named in `references` adds.
pub fn print(title: &str, rows: &[Row], references: &[&str]) {
    let Some(bare) = rows.first() else {
        return;
    };
    let references: Vec<&Row> = references
        .iter()
        .filter_map(|name| rows.iter().find(|row| row.name == *name))
        .collect();
    println!("\n{title}");
    print!(
        "  {:34}{:>26}{:>26}{:>12}",
        "CPU time a request, microseconds", "whole", "added to bare", "requests/s"
    );
    for reference in &references {
        print!("{:>26}", format!("x {}", reference.name));
    }
    println!();
    for row in rows {
        let quiet = row.quiet();
        let whole = row.rounds.iter().map(|round| round.cpu);
        print!("  {:34}{:>26}", row.name, spread(quiet.cpu, whole));
        if row.name == bare.name {
            println!("{:>26}{:>12.0}", "", quiet.rate);
            continue;
        }
        let pairs = row.rounds.iter().zip(&bare.rounds);
        let added = spread(
            row.added_to(bare),
            pairs.map(|(own, bare)| own.cpu - bare.cpu),
        );
        print!("{added:>26}{:>12.0}", quiet.rate);
        for reference in &references {
            print!("{:>26.2}", row.added_to(bare) / reference.added_to(bare));
        }
        println!();
    }
}

/// `value (least to greatest of the rounds)`.
fn spread(value: f64, rounds: impl Iterator<Item = f64> + Clone) -> String {
    let least = rounds.clone().fold(f64::INFINITY, f64::min);
    let greatest = rounds.fold(f64::NEG_INFINITY, f64::max);
    format!("{value:.1} ({least:.1} to {greatest:.1})")
}
