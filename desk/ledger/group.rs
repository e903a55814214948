//! Groups of entries, as a segment has them: a head of 32 bytes and a block.
//!
//! | bytes | what |
//! |---|---|
//! | 0..4 | `PGRP` |
//! | 4..8 | how many entries |
//! | 8..16 | the number of the first |
//! | 16..20 | the block's length |
//! | 20..24 | its length when it is unpacked |
//! | 24 | how it is packed: 0 not at all, 1 zstd (RFC 8878) |
//! | 25..28 | 0 |
//! | 28..32 | CRC-32 (that of zlib) of all that comes before it, and of the block |
//!
//! An unpacked block is, for each entry, its kind (1 byte), time (8), length (4) and bytes. Numbers
//! are big-endian. The checksum tells a write that was cut off; that nobody changed anything is
//! for the tree to tell.

use std::cell::RefCell;

use super::entry::{Entry, Kind, MAX_ENTRY_BYTES};
use super::error::LedgerError;

/// A head's length in bytes.
pub(super) const HEAD_BYTES: usize = 32;

/// What a head begins with.
pub(super) const MAGIC: [u8; 4] = *b"PGRP";

/// What stands in front of an entry's bytes.
const ENTRY_HEAD_BYTES: usize = 13;

/// How long a block becomes before the next group begins. To read one entry, its group is
/// unpacked; and the longer a group, the better it packs.
const TARGET_BYTES: usize = 256 << 10;

/// The longest block, unpacked or packed: one that was nearly full before the longest entry came.
pub(super) const MAX_BLOCK_BYTES: usize = TARGET_BYTES + MAX_ENTRY_BYTES + ENTRY_HEAD_BYTES;

/// zstd's fastest regular level: a record packs nearly as well as at the higher ones.
const LEVEL: i32 = 1;

/// A group's head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub count: u32,
    pub first: u64,
    packed: u32,
    unpacked: u32,
    packing: u8,
    checksum: u32,
}

impl Head {
    /// Reads a head; `None` if it has another form or a value out of its range.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk::<4>()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        let (first, rest) = rest.split_first_chunk::<8>()?;
        let (packed, rest) = rest.split_first_chunk::<4>()?;
        let (unpacked, rest) = rest.split_first_chunk::<4>()?;
        let (packing, rest) = rest.split_first_chunk::<4>()?;
        let (checksum, _) = rest.split_first_chunk::<4>()?;
        let [packing @ (0 | 1), 0, 0, 0] = *packing else {
            return None;
        };
        let head = Self {
            count: u32::from_be_bytes(*count),
            first: u64::from_be_bytes(*first),
            packed: u32::from_be_bytes(*packed),
            unpacked: u32::from_be_bytes(*unpacked),
            packing,
            checksum: u32::from_be_bytes(*checksum),
        };
        let short =
            |length: u32| usize::try_from(length).is_ok_and(|length| length <= MAX_BLOCK_BYTES);
        let heads = u64::from(head.count).saturating_mul(13);
        let right = *magic == MAGIC
            && head.count > 0
            && short(head.packed)
            && short(head.unpacked)
            && u64::from(head.unpacked) >= heads
            && head.first.checked_add(u64::from(head.count)).is_some()
            && (packing == 1 || head.packed == head.unpacked);
        right.then_some(head)
    }

    /// The block's length in bytes.
    pub fn block_bytes(&self) -> usize {
        usize::try_from(self.packed).unwrap_or(usize::MAX)
    }

    /// The number after that of the last entry.
    pub fn end(&self) -> u64 {
        self.first.saturating_add(u64::from(self.count))
    }

    /// Without the checksum.
    fn to_bytes(self) -> [u8; HEAD_BYTES - 4] {
        let mut out = [0; HEAD_BYTES - 4];
        let parts = MAGIC
            .into_iter()
            .chain(self.count.to_be_bytes())
            .chain(self.first.to_be_bytes())
            .chain(self.packed.to_be_bytes())
            .chain(self.unpacked.to_be_bytes())
            .chain([self.packing, 0, 0, 0]);
        for (to, from) in out.iter_mut().zip(parts) {
            *to = from;
        }
        out
    }

    fn checksum_of(self, block: &[u8]) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.to_bytes());
        hasher.update(block);
        hasher.finalize()
    }

    /// Whether the checksum is that of the head and this block.
    pub fn is_whole(&self, block: &[u8]) -> bool {
        block.len() == self.block_bytes() && self.checksum_of(block) == self.checksum
    }
}

/// Groups that stand behind each other.
#[derive(Clone, Debug, Default)]
pub(super) struct Packed {
    pub bytes: Vec<u8>,
    /// Of each group, the number of its first entry and where it begins.
    pub groups: Vec<(u64, usize)>,
}

/// Packs entries into groups, the first of which has the number `first`.
///
/// # Errors
/// An entry is too long, or zstd fails.
pub(super) fn pack(first: u64, entries: &[Entry]) -> Result<Packed, LedgerError> {
    let mut out = Packed::default();
    let mut packer = zstd::bulk::Compressor::new(LEVEL).map_err(zstd_failed)?;
    let mut block = Vec::new();
    let (mut number, mut count) = (first, 0u32);
    for (index, entry) in entries.iter().enumerate() {
        let length = u32::try_from(entry.bytes.len())
            .ok()
            .filter(|_| entry.bytes.len() <= MAX_ENTRY_BYTES)
            .ok_or(LedgerError::TooLong(entry.bytes.len()))?;
        block.push(entry.kind.0);
        block.extend_from_slice(&entry.time.to_be_bytes());
        block.extend_from_slice(&length.to_be_bytes());
        block.extend_from_slice(&entry.bytes);
        count = count.saturating_add(1);
        if block.len() >= TARGET_BYTES || index + 1 == entries.len() {
            out.groups.push((number, out.bytes.len()));
            close(number, count, &block, &mut packer, &mut out.bytes)?;
            number = number.saturating_add(u64::from(count));
            count = 0;
            block.clear();
        }
    }
    Ok(out)
}

fn close(
    first: u64,
    count: u32,
    block: &[u8],
    packer: &mut zstd::bulk::Compressor<'_>,
    out: &mut Vec<u8>,
) -> Result<(), LedgerError> {
    let packed = packer.compress(block).map_err(zstd_failed)?;
    let (packing, packed) = if packed.len() < block.len() {
        (1, packed.as_slice())
    } else {
        (0, block)
    };
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let mut head = Head {
        count,
        first,
        packed: length(packed),
        unpacked: length(block),
        packing,
        checksum: 0,
    };
    head.checksum = head.checksum_of(packed);
    out.extend_from_slice(&head.to_bytes());
    out.extend_from_slice(&head.checksum.to_be_bytes());
    out.extend_from_slice(packed);
    Ok(())
}

fn zstd_failed(error: std::io::Error) -> LedgerError {
    LedgerError::Damaged(format!("zstd: {error}"))
}

/// Unpacks at most `length` bytes. A context takes longer to make than a short block to unpack, so
/// each thread keeps one.
fn unpack_zstd(block: &[u8], length: usize) -> Option<Vec<u8>> {
    thread_local! {
        static CONTEXT: RefCell<Option<zstd::bulk::Decompressor<'static>>> = const { RefCell::new(None) };
    }
    CONTEXT.with_borrow_mut(|context| {
        if context.is_none() {
            *context = zstd::bulk::Decompressor::new().ok();
        }
        context.as_mut()?.decompress(block, length).ok()
    })
}

/// An unpacked block.
#[derive(Clone, Debug)]
pub(super) struct Block(Vec<u8>);

impl Block {
    /// Unpacks a block, whether its checksum is right or not; `None` if it has another form.
    pub fn unpack(head: &Head, block: &[u8]) -> Option<Self> {
        let length = usize::try_from(head.unpacked).ok()?;
        let bytes = if head.packing == 0 {
            block.to_vec()
        } else {
            unpack_zstd(block, length)?
        };
        (bytes.len() == length).then_some(Self(bytes))
    }

    /// The entries as far as they have the right form.
    pub fn entries(&self) -> Parts<'_> {
        Parts { rest: &self.0 }
    }

    /// The entries; `None` unless there are just `count` of them, of the right form.
    pub fn exactly(&self, count: u32) -> Option<Vec<Part<'_>>> {
        let mut parts = self.entries();
        let all: Vec<_> = parts.by_ref().collect();
        let right = parts.rest.is_empty() && u32::try_from(all.len()) == Ok(count);
        right.then_some(all)
    }
}

/// An entry in its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'b> {
    /// What it is.
    pub kind: Kind,
    /// When it was taken, in milliseconds since 1970.
    pub time: u64,
    /// What it says.
    pub bytes: &'b [u8],
}

impl Part<'_> {
    /// A copy of its own.
    #[must_use]
    pub fn to_entry(&self) -> Entry {
        Entry {
            kind: self.kind,
            time: self.time,
            bytes: self.bytes.to_vec(),
        }
    }

    /// What stands for it in the tree.
    #[must_use]
    pub fn leaf(&self) -> super::Leaf {
        super::Leaf::of(self.kind, self.time, self.bytes)
    }
}

/// The entries of a block, one after the other.
#[derive(Clone, Debug)]
pub(super) struct Parts<'b> {
    rest: &'b [u8],
}

impl<'b> Iterator for Parts<'b> {
    type Item = Part<'b>;

    fn next(&mut self) -> Option<Part<'b>> {
        let (kind, rest) = self.rest.split_first()?;
        let (time, rest) = rest.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (bytes, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(Part {
            kind: Kind(*kind),
            time: u64::from_be_bytes(*time),
            bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(bytes: Vec<u8>) -> Entry {
        Entry {
            kind: Kind(1),
            time: 5,
            bytes,
        }
    }

    /// All entries of groups behind each other, and the groups' first numbers.
    fn unpack(mut bytes: &[u8]) -> (Vec<Entry>, Vec<u64>) {
        let (mut entries, mut firsts) = (Vec::new(), Vec::new());
        while !bytes.is_empty() {
            let head = Head::parse(bytes).unwrap();
            let (block, rest) = bytes[HEAD_BYTES..].split_at(head.block_bytes());
            assert!(head.is_whole(block));
            let block = Block::unpack(&head, block).unwrap();
            entries.extend(
                block
                    .exactly(head.count)
                    .unwrap()
                    .iter()
                    .map(Part::to_entry),
            );
            firsts.push(head.first);
            bytes = rest;
        }
        (entries, firsts)
    }

    #[test]
    fn a_group_ends_when_it_is_long_enough() {
        let entries: Vec<_> = (0..5)
            .map(|_| entry(vec![b'x'; TARGET_BYTES / 2]))
            .collect();
        let (read, firsts) = unpack(&pack(7, &entries).unwrap().bytes);
        assert_eq!((read, firsts), (entries, vec![7, 9, 11]));
    }

    #[test]
    fn an_entry_may_be_as_long_as_the_bound_and_no_longer() {
        let longest = [
            entry(vec![0; TARGET_BYTES - 14]),
            entry(vec![0; MAX_ENTRY_BYTES]),
        ];
        assert_eq!(unpack(&pack(0, &longest).unwrap().bytes).0, longest);
        let error = pack(0, &[entry(vec![0; MAX_ENTRY_BYTES + 1])]).unwrap_err();
        assert!(matches!(error, LedgerError::TooLong(_)));
    }

    #[test]
    fn a_head_out_of_range_is_no_head() {
        let group = pack(3, &[entry(b"abc".to_vec())]).unwrap().bytes;
        assert!(Head::parse(&group).is_some());
        for (at, byte) in [
            (0, 0),
            (7, 0),
            (16, 255),
            (20, 255),
            (24, 2),
            (25, 1),
            (23, 3),
        ] {
            let mut other = group.clone();
            other[at] = byte;
            assert!(Head::parse(&other).is_none(), "{at}");
        }
        let mut last = group.clone();
        last[8..16].copy_from_slice(&[255; 8]);
        assert!(Head::parse(&last).is_none());
        assert!(Head::parse(&group[..31]).is_none());
    }

    proptest! {
        #[test]
        fn every_changed_bit_of_a_group_is_seen(lengths in prop::collection::vec(0usize..300, 1..9), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let entries: Vec<_> = lengths.iter().map(|length| entry(vec![b'y'; *length])).collect();
            let mut bytes = pack(1, &entries).unwrap().bytes;
            prop_assert_eq!(unpack(&bytes).0, entries);
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let seen = Head::parse(&bytes).is_none_or(|head| !head.is_whole(&bytes[HEAD_BYTES..]));
            prop_assert!(seen);
        }
    }
}
