//! Session records: the filter writes one for each exchange into Envoy's filter state, Envoy
//! streams it here with its access log, and reviewers read it back.

mod api;
mod archive;
mod grpc;
mod messages;
mod record;
mod writer;

use std::sync::atomic::{AtomicU64, Ordering};

pub use api::{Archive, routes};
pub use archive::{Filter, get, list, put};
pub use grpc::Recorder;
pub use messages::{
    AccessLogCommon, Any, BytesValue, HttpAccessLogEntry, HttpLogs, StreamAccessLogsMessage,
    StreamAccessLogsResponse,
};
pub use record::{Entry, Malformed};
pub use writer::{Writer, start};

/// What the recorder has seen since the desk was started.
#[derive(Debug, Default)]
pub struct Counts {
    stored: AtomicU64,
    known: AtomicU64,
    malformed: AtomicU64,
    absent: AtomicU64,
}

impl Counts {
    /// The counts as JSON: `stored`; `known`, which came again; `malformed`; and `absent`, log
    /// entries without a session record.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "stored": self.stored.load(Ordering::Relaxed),
            "known": self.known.load(Ordering::Relaxed),
            "malformed": self.malformed.load(Ordering::Relaxed),
            "absent": self.absent.load(Ordering::Relaxed),
        })
    }
}
