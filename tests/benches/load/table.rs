//! What is printed: medians, how far they spread, and how variants compare.

use crate::window::Sample;

/// The samples of one variant, one a round.
pub struct Row {
    /// The variant's name.
    pub name: &'static str,
    /// In the order of the rounds.
    pub samples: Vec<Sample>,
}

impl Row {
    /// A row without samples.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            samples: Vec::new(),
        }
    }

    /// What a request costs more than in another row, round by round, in microseconds.
    fn added_to(&self, other: &Self) -> Vec<f64> {
        let pairs = self.samples.iter().zip(&other.samples);
        pairs.map(|(own, other)| own.cpu - other.cpu).collect()
    }
}

/// Prints a table. Each row's cost is shown as it is, as what it adds to the first row's, and the median of that as a multiple of what each of the rows named in `references` adds.
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
        let whole: Vec<f64> = row.samples.iter().map(|sample| sample.cpu).collect();
        let rates: Vec<f64> = row.samples.iter().map(|sample| sample.rate).collect();
        print!("  {:34}{:>26}", row.name, spread(&whole, 1));
        if row.name == bare.name {
            println!("{:>26}{:>12.0}", "", median(&rates));
            continue;
        }
        let added = row.added_to(bare);
        print!("{:>26}{:>12.0}", spread(&added, 1), median(&rates));
        for reference in &references {
            let ratio = median(&added) / median(&reference.added_to(bare));
            print!("{ratio:>26.2}");
        }
        println!();
    }
}

/// `median (least to greatest)`.
fn spread(numbers: &[f64], decimals: usize) -> String {
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let median = median(numbers);
    format!("{median:.decimals$} ({least:.decimals$} to {greatest:.decimals$})")
}

fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
