//! What is found, and how it is told.

use std::fmt::Write as _;

use serde::Serialize;

use crate::plain::{plain, plain_json};

/// How grave a finding is; the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Requests pass that should not, or fail that should pass, or records are lost.
    Error,
    /// Something will go wrong at some time, or has.
    Warning,
    /// Good to know.
    Note,
}

impl Severity {
    fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How grave it is.
    pub severity: Severity,
    /// What it is about, by a name that stays.
    pub code: &'static str,
    /// What it was found in, as people call it: `listener "inference"`.
    pub of: String,
    /// Where that stands: a JSON pointer behind the document's name, as `config_dump#/configs/3`.
    #[serde(rename = "where")]
    pub place: String,
    /// What was found.
    pub found: String,
    /// What was expected.
    pub expected: String,
    /// What to do.
    #[serde(rename = "do")]
    pub advice: String,
}

/// What was looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct About {
    /// Envoy's version.
    pub envoy: String,
    /// The listeners that have the filter.
    pub guarded: Vec<String>,
    /// The digests of the policies that stand in Envoy's configuration.
    pub policies: Vec<String>,
}

/// Findings as lines for a terminal.
pub(super) fn text(findings: &[Finding], about: &About) -> String {
    let mut out = String::new();
    for one in findings {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{:<8} {}  {}",
            one.severity.name(),
            one.code,
            plain(&one.of)
        );
        for (name, text) in [
            ("where", &one.place),
            ("found", &one.found),
            ("expected", &one.expected),
            ("do", &one.advice),
        ] {
            if !text.is_empty() {
                let _ = writeln!(out, "         {name:<9} {}", plain(text));
            }
        }
        out.push('\n');
    }
    let count = |severity: Severity, name: &str| {
        let count = findings
            .iter()
            .filter(|one| one.severity == severity)
            .count();
        let s = if count == 1 { "" } else { "s" };
        format!("{count} {name}{s}")
    };
    let listeners = match about.guarded.len() {
        0 => "the filter at no listener".to_owned(),
        1 => "the filter at 1 listener".to_owned(),
        more => format!("the filter at {more} listeners"),
    };
    let _ = writeln!(
        out,
        "Envoy {}, {listeners}: {}, {}, {}",
        plain(&about.envoy),
        count(Severity::Error, "error"),
        count(Severity::Warning, "warning"),
        count(Severity::Note, "note"),
    );
    out
}

/// Findings as one JSON object, on one line.
pub(super) fn json(findings: &[Finding], about: &About) -> String {
    let value = serde_json::json!({ "about": about, "findings": findings });
    format!("{}\n", plain_json(&value.to_string()))
}
