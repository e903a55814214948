//! The desk's end.

use std::path::Path;

use crate::sessions::Writer;
use crate::stop::Stop;

/// Takes orders until the desk stops.
pub struct Orders;

#[cfg(not(unix))]
impl Orders {
    /// Unix sockets are only there on Unix: the commands need the desk to be stopped.
    pub fn start(_: &Path, _: &Writer, _: &Stop) {}
}

#[cfg(unix)]
impl Orders {
    /// Listens in the ledger's folder, on the runtime that this is called on. The ledger must be
    /// locked: a socket that is there is a dead one's.
    ///
    /// A desk that can't listen works all the same, and its log says what it can't do.
    pub fn start(ledger: &Path, writer: &Writer, stop: &Stop) {
        match unix::listen(ledger) {
            Ok(listener) => {
                tokio::spawn(unix::serve(listener, writer.clone(), stop.clone()));
            }
            Err(error) => tracing::warn!(
                socket = %super::socket(ledger).display(),
                %error,
                "import and rotate need the desk to be stopped: no orders can be taken"
            ),
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::io;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{UnixListener, UnixStream};

    use super::super::{Answer, MAX_BATCH, MAX_BATCH_BYTES, Order, frame, socket};
    use crate::sessions::{Books, BooksError, Entry, Writer};
    use crate::stop::Stop;
    use crate::store::now;

    /// How long a command may take for its next frame.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// How long the writer may take for an order: it may have to wait for the disk.
    const WORK: Duration = Duration::from_secs(60);

    pub struct Listener {
        listener: UnixListener,
        path: PathBuf,
        owner: u32,
    }

    impl Drop for Listener {
        fn drop(&mut self) {
            // One that stays is taken away at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }

    pub fn listen(ledger: &Path) -> io::Result<Listener> {
        let path = socket(ledger);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
        let owner = std::fs::metadata(&path)?.uid();
        Ok(Listener {
            listener,
            path,
            owner,
        })
    }

    /// One command at a time: the others wait.
    pub async fn serve(listener: Listener, writer: Writer, mut stop: Stop) {
        let listen = async {
            loop {
                let result = match listener.listener.accept().await {
                    Ok((stream, _)) => work(stream, listener.owner, &writer).await,
                    Err(error) => {
                        // As when there are too many open files.
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        Err(error)
                    }
                };
                if let Err(error) = result {
                    tracing::warn!(%error, "an order was broken off");
                }
            }
        };
        tokio::select! {
            () = listen => {}
            () = stop.requested() => {}
        }
    }

    async fn work(mut stream: UnixStream, owner: u32, writer: &Writer) -> io::Result<()> {
        // The socket's mode says the same, but only from when it was set.
        let from = stream.peer_cred()?.uid();
        if from != owner && from != 0 {
            return Err(io::Error::other("it came from another user"));
        }
        let order = read(&mut stream).await?;
        match serde_json::from_slice(&order).map_err(io::Error::other)? {
            Order::Rotate => {
                let answer = rotate(writer).await;
                write(&mut stream, &answer).await
            }
            Order::Import => {
                while let Some(batch) = batch(&mut stream).await? {
                    let answer = import(writer, batch).await;
                    write(&mut stream, &answer).await?;
                }
                Ok(())
            }
        }
    }

    /// The records up to an empty frame; `None` if the command has ended.
    async fn batch(stream: &mut UnixStream) -> io::Result<Option<Vec<Entry>>> {
        let mut entries = Vec::new();
        let mut bytes = 0usize;
        loop {
            let record = match read(stream).await {
                Err(error)
                    if entries.is_empty() && error.kind() == io::ErrorKind::UnexpectedEof =>
                {
                    return Ok(None);
                }
                result => result?,
            };
            if record.is_empty() {
                return Ok(Some(entries));
            }
            bytes = bytes.saturating_add(record.len());
            if entries.len() >= MAX_BATCH || bytes > MAX_BATCH_BYTES {
                return Err(io::Error::other("the batch is too large"));
            }
            let entry = Entry::read_logged(&record);
            entries.push(entry.map_err(|why| io::Error::other(why.to_string()))?);
        }
    }

    async fn import(writer: &Writer, batch: Vec<Entry>) -> Answer {
        let job = move |books: &mut Books| {
            let outcome = books.put(&batch)?;
            books.settle()?;
            Ok::<_, BooksError>(outcome)
        };
        let stored = |outcome: crate::sessions::Outcome| Answer::Stored {
            new: outcome.new,
            known: outcome.known,
            contradicting: outcome.contradicting.len(),
        };
        done(writer, job).await.map_or_else(Answer::Failed, stored)
    }

    async fn rotate(writer: &Writer) -> Answer {
        let job = |books: &mut Books| {
            let time = u64::try_from(now()).unwrap_or(0);
            books.ledger().rotate(time)?;
            let key = books.ledger().key().to_string();
            tracing::info!(key, "the signing key was rotated");
            Ok::<_, BooksError>(key)
        };
        let rotated = done(writer, job).await;
        rotated.map_or_else(Answer::Failed, Answer::Rotated)
    }

    async fn done<T: Send + 'static>(
        writer: &Writer,
        job: impl FnOnce(&mut Books) -> Result<T, BooksError> + Send + 'static,
    ) -> Result<T, String> {
        match tokio::time::timeout(WORK, writer.run(job)).await {
            Ok(Ok(result)) => result.map_err(|error| error.to_string()),
            Ok(Err(_)) => Err("the desk has no ledger to write to, or is stopping".to_owned()),
            Err(_) => Err("the desk can't write to the disk in time".to_owned()),
        }
    }

    async fn read(stream: &mut UnixStream) -> io::Result<Vec<u8>> {
        let read = async {
            let mut head = [0; 4];
            stream.read_exact(&mut head).await?;
            let length = frame::length(head)?;
            let mut bytes = Vec::new();
            let wanted = u64::try_from(length).unwrap_or(u64::MAX);
            stream.take(wanted).read_to_end(&mut bytes).await?;
            match bytes.len() < length {
                true => Err(io::ErrorKind::UnexpectedEof.into()),
                false => Ok(bytes),
            }
        };
        in_time(read).await
    }

    async fn write(stream: &mut UnixStream, answer: &Answer) -> io::Result<()> {
        let bytes = serde_json::to_vec(answer).map_err(io::Error::other)?;
        let write = async {
            stream.write_all(&frame::head(bytes.len())?).await?;
            stream.write_all(&bytes).await
        };
        in_time(write).await
    }

    async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let result = tokio::time::timeout(PATIENCE, work).await;
        result.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }
}
