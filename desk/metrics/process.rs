//! What the process takes, where the system says so.

use std::fs;

use super::text::{Text, Type};

/// What a "kB" of `/proc` is, in bytes.
const KIB: u64 = 1024;

/// Writes the memory and the files of this process. Says nothing on systems without `/proc`.
pub(super) fn write(text: &mut Text) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    if let Some(kib) = resident.and_then(|kib| kib.parse::<u64>().ok()) {
        let bytes = kib.saturating_mul(KIB);
        let help = "Memory that the process has, in bytes.";
        text.one("process_resident_memory_bytes", Type::Gauge, help, bytes);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        let open = u64::try_from(files.count()).unwrap_or(u64::MAX);
        let help = "Files that are open, connections among them.";
        text.one("process_open_fds", Type::Gauge, help, open);
    }
}
