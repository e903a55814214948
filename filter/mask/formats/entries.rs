//! JSON that comes in entries of one value each, whose texts go on from one to the next.

use super::entry_writer::EntryWriter;
use super::event_template::Templates;
use super::json::Json;
use super::stream_event;
use super::texts::Texts;
use super::{Counts, WalkError};
use crate::mask::CompiledMask;

/// The entries of one body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entries {
    texts: Texts,
    templates: Templates,
}

impl Entries {
    pub(super) fn held(&self) -> usize {
        self.texts.pending.size()
    }

    /// Takes the next entry. One that is no object or list is masked by itself.
    pub(super) fn take(
        &mut self,
        mask: &CompiledMask,
        entry: &[u8],
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        let texts = &mut self.texts;
        if self.templates.feed(entry, texts, (mask, counts)) {
            self.texts.release(mask.matcher(), counts, out);
            return Ok(());
        }
        let Some(payload) = stream_event::read(entry, mask.matches_keys())? else {
            // Nothing in it goes on in another entry.
            let mut masked = Vec::with_capacity(entry.len());
            let mut json = Json::default();
            json.push(mask, entry, &mut masked, counts);
            json.finish(mask, &mut masked, counts);
            self.texts.pending.begin(entry.len());
            self.texts.pending.literal(&masked);
            self.texts.release(mask.matcher(), counts, out);
            return Ok(());
        };
        let mut writer = EntryWriter::new(&mut self.texts, mask, counts, entry);
        for segment in &payload.segments {
            writer.segment((segment.start, segment.end), segment.kind, &payload);
        }
        let unchanged = writer.end();
        self.templates.learn(entry, 0, &payload, unchanged);
        self.texts.finish(mask.matcher(), counts, |owner| {
            payload.ends.iter().any(|end| end.ends(owner))
        });
        self.texts.release(mask.matcher(), counts, out);
        Ok(())
    }

    /// What stands between two entries. Whoever gives it bounds it.
    pub(super) fn between(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.texts.pending.literal_or(bytes, out);
    }

    /// Nothing may wait any longer, though texts go on.
    pub(super) fn force(&mut self, mask: &CompiledMask, out: &mut Vec<u8>, counts: &mut Counts) {
        self.texts.force(mask.matcher(), counts);
        self.texts.release(mask.matcher(), counts, out);
    }

    /// No text goes on.
    pub(super) fn finish(&mut self, mask: &CompiledMask, out: &mut Vec<u8>, counts: &mut Counts) {
        self.texts.finish(mask.matcher(), counts, |_| true);
        self.texts.release(mask.matcher(), counts, out);
    }
}
