//! How many counts find room whatever falls together.

use crate::shared::{CELL_BYTES, HEAD_BYTES, MAX_COUNTED_BYTES};

/// The chance that some cell has no room for a count that comes to it, at most, once so many are
/// there: a cell gets a number of them that is distributed as Poisson says.
fn chance(cells: f64, room: u32, counts: f64) -> f64 {
    let mean = counts / cells;
    // The chance of `room + 1` and of each further number, until they add nothing.
    let mut logarithm = -mean;
    for number in 1..=room + 1 {
        logarithm += (mean / f64::from(number)).ln();
    }
    let mut term = logarithm.exp();
    let mut sum = 0.0;
    for number in room + 2..room + 2000 {
        sum += term;
        term *= mean / f64::from(number);
    }
    cells * sum
}

/// The most counts of which the chance that one finds no room is below one in a billion.
fn counts(size: usize, payload: usize) -> u32 {
    let cells = f64::from(u32::try_from(size / CELL_BYTES).unwrap());
    let room = u32::try_from(MAX_COUNTED_BYTES / (HEAD_BYTES + payload)).unwrap();
    let (mut fits, mut fails) = (0_u32, 1_u32 << 30);
    while fails - fits > 1 {
        let middle = fits.midpoint(fails);
        let mean = f64::from(middle);
        let most = cells * f64::from(room);
        if mean < most && chance(cells, room, mean) < 1e-9 {
            fits = middle;
        } else {
            fails = middle;
        }
    }
    fits
}

fn thousands(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[test]
fn the_documentation_says_how_many_counts_find_room() {
    let page = include_str!("../../../docs/quotas.md");
    for (name, size) in [
        ("64KiB", 64 << 10),
        ("1MiB", 1 << 20),
        ("8MiB", 8 << 20),
        ("64MiB", 64 << 20),
        ("256MiB", 256 << 20),
    ] {
        let mut row = format!("| `{name}` |");
        for payload in [8, 16, 26, 39, 65, 117] {
            row.push_str(&format!(" {} |", thousands(counts(size, payload))));
        }
        assert!(page.contains(&row), "docs/quotas.md lacks the row\n{row}");
    }
}
