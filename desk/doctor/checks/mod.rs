//! One file a subject. The order is that in which findings of one severity are told.

mod buffers;
mod bypass;
mod calls;
mod clusters;
mod filters;
mod plugin;
pub(super) mod policy;
mod records;
mod running;
mod signs;
mod upstreams;

use super::{Finding, Patient, Severity};

/// A check adds what it finds.
pub(super) type Check = fn(&Patient<'_>, &mut Vec<Finding>);

/// All checks.
pub(super) const ALL: &[Check] = &[
    bypass::check,
    policy::check,
    plugin::check,
    clusters::check,
    calls::check,
    buffers::check,
    filters::check,
    records::check,
    upstreams::check,
    signs::check,
    running::check,
];

/// What a finding says, by its parts.
struct Said {
    of: String,
    place: String,
    found: String,
    expected: &'static str,
    advice: &'static str,
}

impl Said {
    fn at(self, severity: Severity, code: &'static str) -> Finding {
        Finding {
            severity,
            code,
            of: self.of,
            place: self.place,
            found: self.found,
            expected: self.expected.to_owned(),
            advice: self.advice.to_owned(),
        }
    }

    fn error(self, code: &'static str) -> Finding {
        self.at(Severity::Error, code)
    }

    fn warning(self, code: &'static str) -> Finding {
        self.at(Severity::Warning, code)
    }

    fn note(self, code: &'static str) -> Finding {
        self.at(Severity::Note, code)
    }
}
