//! `import` and `rotate`, which write: no desk may run on the ledger meanwhile.

use std::io::{BufRead, Read as _, Write};
use std::path::Path;

use super::logged::records;
use super::{Failed, RIGHT, Status, WRONG, line, open};
use crate::ledger::{Ledger, LedgerError, Options};
use crate::sessions::{Books, BooksError, Entry as Record, Outcome};
use crate::store::now;

/// The longest line of a log, in bytes.
const MAX_LINE_BYTES: u64 = 128 << 20;

/// How many records are stored at once.
const BATCH: usize = 1000;

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
    let (mut books, _, _) = Books::open(options).map_err(|error| unusable(&error))?;
    let mut batch: Vec<Record> = Vec::new();
    let (mut number, mut malformed, mut absent, mut bytes) = (0u64, 0u64, 0u64, 0usize);
    let (mut total, mut contradicting) = (Outcome::default(), 0_usize);
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
        if read == 0 || batch.len() >= BATCH || bytes >= BATCH_BYTES {
            let stored = books.put(&batch).map_err(|error| unusable(&error))?;
            total.new = total.new.saturating_add(stored.new);
            total.known = total.known.saturating_add(stored.known);
            contradicting = contradicting.saturating_add(stored.contradicting.len());
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
    books.settle().map_err(|error| unusable(&error))?;
    books.checkpoint()?;
    line(
        out,
        &format!(
            "{} records stored, {} known, {} left out since others have their ids or numbers, {malformed} lines malformed, {absent} without a record",
            total.new, total.known, contradicting
        ),
    )?;
    Ok(if malformed == 0 && contradicting == 0 {
        RIGHT
    } else {
        WRONG
    })
}

fn unusable(error: &BooksError) -> Failed {
    match error {
        BooksError::Ledger(error @ LedgerError::Busy(_)) => {
            Failed::new(format!("{error}: stop the desk first"))
        }
        error => Failed::new(error.to_string()),
    }
}

/// Makes a new signing key, which the present one signs.
///
/// # Errors
/// The ledger can't be written, or its key is missing.
pub fn rotate(options: &Options, out: &mut dyn Write) -> Status {
    open(&options.folder)?;
    let time = u64::try_from(now()).unwrap_or(0);
    let (mut ledger, _) =
        Ledger::open(options, time).map_err(|error| unusable(&BooksError::Ledger(error)))?;
    ledger.rotate(time)?;
    line(out, &ledger.key().to_string())?;
    Ok(RIGHT)
}
