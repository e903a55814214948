//! Detectors that are looked for together.

use super::super::window::{Behind, Hit, Miss, Window};
use super::detect::{Detect, LEAD_BYTES, MAX_COUNTED_RUN, Start, WORD_LETTERS};
use super::noise;
use crate::prefilter::{self, Anchors, Lanes};

/// A part of a text, with what stands in front of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    /// What stands in front of the bytes.
    pub behind: Behind<'a>,
    /// The known bytes.
    pub bytes: &'a [u8],
    /// Whether the text ends after them.
    pub last: bool,
}

/// What a group says about one position of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    /// No match begins here.
    Nothing,
    /// A match of the detector of this rank begins here.
    Found(usize, Hit),
    /// It depends on bytes that are not known yet, first of all for the detector of this rank.
    Open(usize),
}

/// Detectors that are looked for together. Each has a rank among all of a mask's.
///
/// As with [`Detect`], what a group answers about a position is a function of the text alone and
/// never changes once it is not [`Answer::Open`].
pub(crate) trait Group {
    /// The first position of the bytes, at or after `from`, where a match of the group may begin or
    /// where that depends on bytes that are not known yet; the length of the bytes where there is
    /// none. It may name a position too many, never one too few. `anchors` are those of the bytes;
    /// the group of the built-in detectors asks for them.
    fn next(&self, known: &Known<'_>, from: usize, anchors: &mut Anchors) -> usize;

    /// What begins at the window's first byte, among the detectors whose rank is below `below`.
    fn ask(&self, window: &Window<'_>, below: usize) -> Answer;

    /// The rank of the first detector that depends on bytes that are not known yet.
    fn in_question(&self, window: &Window<'_>) -> Option<usize> {
        match self.ask(window, usize::MAX) {
            Answer::Open(rank) => Some(rank),
            Answer::Nothing | Answer::Found(..) => None,
        }
    }

    /// The most bytes that it must be shown before it no longer answers [`Answer::Open`].
    fn bound(&self) -> usize;
}

const AT_EDGE: u8 = 1;
const ANYWHERE: u8 = 2;
const WORD: u8 = 4;
/// [`LEAD_BYTES`] as a number of bits.
const LEAD_BITS: u32 = 32;
const ESCAPE_LETTER: u8 = 8;
const BACKSLASH: u8 = 16;

/// A detector that may begin with some byte.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    /// Its place among the detectors.
    place: usize,
    /// The fewest digits, and graphic bytes in a row, of its matches.
    digits: usize,
    run: usize,
}

/// The longest word that may still be being written.
const MAX_UNFINISHED_WORD_BYTES: usize = 64;

/// Most numbers and words of prose have no more digits and no more graphic bytes in a row.
const FEW_DIGITS: usize = 5;
const SHORT_RUN_BYTES: usize = 11;

impl Candidate {
    /// Whether it may match where there are this many digits and graphic bytes in a row.
    fn is_for(&self, digits: usize, run: usize) -> bool {
        self.digits <= digits && self.run <= run
    }
}

/// Detectors that are asked one by one at the positions where they may begin.
pub(crate) struct Singles {
    /// By rank.
    detectors: Vec<(usize, Box<dyn Detect>)>,
    /// Of each byte, where something may begin with it and what it means to the one after it.
    flags: [u8; 256],
    /// By first byte, those that may begin with it: all of them, and those that few digits in a
    /// short word are enough for, which is all that prose mostly has.
    candidates: Vec<[Box<[Candidate]>; 2]>,
    /// By first byte, the place of one that is often open while a word is being written.
    often_open: Vec<Option<usize>>,
    /// They are built in: their matches have anchors, so that nothing else needs to be asked about.
    anchored: bool,
}

impl Singles {
    /// A group of detectors with their ranks. `anchored` says that the matches of all of them have
    /// anchors as the scan for them asks.
    pub(crate) fn new(mut detectors: Vec<(usize, Box<dyn Detect>)>, anchored: bool) -> Self {
        base::sort::sort_by_key(&mut detectors, |(rank, _)| *rank);
        let mut flags = [0; 256];
        let mut candidates = Vec::with_capacity(flags.len());
        let mut often_open = Vec::with_capacity(flags.len());
        for (byte, flags) in (0..=u8::MAX).zip(&mut flags) {
            let mut starting = Vec::new();
            for (place, (_, detect)) in detectors.iter().enumerate() {
                match detect.starts(byte) {
                    Start::Edge => *flags |= AT_EDGE,
                    Start::Anywhere => *flags |= ANYWHERE,
                    Start::Never => continue,
                }
                starting.push(Candidate {
                    place,
                    digits: detect.digits(),
                    run: detect.run().min(MAX_COUNTED_RUN),
                });
            }
            if byte.is_ascii_alphanumeric() {
                *flags |= WORD;
            }
            if matches!(byte, b'n' | b'r' | b't') {
                *flags |= ESCAPE_LETTER;
            }
            if byte == b'\\' {
                *flags |= BACKSLASH;
            }
            let often = |one: &&Candidate| {
                let of = detectors.get(one.place);
                of.is_some_and(|(_, detect)| anchored && detect.is_often_open())
            };
            often_open.push(starting.iter().find(often).map(|one| one.place));
            let few = starting
                .iter()
                .filter(|one| one.is_for(FEW_DIGITS, SHORT_RUN_BYTES));
            let few = few.copied().collect();
            candidates.push([starting.into_boxed_slice(), few]);
        }
        Self {
            detectors,
            flags,
            candidates,
            often_open,
            anchored,
        }
    }

    /// The first position from `from` to before `to` that one of the detectors may begin at.
    fn start(&self, known: &Known<'_>, from: usize, to: usize) -> Option<usize> {
        let flags = |byte: u8| self.flags.get(usize::from(byte)).copied().unwrap_or(0);
        let behind = known.behind.then(known.bytes, from);
        let mut two = behind.second().map_or(0, flags);
        let mut one = behind.byte().map_or(0, flags);
        let rest = known.bytes.get(from..to).unwrap_or_default();
        for (index, byte) in rest.iter().enumerate() {
            let here = flags(*byte);
            // As Behind::in_word, but with flags.
            let escape = one & ESCAPE_LETTER != 0 && two & BACKSLASH != 0;
            let edge = one & WORD == 0 || escape;
            if here & ANYWHERE != 0 || (edge && here & AT_EDGE != 0) {
                return Some(from + index);
            }
            two = one;
            one = here;
        }
        None
    }

    /// Asks one after another.
    fn each(&self, window: &Window<'_>, below: usize) -> Answer {
        let edge = !window.behind.in_word();
        let first = window.bytes.first().copied().unwrap_or(0);
        let (digits, run) = if self.anchored {
            possible(window)
        } else {
            (usize::MAX, usize::MAX)
        };
        let candidates = self.candidates.get(usize::from(first));
        let candidates = candidates.map_or(&[][..], |[all, few]| {
            if digits <= FEW_DIGITS && run <= SHORT_RUN_BYTES {
                few
            } else {
                all
            }
        });
        for one in candidates {
            if !one.is_for(digits, run) {
                continue;
            }
            let Some((rank, detect)) = self.detectors.get(one.place) else {
                continue;
            };
            if *rank >= below {
                break;
            }
            if !edge && detect.starts(first) != Start::Anywhere {
                continue;
            }
            match detect.find(window) {
                // In the midst of what is no text, whatever looks like a match is none.
                Ok(hit) => match noise::surrounds(window, &hit) {
                    Ok(false) => return Answer::Found(*rank, hit),
                    Ok(true) => {}
                    Err(_) => return Answer::Open(*rank),
                },
                Err(Miss::More) => return Answer::Open(*rank),
                Err(Miss::No) => {}
            }
        }
        Answer::Nothing
    }

    /// The answer, if the detector that is open most often is open here.
    ///
    /// Another one that is tried before it might be certain already; that comes out later then,
    /// but no different.
    fn often_open(&self, window: &Window<'_>, below: usize) -> Option<Answer> {
        let first = usize::from(*window.bytes.first()?);
        let (rank, detect) = self.detectors.get((*self.often_open.get(first)?)?)?;
        let asked = !window.last
            && window.bytes.len() <= MAX_UNFINISHED_WORD_BYTES
            && *rank < below
            && !window.behind.in_word();
        let open = asked && matches!(detect.find(window), Err(Miss::More));
        open.then_some(Answer::Open(*rank))
    }
}

/// How many digits stand, or may come to stand, in the first [`LEAD_BYTES`] bytes and in front of a
/// word; and how many graphic bytes in a row, of which no more than [`MAX_COUNTED_RUN`] are
/// counted.
fn possible(window: &Window<'_>) -> (usize, usize) {
    let known = window.bytes.len();
    let front = Lanes::<2>::load(window.bytes);
    let count = |bits: u32| usize::try_from(bits).unwrap_or(usize::MAX);

    let letters = front.within(b'a', b'z') | front.within(b'A', b'Z');
    let lead = u64::MAX >> (u64::BITS - LEAD_BITS);
    let word = letters & letters >> 1 & letters >> 2 & (lead >> (WORD_LETTERS - 1));
    let in_front = if word == 0 {
        lead
    } else {
        (1 << word.trailing_zeros()) - 1
    };
    let digits = count((front.within(b'0', b'9') & in_front).count_ones());
    let unknown = if word != 0 || window.last {
        0
    } else {
        LEAD_BYTES.saturating_sub(known)
    };

    // A domain may have letters that are not ASCII soon behind its at sign.
    let graphic = front.within(b'!', b'~') | front.within(0x80, 0xff);
    let run = count(graphic.trailing_ones()).min(MAX_COUNTED_RUN);
    let run = if run == known && !window.last {
        MAX_COUNTED_RUN
    } else {
        run
    };
    (digits + unknown, run)
}

impl Group for Singles {
    fn next(&self, known: &Known<'_>, from: usize, anchors: &mut Anchors) -> usize {
        let end = known.bytes.len();
        if !self.anchored {
            return self.start(known, from, end).unwrap_or(end);
        }
        let mut from = from;
        while from < end {
            let (anchor, to) = match anchors.next(known.bytes, from) {
                Some(anchors) => anchors,
                None if known.last => return end,
                // Anything may follow.
                None => (end, end),
            };
            let start = prefilter::reach(known.bytes, anchor, from);
            if let Some(start) = self.start(known, start, to) {
                return start;
            }
            from = to.max(anchor + 1);
        }
        end
    }

    fn ask(&self, window: &Window<'_>, below: usize) -> Answer {
        self.often_open(window, below)
            .unwrap_or_else(|| self.each(window, below))
    }

    fn in_question(&self, window: &Window<'_>) -> Option<usize> {
        match self.each(window, usize::MAX) {
            Answer::Open(rank) => Some(rank),
            Answer::Nothing | Answer::Found(..) => None,
        }
    }

    fn bound(&self) -> usize {
        let bounds = self.detectors.iter().map(|(_, detect)| detect.bound());
        bounds.max().unwrap_or(0)
    }
}
