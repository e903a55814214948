//! `store`: where approvals are kept, if not in the desk's own file.
//!
//! ```json
//! { "postgres": "postgres://desk:${DB_PASSWORD}@db.example/desk?sslmode=require", "ca": "db-ca.pem" }
//! ```

use std::path::PathBuf;

use serde::Deserialize;

use super::key::{Key, fill};

/// A database that several desks share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shared {
    /// Its URL, which may have a password.
    pub url: Key,
    /// The file with the authorities of its certificate (PEM); without it, the usual ones.
    pub ca: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenShared {
    postgres: Key,
    ca: Option<PathBuf>,
}

/// Fills in what comes from the environment.
pub(super) fn shared(
    written: WrittenShared,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Shared, String> {
    let url = fill(written.postgres.secret(), "/store/postgres", environment)?;
    Ok(Shared {
        url: Key::new(url),
        ca: written.ca,
    })
}
