//! `list` and `show`.

use std::io::Write;
use std::path::Path;

use super::event;
use super::select::{Selection, event as event_of, events, record, records, removal};
use super::{Failed, RIGHT, Status, WRONG, line, open, or_dash, plain};
use crate::ledger::{Entry, Kind, Reader};
use crate::sessions::{Entry as Record, Outline, RECORD, find_event, find_in_index, index_file};

/// Lists records or events, a line each, in the order in which they were stored.
///
/// # Errors
/// The ledger can't be read.
pub fn list(folder: &Path, selection: &Selection, out: &mut dyn Write) -> Status {
    let reader = open(folder)?;
    if selection.events {
        events(&reader, &mut |number, event, bytes| {
            if selection.takes_event(event) {
                line(out, &event::row(number, event, bytes))?;
            }
            Ok(())
        })?;
        return Ok(RIGHT);
    }
    records(&reader, &mut |number, _, record| {
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

/// Prints the record or the event with this id, or the entry with this number, as it stands there.
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

/// Why nothing was found, in a sentence.
///
/// # Errors
/// The ledger can't be read.
pub fn absence(folder: &Path, id: &str) -> Result<String, Failed> {
    let reader = open(folder)?;
    let horizon = reader.horizon()?;
    let said = match removal(&reader, u64::MAX)? {
        Some((number, removal)) => format!(
            "removed by retention, as entry {number} says: they are from before {}",
            removal.until
        ),
        None => "missing: verify the ledger".to_owned(),
    };
    Ok(match number(id) {
        Some(number) if number < horizon => {
            format!("entry {number} is gone: those before {horizon} were {said}")
        }
        Some(number) => format!("found no entry {number}"),
        None if horizon > 0 => {
            format!("found no record {id:?}: the entries before {horizon} were {said}")
        }
        None => format!("found no record {id:?}"),
    })
}

/// The number of an entry, if that is what stands in place of an id: those have 32 digits.
fn number(id: &str) -> Option<u64> {
    let is_number = id.len() < 20 && id.bytes().all(|digit| digit.is_ascii_digit());
    id.parse().ok().filter(|_| is_number)
}

/// The entry of the record or the event with this id, or with this number, and its number.
pub(super) fn find(reader: &Reader, id: &str) -> Result<Option<(u64, Entry)>, Failed> {
    if let Some(number) = number(id) {
        return Ok(reader.entry(number)?.map(|entry| (number, entry)));
    }
    if let Some(found) = by_index(reader, id) {
        return Ok(Some(found));
    }
    let mut found = None;
    reader.each::<Failed>(0, &mut |number, _, part| {
        let is_it = found.is_none()
            && (record(number, part)?.is_some_and(|record| record.id == id)
                || event_of(number, part)?.is_some_and(|event| event.id == id));
        if is_it {
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
    let hit = match find_in_index(&index, id).ok()? {
        Some(hit) => hit,
        None => find_event(&index, id).ok()??,
    };
    let entry = reader.at(hit.seq, hit.place).ok()??;
    let right = match entry.kind {
        RECORD => Record::read(&entry.bytes).is_ok_and(|record| record.id == id),
        Kind::EVENT => Outline::read(&entry.bytes).is_some_and(|event| event.id == id),
        _ => false,
    };
    right.then_some((hit.seq, entry))
}
