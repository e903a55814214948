//! Session records: the filter writes one for each exchange into Envoy's filter state, Envoy
//! streams it here with its access log, and reviewers read it back.

mod api;
mod archive;
mod counts;
mod grpc;
mod messages;
mod record;
mod writer;

pub use api::{Archive, routes};
pub use archive::{Filter, get, list, put};
pub use counts::Counts;
pub use grpc::Recorder;
pub use messages::{
    AccessLogCommon, Any, BytesValue, HttpAccessLogEntry, HttpLogs, StreamAccessLogsMessage,
    StreamAccessLogsResponse,
};
pub use record::{Entry, Malformed};
pub use writer::{Writer, start};
