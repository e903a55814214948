//! The end of a command.

use std::fmt;
use std::io;
use std::path::Path;

use super::{Answer, Order};
use crate::sessions::Entry;

/// A connection to the desk that has the ledger open.
pub struct Line(#[cfg(unix)] io::BufWriter<std::os::unix::net::UnixStream>);

/// Why there is no connection, or what broke it.
#[derive(Debug)]
pub struct NoDesk(io::Error);

impl fmt::Display for NoDesk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for NoDesk {}

impl From<io::Error> for NoDesk {
    fn from(error: io::Error) -> Self {
        Self(error)
    }
}

#[cfg(unix)]
mod unix {
    use std::io::{BufWriter, Write as _};
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::super::{frame, socket};
    use super::{Answer, Entry, Line, NoDesk, Order, Path, io};

    /// How long the desk may take for an answer. It says itself if it can't do it, sooner.
    const PATIENCE: Duration = Duration::from_secs(120);

    impl Line {
        /// Gives an order to the desk that has the ledger in this folder open.
        ///
        /// # Errors
        /// There is none, or it doesn't listen.
        pub fn open(ledger: &Path, order: Order) -> Result<Self, NoDesk> {
            let stream = UnixStream::connect(socket(ledger))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_write_timeout(Some(PATIENCE))?;
            let mut stream = BufWriter::with_capacity(1 << 20, stream);
            let order = serde_json::to_vec(&order).map_err(io::Error::other)?;
            frame::write(&mut stream, &order)?;
            Ok(Self(stream))
        }

        /// Hands over a batch of records.
        ///
        /// # Errors
        /// The desk is gone.
        pub fn store(&mut self, records: &[Entry]) -> Result<Answer, NoDesk> {
            for record in records {
                frame::write(&mut self.0, record.text.as_bytes())?;
            }
            frame::write(&mut self.0, &[])?;
            self.answer()
        }

        /// The desk's answer.
        ///
        /// # Errors
        /// The desk is gone.
        pub fn answer(&mut self) -> Result<Answer, NoDesk> {
            self.0.flush()?;
            let bytes = frame::read(self.0.get_mut())?;
            Ok(serde_json::from_slice(&bytes).map_err(io::Error::other)?)
        }
    }
}

#[cfg(not(unix))]
impl Line {
    /// Unix sockets are only there on Unix.
    ///
    /// # Errors
    /// Always.
    pub fn open(_: &Path, _: Order) -> Result<Self, NoDesk> {
        Err(NoDesk(io::ErrorKind::Unsupported.into()))
    }

    /// Not reached.
    ///
    /// # Errors
    /// Always.
    pub fn store(&mut self, _: &[Entry]) -> Result<Answer, NoDesk> {
        Err(NoDesk(io::ErrorKind::Unsupported.into()))
    }

    /// Not reached.
    ///
    /// # Errors
    /// Always.
    pub fn answer(&mut self) -> Result<Answer, NoDesk> {
        Err(NoDesk(io::ErrorKind::Unsupported.into()))
    }
}
