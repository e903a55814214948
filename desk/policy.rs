//! Shared by the commands that read a policy.

use std::io::Read;
use std::path::Path;

use portcullis::policy::Problem;

/// The most that is read of a file, in bytes.
const LARGEST: u64 = 16 << 20;

/// Stands in for variables that are not looked up. Where a secret key is expected, it is one of 72
/// bytes in base64url, long enough for every algorithm.
const PLACEHOLDER: &str = "placeholder-placeholder-placeholder-placeholder-\
                           placeholder-placeholder-placeholder-placeholder-";

/// A policy's name in messages; `-` is standard input.
#[must_use]
pub fn name(policy: &Path) -> String {
    if policy.as_os_str() == "-" {
        "standard input".to_owned()
    } else {
        policy.display().to_string()
    }
}

/// Reads a policy as text.
///
/// # Errors
/// Why it can't be read.
pub fn read(policy: &Path) -> Result<String, String> {
    if policy.as_os_str() == "-" {
        return read_from(std::io::stdin().lock(), LARGEST);
    }
    std::fs::File::open(policy)
        .map_err(|error| error.to_string())
        .and_then(|file| read_from(file, LARGEST))
}

/// Reads up to `most` bytes of text.
///
/// # Errors
/// It can't be read, is longer, or is not UTF-8.
pub fn read_from(source: impl Read, most: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    source
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > most {
        return Err(format!("it is longer than {most} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// What `${NAME}` stands for in a policy. Without `environment`, every variable is taken to be
/// there.
#[must_use]
pub fn variable(name: &str, environment: bool) -> Option<String> {
    if environment {
        std::env::var(name).ok()
    } else {
        Some(PLACEHOLDER.to_owned())
    }
}

/// Whether a value came from a variable that was not looked up.
#[must_use]
pub fn is_placeholder(value: &str) -> bool {
    value.contains(PLACEHOLDER)
}

/// A policy's problems, one per line, with its name in front.
#[must_use]
pub fn problems(name: &str, problems: &[Problem]) -> String {
    problems
        .iter()
        .map(|problem| format!("{name}: {problem}\n"))
        .collect()
}
