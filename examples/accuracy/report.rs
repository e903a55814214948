//! How what was measured is printed.

use std::fmt::{Display, Formatter, Result};

use super::measure::{Found, Measured};

pub struct Report<'a>(pub &'a Measured);

impl Display for Report<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "{} sentences\n", self.0.sentences)?;
        writeln!(
            f,
            "{:<15}{:<13}{:>9}{:>9}{:>7}{:>7}{:>8}{:>7}{:>11}{:>8}",
            "label",
            "detector",
            "left out",
            "labelled",
            "found",
            "missed",
            "matches",
            "false",
            "precision",
            "recall"
        )?;
        for tally in &self.0.tallies {
            writeln!(
                f,
                "{:<15}{:<13}{:>9}{:>9}{:>7}{:>7}{:>8}{:>7}{:>11.3}{:>8.3}",
                tally.kind.entity,
                tally.kind.detector,
                tally.left_out,
                tally.labelled,
                tally.found(),
                tally.missed.len(),
                tally.true_positives + tally.without_label.len(),
                tally.without_label.len(),
                tally.precision(),
                tally.recall()
            )?;
        }
        for tally in &self.0.tallies {
            if !tally.missed.is_empty() {
                writeln!(f, "\n{}: missed", tally.kind.entity)?;
            }
            for missed in &tally.missed {
                let partly = if missed.partly { " (partly found)" } else { "" };
                writeln!(f, "  {:?} after {:?}{partly}", missed.text, missed.in_front)?;
            }
        }
        for tally in &self.0.tallies {
            list(
                f,
                &format!("{}: found without a label", tally.kind.detector),
                &tally.without_label,
            )?;
        }
        list(f, "found by detectors that no label is for", &self.0.others)
    }
}

fn list(f: &mut Formatter<'_>, title: &str, all: &[Found]) -> Result {
    if !all.is_empty() {
        writeln!(f, "\n{title}")?;
    }
    for found in all {
        let labels = match found.labels.as_slice() {
            [] => String::new(),
            labels => format!(", labelled {}", labels.join(" and ")),
        };
        writeln!(
            f,
            "  {}: {:?} after {:?}{labels}",
            found.detector, found.text, found.in_front
        )?;
    }
    Ok(())
}
