//! How the parts of a form are read whose media type says nothing.

use super::Format;

/// What clients call a file of which they know no more.
pub const OCTET_STREAM: &str = "application/octet-stream";

/// How the parts of a body that are called [`OCTET_STREAM`] are read, in their order. Whoever has the
/// whole body can tell what is in them, which a walker can't.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Octets {
    known: u32,
    text: u32,
    json: u32,
}

impl Octets {
    /// Nothing is known of any.
    pub const NONE: Self = Self {
        known: 0,
        text: 0,
        json: 0,
    };

    /// Adds the next part, which is text, JSON, or (`None`) what can't be read. `false` where there
    /// are more than 32: of those, nothing would be known.
    pub fn add(&mut self, format: Option<Format>) -> bool {
        let Some(bit) = bit(self.known) else {
            return false;
        };
        match format {
            Some(Format::Json) => self.json |= bit,
            Some(_) => self.text |= bit,
            None => {}
        }
        self.known += 1;
        true
    }

    /// How the part at a place is read, if it is known to be text.
    pub(super) fn at(self, place: u32) -> Option<Format> {
        let bit = bit(place)?;
        if self.json & bit != 0 {
            return Some(Format::Json);
        }
        (self.text & bit != 0).then_some(Format::Text)
    }
}

fn bit(place: u32) -> Option<u32> {
    1u32.checked_shl(place)
}

#[cfg(test)]
mod tests {
    use super::{Format, Octets};

    #[test]
    fn parts_are_known_by_their_places() {
        let mut octets = Octets::default();
        for place in 0..32 {
            let format = [Some(Format::Json), None, Some(Format::Text)];
            assert!(octets.add(format[place % 3]));
        }
        assert!(!octets.add(Some(Format::Json)));
        assert_eq!(octets.at(0), Some(Format::Json));
        assert_eq!(octets.at(1), None);
        assert_eq!(octets.at(29), Some(Format::Text));
        assert_eq!(octets.at(32), None);
        assert_eq!(Octets::NONE.at(0), None);
    }
}
