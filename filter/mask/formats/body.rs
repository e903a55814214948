//! JSON bodies with the mask's rules for single fields.

#[cfg(test)]
mod tests;

use super::fields::{self, Editor, Fields};
use super::json_array_stream::JsonArrayStream;
use super::{Counts, WalkError};
use crate::mask::CompiledMask;

/// Edits a JSON body where the mask says so, and masks it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Body {
    editor: Editor,
    json: JsonArrayStream,
}

impl Body {
    pub(super) fn held(&self) -> usize {
        self.editor.held() + self.json.held()
    }

    pub(super) fn push(
        &mut self,
        mask: &CompiledMask,
        piece: &[u8],
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        let Some(fields) = mask.fields() else {
            return self.json.push(mask, piece, out, counts);
        };
        self.edited(mask, out, counts, |editor, edited| {
            editor.push(fields, piece, edited)
        })
    }

    pub(super) fn finish(
        &mut self,
        mask: &CompiledMask,
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        if let Some(fields) = mask.fields() {
            self.edited(mask, out, counts, |editor, edited| {
                editor.finish(fields, edited)
            })?;
        }
        self.json.finish(mask, out, counts)
    }

    /// Masks what the editor writes, up to where it gives up.
    fn edited(
        &mut self,
        mask: &CompiledMask,
        out: &mut Vec<u8>,
        counts: &mut Counts,
        edit: impl FnOnce(&mut Editor, &mut Vec<u8>) -> Result<(), WalkError>,
    ) -> Result<(), WalkError> {
        let mut edited = Vec::new();
        let result = edit(&mut self.editor, &mut edited);
        self.json.push(mask, &edited, out, counts)?;
        result
    }
}

/// An event or line whose JSON, at `start` to `end`, is edited as the mask says.
///
/// # Errors
/// It may be JSON that rules apply to, and can't be read.
pub(super) fn edit(
    fields: &Fields,
    entry: &[u8],
    (start, end): (usize, usize),
) -> Result<Vec<u8>, WalkError> {
    let part = |from: usize, to: usize| entry.get(from..to).unwrap_or_default();
    let mut edited = part(0, start).to_vec();
    edited.extend(fields::edit(fields, part(start, end))?);
    edited.extend_from_slice(part(end, entry.len()));
    Ok(edited)
}
