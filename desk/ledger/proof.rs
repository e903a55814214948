//! Inclusion and consistency proofs (RFC 6962, sections 2.1.1 and 2.1.2), and how they are checked
//! (RFC 9162, sections 2.1.3.2 and 2.1.4.2).

use super::error::LedgerError;
use super::hash::{Hash, root};

/// Where hashes of a tree come from.
pub trait Nodes {
    /// `count` hashes of a level of tiles, from `first` on: at level 0 of leaves, at level n of
    /// trees of 256^n leaves. `count` is 128 at most, and all of them stand in one tile.
    ///
    /// # Errors
    /// They can't be read.
    fn hashes(&self, level: u8, first: u64, count: usize) -> Result<Vec<Hash>, LedgerError>;
}

/// The proof that the entry `number` is in the tree of `size` entries: from the leaf's neighbour
/// up.
///
/// # Errors
/// There is no such entry, or hashes can't be read.
pub fn inclusion(nodes: &impl Nodes, number: u64, size: u64) -> Result<Vec<Hash>, LedgerError> {
    if number >= size {
        return Err(LedgerError::Damaged(format!(
            "found no entry {number}, expected one below {size}"
        )));
    }
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if number < middle {
            proof.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree(nodes, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `old` entries is the beginning of that of `new`; empty if one of
/// both is the other, or `old` is 0.
///
/// # Errors
/// `old` is more than `new`, or hashes can't be read.
pub fn consistency(nodes: &impl Nodes, old: u64, new: u64) -> Result<Vec<Hash>, LedgerError> {
    if old > new {
        return Err(LedgerError::Damaged(format!(
            "found {new} entries, expected at least {old}"
        )));
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut start, mut end) = (0, new);
    let mut proof = Vec::new();
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(subtree(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(subtree(nodes, start, middle)?);
            start = middle;
        }
    }
    // The old tree's own last part; whoever checks knows it if it is the whole old tree.
    if start != 0 {
        proof.push(subtree(nodes, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root that an inclusion proof leads to; `None` if it has the wrong length.
#[must_use]
pub fn root_by_inclusion(leaf: Hash, number: u64, size: u64, proof: &[Hash]) -> Option<Hash> {
    if number >= size {
        return None;
    }
    let (mut place, mut last) = (number, size - 1);
    let mut hash = leaf;
    for neighbour in proof {
        if last == 0 {
            return None;
        }
        if place & 1 == 1 || place == last {
            hash = Hash::node(*neighbour, hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = Hash::node(hash, *neighbour);
        }
        place >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}

/// Whether `proof` shows that the tree of `old` entries with the root `old_root` is the beginning
/// of that of `new` entries with `new_root`.
#[must_use]
pub fn is_consistent(old: u64, old_root: Hash, new: u64, new_root: Hash, proof: &[Hash]) -> bool {
    if old > new {
        return false;
    }
    if old == 0 {
        return proof.is_empty() && old_root == Hash::empty();
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    let (mut place, mut last) = (old - 1, new - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let mut rest = proof.iter();
    let first = if old.is_power_of_two() {
        Some(&old_root)
    } else {
        rest.next()
    };
    let Some(first) = first else {
        return false;
    };
    let (mut old_hash, mut new_hash) = (*first, *first);
    for hash in rest {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old_hash = Hash::node(*hash, old_hash);
            new_hash = Hash::node(*hash, new_hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = Hash::node(new_hash, *hash);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == old_root && new_hash == new_root
}

/// The largest power of two below `count`, which is 2 or more.
fn split(count: u64) -> u64 {
    1 << (u64::BITS - 1 - (count - 1).leading_zeros())
}

/// The root over the leaves from `start` to `end`, of which at least the left part is a perfect
/// tree, as all parts of a tree are.
fn subtree(nodes: &impl Nodes, start: u64, end: u64) -> Result<Hash, LedgerError> {
    let count = end - start;
    if !count.is_power_of_two() {
        let middle = start + split(count);
        return Ok(Hash::node(
            subtree(nodes, start, middle)?,
            subtree(nodes, middle, end)?,
        ));
    }
    let height = count.trailing_zeros();
    let level = height / 8;
    let hashes = nodes.hashes(
        u8::try_from(level).unwrap_or(u8::MAX),
        start >> (level * 8),
        1usize << (height % 8),
    )?;
    Ok(root(&hashes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ledger::tree::TILE_WIDTH;

    struct Leaves(Vec<Hash>);

    impl Nodes for Leaves {
        fn hashes(&self, level: u8, first: u64, count: usize) -> Result<Vec<Hash>, LedgerError> {
            let span = TILE_WIDTH.pow(u32::from(level));
            let first = usize::try_from(first).unwrap() * span;
            let parts = self.0[first..first + count * span].chunks(span);
            Ok(parts.map(root).collect())
        }
    }

    fn leaves(count: usize) -> Leaves {
        Leaves(
            (0..count)
                .map(|number| Hash::leaf(&number.to_be_bytes()))
                .collect(),
        )
    }

    fn size(count: usize) -> u64 {
        count.try_into().unwrap()
    }

    #[test]
    fn every_entry_of_every_small_tree_is_proved() {
        for count in 1..70 {
            let all = leaves(count);
            let whole = root(&all.0);
            for number in 0..count {
                let proof = inclusion(&all, size(number), size(count)).unwrap();
                let found = root_by_inclusion(all.0[number], size(number), size(count), &proof);
                assert_eq!(found, Some(whole), "{number} of {count}");
            }
            for old in 0..=count {
                let proof = consistency(&all, size(old), size(count)).unwrap();
                let before = root(&all.0[..old]);
                assert!(
                    is_consistent(size(old), before, size(count), whole, &proof),
                    "{old} of {count}"
                );
                if old > 0 && old < count {
                    assert!(!is_consistent(size(old), whole, size(count), whole, &proof));
                    assert!(!is_consistent(
                        size(old),
                        before,
                        size(count),
                        before,
                        &proof
                    ));
                }
            }
        }
    }

    #[test]
    fn what_is_not_there_has_no_proof() {
        assert!(inclusion(&leaves(3), 3, 3).is_err());
        assert!(consistency(&leaves(3), 4, 3).is_err());
        assert_eq!(root_by_inclusion(Hash::empty(), 3, 3, &[]), None);
        assert!(!is_consistent(4, Hash::empty(), 3, Hash::empty(), &[]));
    }

    proptest! {
        #[test]
        fn proofs_hold_and_any_change_breaks_them(count in 1usize..3000, at in any::<prop::sample::Index>(), old in any::<prop::sample::Index>(), change in any::<prop::sample::Index>(), bit in 0usize..256) {
            let all = leaves(count);
            let whole = root(&all.0);
            let number = at.index(count);
            let flip = |hash: Hash| {
                let mut bytes = *hash.as_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                Hash::from_slice(&bytes).unwrap()
            };
            let mut proof = inclusion(&all, size(number), size(count)).unwrap();
            let check = |leaf, number: usize, proof: &[Hash]| {
                root_by_inclusion(leaf, size(number), size(count), proof) == Some(whole)
            };
            prop_assert!(check(all.0[number], number, &proof));
            prop_assert!(!check(flip(all.0[number]), number, &proof));
            let other = (number + 1) % count;
            prop_assert!(other == number || !check(all.0[number], other, &proof));
            let longer: Vec<_> = proof.iter().copied().chain([whole]).collect();
            prop_assert!(!check(all.0[number], number, &longer));
            if !proof.is_empty() {
                prop_assert!(!check(all.0[number], number, &proof[1..]));
                let changed = change.index(proof.len());
                proof[changed] = flip(proof[changed]);
                prop_assert!(!check(all.0[number], number, &proof));
            }

            let old = 1 + old.index(count);
            let before = root(&all.0[..old]);
            let mut proof = consistency(&all, size(old), size(count)).unwrap();
            prop_assert!(is_consistent(size(old), before, size(count), whole, &proof));
            prop_assert!(!is_consistent(size(old), flip(before), size(count), whole, &proof));
            prop_assert!(!is_consistent(size(old), before, size(count), flip(whole), &proof));
            if !proof.is_empty() {
                let changed = change.index(proof.len());
                proof[changed] = flip(proof[changed]);
                prop_assert!(!is_consistent(size(old), before, size(count), whole, &proof));
                proof.pop();
                prop_assert!(!is_consistent(size(old), before, size(count), whole, &proof));
            }
        }
    }
}
