//! How many connections there may be, and how long one may have no request.

use std::time::Duration;

use super::files;
use crate::config::Connections;

/// How many connections a port has unless the configuration says otherwise. Envoys need few: they put many
/// requests on each.
const MOST: usize = 4096;

/// Which part of a port's connections one address may have, unless the configuration says otherwise: one in so many.
const PARTS: usize = 4;

/// How many files are for everything but connections: the store, the ledger, its segments being read, and
/// connections that are being closed.
const OTHER_FILES: usize = 192;

/// The fewest connections of a port, however few files there may be.
const FEWEST: usize = 16;

/// The limits of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many connections it has at most.
    pub most: usize,
    /// How many of them one address has at most. Of IPv6, a network of 64 bits counts as one address.
    pub per_address: usize,
    /// How long a connection may take to its first whole request head, with its TLS handshake.
    pub head: Duration,
    /// How long a connection may be without a request after that.
    pub idle: Duration,
    /// After how long a silent peer is asked whether it is still there: the interval of HTTP/2 PINGs, and of TCP's
    /// probes.
    pub probe: Duration,
    /// How long it may take to answer, and how long bytes that were sent may stay unacknowledged.
    pub silence: Duration,
}

impl Limits {
    /// What the configuration says, for each of two ports of a process that may have so many files open. The second
    /// value says what of the configuration can't be kept.
    #[must_use]
    pub fn new(written: &Connections, files: Option<usize>) -> (Self, Option<String>) {
        let possible = files.map_or(usize::MAX, |files| {
            (files.saturating_sub(OTHER_FILES) / 2).max(FEWEST)
        });
        let most = written.most.unwrap_or(MOST).min(possible);
        let less = written.most.filter(|asked| *asked > most).map(|asked| {
            format!(
                "{asked} connections a port are too many for {} open files: there may be {most}",
                files.unwrap_or_default()
            )
        });
        let share = written.per_address.unwrap_or(most / PARTS);
        let limits = Self {
            most,
            per_address: share.clamp(1, most),
            head: Duration::from_secs(written.head_seconds),
            idle: Duration::from_secs(written.idle_seconds),
            probe: Duration::from_secs(written.probe_seconds),
            silence: Duration::from_secs(written.probe_seconds.saturating_mul(2) / 3)
                .max(Duration::from_secs(1)),
        };
        (limits, less)
    }

    /// The same for this process, which from here on may have as many files open as the system lets it.
    #[must_use]
    pub fn of_this_process(written: &Connections) -> (Self, Option<String>) {
        Self::new(written, files::raise())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        let plain = Connections::default();
        let (limits, less) = Limits::new(&plain, Some(1 << 20));
        assert_eq!((limits.most, limits.per_address), (4096, 1024));
        assert_eq!(less, None);
        assert_eq!(Limits::new(&plain, None).0, limits);
        let (limits, less) = Limits::new(&plain, Some(1024));
        assert_eq!((limits.most, limits.per_address), (416, 104));
        assert_eq!(less, None);
        assert_eq!(Limits::new(&plain, Some(10)).0.most, FEWEST);
        let written = Connections {
            most: Some(5000),
            per_address: Some(4999),
            ..plain
        };
        let (limits, less) = Limits::new(&written, Some(1024));
        assert_eq!((limits.most, limits.per_address), (416, 416));
        assert!(less.unwrap().contains("there may be 416"));
    }
}
