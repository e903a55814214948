//! JSON that comes in entries of one value each, whose texts go on from one to the next.

use super::feed::Feed;
use super::json::Json;
use super::payload;
use super::template::Templates;
use super::texts::Texts;
use super::{Counts, WalkError};
use crate::mask::Engine;

/// The entries of one body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entries {
    texts: Texts,
    templates: Templates,
}

impl Entries {
    pub(super) fn held(&self) -> usize {
        self.texts.queue.size()
    }

    /// Takes the next entry. One that is no object or list is masked by itself.
    pub(super) fn take(
        &mut self,
        engine: &Engine,
        entry: &[u8],
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        let texts = &mut self.texts;
        if self.templates.feed(entry, texts, (engine, counts)) {
            self.texts.release(engine, counts, out);
            return Ok(());
        }
        let Some(payload) = payload::read(entry, engine.matches_keys())? else {
            // Nothing in it goes on in another entry.
            let mut masked = Vec::with_capacity(entry.len());
            let mut json = Json::default();
            json.push(engine, entry, &mut masked, counts);
            json.finish(engine, &mut masked, counts);
            self.texts.queue.begin(entry.len());
            self.texts.queue.literal(&masked);
            self.texts.release(engine, counts, out);
            return Ok(());
        };
        let mut feed = Feed::new(&mut self.texts, engine, counts, entry);
        for segment in &payload.segments {
            feed.segment((segment.start, segment.end), segment.kind, &payload);
        }
        let unchanged = feed.end();
        self.templates.learn(entry, 0, &payload, unchanged);
        self.texts.finish(engine, counts, |owner| {
            payload.ends.iter().any(|end| end.ends(owner))
        });
        self.texts.release(engine, counts, out);
        Ok(())
    }

    /// What stands between two entries. Whoever gives it bounds it.
    pub(super) fn between(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.texts.queue.literal_or(bytes, out);
    }

    /// Nothing may wait any longer, though texts go on.
    pub(super) fn force(&mut self, engine: &Engine, out: &mut Vec<u8>, counts: &mut Counts) {
        self.texts.force(engine, counts);
        self.texts.release(engine, counts, out);
    }

    /// No text goes on.
    pub(super) fn finish(&mut self, engine: &Engine, out: &mut Vec<u8>, counts: &mut Counts) {
        self.texts.finish(engine, counts, |_| true);
        self.texts.release(engine, counts, out);
    }
}
