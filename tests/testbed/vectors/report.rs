//! What became of the cases.

use std::collections::BTreeMap;
use std::fmt;

use super::{Case, LeftOut, Source};

#[cfg(test)]
mod tests;

/// The prefix of a verdict whose keys could not be used.
const KEYS: &str = "keys: ";

/// How many cases of each source are judged, and how many left out.
const KNOWN: [(Source, usize, usize); 4] = [
    (Source::Signatures, 393, 8),
    (Source::Keys, 26, 0),
    (Source::Rfc7520, 7, 17),
    (Source::Rfc7797, 8, 0),
];

/// Each case's verdict, held against the expected one.
#[derive(Debug, Default)]
pub struct Report {
    judged: BTreeMap<Source, usize>,
    verdicts: BTreeMap<String, usize>,
    left_out: BTreeMap<(LeftOut, Source), Vec<String>>,
    wrong: Vec<String>,
}

impl Report {
    /// Judges the cases. A verdict's error is the refusal's code, or `keys: ` and what is wrong
    /// with the keys.
    pub fn of<'a>(
        cases: impl IntoIterator<Item = &'a Case>,
        mut judge: impl FnMut(&Case) -> Result<(), String>,
    ) -> Self {
        let mut report = Self::default();
        for case in cases {
            let verdict = judge(case);
            report.add(case, &verdict);
        }
        report
    }

    fn add(&mut self, case: &Case, verdict: &Result<(), String>) {
        let as_expected = verdict.is_ok() == case.valid;
        match case.left_out {
            Some(why) if !as_expected => {
                let names = self.left_out.entry((why, case.source)).or_default();
                names.push(case.name.clone());
                return;
            }
            Some(why) => self.wrong(case, verdict, &format!("it is listed as: {why}")),
            None if !as_expected => self.wrong(case, verdict, "it is listed nowhere"),
            None => {}
        }
        if let Err(refusal) = verdict {
            match case.because {
                Some(because) if !refusal.contains(because) => {
                    self.wrong(case, verdict, &format!("it should say {because:?}"));
                }
                None if refusal.starts_with(KEYS) => {
                    self.wrong(case, verdict, "its keys should be usable");
                }
                _ => {}
            }
        }
        let judged = self.judged.entry(case.source).or_default();
        *judged = judged.saturating_add(1);
        let code = match verdict {
            Ok(()) => "accepted",
            Err(refusal) if refusal.starts_with(KEYS) => "keys refused",
            Err(refusal) => refusal,
        };
        let count = self.verdicts.entry(code.to_owned()).or_default();
        *count = count.saturating_add(1);
    }

    fn wrong(&mut self, case: &Case, verdict: &Result<(), String>, why: &str) {
        let Case {
            source,
            name,
            valid,
            ..
        } = case;
        let expected = match valid {
            true => "valid",
            false => "invalid",
        };
        self.wrong.push(format!(
            "{source} {name} ({expected}): {verdict:?}, but {why}"
        ));
    }

    /// Holds the report against what it should be.
    ///
    /// # Errors
    /// The cases whose verdict is another than it should be, or whose refusal has another reason;
    /// or that there are more or fewer cases than are known.
    pub fn check(&self) -> Result<(), String> {
        if !self.wrong.is_empty() {
            return Err(self.wrong.join("\n"));
        }
        for (source, judged, left_out) in KNOWN {
            let of_source = self.left_out.iter().filter(|((_, one), _)| *one == source);
            let found = (
                self.judged.get(&source).copied().unwrap_or_default(),
                of_source.map(|(_, names)| names.len()).sum::<usize>(),
            );
            if found != (judged, left_out) {
                return Err(format!(
                    "{source}: {found:?} cases were judged and left out, not {:?}",
                    (judged, left_out)
                ));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (source, count) in &self.judged {
            writeln!(f, "{source}: {count} judged")?;
        }
        for (verdict, count) in &self.verdicts {
            writeln!(f, "  {verdict}: {count}")?;
        }
        for ((why, source), names) in &self.left_out {
            writeln!(f, "{source}: {} left out, {why}:", names.len())?;
            for name in names {
                writeln!(f, "  {name}")?;
            }
        }
        Ok(())
    }
}
