//! JSON lines whose texts go on from line to line, as Ollama streams its answers.
//!
//! Each line is what an event's data is in an event stream, and waits like an event.

#[cfg(test)]
mod tests;

use super::feed::Feed;
use super::json::Json;
use super::payload;
use super::template::Templates;
use super::texts::Texts;
use super::{Counts, WalkError, body};
use crate::mask::Engine;

/// The longest line, in bytes. A longer one cannot be masked: its texts are not known before
/// its end.
const LONGEST: usize = 1024 * 1024;

/// Masks JSON lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lines {
    /// The line whose end has not come.
    line: Vec<u8>,
    texts: Texts,
    templates: Templates,
}

impl Lines {
    pub(super) fn held(&self) -> usize {
        self.line.len() + self.texts.queue.size()
    }

    pub(super) fn push(
        &mut self,
        engine: &Engine,
        mut piece: &[u8],
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        while !piece.is_empty() {
            let end = memchr::memchr(b'\n', piece);
            let (now, later) = piece.split_at(end.map_or(piece.len(), |end| end + 1));
            if self.line.len() + now.len() > LONGEST {
                return Err(WalkError::TooLarge);
            }
            self.line.extend_from_slice(now);
            piece = later;
            if end.is_some() {
                self.end_line(engine, out, counts)?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(
        &mut self,
        engine: &Engine,
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        let last = self.end_line(engine, out, counts);
        self.texts.finish(engine, counts, |_| true);
        self.texts.release(engine, counts, out);
        last
    }

    fn end_line(
        &mut self,
        engine: &Engine,
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        let line = std::mem::take(&mut self.line);
        let line = match engine.fields() {
            Some(fields) if !line.trim_ascii().is_empty() => {
                body::edit(fields, &line, (0, line.len()))?
            }
            _ => line,
        };
        let texts = &mut self.texts;
        if self.templates.feed(&line, texts, (engine, counts)) {
            self.texts.release(engine, counts, out);
            return Ok(());
        }
        let Some(payload) = payload::read(&line, engine.matches_keys())? else {
            // Not an object: nothing in it goes on in another line.
            let mut masked = Vec::with_capacity(line.len());
            let mut json = Json::default();
            json.push(engine, &line, &mut masked, counts);
            json.finish(engine, &mut masked, counts);
            self.texts.queue.begin(line.len());
            self.texts.queue.literal(&masked);
            self.texts.release(engine, counts, out);
            return Ok(());
        };
        let mut feed = Feed::new(&mut self.texts, engine, counts, &line);
        for segment in &payload.segments {
            feed.segment((segment.start, segment.end), segment.kind, &payload);
        }
        let unchanged = feed.end();
        self.templates.learn(&line, 0, &payload, unchanged);
        self.texts.finish(engine, counts, |owner| {
            payload.ends.iter().any(|end| end.ends(owner))
        });
        self.texts.release(engine, counts, out);
        Ok(())
    }
}
