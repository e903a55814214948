//! What is printed: medians, how far they spread, and how variants compare.

use crate::window::{Sample, median};

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

/// Prints a table. Each row's cost is shown as it is and as what it adds to the first row's; and
/// what it adds as a multiple of what each of the rows named in `references` adds.
pub fn print(title: &str, rows: &[Row], references: &[&str]) {
    println!("\n{title}");
    print!(
        "  {:36}{:>24}{:>24}{:>12}",
        "CPU time a request, microseconds", "whole", "added", "requests/s"
    );
    for name in references {
        print!("{:>24}", format!("x {name}"));
    }
    println!();
    let Some(bare) = rows.first() else {
        return;
    };
    for row in rows {
        let whole: Vec<f64> = row.samples.iter().map(|sample| sample.cpu).collect();
        let rates: Vec<f64> = row.samples.iter().map(|sample| sample.rate).collect();
        let added = row.added_to(bare);
        print!(
            "  {:36}{:>24}{:>24}{:>12.0}",
            row.name,
            spread(&whole, 1),
            spread(&added, 1),
            median(rates)
        );
        for name in references {
            let reference = rows.iter().find(|other| other.name == *name);
            let reference = reference.map_or(Vec::new(), |other| other.added_to(bare));
            let ratios: Vec<f64> = added
                .iter()
                .zip(&reference)
                .map(|(own, other)| own / other)
                .collect();
            print!("{:>24}", spread(&ratios, 2));
        }
        println!();
    }
}

/// `median (least to greatest)`.
fn spread(numbers: &[f64], decimals: usize) -> String {
    let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let median = median(numbers.to_vec());
    format!("{median:.decimals$} ({least:.decimals$} to {greatest:.decimals$})")
}
