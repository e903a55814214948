//! Tables and pages of text.

use std::io::Write;

use serde_json::Value;

use super::failed::Failed;
use crate::plain::{plain, plain_json};

/// The widest cell of a table, in characters. Ids are shorter; the rest of a longer text stands in `show`.
const MAX_CELL: usize = 48;

/// Writes rows under their headings, in columns.
pub(super) fn table(
    out: &mut dyn Write,
    headings: &[&str],
    rows: &[Vec<String>],
) -> Result<(), Failed> {
    let headings = headings.iter().map(|heading| (*heading).to_owned());
    let mut lines: Vec<Vec<String>> = vec![headings.collect()];
    for row in rows {
        lines.push(row.iter().map(|text| cell(text)).collect());
    }
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for line in &lines {
        let cells = line.iter().zip(&widths);
        let padded: Vec<String> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        writeln!(out, "{}", padded.join("  ").trim_end())?;
    }
    Ok(())
}

/// A text from outside as a cell.
pub(super) fn cell(text: &str) -> String {
    let shown = plain(text);
    match shown.char_indices().nth(MAX_CELL) {
        None if shown.is_empty() => "-".to_owned(),
        None => shown,
        Some(_) => {
            let mut cut: String = shown.chars().take(MAX_CELL - 1).collect();
            cut.push('…');
            cut
        }
    }
}

/// Writes a value as a line of JSON.
pub(super) fn json_line(out: &mut dyn Write, value: &Value) -> Result<(), Failed> {
    writeln!(out, "{}", plain_json(&value.to_string())).map_err(Failed::from)
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn columns_stand_below_each_other_and_no_cell_breaks_a_line() {
        let mut out = Vec::new();
        let rows = [
            vec!["one".to_owned(), "a\nb".to_owned(), "x".to_owned()],
            vec!["é".to_owned(), String::new(), "y".repeat(60)],
        ];
        table(&mut out, &["ID", "WHO", "WHAT"], &rows).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "ID   WHO      WHAT");
        assert_eq!(lines[1], "one  a\\u{a}b  x");
        assert_eq!(lines[2], format!("é    -        {}…", "y".repeat(47)));
        assert_eq!(lines.len(), 3);
    }
}
