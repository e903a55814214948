//! Session records: the filter writes one for each exchange into Envoy's filter state, Envoy
//! streams it here with its access log, and reviewers read it back.
//!
//! Records are entries of the [ledger](crate::ledger). An SQLite index beside it says where to find
//! them.

mod adding;
mod adopt;
mod api;
mod books;
mod counts;
mod grpc;
mod index;
mod keep;
mod messages;
mod peers;
mod record;
mod writer;

pub use adopt::adopt;
pub use api::{Archive, routes};
pub use books::{Books, BooksError, Outcome, RECORD};
pub use counts::Counts;
pub use grpc::Recorder;
pub use index::{connect as connect_index, file as index_file, find as find_in_index};
pub use keep::{Intake, routes as intake_routes};
pub use messages::{
    AccessLogCommon, Any, BytesValue, HttpAccessLogEntry, HttpLogs, StreamAccessLogsMessage,
    StreamAccessLogsResponse,
};
pub use peers::{MAX_STREAMS, Peers};
pub use record::{Entry, Malformed};
pub use writer::{Lost, Stored, Writer, start};
