//! `list` and `show`.

use std::io::Write;
use std::path::Path;

use super::select::{Selection, record, records};
use super::{Failed, RIGHT, Status, WRONG, line, open, or_dash, plain};
use crate::ledger::{Entry, Reader};
use crate::sessions::{Entry as Record, RECORD, find_in_index, index_file};

/// Lists records, a line each, in the order in which they were stored.
///
/// # Errors
/// The ledger can't be read.
pub fn list(folder: &Path, selection: &Selection, out: &mut dyn Write) -> Status {
    records(&open(folder)?, &mut |number, _, record| {
        if selection.takes(record) {
            line(out, &row(number, record))?;
        }
        Ok(())
    })?;
    Ok(RIGHT)
}

/// A record in one line: its entry, time, action, subject, operation, model, rule, code and id.
pub(super) fn row(number: u64, record: &Record) -> String {
    let cells = [
        or_dash(record.action.as_deref()),
        or_dash(record.subject.as_deref()),
        or_dash(record.operation.as_deref()),
        or_dash(record.model.as_deref()),
        or_dash(record.rule.as_deref()),
        or_dash(record.code.as_deref()),
        &record.id,
    ];
    let cells: Vec<_> = cells.into_iter().map(plain).collect();
    format!("{number}\t{}\t{}", plain(&record.time), cells.join("\t"))
}

/// Prints the record with this id, as it came.
///
/// # Errors
/// The ledger can't be read.
pub fn show(folder: &Path, id: &str, out: &mut dyn Write) -> Status {
    match find(&open(folder)?, id)? {
        Some((_, entry)) => {
            out.write_all(&entry.bytes)?;
            line(out, "")?;
            Ok(RIGHT)
        }
        None => Ok(WRONG),
    }
}

/// The entry of the record with this id, and its number.
pub(super) fn find(reader: &Reader, id: &str) -> Result<Option<(u64, Entry)>, Failed> {
    if let Some(found) = by_index(reader, id) {
        return Ok(Some(found));
    }
    let mut found = None;
    reader.each::<Failed>(0, &mut |number, _, part| {
        if found.is_none() && record(number, part)?.is_some_and(|record| record.id == id) {
            found = Some((number, part.to_entry()));
        }
        Ok(())
    })?;
    Ok(found)
}

/// Looks where the index says. What stands there must be what is looked for.
fn by_index(reader: &Reader, id: &str) -> Option<(u64, Entry)> {
    let file = index_file(reader.folder());
    let flags =
        rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let index = rusqlite::Connection::open_with_flags(file, flags).ok()?;
    let hit = find_in_index(&index, id).ok()??;
    let entry = reader.at(hit.seq, hit.place).ok()??;
    let right =
        entry.kind == RECORD && Record::read(&entry.bytes).is_ok_and(|record| record.id == id);
    right.then_some((hit.seq, entry))
}
