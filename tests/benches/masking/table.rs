//! What is printed: what each variant costs, and what it adds to the bare proxy.

use crate::bodies::{Body, Workload};

/// The seconds that whole answers took in one variant.
pub struct Row {
    /// The variant's name.
    pub name: &'static str,
    all: Vec<f64>,
    /// The quiet ones of each round.
    rounds: Vec<f64>,
}

impl Row {
    /// A row without figures.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            all: Vec::new(),
            rounds: Vec::new(),
        }
    }

    /// Adds a round.
    pub fn add(&mut self, turns: Vec<f64>) {
        self.rounds.push(part(&turns, 10));
        self.all.extend(turns);
    }

    /// What the quietest tenth keeps to: whatever else runs on the machine only adds to it.
    fn quiet(&self) -> f64 {
        part(&self.all, 10)
    }
}

/// The number that so many percent of all do not exceed.
pub fn part(numbers: &[f64], percent: usize) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = sorted.len().saturating_mul(percent) / 100;
    let last = sorted.len().saturating_sub(1);
    sorted.get(at.min(last)).copied().unwrap_or(f64::NAN)
}

/// Prints a workload's table; the last line but one says what the second of two variants adds to the
/// first.
pub fn print(
    workload: Workload,
    body: &Body,
    clients: u32,
    (rows, native): (&[Row], &Row),
    (without, with): (&str, &str),
) {
    let Some(bare) = rows.first() else {
        return;
    };
    let length = u32::try_from(body.bytes().len()).unwrap_or(u32::MAX);
    let megabytes = f64::from(length) * f64::from(clients) / 1e6;
    let events = f64::from(body.events) * f64::from(clients);
    println!(
        "\n{}: {megabytes:.2} MB, {events} events; goal: {}",
        workload.name(),
        workload.goal()
    );
    println!(
        "  {:30}{:>12}{:>28}{:>12}{:>14}",
        "CPU time", "ms whole", "added microseconds a MB", "MB/s", "us an event"
    );
    let show = |name: &str, whole: f64, added: f64, rounds: Vec<f64>| {
        let a_megabyte = |seconds: f64| seconds * 1e6 / megabytes;
        let least = rounds.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = rounds.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let spread = format!(
            "{:.0} ({:.0} to {:.0})",
            a_megabyte(added),
            a_megabyte(least),
            a_megabyte(greatest)
        );
        print!(
            "  {name:30}{:>12.3} {spread:>27}{:>12.0}",
            whole * 1e3,
            megabytes / added
        );
        match body.events {
            0 => println!(),
            _ => println!("{:>14.2}", added * 1e6 / events),
        }
    };
    println!("  {:30}{:>12.2}", bare.name, bare.quiet() * 1e3);
    let difference = |name: &str, row: &Row, base: &Row| {
        let pairs = row.rounds.iter().zip(&base.rounds);
        let added = row.quiet() - base.quiet();
        let rounds = pairs.map(|(own, base)| own - base).collect();
        show(name, row.quiet(), added, rounds);
    };
    for row in rows.iter().skip(1) {
        difference(row.name, row, bare);
    }
    let find = |name| rows.iter().find(|row| row.name == name);
    if let (Some(without), Some(with)) = (find(without), find(with)) {
        difference("the masking alone", with, without);
    }
    // One body natively, however many connections there are.
    let all = |time: f64| time * f64::from(clients);
    let rounds = native.rounds.iter().map(|time| all(*time)).collect();
    show(
        native.name,
        all(native.quiet()),
        all(native.quiet()),
        rounds,
    );
}
