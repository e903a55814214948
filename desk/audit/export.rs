//! `export`: records as JSON lines, as CSV, or as evidence.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::event;
use super::evidence::{FORM, Head, Item, Tail};
use super::proof::{Remembering, signed};
use super::select::{Selection, event as event_of, events, record, records, removal};
use super::{Failed, RIGHT, Status, line, open};
use crate::ledger::{Kind, Part, Reader, Removal, inclusion};
use crate::sessions::{Entry as Record, RUNNING};

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Each record as it came, a line each.
    Lines,
    /// A table of the members by which records are found (RFC 4180).
    Csv,
    /// Records with proofs, which `verify` checks without the ledger.
    Evidence,
}

/// The columns of [`Form::Csv`].
const COLUMNS: &str = "entry,time,id,subject,action,operation,model,rule,code,worker,number";

/// Those of events.
const EVENT_COLUMNS: &str = "entry,time,event,who,about,id";

/// Writes records or events, in the order in which they were stored.
///
/// # Errors
/// The ledger can't be read.
pub fn export(folder: &Path, form: Form, selection: &Selection, out: &mut dyn Write) -> Status {
    let reader = open(folder)?;
    match form {
        Form::Lines | Form::Csv if selection.events => {
            if form == Form::Csv {
                write!(out, "{EVENT_COLUMNS}\r\n")?;
            }
            events(&reader, &mut |number, event, bytes| {
                if !selection.takes_event(event) {
                    return Ok(());
                }
                if form == Form::Csv {
                    let cells = event::cells(number, event, bytes);
                    let cells = cells.map(|cell| quoted(&cell)).join(",");
                    return write!(out, "{cells}\r\n").map_err(Failed::from);
                }
                out.write_all(bytes)?;
                line(out, "")
            })?;
        }
        Form::Lines => records(&reader, &mut |_, _, record| {
            if selection.takes(record) {
                line(out, &record.text)?;
            }
            Ok(())
        })?,
        Form::Csv => {
            write!(out, "{COLUMNS}\r\n")?;
            records(&reader, &mut |number, _, record| {
                if selection.takes(record) {
                    write!(out, "{}\r\n", row(number, record))?;
                }
                Ok(())
            })?;
        }
        Form::Evidence => evidence(&reader, selection, out)?,
    }
    Ok(RIGHT)
}

fn row(entry: u64, record: &Record) -> String {
    let (entry, number) = (entry.to_string(), record.number.to_string());
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let cells = [
        entry,
        record.time.clone(),
        record.id.clone(),
        text(&record.subject),
        text(&record.action),
        text(&record.operation),
        text(&record.model),
        text(&record.rule),
        text(&record.code),
        record.worker.clone(),
        number,
    ];
    let cells: Vec<_> = cells.iter().map(|cell| quoted(cell)).collect();
    cells.join(",")
}

/// A cell of RFC 4180. What a table's program would take for a formula gets an apostrophe first.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if cell.contains(['"', ',', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell
    }
}

fn evidence(reader: &Reader, selection: &Selection, out: &mut dyn Write) -> Result<(), Failed> {
    let latest = signed(reader)?;
    let size = latest.checkpoint.size;
    write_line(
        out,
        &Head {
            form: FORM.to_owned(),
            checkpoint: latest.text,
        },
    )?;
    let nodes = Remembering::new(reader.tiles());
    let mut items = 0u64;
    let mut write = |number: u64, part: Part<'_>| -> Result<(), Failed> {
        let text = str::from_utf8(part.bytes)
            .map_err(|_| Failed::new(format!("entry {number}: expected UTF-8")))?;
        let proof = inclusion(&nodes, number, size)?;
        items = items.saturating_add(1);
        write_line(
            out,
            &Item {
                entry: number,
                kind: part.kind.0,
                time: part.time,
                text: text.to_owned(),
                proof: proof.iter().map(crate::ledger::Hash::to_base64).collect(),
            },
        )
    };
    // Keys that were removed are still needed, and stand in what says so.
    let horizon = reader.horizon()?;
    let removal = removal(reader, size)?.map(|(_, removal)| removal);
    let keys = removal.into_iter().flat_map(|removal| removal.keys);
    for key in keys.filter(|key| key.entry < horizon) {
        let entry = key.to_entry();
        let part = Part {
            kind: entry.kind,
            time: entry.time,
            bytes: &entry.bytes,
        };
        write(key.entry, part)?;
    }
    reader.each::<Failed>(0, &mut |number, _, part| {
        // The last entries may not be signed for yet.
        let wanted = number < size
            && (part.kind == Kind::KEY
                || selection.is_all() && [Kind::EVENT, RUNNING].contains(&part.kind)
                || Removal::read(part.kind, part.bytes).is_some()
                || event_of(number, part)?.is_some_and(|event| selection.takes_event(&event))
                || record(number, part)?.is_some_and(|record| selection.takes(&record)));
        if wanted { write(number, part) } else { Ok(()) }
    })?;
    write_line(out, &Tail { items })
}

fn write_line(out: &mut dyn Write, value: &impl Serialize) -> Result<(), Failed> {
    let text = serde_json::to_string(value).map_err(|error| Failed::new(error.to_string()))?;
    line(out, &text)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        for (cell, expected) in [
            ("carol", "carol"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=1+1", "'=1+1"),
            ("-2,3", "\"'-2,3\""),
        ] {
            assert_eq!(quoted(cell), expected);
        }
    }
}
