//! `import` and `rotate`, which write. A desk that has the ledger open does it for them.

use std::io::{BufRead, Read as _, Write};
use std::path::Path;

use super::logged::records;
use super::{Failed, RIGHT, Status, WRONG, line, open};
use crate::control::{Answer, Line, MAX_BATCH, NoDesk, Order, socket};
use crate::ledger::{Ledger, LedgerError, Options};
use crate::sessions::{Books, BooksError, Entry as Record};
use crate::store::now;

/// The longest line of a log, in bytes.
const MAX_LINE_BYTES: u64 = 128 << 20;

/// How many bytes of records are stored at once, about.
const BATCH_BYTES: usize = 32 << 20;

/// Adds to a ledger those records of a log that it lacks: Envoy's JSON file log, in which the record
/// is the member `session` of a line, or what an OpenTelemetry collector writes to a file. Lines
/// without one are of exchanges that the filter didn't see. Of an exchange that went on and has no
/// record, it is remembered that it did.
///
/// # Errors
/// The log can't be read, or the ledger can't be written.
pub fn import(options: &Options, log: &Path, out: &mut dyn Write) -> Status {
    open(&options.folder)?;
    let failed = |error: std::io::Error| Failed::new(format!("{}: {error}", log.display()));
    let file = std::fs::File::open(log).map_err(failed)?;
    let mut source = std::io::BufReader::with_capacity(1 << 20, file);
    let mut store = Store::open(options)?;
    let mut batch: Vec<Record> = Vec::new();
    let (mut number, mut malformed, mut absent, mut bytes) = (0u64, 0u64, 0u64, 0usize);
    let mut total = [0_usize; 3];
    loop {
        let mut text = Vec::new();
        let mut limited = source.by_ref().take(MAX_LINE_BYTES);
        let read = limited.read_until(b'\n', &mut text).map_err(failed)?;
        if read > 0 && limited.limit() == 0 {
            return Err(Failed::new(format!(
                "{}: found a longer line, expected at most {MAX_LINE_BYTES} bytes",
                log.display()
            )));
        }
        if read == 0 || batch.len() >= MAX_BATCH || bytes >= BATCH_BYTES {
            let stored = store.put(&batch)?;
            for (sum, count) in total.iter_mut().zip(stored) {
                *sum = sum.saturating_add(count);
            }
            batch.clear();
            bytes = 0;
        }
        if read == 0 {
            break;
        }
        number = number.saturating_add(1);
        match records(&text) {
            Ok(records) if records.is_empty() => absent = absent.saturating_add(1),
            Ok(records) => {
                for record in records {
                    bytes = bytes.saturating_add(record.text.len());
                    batch.push(record);
                }
            }
            Err(what) => {
                malformed = malformed.saturating_add(1);
                line(out, &format!("{} line {number}: {what}", log.display()))?;
            }
        }
    }
    store.close()?;
    let [new, known, contradicting] = total;
    line(
        out,
        &format!(
            "{new} records stored, {known} known, {contradicting} left out since others have their ids or numbers, {malformed} lines malformed, {absent} without a record"
        ),
    )?;
    Ok(if malformed == 0 && contradicting == 0 {
        RIGHT
    } else {
        WRONG
    })
}

/// Where records go.
enum Store {
    /// The ledger, which nobody else has open.
    Own(Box<Books>),
    /// The desk that has it open.
    Desk(Line),
}

impl Store {
    fn open(options: &Options) -> Result<Self, Failed> {
        match Books::open(options) {
            Ok((books, _, _)) => Ok(Self::Own(Box::new(books))),
            Err(BooksError::Ledger(busy @ LedgerError::Busy(_))) => {
                let line = Line::open(&options.folder, Order::Import);
                line.map(Self::Desk)
                    .map_err(|why| deaf(options, &busy, &why))
            }
            Err(error) => Err(Failed::new(error.to_string())),
        }
    }

    /// How many are new, known, and left out.
    fn put(&mut self, records: &[Record]) -> Result<[usize; 3], Failed> {
        let failed = |error: BooksError| Failed::new(error.to_string());
        match self {
            Self::Own(books) => {
                let stored = books.put(records).map_err(failed)?;
                Ok([stored.new, stored.known, stored.contradicting.len()])
            }
            Self::Desk(line) => {
                let mut total = [0_usize; 3];
                for batch in batches(records) {
                    let stored = match line.store(batch).map_err(|why| broken(&why))? {
                        Answer::Stored {
                            new,
                            known,
                            contradicting,
                        } => [new, known, contradicting],
                        answer => return Err(refused(answer)),
                    };
                    for (sum, count) in total.iter_mut().zip(stored) {
                        *sum = sum.saturating_add(count);
                    }
                }
                Ok(total)
            }
        }
    }

    fn close(self) -> Result<(), Failed> {
        if let Self::Own(mut books) = self {
            let settled = books.settle();
            settled.map_err(|error| Failed::new(error.to_string()))?;
            books.checkpoint()?;
        }
        Ok(())
    }
}

/// Records in batches that a desk takes at once: one line of a collector's file may have any number.
fn batches(mut records: &[Record]) -> impl Iterator<Item = &[Record]> {
    std::iter::from_fn(move || {
        let mut bytes = 0usize;
        let mut fits = |record: &&Record| {
            bytes = bytes.saturating_add(record.text.len());
            bytes <= BATCH_BYTES
        };
        let some = records.iter().take(MAX_BATCH);
        // One alone goes, however long it is.
        let count = some.take_while(&mut fits).count().max(1);
        let (batch, rest) = records.split_at_checked(count)?;
        records = rest;
        Some(batch)
    })
}

/// Whoever has the ledger open takes no orders.
fn deaf(options: &Options, busy: &LedgerError, why: &NoDesk) -> Failed {
    Failed::new(format!(
        "{busy}, and takes no orders at {} ({why}): stop it first",
        socket(&options.folder).display()
    ))
}

fn broken(why: &NoDesk) -> Failed {
    Failed::new(format!(
        "the desk broke the connection off ({why}): its log says more. Try again: nothing is stored twice"
    ))
}

fn refused(answer: Answer) -> Failed {
    Failed::new(match answer {
        Answer::Failed(why) => format!("the desk: {why}"),
        other => format!("the desk: found the answer {other:?}, expected another"),
    })
}

/// Makes a new signing key, which the present one signs.
///
/// # Errors
/// The ledger can't be written, or its key is missing.
pub fn rotate(options: &Options, out: &mut dyn Write) -> Status {
    open(&options.folder)?;
    let time = u64::try_from(now()).unwrap_or(0);
    let key = match Ledger::open(options, time) {
        Ok((mut ledger, _)) => {
            ledger.rotate(time)?;
            ledger.key().to_string()
        }
        Err(busy @ LedgerError::Busy(_)) => {
            let desk = Line::open(&options.folder, Order::Rotate);
            let mut desk = desk.map_err(|why| deaf(options, &busy, &why))?;
            match desk.answer().map_err(|why| broken(&why))? {
                Answer::Rotated(key) => key,
                answer => return Err(refused(answer)),
            }
        }
        Err(error) => return Err(error.into()),
    };
    line(out, &key)?;
    Ok(RIGHT)
}
