//! How the account looks: titles, rows of three columns, texts with a name beside them.

use std::io::{self, IsTerminal, Write};

/// The columns of a row: what was sent, what came back; why takes the rest.
const SENT: usize = 43;
const BACK: usize = 23;

/// The width that longer texts are broken to.
const WIDTH: usize = 108;

/// How a piece of text is shown on a terminal.
#[derive(Clone, Copy)]
enum Ink {
    Strong,
    Faint,
    Good,
    Refused,
    Wrong,
}

impl Ink {
    fn code(self) -> &'static str {
        match self {
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Good => "32",
            Self::Refused => "33",
            Self::Wrong => "1;31",
        }
    }
}

/// Where the account is written.
pub struct Paper {
    color: bool,
    titles: usize,
    differences: usize,
}

impl Paper {
    /// Standard output, in color if that is a terminal and `NO_COLOR` is not set.
    pub fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self {
            color: wanted && io::stdout().is_terminal(),
            titles: 0,
            differences: 0,
        }
    }

    /// How many differences were written.
    pub fn differences(&self) -> usize {
        self.differences
    }

    /// A line as it is.
    pub fn line(&self, text: &str) {
        // Whoever closed the pipe doesn't want to read on; all the rest still has to end well.
        let _ = writeln!(io::stdout(), "{text}");
    }

    /// The beginning of a scene, with its number.
    pub fn title(&mut self, text: &str) {
        self.titles = self.titles.saturating_add(1);
        let title = self.inked(&format!("{}. {text}", self.titles), Ink::Strong);
        self.line(&format!("\n{title}"));
    }

    /// The names of a row's columns.
    pub fn head(&self, sent: &str, back: &str, why: &str) {
        let text = format!("  {sent:SENT$}{back:BACK$}{why}");
        self.line(&self.inked(text.trim_end(), Ink::Faint));
    }

    /// A request: what was sent, what came back, and why.
    pub fn row(&self, sent: &str, back: &str, why: &str) {
        let ink = if back.starts_with('2') {
            Ink::Good
        } else {
            Ink::Refused
        };
        // Padded after it is colored: what colors is written too, but has no width.
        let room = BACK.saturating_sub(back.chars().count());
        let back = format!("{}{:room$}", self.inked(back, ink), "");
        let indent = SENT.saturating_add(BACK).saturating_add(2);
        let mut start = format!("  {sent:SENT$}{back}");
        for line in broken(why, WIDTH.saturating_sub(indent)) {
            self.line(format!("{start}{line}").trim_end());
            start = " ".repeat(indent);
        }
    }

    /// Something that happens between requests, beside what is sent.
    pub fn event(&self, what: &str, outcome: &str) {
        self.line(format!("  {what:SENT$}{outcome}").trim_end());
    }

    /// A remark on what stands above.
    pub fn note(&self, text: &str) {
        for line in broken(text, WIDTH.saturating_sub(4)) {
            self.line(&self.inked(&format!("    {line}"), Ink::Faint));
        }
    }

    /// A text with a name to its left, broken to lines.
    pub fn text(&self, name: &str, text: &str) {
        let mut name = format!("{name:17}");
        for line in broken(text, WIDTH.saturating_sub(21)) {
            self.line(&format!("    {}{line}", self.inked(&name, Ink::Faint)));
            name = " ".repeat(17);
        }
    }

    /// Something that is not as it should be.
    pub fn difference(&mut self, text: &str) {
        self.differences = self.differences.saturating_add(1);
        self.line(&self.inked(&format!("    DIFFERENT: {text}"), Ink::Wrong));
    }

    /// Writes a difference unless `holds`.
    pub fn expect(&mut self, holds: bool, otherwise: &str) {
        if !holds {
            self.difference(otherwise);
        }
    }

    /// A table whose columns are as wide as they must be; the first row names them.
    pub fn table(&self, rows: &[Vec<String>]) {
        let mut widths: Vec<usize> = Vec::new();
        for row in rows {
            for (index, cell) in row.iter().enumerate() {
                let width = cell.chars().count();
                match widths.get_mut(index) {
                    Some(known) => *known = width.max(*known),
                    None => widths.push(width),
                }
            }
        }
        for (index, row) in rows.iter().enumerate() {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            let text = format!("  {}", cells.join("  "));
            let text = text.trim_end();
            match index {
                0 => self.line(&self.inked(text, Ink::Faint)),
                _ => self.line(text),
            }
        }
    }

    fn inked(&self, text: &str, ink: Ink) -> String {
        match self.color {
            true => format!("\u{1b}[{}m{text}\u{1b}[0m", ink.code()),
            false => text.to_owned(),
        }
    }
}

/// Breaks a text between words to lines of at most `width` characters; a longer word stays whole.
fn broken(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let room = line.chars().count().saturating_add(word.chars().count());
        if !line.is_empty() && room >= width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}
