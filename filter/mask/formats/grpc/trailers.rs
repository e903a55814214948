//! The frame of gRPC-Web that holds an answer's trailers: lines as HTTP/1 has them.

use super::super::Trailer;
use super::super::entry_writer::EntryWriter;
use super::super::trailer;
use super::super::writing::Writing;
use base::wire::Range;

/// Gives the text in the lines at `range` to the matcher.
pub(super) fn feed(writer: &mut EntryWriter<'_>, (start, end): Range) {
    let mut at = start;
    for line in writer
        .slice((start, end))
        .split_inclusive(|byte| *byte == b'\n')
    {
        let from = at;
        at += line.len();
        let line = line.trim_ascii_end();
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let value = line.get(name.len() + 1..).unwrap_or_default();
        let kind = Trailer::named(&name.trim_ascii().to_ascii_lowercase());
        match kind {
            // A line without a value is matched too: nothing says that it isn't text.
            Trailer::Text => writer.whole((from, from + line.len()), Writing::Line),
            _ if value.is_empty() => writer.whole((from, from + line.len()), Writing::Line),
            _ => {
                let blanks = value.len() - value.trim_ascii_start().len();
                let value = from + name.len() + 1 + blanks;
                // One that can't be read is left out.
                writer.rewrite((value, from + line.len()), |mask, value, found| {
                    trailer::masked_value(kind, mask, value, found)
                        .unwrap_or_else(|_| Some(Vec::new()))
                });
            }
        }
    }
}
