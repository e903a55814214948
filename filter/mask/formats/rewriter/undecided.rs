//! What the matcher has been given and not decided.

use std::collections::VecDeque;

use super::super::output::{Output, Place};
use super::fresh::Fresh;

/// Undecided raw bytes that are decided together or one by one.
#[derive(Clone, Debug, PartialEq)]
struct Atom {
    place: Place,
    raw: usize,
    decoded: usize,
    /// All or nothing; otherwise each raw byte is a decoded one.
    whole: bool,
    /// What stands in front of it in other places and shares its fate: places and raw bytes.
    joint: Vec<(Place, usize)>,
}

/// What the matcher has been given and not decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Undecided {
    raw: VecDeque<u8>,
    atoms: VecDeque<Atom>,
    /// How many decoded bytes of the first atom are decided, and whether one was replaced.
    seen: usize,
    replaced: bool,
}

impl Undecided {
    /// Adds bytes that the matcher is given.
    pub(super) fn add(
        &mut self,
        place: Place,
        raw: &[u8],
        decoded: usize,
        whole: bool,
        out: &mut dyn Output,
    ) {
        self.raw.extend(raw);
        match self.atoms.back_mut() {
            Some(last) if !whole && !last.whole && last.place == place => {
                last.raw += raw.len();
                last.decoded += decoded;
            }
            _ => {
                out.hold(place);
                self.atoms.push_back(Atom {
                    place,
                    raw: raw.len(),
                    decoded,
                    whole,
                    joint: Vec::new(),
                });
            }
        }
    }

    /// Adds bytes of several places that stay or go together.
    pub(super) fn add_joint(
        &mut self,
        mut parts: Vec<(Place, Vec<u8>)>,
        decoded: usize,
        out: &mut dyn Output,
    ) {
        let Some((place, raw)) = parts.pop() else {
            return;
        };
        let mut joint: Vec<(Place, usize)> = Vec::new();
        let mut same = raw.len();
        for (before, bytes) in &parts {
            out.hold(*before);
            self.raw.extend(bytes);
            joint.push((*before, bytes.len()));
        }
        // Most stand in one place after all.
        while let Some((_, length)) = joint.pop_if(|(before, _)| *before == place) {
            same += length;
            out.settle(place);
        }
        self.raw.extend(raw);
        out.hold(place);
        self.atoms.push_back(Atom {
            place,
            raw: same,
            decoded,
            whole: true,
            joint,
        });
    }

    /// Takes over what is left of a piece.
    pub(super) fn take(&mut self, fresh: Fresh<'_>, out: &mut dyn Output) {
        fresh.rest(|part, place| {
            self.add(place, part.raw, part.decoded, part.whole, out);
            if part.seen > 0 {
                self.seen = part.seen;
                self.replaced = part.replaced;
            }
        });
    }

    /// How many raw bytes wait.
    pub(super) fn held(&self) -> usize {
        self.raw.len()
    }

    /// Where the first of them is written.
    pub(super) fn place(&self) -> Option<Place> {
        let atom = self.atoms.front()?;
        Some(atom.joint.first().map_or(atom.place, |(place, _)| *place))
    }

    /// Decides up to the next `len` decoded bytes that wait; returns how many are left
    /// to decide.
    pub(super) fn decide(&mut self, mut len: usize, kept: bool, out: &mut dyn Output) -> usize {
        while len > 0 {
            let Some(atom) = self.atoms.front_mut() else {
                return len;
            };
            let place = atom.place;
            let (taken, raw, write, over) = if atom.whole {
                let taken = len.min(atom.decoded.saturating_sub(self.seen));
                self.seen += taken;
                self.replaced |= !kept;
                let over = self.seen >= atom.decoded;
                (taken, if over { atom.raw } else { 0 }, !self.replaced, over)
            } else {
                let taken = len.min(atom.decoded);
                atom.decoded -= taken;
                atom.raw -= taken;
                (taken, taken, kept, atom.decoded == 0)
            };
            let joint = if over {
                std::mem::take(&mut atom.joint)
            } else {
                Vec::new()
            };
            for (place, length) in joint {
                self.leave(length, write.then_some(place), out);
                out.settle(place);
            }
            self.leave(raw, write.then_some(place), out);
            if over {
                self.atoms.pop_front();
                self.seen = 0;
                self.replaced = false;
                out.settle(place);
            }
            len -= taken;
        }
        len
    }

    /// Takes raw bytes off the front, and writes them if they stay.
    fn leave(&mut self, length: usize, place: Option<Place>, out: &mut dyn Output) {
        if let Some(place) = place {
            let (head, tail) = self.raw.as_slices();
            let in_head = length.min(head.len());
            out.write(place, head.get(..in_head).unwrap_or_default());
            if length > in_head {
                out.write(place, tail.get(..length - in_head).unwrap_or_default());
            }
        }
        self.raw.drain(..length.min(self.raw.len()));
    }
}
