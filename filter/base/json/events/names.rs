//! Whether a name occurs twice in an object.

use super::error::Reason;

/// Members of all objects that are open at one place of a text. Each takes eight bytes until its
/// object ends.
pub(super) const MAX_OPEN_MEMBERS: usize = 1 << 18;

/// Up to so many members, each name is compared with those before it as it comes; the names of
/// larger objects are compared when the object ends.
const MAX_MEMBERS_COMPARED: usize = 32;

/// Digests of the names in each object that is open, the innermost last. Two names with one
/// digest are taken for the same: that refuses a body, and lets none pass.
#[derive(Default)]
pub(super) struct Names(Vec<u64>);

impl Names {
    /// How many there are, which is where the names of an object begin that begins now.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Adds a name to the object whose names begin at `start`.
    pub(super) fn add(&mut self, start: usize, name: &str) -> Result<(), Reason> {
        let digest = digest(name.as_bytes());
        let open = self.0.get(start..).unwrap_or_default();
        if open.len() < MAX_MEMBERS_COMPARED && open.contains(&digest) {
            return Err(Reason::Twice);
        }
        if self.0.len() >= MAX_OPEN_MEMBERS {
            return Err(Reason::Members);
        }
        self.0.push(digest);
        Ok(())
    }

    /// Ends the object whose names begin at `start`.
    pub(super) fn end(&mut self, start: usize) -> Result<(), Reason> {
        let open = self.0.get_mut(start..).unwrap_or_default();
        if open.len() > MAX_MEMBERS_COMPARED {
            open.sort_unstable();
            if open.windows(2).any(|pair| pair.first() == pair.last()) {
                return Err(Reason::TwiceInMany);
            }
        }
        self.0.truncate(start);
        Ok(())
    }
}

/// As good as chance: a body whose names nobody chose for their digests is not refused for them. Who
/// does choose them gets their own body refused, so no key is needed.
fn digest(name: &[u8]) -> u64 {
    let mut digest = (name.len() as u64).wrapping_add(1).wrapping_mul(ODD);
    let mut add = |word| digest = mixed(digest ^ word);
    // Words that overlap take fewer steps than bytes one by one.
    if let Some(last) = name.last_chunk() {
        for word in name.as_chunks().0 {
            add(u64::from_le_bytes(*word));
        }
        add(u64::from_le_bytes(*last));
    } else if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        let low = u64::from(u32::from_le_bytes(*first));
        add(low | u64::from(u32::from_le_bytes(*last)) << 32);
    } else {
        add(name
            .iter()
            .fold(0, |word, byte| word << 8 | u64::from(*byte)));
    }
    digest
}

/// The golden ratio in 64 bits: lengths make words that no name is likely to have.
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finalizer of MurmurHash3: one-to-one, and each bit that differs changes half of all bits.
fn mixed(mut bits: u64) -> u64 {
    bits ^= bits >> 33;
    bits = bits.wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    bits ^= bits >> 33;
    bits = bits.wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    bits ^ (bits >> 33)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::digest;

    #[test]
    fn names_that_are_much_alike_have_digests_of_their_own() {
        let mut names: HashSet<String> = HashSet::new();
        for length in 0..40 {
            names.insert("a".repeat(length));
            names.insert("\0".repeat(length));
            for at in 0..length {
                let (front, behind) = ("a".repeat(at), "a".repeat(length - at - 1));
                names.insert(format!("{front}b{behind}"));
                names.insert(format!("{front}\0{behind}"));
            }
        }
        for number in 0..100_000_u64 {
            names.insert(format!("{number}"));
            names.insert(format!("member-{number:08}-of-{number:08}"));
            names.insert(format!("{:032b}", number * 40_009));
        }
        let digests: HashSet<u64> = names.iter().map(|name| digest(name.as_bytes())).collect();
        assert_eq!(digests.len(), names.len());
    }
}
