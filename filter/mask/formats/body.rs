//! JSON bodies with the mask's rules for single fields.

#[cfg(test)]
mod tests;

use super::WalkError;
use super::fields::Editor;
use super::json_array_stream::JsonArrayStream;
use super::walk::{Job, Walk};

/// Edits a JSON body where the mask says so, and masks it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Body {
    editor: Editor,
    json: JsonArrayStream,
}

impl Walk for Body {
    fn push(&mut self, piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        let Some(fields) = job.mask.fields() else {
            return self.json.push(piece, job);
        };
        self.edited(job, |editor, edited| editor.push(fields, piece, edited))
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        if let Some(fields) = job.mask.fields() {
            self.edited(job, |editor, edited| editor.finish(fields, edited))?;
        }
        self.json.finish(job)
    }

    fn held(&self) -> usize {
        self.editor.held() + self.json.held()
    }
}

impl Body {
    /// For values of JSON one behind the other, whose texts go on from one to the next.
    pub(super) fn of_values() -> Self {
        Self {
            json: JsonArrayStream::of_values(),
            ..Self::default()
        }
    }

    /// Masks what the editor writes, up to where it gives up.
    fn edited(
        &mut self,
        job: &mut Job<'_>,
        edit: impl FnOnce(&mut Editor, &mut Vec<u8>) -> Result<(), WalkError>,
    ) -> Result<(), WalkError> {
        let mut edited = Vec::new();
        let result = edit(&mut self.editor, &mut edited);
        self.json.push(&edited, job)?;
        result
    }
}
