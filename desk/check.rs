//! `portcullis check`: a policy, read by the filter's own code.

use std::io::Read as _;
use std::path::Path;

use portcullis::exchange::Guard;

/// What `check` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// For standard output: problems, one a line, or the summary.
    pub output: String,
    /// For standard error: why the policy could not be read; empty otherwise.
    pub error: String,
    /// The exit status: 0 right, 1 wrong, 2 unreadable.
    pub status: u8,
}

/// The most that is read of a policy, in bytes.
const LARGEST: u64 = 16 << 20;

/// What a variable is taken to hold when the environment is not looked at.
const PLACEHOLDER: &str = "placeholder";

/// Checks the policy in a file, or on standard input for `-`. With `environment`, a `${NAME}`
/// whose variable is not set is a problem; without, every variable is taken to be there.
#[must_use]
pub fn check(policy: &Path, environment: bool) -> Report {
    let name = if policy.as_os_str() == "-" {
        "standard input".to_owned()
    } else {
        policy.display().to_string()
    };
    match read(policy) {
        Ok(text) => judge(&name, &text, environment),
        Err(error) => Report {
            output: String::new(),
            error: format!("portcullis: {name} can't be read: {error}\n"),
            status: 2,
        },
    }
}

fn judge(name: &str, text: &str, environment: bool) -> Report {
    let variable = |variable: &str| {
        if environment {
            std::env::var(variable).ok()
        } else {
            Some(PLACEHOLDER.to_owned())
        }
    };
    let (output, status) = match Guard::load(text, &variable) {
        Ok(guard) => (format!("{name}: right: {}\n", guard.policy().summary()), 0),
        Err(problems) => (
            problems
                .iter()
                .map(|problem| format!("{name}: {problem}\n"))
                .collect(),
            1,
        ),
    };
    Report {
        output,
        error: String::new(),
        status,
    }
}

fn read(policy: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let read = if policy.as_os_str() == "-" {
        std::io::stdin()
            .lock()
            .take(LARGEST.saturating_add(1))
            .read_to_end(&mut bytes)
    } else {
        std::fs::File::open(policy)
            .and_then(|file| file.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes))
    };
    read.map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LARGEST {
        return Err(format!("it is longer than {LARGEST} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
