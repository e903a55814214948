//! Anchors: what every match of a built-in detector has near its beginning, and prose seldom.
//!
//! An anchor is one of
//! - a digit,
//! - an at sign,
//! - the second of two dashes or of two colons in a row,
//! - the last of 20 graphic ASCII bytes in a row.
//!
//! A match of a built-in detector begins in a run of graphic ASCII bytes (0x21 to 0x7E), and an
//! anchor stands in that run, at most [`MAX_ANCHOR_DISTANCE_BYTES`] bytes behind the match's first
//! byte, not in front of it. Or it begins with the name of a month, or with one or two letters,
//! that one space and such a run follow. A test holds every detector to this. So nothing but the
//! neighbourhood of anchors has to be looked at more closely, and in English prose about one word
//! in forty has one.

use super::block::{BLOCK_BYTES, Block};
use super::months::begins_month;

/// The greatest distance from the first byte of a match to its anchor.
pub(crate) const MAX_ANCHOR_DISTANCE_BYTES: usize = 320;
/// The longest name of a month in front of the anchor's run, with a full stop or comma behind it.
const MAX_MONTH_BYTES: usize = 13;
/// The letters in front of a number that belong to it, such as those of a passport.
const MAX_LEADING_LETTERS: usize = 2;
/// A run of this many graphic bytes is an anchor: the shortest secret that may have no digit has
/// as many.
const LONG_RUN_BYTES: u32 = 20;

/// Looks for the anchors of some bytes from place to place, never back.
#[derive(Default)]
pub(crate) struct Anchors {
    /// Where the block begins that was looked at last; nowhere if none was.
    block: Option<usize>,
    /// Its anchors that may still be asked for.
    left: u64,
    before: Before,
}

impl Anchors {
    /// The first anchor of `bytes` at or after `from`, and where those end that stand right behind
    /// it. What stands in front of the first `from` is not looked at; neither the bytes nor what is
    /// asked for may change from one call to the next but to go on.
    #[inline]
    pub(crate) fn next(&mut self, bytes: &[u8], from: usize) -> Option<(usize, usize)> {
        let mut block = match self.block {
            // There is no anchor left in front of the block.
            Some(block) if from <= block + BLOCK_BYTES => {
                let passed = u32::try_from(from.saturating_sub(block)).unwrap_or(u64::BITS);
                self.left &= u64::MAX.checked_shl(passed).unwrap_or(0);
                block
            }
            _ => {
                self.before = Before::default();
                self.left = self.before.anchors(Block::load(bytes.get(from..)?));
                from
            }
        };
        while self.left == 0 {
            block += BLOCK_BYTES;
            self.block = Some(block);
            let rest = bytes.get(block..).filter(|rest| !rest.is_empty())?;
            self.left = self.before.anchors(Block::load(rest));
        }
        self.block = Some(block);
        let first = self.left.trailing_zeros();
        let count = (self.left >> first).trailing_ones();
        let place = |bits: u32| usize::try_from(bits).unwrap_or(0);
        let first = block + place(first);
        Some((first, first + place(count)))
    }
}

/// What the end of one block means to the next.
#[derive(Default)]
struct Before {
    dash: u64,
    colon: u64,
    /// Graphic bytes in a row.
    graphic: u32,
}

impl Before {
    fn anchors(&mut self, block: Block) -> u64 {
        let graphic = block.within(b'!', b'~');
        let mut anchors = block.within_or((b'0', b'9'), b'@');
        let joins = block.either(b'-', b':');
        if joins & (joins << 1 | self.dash | self.colon) != 0 {
            let dash = block.equal(b'-');
            let colon = joins & !dash;
            anchors |= dash & (dash << 1 | self.dash);
            anchors |= colon & (colon << 1 | self.colon);
        }
        (self.dash, self.colon) = (0, 0);
        if joins >> 63 != 0 {
            let dash = block.equal(b'-') >> 63;
            (self.dash, self.colon) = (dash, 1 - dash);
        }

        let two = graphic & graphic << 1;
        let four = two & two << 2;
        let eight = four & four << 4;
        let sixteen = eight & eight << 8;
        anchors |= sixteen & four << 16;
        let front = graphic.trailing_ones();
        if self.graphic > 0 && front > 0 && self.graphic + front >= LONG_RUN_BYTES {
            // The run's twentieth byte, or the block's first where it is already longer.
            anchors |= 1 << LONG_RUN_BYTES.saturating_sub(self.graphic + 1);
        }
        self.graphic = if front == u64::BITS {
            self.graphic.saturating_add(front)
        } else {
            graphic.leading_ones()
        };
        anchors
    }
}

/// The first position, at or after `from`, of a match to which an anchor at `anchor` may belong.
/// The end of the known bytes (`anchor` is their length) counts as an anchor of every kind.
pub(crate) fn reach(bytes: &[u8], anchor: usize, from: usize) -> usize {
    let known = bytes.get(..anchor).unwrap_or(bytes);
    let room = anchor.saturating_sub(from);
    let graphic = run(known, MAX_ANCHOR_DISTANCE_BYTES.min(room), |byte| {
        byte.is_ascii_graphic()
    });
    let start = anchor - graphic;
    let front = bytes.get(from..start).unwrap_or_default();
    let Some((b' ', word)) = front.split_last() else {
        // Where nothing is known yet behind a space, the next run has not begun.
        return start;
    };
    let length = run(word, MAX_MONTH_BYTES, |byte| {
        byte.is_ascii_alphabetic() || matches!(byte, b'.' | b',')
    });
    let name = word.get(word.len() - length..).unwrap_or_default();
    if may_begin(name) {
        start - 1 - length
    } else {
        start
    }
}

/// How many bytes of a class stand at the end, at most `most`.
#[inline]
fn run(bytes: &[u8], most: usize, class: impl Fn(u8) -> bool) -> usize {
    let bytes = bytes.iter().rev().take(most);
    bytes.take_while(|byte| class(**byte)).count()
}

/// Whether a match may begin with this word in front of its anchor's run.
fn may_begin(word: &[u8]) -> bool {
    (1..=MAX_LEADING_LETTERS).contains(&word.len())
        || word.first_chunk().is_some_and(|head| begins_month(*head))
}
