//! Session records: the filter writes one for each exchange into Envoy's filter state, Envoy
//! streams it here with its access log, and reviewers read it back.
//!
//! Records are entries of the [ledger](crate::ledger), and so are events: what people and the desk did with
//! them. An SQLite index beside it says where to find both.

mod adding;
mod adopt;
mod api;
mod books;
mod counts;
pub mod deeds;
mod event;
mod grpc;
mod index;
mod keep;
mod lacking;
mod messages;
mod missing;
mod numbers;
mod outline;
mod peer;
mod peers;
mod record;
mod removal;
mod retain;
mod room;
mod standing;
mod strangers;
mod writer;

pub use adopt::adopt;
pub use api::{Archive, routes};
pub use books::{Books, BooksError, Outcome, RECORD, RUNNING};
pub use counts::Counts;
pub use event::{Asked, Event, KeptWorker, Outline, Way, What, Who, cut as cut_text, time_text};
pub use grpc::Recorder;
pub use index::{connect as connect_index, file as index_file, find as find_in_index, find_event};
pub use keep::{Intake, routes as intake_routes};
pub use lacking::{Lacking, lacking};
pub use messages::{
    AccessLogCommon, Any, BytesValue, HttpAccessLogEntry, HttpLogs, StreamAccessLogsMessage,
    StreamAccessLogsResponse,
};
pub use numbers::{Numbers, routes as number_routes};
pub use peer::MAX_STREAMS;
pub use peers::Peers;
pub use record::{Entry, Malformed};
pub use retain::{retain, segment_millis};
pub use standing::Sender;
pub use writer::{Gone, Lost, Stored, Writer, start};
