//! The texts in a message's payload that is JSON, and in what is coded in it.

use super::super::WalkError;
use super::super::base64;
use super::super::entry_writer::EntryWriter;
use super::super::fields;
use super::super::layout::Layout;
use super::super::stream_event::{self, End};
use super::super::texts::Owner;
use super::super::writing::Writing;
use crate::CompiledMask;
use base::wire::Range;

/// The text of an agent's chunks, and of payloads that are text.
const PLAIN: [u8; 32] = [0; 32];

/// Gives the texts in the JSON at `range` of a message of this kind to the matcher. Gives back
/// which texts it ends.
///
/// # Errors
/// It is not JSON, something in it that should be base64 is not, or it has too many texts.
pub(super) fn json(
    writer: &mut EntryWriter<'_>,
    range: Range,
    kind: &[u8],
    known: (&CompiledMask, Option<&'static Layout>),
) -> Result<Vec<End>, WalkError> {
    let bytes = writer.slice(range);
    let Some(mut payload) = stream_event::read_message(Some(kind), bytes, known)? else {
        let nothing = matches!(bytes.trim_ascii(), b"" | b"{}" | b"[]");
        return nothing.then(Vec::new).ok_or(WalkError::Malformed);
    };
    let mut ends = std::mem::take(&mut payload.ends);
    // Readers would take one or the other.
    if payload.coded.len() > 1 {
        return Err(WalkError::Malformed);
    }
    for segment in &payload.segments {
        let place = (range.0 + segment.start, range.0 + segment.end);
        if payload.coded.first() == Some(&segment.start) {
            ends.extend(coded(writer, place, known)?);
        } else {
            writer.segment(place, segment.kind, &payload);
        }
    }
    Ok(ends)
}

/// A payload in base64.
fn coded(
    writer: &mut EntryWriter<'_>,
    range: Range,
    known: (&CompiledMask, Option<&'static Layout>),
) -> Result<Vec<End>, WalkError> {
    let mut inside = base64::decode_standard(writer.slice(range)).ok_or(WalkError::Malformed)?;
    if let (Some(fields), true) = (known.0.fields(), is_json(&inside)) {
        inside = fields::edit(fields, &inside)?;
    }
    let payload = stream_event::read_message(None, &inside, known)?;
    // Some readers of JSON find out by themselves that it is in UTF-16.
    if payload.is_none() && (inside.contains(&0) || inside.starts_with(b"\xEF\xBB\xBF")) {
        return Err(WalkError::Malformed);
    }
    let ends = writer.base64(range, &inside, |writer| match payload {
        Some(payload) => {
            for segment in &payload.segments {
                writer.segment((segment.start, segment.end), segment.kind, &payload);
            }
            payload.ends
        }
        None => {
            text(writer, (0, inside.len()));
            Vec::new()
        }
    });
    Ok(ends)
}

/// A piece of the stream's text that is no JSON.
pub(super) fn text(writer: &mut EntryWriter<'_>, range: Range) {
    writer.piece(range, (&PLAIN, Owner::default()), Writing::Raw);
}

/// Whether this is read as JSON, should it be JSON.
pub(super) fn is_json(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_start(), [b'{' | b'[', ..])
}
