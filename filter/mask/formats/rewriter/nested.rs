//! The escapes of JSON that stands inside a JSON string, as a tool call's arguments do.
//!
//! What the string reads as is read once more. An inner escape may be spread over several outer
//! ones, and over several strings: `\\u00` in one event and `40` in the next are one `@`. Its parts
//! stay or go together, each in its place.

use std::collections::VecDeque;

use super::super::escape::{Unescape, Unit};
use super::super::output::{Output, Place};
use super::undecided::Undecided;

/// A byte that an outer escape, or a byte, stands for.
#[derive(Clone, Debug, PartialEq)]
struct Item {
    place: Place,
    raw: Vec<u8>,
}

/// Reads a string's content once more.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Nested {
    unescape: Unescape,
    /// The bytes of an inner escape whose end has not come.
    items: VecDeque<Item>,
}

impl Nested {
    /// How many raw bytes wait for the rest of their escape.
    pub(super) fn held(&self) -> usize {
        self.items.iter().map(|item| item.raw.len()).sum()
    }

    /// Where the first of them is written.
    pub(super) fn place(&self) -> Option<Place> {
        self.items.front().map(|item| item.place)
    }

    /// Takes what the outer string holds: `raw`, which reads as `unit` says. What that reads as is
    /// added to `decoded`, and to what is undecided.
    pub(super) fn unit(
        &mut self,
        unit: &Unit<'_>,
        place: Place,
        (undecided, decoded): (&mut Undecided, &mut Vec<u8>),
        out: &mut dyn Output,
    ) {
        match unit {
            Unit::Plain(bytes)
                if self.items.is_empty() && memchr::memchr(b'\\', bytes).is_none() =>
            {
                undecided.add(place, bytes, bytes.len(), false, out);
                decoded.extend_from_slice(bytes);
            }
            Unit::Plain(bytes) => {
                for byte in *bytes {
                    let target = (&mut *undecided, &mut *decoded);
                    self.byte(*byte, &[*byte], place, target, out);
                }
            }
            Unit::Escape {
                raw,
                decoded: [byte],
            } => {
                self.byte(*byte, raw, place, (undecided, decoded), out);
            }
            Unit::Escape {
                raw,
                decoded: bytes,
            } => {
                // Not ASCII, so it is no part of an escape.
                self.end((&mut *undecided, &mut *decoded), out);
                undecided.add(place, raw, bytes.len(), true, out);
                decoded.extend_from_slice(bytes);
            }
        }
    }

    fn byte(
        &mut self,
        byte: u8,
        raw: &[u8],
        place: Place,
        target: (&mut Undecided, &mut Vec<u8>),
        out: &mut dyn Output,
    ) {
        out.hold(place);
        self.items.push_back(Item {
            place,
            raw: raw.to_vec(),
        });
        self.read(|unescape, emit| unescape.push(&[byte], emit), target, out);
    }

    /// The held bytes are not an escape.
    pub(super) fn end(&mut self, target: (&mut Undecided, &mut Vec<u8>), out: &mut dyn Output) {
        self.read(|unescape, emit| unescape.finish(emit), target, out);
    }

    fn read(
        &mut self,
        read: impl FnOnce(&mut Unescape, &mut dyn FnMut(Unit<'_>)),
        (undecided, decoded): (&mut Undecided, &mut Vec<u8>),
        out: &mut dyn Output,
    ) {
        let items = &mut self.items;
        read(&mut self.unescape, &mut |unit| match unit {
            Unit::Plain(bytes) => {
                for (_, item) in bytes.iter().zip(std::iter::from_fn(|| items.pop_front())) {
                    undecided.add(item.place, &item.raw, 1, item.raw.len() > 1, out);
                    out.settle(item.place);
                }
                decoded.extend_from_slice(bytes);
            }
            Unit::Escape {
                raw,
                decoded: bytes,
            } => {
                let parts = items.drain(..raw.len().min(items.len()));
                let parts = parts.map(|item| (item.place, item.raw));
                let parts: Vec<(Place, Vec<u8>)> = parts.collect();
                for (place, _) in &parts {
                    out.settle(*place);
                }
                undecided.add_joint(parts, bytes.len(), out);
                decoded.extend_from_slice(bytes);
            }
        });
    }
}
