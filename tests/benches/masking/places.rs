//! Which processors the two sides run on.
//!
//! Where a thread that never sleeps shares a processor with an Envoy, each waits for the other's
//! turn to end: milliseconds, where some tens of microseconds are to be seen.

use std::process::{self, Command, Stdio};
use std::thread;

/// Keeps this thread on the first processor, and the processes off it.
///
/// # Errors
/// There is but one processor, or no `taskset` (util-linux).
pub fn part_from(others: impl IntoIterator<Item = u32>) -> Result<(), String> {
    let count = thread::available_parallelism().map_or(1, usize::from);
    if count < 2 {
        return Err("there is but one processor".to_owned());
    }
    let rest = format!("1-{}", count - 1);
    for other in others {
        taskset(&["-acp", &rest, &other.to_string()])?;
    }
    taskset(&["-cp", "0", &process::id().to_string()])
}

fn taskset(arguments: &[&str]) -> Result<(), String> {
    let status = Command::new("taskset")
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .map_err(|error| format!("taskset: {error}"))?;
    match status.success() {
        true => Ok(()),
        false => Err(format!("taskset {}: {status}", arguments.join(" "))),
    }
}
