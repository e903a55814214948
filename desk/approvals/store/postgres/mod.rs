//! In PostgreSQL, for several desks that work on the same approvals.
//!
//! Transactions hold one lock, so that they run one after the other, as they do on SQLite's file: what is counted
//! in one stays so until it ends, whichever desk it is of. [`listen`] wakes those who wait at other desks.

mod answers;
mod connect;
mod listen;
mod rows;
mod schema;

use std::collections::HashMap;

use postgres::{Client, Statement};

pub use self::connect::Database;
pub use self::listen::{Heard, Listening, listen};
use self::rows::PostgresRows;
use super::{Rows, Store};
use crate::store::StoreError;

/// The lock of all transactions on approvals: a number of our own.
const LOCK: i64 = 0x706f_7274_6375_6c6c;

/// What desks tell each other by.
const CHANNEL: &str = "portcullis_approvals";

/// Statements that the database has seen, by their text.
type Prepared = HashMap<&'static str, Statement>;

/// A connection that is made anew when it is lost.
pub struct Postgres {
    database: Database,
    client: Option<Client>,
    prepared: Prepared,
}

impl Postgres {
    /// On this database, which has the tables. Nothing is connected yet.
    #[must_use]
    pub fn new(database: Database) -> Self {
        Self {
            database,
            client: None,
            prepared: Prepared::new(),
        }
    }

    /// Begins a transaction when it is its turn. A connection that was lost shows here.
    fn start(&mut self) -> Result<(), StoreError> {
        if self.client.as_ref().is_none_or(Client::is_closed) {
            self.client = None;
            self.prepared.clear();
            self.client = Some(self.database.connect_to_work()?);
        }
        let begin = format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})");
        match &mut self.client {
            Some(client) => client.batch_execute(&begin).map_err(StoreError::from),
            None => Err(StoreError::Interrupted),
        }
    }
}

impl Store for Postgres {
    fn begin(&mut self) -> Result<Box<dyn Rows + '_>, StoreError> {
        if self.start().is_err() {
            // Nothing was done yet: once more, on a new connection.
            self.client = None;
            self.start()?;
        }
        let client = self.client.as_mut().ok_or(StoreError::Interrupted)?;
        Ok(Box::new(PostgresRows::new(client, &mut self.prepared)))
    }

    /// Others are heard ([`listen`]), and not looked for.
    fn pulse(&mut self) -> Result<i64, StoreError> {
        Ok(0)
    }
}
