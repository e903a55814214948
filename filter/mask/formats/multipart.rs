//! Multipart bodies (RFC 2046, section 5.1): each part is masked by its own media type.
//!
//! A part's headers are held until they are whole, and pass but for the names of fields and files,
//! which are masked as text, and for headers that count the part's bytes. What stands in front of
//! the first part and behind the last one is text. Delimiters are found behind a bare line feed too,
//! as lenient readers find them: otherwise such a reader would see parts that were not looked at.
//!
//! A part passes unread where the mask lets its media type pass, as a whole body of that type would.

mod head;

#[cfg(test)]
mod tests;

use super::boundary::Boundary;
use super::walk::{Job, Walk};
use super::{Format, Framing, Media, OCTET_STREAM, WalkError};
use crate::CompiledMask;
use crate::policy::Passing;
use head::{Header, PartHead, headers};

/// The longest headers of a part, in bytes.
const MAX_HEADER_BYTES: usize = 16 * 1024;
/// What may stand on a delimiter's line behind it.
const MAX_PADDING_BYTES: usize = 256;

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MultipartPosition {
    /// The content of a part, or what is in front of the first or behind the last.
    Content,
    /// The rest of a delimiter's line, held with the delimiter.
    Line,
    /// The headers of a part, held.
    Headers,
}

/// Masks a multipart body.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Multipart<P> {
    boundary: Boundary,
    framing: Framing,
    /// How many parts came whose type says nothing.
    octets: u32,
    position: MultipartPosition,
    /// What may be a delimiter, or headers.
    held: Vec<u8>,
    /// The line feed at the front of `held` is not part of the body: what begins here may
    /// begin with a delimiter.
    at_start: bool,
    /// How much of `held` is the delimiter.
    delimiter: usize,
    /// The content's walker; none for content that passes unread.
    part: Option<Box<P>>,
    /// No delimiter follows any more.
    over: bool,
}

impl<P: Walk + From<Format>> Walk for Multipart<P> {
    fn push(&mut self, piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        let mut rest = piece;
        while let Some(byte) = rest.first() {
            if self.position == MultipartPosition::Content && self.held.is_empty() {
                let end = if self.over {
                    None
                } else {
                    memchr::memchr2(b'\r', b'\n', rest)
                };
                let (now, later) = rest.split_at(end.unwrap_or(rest.len()));
                if !now.is_empty() {
                    self.content(now, job)?;
                    rest = later;
                    continue;
                }
            }
            if self.byte(*byte, job)? {
                rest = rest.get(1..).unwrap_or_default();
            }
        }
        Ok(())
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let last = self.position == MultipartPosition::Line && self.is_last();
        let held = self.take_held();
        if self.position == MultipartPosition::Headers {
            return Err(WalkError::Truncated);
        }
        if !last {
            self.content(&held, job)?;
        }
        self.end_part(job)?;
        if last {
            job.out.extend(held);
        }
        Ok(())
    }

    fn held(&self) -> usize {
        let held = self.held.len() - usize::from(self.at_start);
        held + self.part.as_ref().map_or(0, |part| part.held())
    }
}

impl<P: Walk + From<Format>> Multipart<P> {
    pub(super) fn new(boundary: Boundary, framing: Framing) -> Self {
        Self {
            boundary,
            framing,
            octets: 0,
            position: MultipartPosition::Content,
            held: b"\n".to_vec(),
            at_start: true,
            delimiter: 0,
            part: Some(Box::new(P::from(Format::Text))),
            over: false,
        }
    }

    /// The bytes of the body that are held.
    fn take_held(&mut self) -> Vec<u8> {
        let mut held = std::mem::take(&mut self.held);
        if std::mem::take(&mut self.at_start) && !held.is_empty() {
            held.remove(0);
            self.delimiter = self.delimiter.saturating_sub(1);
        }
        held
    }

    /// Masks what is in a part, or between parts.
    fn content(&mut self, piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        match &mut self.part {
            Some(part) if !piece.is_empty() => part.push(piece, job),
            Some(_) => Ok(()),
            None => {
                job.out.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    fn end_part(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        match self.part.take() {
            Some(mut part) => part.finish(job),
            None => Ok(()),
        }
    }

    /// Takes a byte; false when it has to be read anew.
    fn byte(&mut self, byte: u8, job: &mut Job<'_>) -> Result<bool, WalkError> {
        match self.position {
            MultipartPosition::Content => {
                if self.fits(byte) {
                    self.held.push(byte);
                    if self.is_delimiter() {
                        self.delimiter = self.held.len();
                        self.position = MultipartPosition::Line;
                    }
                    return Ok(true);
                }
                if self.held.is_empty() {
                    self.content(&[byte], job)?;
                    return Ok(true);
                }
                let held = self.take_held();
                self.content(&held, job)?;
                Ok(false)
            }
            MultipartPosition::Line => {
                self.held.push(byte);
                let padding = self.held.get(self.delimiter..).unwrap_or_default();
                if byte != b'\n' && padding.len() <= MAX_PADDING_BYTES {
                    return Ok(true);
                }
                self.end_line(job)?;
                Ok(true)
            }
            MultipartPosition::Headers => {
                self.held.push(byte);
                if self.held.len() > MAX_HEADER_BYTES {
                    return Err(WalkError::TooLarge);
                }
                let blank = matches!(self.held.as_slice(), b"\n" | b"\r\n");
                if byte == b'\n' && (blank || ends_with_blank_line(&self.held)) {
                    self.begin_part(job)?;
                }
                Ok(true)
            }
        }
    }

    /// Whether what is held is the beginning of a delimiter with this byte.
    fn fits(&self, byte: u8) -> bool {
        if self.over {
            return false;
        }
        let at = self.held.len() - usize::from(self.held.first() == Some(&b'\r'));
        match at {
            0 => byte == b'\n' || (byte == b'\r' && self.held.is_empty()),
            1 | 2 => byte == b'-',
            _ => self.boundary.bytes().get(at - 3) == Some(&byte),
        }
    }

    fn is_delimiter(&self) -> bool {
        let returns = usize::from(self.held.first() == Some(&b'\r'));
        self.held.len() == returns + 3 + self.boundary.bytes().len()
    }

    /// Whether a delimiter's line is that behind the last part.
    fn is_last(&self) -> bool {
        let rest = self.held.get(self.delimiter..).unwrap_or_default();
        rest.strip_prefix(b"--")
            .is_some_and(|rest| rest.trim_ascii().is_empty())
    }

    /// The line of what looks like a delimiter has ended, or is too long.
    fn end_line(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let last = self.is_last();
        let held = self.take_held();
        let (delimiter, rest) = held.split_at(self.delimiter.min(held.len()));
        if !last && !rest.trim_ascii().is_empty() {
            // A line that only begins like one. Its end may begin another one.
            self.position = MultipartPosition::Content;
            self.content(delimiter, job)?;
            return self.push(rest, job);
        }
        self.end_part(job)?;
        job.out.extend(held);
        if last {
            self.over = true;
            self.part = Some(Box::new(P::from(Format::Text)));
            self.position = MultipartPosition::Content;
        } else {
            self.position = MultipartPosition::Headers;
        }
        Ok(())
    }

    /// The held bytes are the headers of a part.
    fn begin_part(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let held = std::mem::take(&mut self.held);
        let mut head = PartHead::default();
        for header in headers(&held) {
            match head.take(header) {
                Header::Same => job.out.extend_from_slice(header),
                Header::Gone => {}
                Header::Text => {
                    let mut text = P::from(Format::Text);
                    text.push(header, job)?;
                    text.finish(job)?;
                }
            }
        }
        self.part = self
            .read_as(&head, job.mask)?
            .map(|format| Box::new(P::from(format)));
        self.position = MultipartPosition::Content;
        self.held = b"\n".to_vec();
        self.at_start = true;
        Ok(())
    }
}

impl<P> Multipart<P> {
    /// How a part is read; `None` if it passes unread.
    fn read_as(
        &mut self,
        head: &PartHead,
        mask: &CompiledMask,
    ) -> Result<Option<Format>, WalkError> {
        let passing = mask.passing();
        if let Some(media) = head.media() {
            if let Some(format) = self.octets_as(media)
                && head.is_searchable()
            {
                return Ok(Some(format));
            }
            let passes = match Format::of_media(media) {
                Media::Text(format) => {
                    let passes = passing.is_some_and(|passing| passing.lets_text(media));
                    if head.is_searchable() && !passes {
                        return Ok(Some(format));
                    }
                    passes
                }
                Media::NoText | Media::Unknown => passing.is_some_and(|passing| {
                    let named = passing.lets_opaque(media, None);
                    named || (self.framing.opaque_parts && !Passing::is_read_inside(media))
                }),
            };
            if passes {
                return Ok(None);
            }
        }
        match passing {
            Some(_) => Err(WalkError::UnknownPart),
            None => Ok(None),
        }
    }

    /// How the next part is read if its type says nothing, and something is known of it.
    fn octets_as(&mut self, media: &str) -> Option<Format> {
        if media != OCTET_STREAM {
            return None;
        }
        let place = self.octets;
        self.octets = place.saturating_add(1);
        self.framing.octets.at(place)
    }
}

fn ends_with_blank_line(bytes: &[u8]) -> bool {
    bytes.ends_with(b"\n\n") || bytes.ends_with(b"\n\r\n")
}
