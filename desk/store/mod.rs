//! The one SQLite file that everything is kept in.

mod database;
mod error;
mod file;
mod page;
mod schema;

use std::time::{SystemTime, UNIX_EPOCH};

pub use database::Database;
pub use error::StoreError;
pub use file::{Durability, Store};
pub use page::{Listed, Page};

/// Now, in milliseconds since 1970.
#[must_use]
pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}

/// Milliseconds since 1970 as RFC 3339.
#[must_use]
pub fn time_text(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis).map_or_else(
        || millis.to_string(),
        |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
    )
}
