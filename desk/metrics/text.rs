//! Prometheus' text format.

use std::fmt::Write as _;

/// What a metric is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// It only grows until the desk ends.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// Metrics as they are written.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// A metric with one value.
    pub(super) fn one(&mut self, name: &str, of: Type, help: &str, value: u64) {
        self.family(name, of, help);
        self.sample(name, &[], value);
    }

    /// Begins a metric, whose samples follow.
    pub(super) fn family(&mut self, name: &str, of: Type, help: &str) {
        let of = match of {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
        };
        // Writing to a string can't fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {of}");
    }

    /// A value of the metric that was begun.
    pub(super) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: u64) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            let before = if index == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{before}{label}=\"");
            for letter in text.chars() {
                match letter {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    other => self.0.push(other),
                }
            }
            self.0.push('"');
        }
        let end = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{end} {value}");
    }

    /// All of it.
    pub(super) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted() {
        let mut text = Text::default();
        text.family("streams", Type::Gauge, "Open streams.");
        text.sample(
            "streams",
            &[("peer", "a \"b\"\\\nc"), ("port", "grpc")],
            u64::MAX,
        );
        assert_eq!(
            text.into_string(),
            "# HELP streams Open streams.\n# TYPE streams gauge\n\
             streams{peer=\"a \\\"b\\\"\\\\\\nc\",port=\"grpc\"} 18446744073709551615\n"
        );
    }
}
