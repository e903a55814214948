//! Fields that a mask takes out of messages, whatever is in them.

#[cfg(test)]
mod tests;

use super::frame::{HEADER_BYTES, framed};
use base::wire::{Fields, Range, Value, WireError};

/// The frame of a message without the fields at these paths of field numbers.
///
/// # Errors
/// The message, or one that leads to such a field, is malformed.
pub(super) fn without(frame: &[u8], paths: &[Vec<u32>]) -> Result<Vec<u8>, WireError> {
    let paths: Vec<&[u32]> = paths.iter().map(Vec::as_slice).collect();
    let message = edited(frame, (HEADER_BYTES, frame.len()), &paths)?;
    let flag = frame.first().copied().unwrap_or_default();
    framed(flag, &message).ok_or(WireError)
}

/// One message. No path is longer than the policy allows, so the depth is bounded.
fn edited(bytes: &[u8], range: Range, paths: &[&[u32]]) -> Result<Vec<u8>, WireError> {
    let mut out = Vec::with_capacity(range.1.saturating_sub(range.0));
    let mut fields = Fields::new(bytes, range);
    let mut from = range.0;
    while let Some(field) = fields.read_next()? {
        let to = fields.at();
        let whole = bytes.get(std::mem::replace(&mut from, to)..to);
        let whole = whole.unwrap_or_default();
        let below: Vec<&[u32]> = paths
            .iter()
            .filter_map(|path| path.split_first())
            .filter(|(first, _)| u64::from(**first) == field.number)
            .map(|(_, rest)| rest)
            .collect();
        if below.iter().any(|rest| rest.is_empty()) {
            continue;
        }
        match field.value {
            Value::Counted { prefix, bytes: of } if !below.is_empty() => {
                let inner = edited(bytes, of, &below)?;
                let tag = whole.len() + prefix.0 - to;
                out.extend_from_slice(whole.get(..tag).unwrap_or_default());
                if inner.len() == of.1 - of.0 {
                    out.extend_from_slice(bytes.get(prefix.0..prefix.1).unwrap_or_default());
                } else {
                    varint(inner.len(), &mut out);
                }
                out.extend(inner);
            }
            _ => out.extend_from_slice(whole),
        }
    }
    Ok(out)
}

fn varint(mut value: usize, out: &mut Vec<u8>) {
    loop {
        let group = value.to_le_bytes().first().copied().unwrap_or(0) & 0x7F;
        value >>= 7;
        if value == 0 {
            out.push(group);
            return;
        }
        out.push(group | 0x80);
    }
}
