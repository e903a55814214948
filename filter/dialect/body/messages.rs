//! Messages of protobuf, by the numbers of their fields.

use base::wire::{Field, Fields, Range, Value, WireError};

use super::facts::{FactsError, Found, malformed};
use super::place::{Places, ROOT, Roles};
use super::texts::Texts;

/// Takes what is asked for from one message.
pub(super) fn take(
    message: &[u8],
    places: &Places,
    texts: &mut Texts<'_>,
) -> Result<Found, FactsError> {
    // Every text in it stands there as it is, whatever field holds it.
    texts.bytes(message);
    let mut walk = Walk {
        message,
        places,
        texts,
        found: Found::default(),
    };
    walk.read(ROOT, (0, message.len()))
        .map_err(|WireError| malformed("The body is not a message of this method."))?;
    Ok(walk.found)
}

struct Walk<'w, 't> {
    message: &'w [u8],
    places: &'w Places,
    texts: &'w mut Texts<'t>,
    found: Found,
}

impl Walk<'_, '_> {
    /// As deep as the tree of places is.
    fn read(&mut self, at: usize, range: Range) -> Result<(), WireError> {
        let mut lists: Vec<(usize, u64)> = Vec::new();
        let mut models: Vec<(usize, Range)> = Vec::new();
        let mut fields = Fields::new(self.message, range);
        while let Some(Field { number, value }) = fields.read_next()? {
            let Some(child) = self.places.field(at, number) else {
                continue;
            };
            let roles = self.places.roles(Some(child));
            if roles.has(Roles::LIST) {
                match lists.iter_mut().find(|(known, _)| *known == child) {
                    Some((_, count)) => *count = count.saturating_add(1),
                    None => lists.push((child, 1)),
                }
            }
            match value {
                Value::Varint(number) if roles.has(Roles::TIMES) => self.found.times(number),
                Value::Varint(_) | Value::Fixed if roles.has(Roles::TOKENS) => self.texts.unread(),
                Value::Varint(_) | Value::Fixed => {}
                Value::Counted { bytes, .. } => {
                    if roles.has(Roles::MODEL) {
                        // The last value of a field counts, as protobuf has it.
                        models.retain(|(known, _)| *known != child);
                        models.push((child, bytes));
                    } else {
                        self.counted(child, roles, bytes)?;
                    }
                }
            }
        }
        for (_, (start, end)) in models {
            let name = self.message.get(start..end).unwrap_or_default();
            let name = core::str::from_utf8(name).map_err(|_| WireError)?;
            self.found.model(name);
        }
        for (_, count) in lists {
            self.found.list(count);
        }
        Ok(())
    }

    fn counted(&mut self, child: usize, roles: Roles, bytes: Range) -> Result<(), WireError> {
        let own = self.message.get(bytes.0..bytes.1).unwrap_or_default();
        if roles.has(Roles::TEXT) {
            let text = String::from_utf8_lossy(own);
            self.texts.running(self.places.rank(Some(child)), &text);
            return Ok(());
        }
        if roles.has(Roles::MEDIA) {
            self.texts.recording(own);
            return Ok(());
        }
        if roles.has(Roles::FILE) {
            self.texts.upload(own);
            return Ok(());
        }
        if roles.has(Roles::TOKENS) {
            self.texts.unread();
        }
        if self.places.is_leaf(child) {
            return Ok(());
        }
        self.read(child, bytes)
    }
}
