//! JSON that comes in entries of one value each, whose texts go on from one to the next.

use super::WalkError;
use super::entry_writer::EntryWriter;
use super::event_template::Templates;
use super::json::Json;
use super::layout::Layout;
use super::stream_event;
use super::texts::Texts;
use super::walk::Job;

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

    /// Takes the next entry. One that is neither an object nor a list nor a string is masked on its own.
    pub(super) fn take(&mut self, entry: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        let texts = &mut self.texts;
        if self.templates.feed(entry, texts, (job.mask, job.found)) {
            self.texts.release(job.mask, job.found, job.out);
            return Ok(());
        }
        // Lines of a dialect that doesn't stream so are records, one as good as another.
        let known = (job.mask, job.layout);
        let streams = job.layout.is_none_or(Layout::has_lines);
        let payload = match streams {
            true => stream_event::read(entry, known)?,
            false => stream_event::read_record(entry, known)?,
        };
        let string = || {
            let string = stream_event::read_string(entry, false)?;
            match streams || job.mask.reads_all() {
                true => Some(string),
                false => job.mask.guards().then(|| string.of_labels()),
            }
        };
        let payload = payload.or_else(string);
        let Some(payload) = payload else {
            // Nothing in it goes on in another entry.
            let mut masked = Vec::with_capacity(entry.len());
            let mut json = Json::default();
            let apart = &mut Job {
                mask: job.mask,
                out: &mut masked,
                found: job.found,
                layout: job.layout,
                most: job.most,
            };
            json.push(entry, apart);
            json.finish(apart);
            self.texts.pending.begin(entry.len());
            self.texts.pending.literal(&masked);
            self.texts.release(job.mask, job.found, job.out);
            return Ok(());
        };
        let mut writer = EntryWriter::new(&mut self.texts, job.mask, job.found, entry);
        for segment in &payload.segments {
            writer.segment((segment.start, segment.end), segment.kind, &payload);
        }
        let unchanged = writer.end();
        self.templates.learn(entry, 0, &payload, unchanged);
        self.texts.finish(job.mask, job.found, |owner| {
            payload.ends.iter().any(|end| end.ends(owner))
        });
        self.texts.release(job.mask, job.found, job.out);
        Ok(())
    }

    /// What stands between two entries. Whoever gives it bounds it.
    pub(super) fn between(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.texts.pending.literal_or(bytes, out);
    }

    /// Nothing may wait any longer, though texts go on.
    pub(super) fn force(&mut self, job: &mut Job<'_>) {
        self.texts.force(job.mask, job.found);
        self.texts.release(job.mask, job.found, job.out);
    }

    /// No text goes on.
    pub(super) fn finish(&mut self, job: &mut Job<'_>) {
        self.texts.finish(job.mask, job.found, |_| true);
        self.texts.release(job.mask, job.found, job.out);
    }
}
