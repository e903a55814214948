//! A PostgreSQL of a test's own, and where tests keep approvals.

use std::sync::atomic::{AtomicUsize, Ordering};

use portcullis_desk::approvals::store::postgres::{Database, Postgres};
use portcullis_desk::approvals::store::{Sqlite, Store};
use portcullis_desk::store::{self, Durability};
use serde_json::{Value, json};
use testbed::authority::Issued;
use testbed::postgres::Postgres as Server;

use crate::harness::Folder;

/// A server with its data and its socket in a folder.
pub struct Cluster(Server);

impl Cluster {
    /// A new one; `None`, and a word why, where PostgreSQL isn't installed.
    pub fn start() -> Option<Self> {
        Server::start().unwrap().map(Self)
    }

    /// Starts the server, and waits until it takes connections.
    pub fn serve(&mut self) {
        self.0.serve().unwrap();
    }

    /// Starts it with TLS on a port of this machine, which is returned.
    pub fn serve_with_tls(&mut self, issued: &Issued) -> u16 {
        self.0.serve_with_tls(issued).unwrap()
    }

    /// Stops it at once; what was committed is there when it is started again.
    pub fn stop(&mut self) {
        self.0.stop();
    }

    /// Where a part of the database is that nobody else uses.
    pub fn apart(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("part{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let server = self.0.url();
        let mut client = postgres::Client::connect(&server, postgres::NoTls).unwrap();
        client
            .batch_execute(&format!("CREATE SCHEMA {name}"))
            .unwrap();
        format!("{server} options='-c search_path={name}'")
    }

    /// The section `store` of a desk's configuration.
    pub fn store(&self) -> Value {
        json!({ "postgres": self.0.url() })
    }
}

/// Where a test keeps approvals.
pub enum Place {
    /// A file of SQLite.
    File(Folder),
    /// PostgreSQL, a part of it that nobody else uses.
    Database(String),
}

impl Place {
    /// A new file.
    pub fn file() -> Self {
        Self::File(Folder::new())
    }

    /// A new part of a database, with the tables.
    pub fn of(cluster: &Cluster) -> Self {
        let url = cluster.apart();
        Database::new(&url, None).unwrap().prepare().unwrap();
        Self::Database(url)
    }

    /// A connection of a desk's own.
    pub fn open(&self) -> Box<dyn Store> {
        match self {
            Self::File(folder) => {
                let file = store::Store::create(&folder.store()).unwrap();
                Box::new(Sqlite::new(file.connect(Durability::Normal).unwrap()))
            }
            Self::Database(url) => Box::new(Postgres::new(Database::new(url, None).unwrap())),
        }
    }
}
