//! The walker of a body, message by message.

use super::super::entry_writer::EntryWriter;
use super::super::texts::Texts;
use super::super::walk::{Job, Walk};
use super::super::{Format, Framing, Media, WalkError, fields};
use super::frame::{PRELUDE_BYTES, Prelude, framed, is_whole};
use super::headers::{self, Headers};
use super::payload;

/// Masks a body of messages. `P` walks through payloads that are no JSON.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::formats) struct AmazonEvents<P> {
    /// The message whose end has not come.
    message: Vec<u8>,
    /// What it begins with, once that is there.
    prelude: Option<Prelude>,
    /// The first one was right.
    proven: bool,
    /// How the body carries text whose pieces payloads are.
    format: Option<Format>,
    /// That body, once it has begun.
    pieces: Option<Pieces<P>>,
    texts: Texts,
}

/// A body in pieces.
#[derive(Clone, Debug, PartialEq)]
struct Pieces<P> {
    walker: Box<P>,
    /// The headers of the last one.
    headers: Vec<u8>,
}

/// How a payload is read.
enum Content {
    Json,
    /// A piece of a text.
    Text,
    /// A piece of a body.
    Piece,
    /// On its own.
    Apart(Format),
    NoText,
}

impl<P: Walk + From<Format>> Walk for AmazonEvents<P> {
    fn push(&mut self, mut piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        while !piece.is_empty() {
            let wanted = self.prelude.map_or(PRELUDE_BYTES, Prelude::total);
            let missing = wanted.saturating_sub(self.message.len());
            let (now, later) = piece.split_at(piece.len().min(missing));
            self.message.extend_from_slice(now);
            piece = later;
            if self.message.len() < wanted {
                continue;
            }
            let prelude = match (self.prelude, self.message.first_chunk()) {
                (Some(prelude), _) => prelude,
                (None, Some(first)) => {
                    let prelude = Prelude::read(first)?;
                    self.prelude = Some(prelude);
                    self.proven = true;
                    prelude
                }
                (None, None) => return Err(WalkError::Malformed),
            };
            if self.message.len() == prelude.total() {
                self.prelude = None;
                self.end_message(prelude, job)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let last = self.end_pieces(job);
        self.texts.finish(job.mask, job.found, |_| true);
        self.texts.release(job.mask, job.found, job.out);
        last?;
        if !self.message.is_empty() {
            return Err(WalkError::Truncated);
        }
        self.proven = true;
        Ok(())
    }

    fn held(&self) -> usize {
        let pieces = self.pieces.as_ref().map_or(0, |it| it.walker.held());
        self.message.len() + self.texts.pending.size() + pieces
    }
}

impl<P> AmazonEvents<P> {
    pub(in crate::formats) fn new(framing: Framing) -> Self {
        Self {
            message: Vec::new(),
            prelude: None,
            proven: false,
            format: framing.payload,
            pieces: None,
            texts: Texts::default(),
        }
    }

    /// Whether the body's first bytes, or its end, were what they should be.
    pub(in crate::formats) fn is_proven(&self) -> bool {
        self.proven
    }
}

impl<P: Walk + From<Format>> AmazonEvents<P> {
    fn end_message(&mut self, prelude: Prelude, job: &mut Job<'_>) -> Result<(), WalkError> {
        let message = std::mem::take(&mut self.message);
        if !is_whole(&message) {
            return Err(WalkError::Malformed);
        }
        let part = |(start, end): (usize, usize)| message.get(start..end).unwrap_or_default();
        let (bytes, payload) = (part(prelude.headers()), part(prelude.payload()));
        let said = Headers::read(bytes)?;
        let headers = headers::masked(bytes, job.mask.matcher(), job.found)?;
        if said.ends {
            self.end_pieces(job)?;
        }
        match content(&said, payload)? {
            Content::Json => {
                let edited = match job.mask.fields() {
                    Some(fields) if payload::is_json(payload) => {
                        Some(framed(bytes, &fields::edit(fields, payload)?))
                    }
                    _ => None,
                };
                self.json(
                    edited.as_deref().unwrap_or(&message),
                    prelude,
                    &said,
                    headers,
                    job,
                )?;
            }
            Content::Text => {
                let (start, end) = prelude.payload();
                let texts = &mut self.texts;
                let mut writer = EntryWriter::new(texts, job.mask, job.found, &message);
                writer.begin_amazon_message(headers, start);
                payload::text(&mut writer, (start, end));
                writer.end_amazon_message(end);
                writer.end();
            }
            Content::Piece => {
                let format = self.format.ok_or(WalkError::UnknownPart)?;
                let pieces = self.pieces.get_or_insert_with(|| Pieces {
                    walker: Box::new(P::from(format)),
                    headers: Vec::new(),
                });
                pieces.headers.clone_from(&headers);
                let out = apart(job, |job| pieces.walker.push(payload, job))?;
                if !out.is_empty() {
                    self.whole(message.len(), &headers, &out);
                }
            }
            Content::Apart(format) => {
                let mut walker = P::from(format);
                let out = apart(job, |job| {
                    walker.push(payload, job)?;
                    walker.finish(job)
                })?;
                self.whole(message.len(), &headers, &out);
            }
            Content::NoText => self.whole(message.len(), &headers, payload),
        }
        self.texts.release(job.mask, job.found, job.out);
        Ok(())
    }

    /// A message whose payload is JSON.
    fn json(
        &mut self,
        message: &[u8],
        prelude: Prelude,
        said: &Headers<'_>,
        headers: Vec<u8>,
        job: &mut Job<'_>,
    ) -> Result<(), WalkError> {
        let (start, _) = prelude.payload();
        // Its end may have moved.
        let end = message.len() - (prelude.total() - prelude.payload().1);
        let mut writer = EntryWriter::new(&mut self.texts, job.mask, job.found, message);
        writer.begin_amazon_message(headers, start);
        let ends = payload::json(&mut writer, (start, end), said.kind, (job.mask, job.layout))?;
        writer.end_amazon_message(end);
        writer.end();
        if !ends.is_empty() {
            self.texts.finish(job.mask, job.found, |owner| {
                ends.iter().any(|end| end.ends(owner))
            });
        }
        Ok(())
    }

    /// A message that waits for nothing but those in front of it.
    fn whole(&mut self, size: usize, headers: &[u8], payload: &[u8]) {
        self.texts.pending.begin(size);
        self.texts.pending.literal(&framed(headers, payload));
    }

    /// No more pieces follow: what waits of them is written in a message of its own.
    fn end_pieces(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let Some(mut pieces) = self.pieces.take() else {
            return Ok(());
        };
        let out = apart(job, |job| pieces.walker.finish(job))?;
        if !out.is_empty() {
            self.whole(0, &pieces.headers, &out);
        }
        Ok(())
    }
}

fn content(said: &Headers<'_>, payload: &[u8]) -> Result<Content, WalkError> {
    if payload.is_empty() {
        return Ok(Content::NoText);
    }
    let Some(media) = &said.content else {
        return match payload::is_json(payload) {
            true => Ok(Content::Json),
            false => Err(WalkError::UnknownPart),
        };
    };
    if media == "application/octet-stream" {
        return Ok(Content::Piece);
    }
    match Format::of_media(media) {
        Media::Text(Format::Json) => Ok(Content::Json),
        Media::Text(Format::Text) => Ok(Content::Text),
        Media::Text(format @ (Format::Html | Format::Xml)) => Ok(Content::Apart(format)),
        Media::NoText => Ok(Content::NoText),
        Media::Text(_) | Media::Unknown => Err(WalkError::UnknownPart),
    }
}

/// What `call` writes.
fn apart(
    job: &mut Job<'_>,
    call: impl FnOnce(&mut Job<'_>) -> Result<(), WalkError>,
) -> Result<Vec<u8>, WalkError> {
    let mut out = Vec::new();
    call(&mut Job {
        mask: job.mask,
        out: &mut out,
        found: job.found,
        layout: job.layout,
        most: job.most,
    })?;
    Ok(out)
}
