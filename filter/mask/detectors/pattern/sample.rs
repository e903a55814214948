//! Strings that an expression matches, made from its syntax.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Numbers that look random and are the same each time.
pub(super) struct Chance(u64);

impl Chance {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit.max(1)
    }
}

/// Appends a string that `hir` matches where its conditions on what stands around hold.
pub(super) fn sample(hir: &Hir, chance: &mut Chance, into: &mut Vec<u8>) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => into.extend_from_slice(&literal.0),
        HirKind::Class(Class::Bytes(class)) => {
            let bytes: Vec<u8> = class
                .ranges()
                .iter()
                .flat_map(|range| range.start()..=range.end())
                .collect();
            let ascii: Vec<u8> = bytes.iter().copied().filter(u8::is_ascii_graphic).collect();
            let from = if ascii.is_empty() { &bytes } else { &ascii };
            into.push(from[chance.below(from.len())]);
        }
        HirKind::Class(Class::Unicode(class)) => {
            let range = class.ranges()[chance.below(class.ranges().len())];
            let character = if chance.below(2) == 0 {
                range.start()
            } else {
                range.end()
            };
            into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        HirKind::Repetition(repetition) => {
            let most = repetition.max.unwrap_or(repetition.min + 3);
            let most = most.min(repetition.min + 4);
            let more = chance.below(usize::try_from(most - repetition.min).unwrap() + 1);
            for _ in 0..usize::try_from(repetition.min).unwrap() + more {
                sample(&repetition.sub, chance, into);
            }
        }
        HirKind::Capture(capture) => sample(&capture.sub, chance, into),
        HirKind::Concat(subs) => subs.iter().for_each(|sub| sample(sub, chance, into)),
        HirKind::Alternation(subs) => sample(&subs[chance.below(subs.len())], chance, into),
    }
}
