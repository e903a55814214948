//! What happens to the connections of a port, counted since the desk was started.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counts of a port.
#[derive(Debug, Default)]
pub struct PortCounts {
    /// Connections that are open.
    pub open: AtomicU64,
    /// Connections that were taken.
    pub accepted: AtomicU64,
    /// Connections that were closed at once: the port had as many as it may have, and all of them were in use.
    pub refused_full: AtomicU64,
    /// The same, where the client's address had its share.
    pub refused_share: AtomicU64,
    /// Connections without a request that gave way to others.
    pub gave_way: AtomicU64,
    /// Connections that were closed since no request came in time.
    pub idle: AtomicU64,
    /// TLS handshakes that failed.
    pub handshakes_failed: AtomicU64,
    /// Connections that the system could not hand over, mostly for want of open files.
    pub accept_failed: AtomicU64,
}

impl PortCounts {
    pub(super) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn subtract(counter: &AtomicU64) {
        counter.fetch_sub(1, Ordering::Relaxed);
    }
}
