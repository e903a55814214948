//! Events or messages that wait, in their order, until all of their text is decided.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::amazon::frame;
use super::base64;
use super::output::{Output, Place};
use super::text_id::Id;

/// How a length is written in front of what it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// Base 128, least significant group first.
    Varint,
    /// Four bytes, least significant first.
    Little32,
    /// Four bytes, most significant first.
    Big32,
}

impl Length {
    /// The length as it is written. What is counted never reaches 4 GiB: it was within the
    /// bounds of a message, and a replacement is not longer than its label.
    fn encode(self, length: usize) -> Vec<u8> {
        let fixed = u32::try_from(length).unwrap_or(u32::MAX);
        match self {
            Self::Little32 => fixed.to_le_bytes().to_vec(),
            Self::Big32 => fixed.to_be_bytes().to_vec(),
            Self::Varint => {
                let mut rest = length;
                let mut bytes = Vec::new();
                loop {
                    let group = rest.to_le_bytes().first().copied().unwrap_or(0) & 0x7F;
                    rest >>= 7;
                    if rest == 0 {
                        bytes.push(group);
                        return bytes;
                    }
                    bytes.push(group | 0x80);
                }
            }
        }
    }
}

/// A length whose value is known when all that it counts is decided.
#[derive(Clone, Debug, PartialEq)]
struct Prefix {
    length: Length,
    /// As it came, and what it said; it stays so if it is still true.
    raw: Vec<u8>,
    said: usize,
}

impl Prefix {
    fn encode(self, length: usize) -> Vec<u8> {
        if length == self.said {
            self.raw
        } else {
            self.length.encode(length)
        }
    }
}

/// What is written around bytes once they are decided.
#[derive(Clone, Debug, PartialEq)]
enum Wrapping {
    /// Their length, in front of them.
    Counted(Prefix),
    /// They are written in base64.
    Base64,
    /// They are the payload of a message of AWS's event streams with these headers.
    AmazonMessage(Vec<u8>),
    /// They are all of the text `id`, or if there is some already, stand behind it.
    SoFar { id: Id, first: bool },
}

impl Wrapping {
    fn wrap(self, mut inside: Vec<u8>, so_far: &mut SoFar) -> Vec<u8> {
        match self {
            Self::SoFar { id, first } => {
                if !first {
                    inside.splice(0..0, so_far.get(&id).iter().copied());
                }
                so_far.put(id, &inside);
                inside
            }
            Self::Counted(prefix) => {
                let mut bytes = prefix.encode(inside.len());
                bytes.extend(inside);
                bytes
            }
            Self::Base64 => base64::standard(&inside),
            Self::AmazonMessage(headers) => frame::framed(&headers, &inside),
        }
    }
}

/// A piece of an entry.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    Bytes {
        bytes: Vec<u8>,
        /// How many undecided things are still to be written here.
        open: usize,
    },
    /// What follows, up to its end, is wrapped.
    Begin(Wrapping),
    End,
    /// What follows, up to its end, is the token of this number, and came like this.
    Token(usize, Vec<u8>),
    TokenEnd,
    /// What follows, up to its end, is written if the token of this number is as it came;
    /// otherwise this is.
    Copy(usize, &'static [u8]),
    CopyEnd,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    parts: Vec<Part>,
    /// The sum of the parts' `open`.
    open: usize,
    /// The entry's length as it came.
    size: usize,
}

impl Entry {
    /// Adds bytes behind everything else.
    fn append(&mut self, more: Vec<u8>) {
        match self.parts.last_mut() {
            Some(Part::Bytes { bytes, open: 0 }) => bytes.extend(more),
            _ => self.parts.push(Part::Bytes {
                bytes: more,
                open: 0,
            }),
        }
    }

    /// The entry's bytes, now that it is decided.
    fn write(self, so_far: &mut SoFar, out: &mut Vec<u8>) {
        let changed = changed_tokens(&self.parts);
        let mut outer: Vec<(Wrapping, Vec<u8>)> = Vec::new();
        // How many copies are open within the first one that is left out.
        let mut left_out = 0_usize;
        for part in self.parts {
            match part {
                Part::Copy(..) if left_out > 0 => left_out += 1,
                Part::CopyEnd => left_out = left_out.saturating_sub(1),
                _ => {}
            }
            let bytes = match part {
                Part::Copy(token, put) if left_out == 0 && changed.contains(&token) => {
                    left_out = 1;
                    put.to_vec()
                }
                Part::Token(..) | Part::TokenEnd | Part::Copy(..) | Part::CopyEnd => continue,
                Part::Bytes { .. } if left_out > 0 => continue,
                Part::Bytes { bytes, .. } => bytes,
                Part::Begin(wrapping) => {
                    outer.push((wrapping, Vec::new()));
                    continue;
                }
                Part::End => {
                    let Some((wrapping, inside)) = outer.pop() else {
                        continue;
                    };
                    wrapping.wrap(inside, so_far)
                }
            };
            match outer.last_mut() {
                Some((_, body)) => body.extend(bytes),
                None => out.extend(bytes),
            }
        }
    }
}

/// The numbers of the tokens that are not as they came.
fn changed_tokens(parts: &[Part]) -> BTreeSet<usize> {
    let mut changed = BTreeSet::new();
    let mut token: Option<(usize, &[u8])> = None;
    for part in parts {
        match part {
            Part::Token(number, came) => token = Some((*number, came)),
            Part::TokenEnd => {
                if let Some((number, rest)) = token.take()
                    && !rest.is_empty()
                {
                    changed.insert(number);
                }
            }
            Part::Bytes { bytes, .. } => {
                if let Some((number, rest)) = token {
                    match rest.strip_prefix(bytes.as_slice()) {
                        Some(rest) => token = Some((number, rest)),
                        None => {
                            changed.insert(number);
                            token = None;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    changed
}

/// Texts of which each entry has all that there is so far, as they were written.
#[derive(Clone, Debug, Default, PartialEq)]
struct SoFar {
    texts: BTreeMap<Id, (u64, Vec<u8>)>,
    uses: u64,
}

/// More than are followed at once.
const MAX_TEXTS_SO_FAR: usize = 128;

impl SoFar {
    fn get(&self, id: &Id) -> &[u8] {
        self.texts.get(id).map_or(&[], |(_, text)| text)
    }

    fn put(&mut self, id: Id, text: &[u8]) {
        self.uses += 1;
        if self.texts.len() >= MAX_TEXTS_SO_FAR && !self.texts.contains_key(&id) {
            let oldest = self.texts.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                self.texts.remove(&oldest);
            }
        }
        let (used, known) = self.texts.entry(id).or_default();
        *used = self.uses;
        known.clear();
        known.extend_from_slice(text);
    }
}

/// The waiting entries. The last one may still be under construction.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct PendingEntries {
    entries: VecDeque<Entry>,
    /// How many entries have left.
    left: u64,
    size: usize,
    so_far: SoFar,
}

impl PendingEntries {
    /// Begins the next entry, of `size` bytes as it came.
    pub(super) fn begin(&mut self, size: usize) {
        self.size += size;
        self.entries.push_back(Entry {
            parts: Vec::new(),
            open: 0,
            size,
        });
    }

    /// Adds bytes to the last entry.
    pub(super) fn literal(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let place = self.place();
        self.write(place, bytes);
    }

    /// Adds bytes to the last entry, or to `out` when none waits.
    pub(super) fn literal_or(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.entries.is_empty() {
            out.extend_from_slice(bytes);
        } else {
            self.literal(bytes);
        }
    }

    /// Begins what the length `raw`, which says `said`, counts in the last entry.
    pub(super) fn begin_counted(&mut self, length: Length, raw: &[u8], said: usize) {
        let raw = raw.to_vec();
        let prefix = Prefix { length, raw, said };
        self.mark(Part::Begin(Wrapping::Counted(prefix)));
    }

    /// Begins what is written in base64 (RFC 4648, section 4) in the last entry.
    pub(super) fn begin_base64(&mut self) {
        self.mark(Part::Begin(Wrapping::Base64));
    }

    /// Begins the payload of a message of AWS's event streams in the last entry. The message is
    /// written with these headers, and with the lengths and checksums that are right then.
    pub(super) fn begin_amazon_message(&mut self, headers: Vec<u8>) {
        self.mark(Part::Begin(Wrapping::AmazonMessage(headers)));
    }

    /// Ends what was last begun of what is counted, coded or framed.
    pub(super) fn end_wrapped(&mut self) {
        let Some(last) = self.entries.back_mut() else {
            return;
        };
        // Decided bytes are merged, because a message could have very many parts.
        let decided = match last.parts.as_slice() {
            // What it stands behind may wait in an entry in front of this one.
            [.., Part::Begin(Wrapping::SoFar { .. })]
            | [.., Part::Begin(Wrapping::SoFar { .. }), Part::Bytes { .. }] => {
                last.parts.push(Part::End);
                return;
            }
            [.., Part::Begin(_)] => 1,
            [.., Part::Begin(_), Part::Bytes { open: 0, .. }] => 2,
            _ => {
                last.parts.push(Part::End);
                return;
            }
        };
        let mut parts = last.parts.split_off(last.parts.len() - decided).into_iter();
        let (Some(Part::Begin(wrapping)), inside) = (parts.next(), parts.next()) else {
            return;
        };
        let inside = match inside {
            Some(Part::Bytes { bytes, .. }) => bytes,
            _ => Vec::new(),
        };
        last.append(wrapping.wrap(inside, &mut self.so_far));
    }

    /// Begins what there is of the text `id`: all of it if it is the `first`, and otherwise what comes
    /// behind all that earlier entries have.
    pub(super) fn begin_so_far(&mut self, id: Id, first: bool) {
        self.mark(Part::Begin(Wrapping::SoFar { id, first }));
    }

    /// Begins the token of this number, which came like this, in the last entry.
    pub(super) fn begin_token(&mut self, number: usize, came: &[u8]) {
        self.mark(Part::Token(number, came.to_vec()));
    }

    /// Ends the token that was begun.
    pub(super) fn end_token(&mut self) {
        self.mark(Part::TokenEnd);
    }

    /// Begins what is replaced by `put` if something of the token of this number is masked.
    pub(super) fn begin_copy(&mut self, token: usize, put: &'static [u8]) {
        self.mark(Part::Copy(token, put));
    }

    /// Ends what was last begun so.
    pub(super) fn end_copy(&mut self) {
        self.mark(Part::CopyEnd);
    }

    fn mark(&mut self, part: Part) {
        if let Some(last) = self.entries.back_mut() {
            last.parts.push(part);
        }
    }

    /// Where the next bytes of the last entry go.
    pub(super) fn place(&mut self) -> Place {
        let entry = self.left + (self.entries.len() as u64).saturating_sub(1);
        let Some(last) = self.entries.back_mut() else {
            return Place { entry, part: 0 };
        };
        if !matches!(last.parts.last(), Some(Part::Bytes { open: 0, .. })) {
            // Most entries are one part.
            let room = if last.parts.is_empty() { last.size } else { 0 };
            last.parts.push(Part::Bytes {
                bytes: Vec::with_capacity(room),
                open: 0,
            });
        }
        Place {
            entry,
            part: last.parts.len() - 1,
        }
    }

    /// Moves every entry that is decided, up to the first that is not, to `out`.
    pub(super) fn release(&mut self, out: &mut Vec<u8>) {
        while self.entries.front().is_some_and(|entry| entry.open == 0) {
            if let Some(entry) = self.entries.pop_front() {
                self.left += 1;
                self.size -= entry.size;
                entry.write(&mut self.so_far, out);
            }
        }
    }

    /// The first entry that waits, counted from the first ever.
    pub(super) fn front(&self) -> Option<u64> {
        self.entries.front().map(|_| self.left)
    }

    /// How many entries wait.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many bytes came with the entries that wait.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// As [`Self::size`] without the first entry, which alone may reach the limit.
    pub(super) fn size_behind_front(&self) -> usize {
        self.size - self.entries.front().map_or(0, |entry| entry.size)
    }

    fn entry(&mut self, entry: u64) -> Option<&mut Entry> {
        let index = usize::try_from(entry.checked_sub(self.left)?).ok()?;
        self.entries.get_mut(index)
    }
}

impl Output for PendingEntries {
    fn hold(&mut self, place: Place) {
        if let Some(entry) = self.entry(place.entry)
            && let Some(Part::Bytes { open, .. }) = entry.parts.get_mut(place.part)
        {
            *open += 1;
            entry.open += 1;
        }
    }

    fn write(&mut self, place: Place, more: &[u8]) {
        if let Some(entry) = self.entry(place.entry)
            && let Some(Part::Bytes { bytes, .. }) = entry.parts.get_mut(place.part)
        {
            bytes.extend_from_slice(more);
        }
    }

    fn settle(&mut self, place: Place) {
        if let Some(entry) = self.entry(place.entry)
            && let Some(Part::Bytes { open, .. }) = entry.parts.get_mut(place.part)
        {
            *open = open.saturating_sub(1);
            entry.open = entry.open.saturating_sub(1);
        }
    }
}
