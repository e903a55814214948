//! Whole bodies of `multipart/form-data` (RFC 7578, in the form of RFC 2046, section 5.1).
//!
//! Servers disagree on what a careless body says: where a part ends, what it is called, whether it
//! is a file. A guard that reads one thing in front of a server that reads another guards nothing,
//! so whatever two of them would read differently is an error here. What is left is what browsers
//! and HTTP clients write.
//!
//! A name may occur in several parts: which of them counts, the caller has to know or to refuse.

mod delimiter;
mod head;

#[cfg(test)]
mod tests;

use crate::bytes::{behind, in_front};
pub use crate::forms::FormError;
use delimiter::Delimiter;
use head::Head;

/// Parts of one body. Go takes no more.
pub const MAX_PARTS: usize = 1_000;

/// The headers of one part. Clients write a few hundred bytes.
pub const MAX_HEAD_BYTES: usize = 8 * 1024;

/// One part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// Which field of the form it is; printable ASCII, up to 100 bytes.
    pub name: &'a str,
    /// The file's name; a part that has none is no file. Printable ASCII without a path.
    pub file_name: Option<&'a str>,
    /// Its content-type as it stands there, with parameters.
    pub media: Option<&'a str>,
    /// What is in it; UTF-8 where the part is no file.
    pub value: &'a [u8],
}

/// The parts of a body with this boundary, the parameter of its content-type without quotes.
#[must_use]
pub fn parts<'a>(body: &'a [u8], boundary: &str) -> Parts<'a> {
    let delimiter = Delimiter::new(boundary);
    let position = match delimiter {
        Some(_) => Position::Start,
        None => Position::Failed(FormError::new("a boundary that RFC 2046 doesn't allow", 0)),
    };
    Parts {
        body,
        delimiter: delimiter.unwrap_or_default(),
        position,
        read: 0,
    }
}

/// Reads the parts of one body in their order.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    body: &'a [u8],
    delimiter: Delimiter,
    position: Position,
    /// How many parts have been read.
    read: usize,
}

#[derive(Clone, Copy, Debug)]
enum Position {
    /// Nothing has been read.
    Start,
    /// The headers of a part begin here.
    Part(usize),
    /// There are no more.
    Over,
    /// What is wrong stays wrong: nobody takes an error for the end.
    Failed(FormError),
}

impl<'a> Parts<'a> {
    /// The next part. Only once this has said that there is none is all of the body sound.
    ///
    /// # Errors
    /// Whatever servers may read differently; from then on always the same error.
    pub fn read_next(&mut self) -> Result<Option<Part<'a>>, FormError> {
        let step = self.step();
        match &step {
            Ok((_, position)) => self.position = *position,
            Err(error) => self.position = Position::Failed(*error),
        }
        step.map(|(part, _)| part)
    }

    /// The next part, and what comes behind it.
    fn step(&mut self) -> Result<(Option<Part<'a>>, Position), FormError> {
        let position = match self.position {
            Position::Start => self.opening()?,
            position => position,
        };
        match position {
            Position::Part(at) => self.part(at).map(|(part, next)| (Some(part), next)),
            Position::Failed(error) => Err(error),
            Position::Start | Position::Over => Ok((None, Position::Over)),
        }
    }

    /// Python-multipart takes line ends in front of the first boundary and nothing else, others
    /// skip any text, or look for a boundary in it.
    fn opening(&self) -> Result<Position, FormError> {
        match behind(self.body, self.delimiter.bytes()) {
            Some(_) => self.behind_delimiter(self.delimiter.bytes().len()),
            None => Err(FormError::new("no boundary at the beginning", 0)),
        }
    }

    /// What follows a delimiter that ends at `at`. Werkzeug, Go and aiohttp skip blanks there;
    /// Busboy ends the part at the boundary, whatever comes, and drops what no line end precedes.
    fn behind_delimiter(&self, at: usize) -> Result<Position, FormError> {
        let rest = self.body.get(at..).unwrap_or_default();
        if behind(rest, b"\r\n").is_some() {
            return Ok(Position::Part(at + 2));
        }
        match behind(rest, b"--") {
            Some(b"" | b"\r\n") => Ok(Position::Over),
            Some(_) => Err(FormError::new("bytes behind the last delimiter", at + 2)),
            None => Err(FormError::new(
                "a boundary that neither CRLF nor two hyphens follow",
                at,
            )),
        }
    }

    fn part(&mut self, at: usize) -> Result<(Part<'a>, Position), FormError> {
        self.read += 1;
        if self.read > MAX_PARTS {
            return Err(FormError::new("more than 1,000 parts", at));
        }
        let rest = self.body.get(at..).unwrap_or_default();
        // The next boundary must be a delimiter. One anywhere else is data by the book, but
        // Django ends the part there, werkzeug does behind a bare line feed or return, and Busboy
        // looks for it in headers as well.
        let Some(length) = self.delimiter.find(rest) else {
            return Err(FormError::new("no delimiter behind a part", at));
        };
        let (part, found) = rest.split_at_checked(length).unwrap_or_default();
        let next =
            self.behind_delimiter(self.body.len() - found.len() + self.delimiter.bytes().len());
        let (head, value) = split(part).map_err(|reason| FormError::new(reason, at))?;
        let head = head::read(head, at)?;
        // The line end of the empty line is not the delimiter's: readers disagree on that.
        let Some(value) = in_front(value, b"\r\n") else {
            let reason = "a boundary that no CRLF of its own is in front of";
            return Err(FormError::new(reason, at + length));
        };
        check_value(&head, value).map_err(|reason| FormError::new(reason, at))?;
        let part = Part {
            name: head.name,
            file_name: head.file_name,
            media: head.media,
            value,
        };
        Ok((part, next?))
    }
}

/// A part's headers and what is behind the empty line.
fn split(part: &[u8]) -> Result<(&[u8], &[u8]), &'static str> {
    const END: &[u8] = b"\r\n\r\n";
    let front = part.get(..MAX_HEAD_BYTES + END.len()).unwrap_or(part);
    let end = front.windows(END.len()).position(|bytes| bytes == END);
    match end.and_then(|end| part.split_at_checked(end)) {
        Some((head, value)) => Ok((head, value.get(END.len()..).unwrap_or_default())),
        None if part.len() > MAX_HEAD_BYTES => Err("headers of more than 8 KiB"),
        None => Err("headers that no empty line ends in front of the next boundary"),
    }
}

/// What a part's headers promise of its value.
fn check_value(head: &Head<'_>, value: &[u8]) -> Result<(), &'static str> {
    // Older aiohttp reads as many bytes as the header says.
    if head
        .length
        .is_some_and(|length| length != value.len().to_string())
    {
        return Err("a content-length that is not the value's");
    }
    if head.file_name.is_some() {
        return Ok(());
    }
    let media = head.media.unwrap_or_default();
    let kind = media.split(';').next().unwrap_or_default();
    if kind.eq_ignore_ascii_case("application/octet-stream") {
        // A file for Busboy, a field for everybody else.
        return Err("a part without a file name that says it is application/octet-stream");
    }
    if core::str::from_utf8(value).is_err() {
        // Replaced, refused, or read as Latin-1.
        return Err("a field that is not UTF-8");
    }
    if value.starts_with(b"\xEF\xBB\xBF") {
        // Node's own reader drops it.
        return Err("a byte order mark in front of a field");
    }
    Ok(())
}
