//! One text under a mask, in pieces of any size.
//!
//! # How it works
//! The text is decided position by position, from the left. At a position every detector that
//! could begin there is asked, in order of priority, with the text from there on as far as it is
//! known and 64 bytes of what stands in front. A match is replaced, and the next position is the
//! one behind it; where nothing begins, the byte is kept and the next position is the next byte;
//! where a detector needs to see more, everything from this position on waits.
//!
//! Where a pattern says which part of a match is to be replaced, the next position is the one
//! behind that part. What stands in front of it in the match is decided as a text that ends there:
//! other detectors find in it what they find.
//!
//! That is what is decided. Most positions need not be looked at for it. Detectors come in groups,
//! and a group names the next position where one of its own may begin. For the built-in ones, 64
//! bytes at a time are looked through with vector instructions for what each of their matches has
//! near its beginning (a digit, an at sign, two dashes or colons, twenty characters without a
//! blank: [`prefilter`](super::prefilter)); a policy's patterns, words and canaries are found by their rare
//! bytes, by a hash of their first word, and by their first bytes. The end of what is known counts
//! as all of these at once, since anything may follow. Where a position is looked at, what a match
//! has at least (digits, length) leaves few detectors to ask.
//!
//! # What that guarantees
//! - **The output does not depend on the pieces.** A detector's answer is a function of the
//!   text and never changes once given ([`Detect`](super::detectors::detect::Detect)), so the
//!   decisions are the same however the text is cut; pieces only change when they are made.
//! - **Skipping changes nothing.** A group may name a position too many, never one too few; tests
//!   compare with detectors that are asked everywhere.
//! - What waits is bounded: no detector asks for more than its stated bound
//!   ([`Matcher::max_pending`]). Tokens, keys and key blocks of open length are replaced when
//!   they are certain, and the rest of them is masked as it arrives, without waiting. In prose, it
//!   is the last word that waits.
//! - The work is linear in the text: a position is decided by looking at no more bytes than
//!   the bounds of the detectors that may begin there. Built-in detectors begin at the edges of
//!   words only, and all but e-mail and the secrets look at no more than some eighty bytes.
//! - No byte of the text is released before it is decided, and bytes that are not UTF-8 stay
//!   as they are.
//!
//! # What it can't
//! - It sees what is written: a value that is spelled out, encoded once more than a walker reads,
//!   or broken by markup passes.
//! - Words count only in front of a match. To look behind one, it would have to wait for what may
//!   never come.
//! - A pattern of the policy's own may look at as many as 4096 bytes for each byte of the
//!   text, if it is written so that it begins everywhere and goes far before it fails.
//! - Behind the BEGIN line of a key block that is never ended everything is masked.
//! - [`Text::force`] masks what may become a match before that is known, so the output
//!   depends on when it is called: more is masked, never less.
//!
//! One lazy DFA over all detectors at once is the other way to be fast. It answers for the
//! leftmost candidate only, so checks such as Luhn's have to restart it, and its states are void
//! whenever its cache is cleared: the first guarantee would have to be argued for, where here it
//! follows from how a detector is asked. And it looks at every byte of prose, one by one.

#[cfg(test)]
mod tests;

use super::bare_number;
use super::detectors::group::{Answer, Known};
use super::matcher::{Cursor, Matcher};
use super::window::{Past, Seen, Tail, Window};

/// Takes what a [`Text`] has decided about the bytes it was given, in their order.
///
/// The lengths of all calls add up to the bytes given to [`Text::push`].
pub trait Sink {
    /// The next `len` bytes of the text stay as they are.
    fn keep(&mut self, len: usize);
    /// The next `len` bytes of the text are a match of detector `detector` and become `with`.
    ///
    /// A match of open length (a token, a key block) may come in several calls, and how many
    /// depends on the pieces; only what all of them write together does not.
    fn replace(&mut self, len: usize, with: &str, detector: usize);
    /// What is written next is the pseudonym of this value, which the detector of this name found.
    fn note(&mut self, _pseudonym: &str, _detector: &str, _value: &[u8]) {}
    /// Whether quotes may be written.
    fn takes_quotes(&self) -> bool {
        true
    }
}

/// The most of a piece that is copied behind what waits, at a time.
const MAX_COPY_BYTES: usize = 512;

/// The state of one text: what of it is undecided yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Text {
    /// What is undecided.
    hold: Vec<u8>,
    /// What stands in front of it.
    past: Past,
    /// The match that is being masked to its end.
    open: Option<(usize, Tail)>,
    /// How many of the undecided bytes the sink was told to mask when that was forced.
    told: usize,
}

impl Text {
    /// Says under which name the text stands, which counts as words in front of it. For a text that
    /// has not begun.
    pub(super) fn named(&mut self, name: &[u8]) {
        self.past = Past::default();
        if !name.is_empty() {
            self.past.add(name);
            self.past.add(b"\": \"");
        }
    }

    /// Takes the next piece; whatever is decided by it goes to `sink`.
    pub fn push(&mut self, matcher: &Matcher, piece: &[u8], sink: &mut dyn Sink) {
        let mut rest = piece;
        while !self.hold.is_empty() && !rest.is_empty() {
            let waited = self.hold.len();
            let (now, later) = rest.split_at(rest.len().min(MAX_COPY_BYTES));
            self.hold.extend_from_slice(now);
            let decided = self.decide_hold(matcher, false, sink);
            match decided.checked_sub(waited) {
                // What waits now lies in the piece: a long one goes on without a copy.
                Some(of_piece) if !later.is_empty() => {
                    self.hold.clear();
                    rest = rest.get(of_piece..).unwrap_or_default();
                }
                _ => {
                    self.hold.drain(..decided.min(self.hold.len()));
                    rest = later;
                }
            }
        }
        if !rest.is_empty() {
            let decided = self.decide(matcher, rest, false, sink);
            self.hold
                .extend_from_slice(rest.get(decided..).unwrap_or_default());
        }
    }

    /// The text ends here: everything undecided is decided. What is pushed after it is
    /// another text.
    pub fn finish(&mut self, matcher: &Matcher, sink: &mut dyn Sink) {
        self.decide_hold(matcher, true, sink);
        *self = Self::default();
    }

    /// Decides everything undecided now, and the text goes on: for a caller that may hold no more.
    ///
    /// What could have become a match is masked, not released, as a match of the first
    /// detector that is in question. It is remembered all the same (within the bound), so
    /// that what follows is decided as if nothing had been forced.
    pub fn force(&mut self, matcher: &Matcher, sink: &mut dyn Sink) {
        if self.hold.is_empty() {
            return;
        }
        let open = self.open.map(|(detector, _)| detector);
        let detector = open.unwrap_or_else(|| {
            matcher.in_question(&Window {
                behind: self.past.behind(),
                bytes: &self.hold,
                last: false,
            })
        });
        let new = self.hold.get(self.told..).unwrap_or_default();
        if open.is_some() || self.told > 0 {
            further(matcher, detector, new, sink);
        } else {
            first(matcher, detector, new, true, sink);
        }
        self.told = self.hold.len();
    }

    /// How many bytes are undecided.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.hold.len() - self.told
    }

    fn decide_hold(&mut self, matcher: &Matcher, last: bool, sink: &mut dyn Sink) -> usize {
        let hold = std::mem::take(&mut self.hold);
        let decided = self.decide(matcher, &hold, last, sink);
        self.hold = hold;
        decided
    }

    /// Decides as much of `bytes` as can be, and says how much that is.
    ///
    /// `bytes` is the undecided part of the text; the state is left as what stands in front
    /// of what is undecided then.
    fn decide(
        &mut self,
        matcher: &Matcher,
        bytes: &[u8],
        last: bool,
        sink: &mut dyn Sink,
    ) -> usize {
        let past = self.past;
        let seen = Seen::default();
        let known = Known {
            behind: past.behind().with(&seen),
            bytes,
            last,
        };
        let mut cursor = Cursor::new();
        let mut at = 0;
        let mut kept = 0;
        while at < bytes.len() {
            if let Some((detector, tail)) = self.open {
                let rest = bytes.get(at..).unwrap_or_default();
                let (len, over) = tail.eat(rest, last);
                let eaten = rest.get(..len).unwrap_or(rest);
                further(matcher, detector, self.untold(eaten), sink);
                at += len;
                kept = at;
                if !over {
                    break;
                }
                self.open = None;
                continue;
            }
            at = matcher.next(&known, at, &mut cursor);
            let window = Window {
                behind: known.behind.then(bytes, at),
                bytes: bytes.get(at..).unwrap_or_default(),
                last,
            };
            if window.bytes.is_empty() {
                break;
            }
            match matcher.ask(&window, at, &cursor) {
                Answer::Nothing => at += 1,
                Answer::Found(rank, hit) => {
                    let detector = matcher.ranked(rank);
                    let part = match hit.tail {
                        None => matcher.part(detector, &window, hit.len),
                        Some(_) => None,
                    };
                    let (from, to) = part.unwrap_or((0, hit.len));
                    let quotes = match (part, hit.tail) {
                        (None, None) => bare_number::quotes(&window, hit.len),
                        _ => Ok(None),
                    };
                    let Ok(quotes) = quotes else { break };
                    self.keep(bytes, kept, at, sink);
                    if from > 0 {
                        let front = Known {
                            behind: known.behind,
                            bytes: bytes.get(..at + from).unwrap_or(bytes),
                            last: true,
                        };
                        self.decide_front(matcher, &front, at, sink);
                    }
                    let matched = window.slice(from, to - from);
                    let new = self.untold(matched);
                    if new.len() < matched.len() {
                        further(matcher, detector, new, sink);
                    } else {
                        let quotes = quotes.filter(|_| sink.takes_quotes());
                        let mut quoted = Quoted { quotes, sink };
                        first(matcher, detector, new, hit.tail.is_some(), &mut quoted);
                    }
                    self.open = hit.tail.map(|tail| (detector, tail));
                    at += to;
                    kept = at;
                }
                Answer::Open(_) => break,
            }
        }
        self.keep(bytes, kept, at, sink);
        self.past.add(bytes.get(..at).unwrap_or_default());
        at
    }

    /// Decides what stands in a match in front of the part of it that is replaced, from `at` on: as
    /// a text that ends there, which is known whole, so that no more of the text can change it.
    fn decide_front(
        &mut self,
        matcher: &Matcher,
        front: &Known<'_>,
        mut at: usize,
        sink: &mut dyn Sink,
    ) {
        let mut cursor = Cursor::new();
        let mut kept = at;
        while at < front.bytes.len() {
            at = matcher.next(front, at, &mut cursor);
            let window = Window {
                behind: front.behind.then(front.bytes, at),
                bytes: front.bytes.get(at..).unwrap_or_default(),
                last: true,
            };
            if window.bytes.is_empty() {
                break;
            }
            let Answer::Found(rank, hit) = matcher.ask(&window, at, &cursor) else {
                at += 1;
                continue;
            };
            self.keep(front.bytes, kept, at, sink);
            let rest = window.slice(hit.len, window.bytes.len());
            let tail = hit.tail.map_or(0, |tail| tail.eat(rest, true).0);
            let new = self.untold(window.slice(0, hit.len + tail));
            first(matcher, matcher.ranked(rank), new, false, sink);
            at += hit.len + tail;
            kept = at;
        }
        self.keep(front.bytes, kept, front.bytes.len(), sink);
    }

    /// The decided bytes that the sink has not been told of yet.
    fn untold<'a>(&mut self, decided: &'a [u8]) -> &'a [u8] {
        let told = self.told.min(decided.len());
        self.told -= told;
        decided.get(told..).unwrap_or_default()
    }

    fn keep(&mut self, bytes: &[u8], from: usize, to: usize, sink: &mut dyn Sink) {
        let new = self.untold(bytes.get(from..to).unwrap_or_default());
        if !new.is_empty() {
            sink.keep(new.len());
        }
    }
}

/// Writes what takes the place of a match in quotes, if there are some.
struct Quoted<'a> {
    quotes: Option<String>,
    sink: &'a mut dyn Sink,
}

impl Sink for Quoted<'_> {
    fn keep(&mut self, len: usize) {
        self.sink.keep(len);
    }

    fn replace(&mut self, len: usize, with: &str, detector: usize) {
        match &self.quotes {
            Some(quotes) => {
                let with = format!("{quotes}{with}{quotes}");
                self.sink.replace(len, &with, detector);
            }
            None => self.sink.replace(len, with, detector),
        }
    }

    fn note(&mut self, pseudonym: &str, detector: &str, value: &[u8]) {
        self.sink.note(pseudonym, detector, value);
    }
}

fn first(matcher: &Matcher, detector: usize, matched: &[u8], open: bool, sink: &mut dyn Sink) {
    if matched.is_empty() {
        return;
    }
    let Some(replacement) = matcher.replacement(detector) else {
        return sink.replace(matched.len(), "", detector);
    };
    let written = replacement.first(matched, open);
    if let Some(name) = written.pseudonym_of {
        sink.note(&written.text, name, matched);
    }
    sink.replace(matched.len(), &written.text, detector);
}

fn further(matcher: &Matcher, detector: usize, matched: &[u8], sink: &mut dyn Sink) {
    if matched.is_empty() {
        return;
    }
    let with = matcher
        .replacement(detector)
        .map(|one| one.further(matched));
    sink.replace(matched.len(), &with.unwrap_or_default(), detector);
}
