//! The frame of gRPC-Web that holds an answer's trailers: lines as HTTP/1 has them.

use super::super::feed::{Feed, Range};
use super::super::track::Writing;
use super::super::trailer::Trailer;

/// Gives the text in the lines at `range` to the matcher.
pub(super) fn feed(feed: &mut Feed<'_>, (start, end): Range) {
    let mut at = start;
    for line in feed
        .slice((start, end))
        .split_inclusive(|byte| *byte == b'\n')
    {
        let from = at;
        at += line.len();
        let line = line.trim_ascii_end();
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let value = line.get(name.len() + 1..).unwrap_or_default();
        let trailer = Trailer::named(&name.trim_ascii().to_ascii_lowercase());
        match trailer {
            // A line without a value is a text as well: nothing says that it is none.
            Trailer::Text => feed.whole((from, from + line.len()), Writing::Line),
            _ if value.is_empty() => feed.whole((from, from + line.len()), Writing::Line),
            _ => {
                let blanks = value.len() - value.trim_ascii_start().len();
                let value = from + name.len() + 1 + blanks;
                feed.trailer((value, from + line.len()), trailer);
            }
        }
    }
}
