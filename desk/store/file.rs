//! The file, and the connections to it.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::error::StoreError;
use super::schema;

/// How long a connection waits for another one's write to end.
const BUSY: Duration = Duration::from_secs(10);

/// The pause before a connection that may not wait tries again.
const RETRY: Duration = Duration::from_millis(10);

/// The longest chain of symbolic links that is followed, as in Linux.
const MAX_LINKS: usize = 40;

/// What a crash of the machine may lose. A crash of the desk alone loses nothing written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Nothing that was answered: an approval that was handed out stays used.
    Full,
    /// What was written in the last moments before it.
    Normal,
}

/// The file, which exists.
///
/// From here on only SQLite may open it. When a process closes any descriptor of a file, it loses
/// every POSIX lock that it has on that file (fcntl(2)), SQLite's included. The next process that
/// opens the file with SQLite then takes itself for the only one: on leaving, it removes the
/// write-ahead log, this process goes on writing to the removed one, and a crash loses all of that.
#[derive(Clone, Debug)]
pub struct Store {
    /// As it was given, for messages.
    name: PathBuf,
    /// Absolute, and not a link itself. To SQLite such a path is always a file, unlike `:memory:`
    /// or `file:...`.
    path: PathBuf,
}

impl Store {
    /// Creates the file, readable by its owner only, unless it exists; an existing one keeps its
    /// permissions. SQLite gives its `-wal` and `-shm` files the same permissions.
    ///
    /// Call it once in a process, before the first connection.
    ///
    /// # Errors
    /// When the file can't be created.
    pub fn create(name: &Path) -> Result<Self, StoreError> {
        let path = resolve(name)
            .and_then(|path| create_private(&path).map(|()| path))
            .map_err(|error| StoreError::Open(name.to_owned(), error.to_string()))?;
        Ok(Self {
            name: name.to_owned(),
            path,
        })
    }

    /// Opens a connection, and brings an older file to this version's form.
    ///
    /// # Errors
    /// The file can't be opened, is not SQLite's, or was written by a later version.
    pub fn connect(&self, durability: Durability) -> Result<Connection, StoreError> {
        let failed = |reason: String| StoreError::Open(self.name.clone(), reason);
        let mut connection = self.connect_as_is(durability)?;
        schema::migrate(&mut connection)
            .map_err(|error| failed(error.to_string()))?
            .map_err(failed)?;
        Ok(connection)
    }

    /// Opens a connection to a file whose tables are somebody else's concern.
    ///
    /// # Errors
    /// The file can't be opened, or is not SQLite's.
    pub fn connect_as_is(&self, durability: Durability) -> Result<Connection, StoreError> {
        let failed =
            |error: rusqlite::Error| StoreError::Open(self.name.clone(), error.to_string());
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags).map_err(failed)?;
        prepare(&connection, durability).map_err(failed)?;
        Ok(connection)
    }
}

fn prepare(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    use_wal(connection)?;
    let synchronous = match durability {
        Durability::Full => "FULL",
        Durability::Normal => "NORMAL",
    };
    connection.pragma_update(None, "synchronous", synchronous)
}

/// Switches the file to a write-ahead log, unless it has one.
///
/// Of two connections that switch a new file at once, each would wait for the other to stop
/// reading. SQLite has one of them fail without waiting, so that one tries again.
fn use_wal(connection: &Connection) -> rusqlite::Result<()> {
    let start = Instant::now();
    loop {
        let result = connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
        match result
            .as_ref()
            .err()
            .and_then(rusqlite::Error::sqlite_error_code)
        {
            Some(ErrorCode::DatabaseBusy) if start.elapsed() < BUSY => std::thread::sleep(RETRY),
            _ => return result,
        }
    }
}

/// Follows links, the last of which may lead to a file that doesn't exist yet.
fn resolve(name: &Path) -> io::Result<PathBuf> {
    let mut path = std::path::absolute(name)?;
    for _ in 0..MAX_LINKS {
        let Ok(target) = std::fs::read_link(&path) else {
            break;
        };
        path = path
            .parent()
            .map_or_else(|| target.clone(), |folder| folder.join(&target));
    }
    Ok(path)
}

/// Creates the file unless it exists. One that exists is not opened, not even to look at it.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}
