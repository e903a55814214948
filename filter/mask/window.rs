//! What a detector sees of a text, and what it answers.
//!
//! Everything rests on one property of a detector's answer, which the tests check for each
//! of them: it never changes when more of the text is known. [`Window::at`] and
//! [`Window::run`] give it by construction, as they refuse to say anything about a byte
//! that has not arrived yet.

use std::cell::Cell;

/// What a detector may see of the text in front of a match.
pub(super) const CONTEXT_BYTES: usize = 64;

/// How much of the text in front of a match is looked at to tell whether it is none at all.
pub(super) const RUN_BYTES: usize = 96;

/// The last bytes of what is decided, kept from piece to piece.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Past {
    bytes: [u8; RUN_BYTES],
    len: usize,
    /// Whether the text stands in the base64 of a data URL.
    coded: bool,
}

impl Default for Past {
    fn default() -> Self {
        Self {
            bytes: [0; RUN_BYTES],
            len: 0,
            coded: false,
        }
    }
}

impl Past {
    /// The text has gone on by `bytes`.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.coded = self.behind().then(bytes, bytes.len()).in_data_url();
        let more = bytes.len().min(RUN_BYTES);
        let stay = self.len.min(RUN_BYTES - more);
        self.bytes.copy_within(self.len - stay..self.len, 0);
        let new = bytes.get(bytes.len() - more..).unwrap_or_default();
        if let Some(free) = self.bytes.get_mut(stay..stay + more) {
            free.copy_from_slice(new);
        }
        self.len = stay + more;
    }

    /// What stands in front of the bytes that follow on this.
    pub(super) fn behind(&self) -> Behind<'_> {
        Behind {
            past: self.bytes.get(..self.len).unwrap_or_default(),
            near: &[],
            coded: self.coded,
            seen: None,
        }
    }
}

/// What stands in front of a position of a text: at least [`RUN_BYTES`] bytes where there are so many.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Behind<'a> {
    past: &'a [u8],
    near: &'a [u8],
    /// Whether `past` ends in the base64 of a data URL.
    coded: bool,
    /// What has been seen of `near`.
    seen: Option<&'a Seen>,
}

/// Whether a position of the bytes that are known stands in the base64 of a data URL: the last one that
/// was asked for. From there on nothing is looked at twice.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen(Cell<(usize, Option<bool>)>);

impl<'a> Behind<'a> {
    /// What precedes position `at` of `bytes`, where `self` precedes `bytes`.
    pub(super) fn then(self, bytes: &'a [u8], at: usize) -> Self {
        Self {
            near: bytes.get(..at).unwrap_or(bytes),
            ..self
        }
    }

    /// The same, with what has been seen of the bytes that [`Self::then`] is given, which are always the
    /// same.
    pub(super) fn with(self, seen: &'a Seen) -> Self {
        Self {
            seen: Some(seen),
            ..self
        }
    }

    /// Whether the position stands in the base64 of a data URL (RFC 2397), or right in front of it.
    pub(super) fn in_data_url(self) -> bool {
        let (from, known) = self.seen.map_or((0, None), |seen| seen.0.get());
        let (from, known) = match self.near.get(from..) {
            Some(_) => (from, known),
            None => (0, None),
        };
        let new = self.near.get(from..).unwrap_or_default();
        let end = new.iter().rposition(|byte| !is_base64(*byte));
        let inside = match end.map(|end| from + end) {
            None => known.unwrap_or(self.coded),
            Some(end) => {
                let front = self.near.get(..=end).unwrap_or_default();
                ends_head(front.iter().rev().chain(self.past.iter().rev()).copied())
            }
        };
        if let Some(seen) = self.seen {
            seen.0.set((self.near.len(), Some(inside)));
        }
        inside
    }

    /// The bytes from the position backwards, at most [`CONTEXT_BYTES`] of them: however a text is
    /// cut into pieces, as many as the text has.
    pub(super) fn backwards(self) -> impl Iterator<Item = u8> + use<'a> {
        self.far_backwards().take(CONTEXT_BYTES)
    }

    /// As [`Self::backwards`], at most [`RUN_BYTES`] of them.
    pub(super) fn far_backwards(self) -> impl Iterator<Item = u8> + use<'a> {
        let near = self.near.iter().rev();
        near.chain(self.past.iter().rev()).copied().take(RUN_BYTES)
    }

    /// The byte right in front.
    pub(super) fn byte(self) -> Option<u8> {
        self.near.last().or(self.past.last()).copied()
    }

    /// The byte before that one.
    pub(super) fn second(self) -> Option<u8> {
        match (self.near, self.past) {
            ([.., second, _], _) | ([_], [.., second]) | ([], [.., second, _]) => Some(*second),
            _ => None,
        }
    }

    /// The white space that the two bytes stand for where they are an escape such as `\n`.
    ///
    /// The arguments of a tool call are JSON inside a JSON string, so a word at the start
    /// of a line has a backslash and a letter in front of it.
    pub(super) fn escape(self) -> Option<u8> {
        match (self.second(), self.byte()) {
            (Some(b'\\'), Some(b'n')) => Some(b'\n'),
            (Some(b'\\'), Some(b'r')) => Some(b'\r'),
            (Some(b'\\'), Some(b't')) => Some(b'\t'),
            _ => None,
        }
    }

    /// The byte right in front, or the white space that an escape stands for.
    pub(super) fn denoted(self) -> Option<u8> {
        self.escape().or(self.byte())
    }

    /// Whether a word or number runs up to here.
    pub(super) fn in_word(self) -> bool {
        self.denoted().is_some_and(|b| b.is_ascii_alphanumeric())
    }

    /// Whether `separator` stands right in front, and a digit before it.
    pub(super) fn digit_then(self, separator: u8) -> bool {
        self.byte() == Some(separator) && self.second().is_some_and(|b| b.is_ascii_digit())
    }
}

/// Whether the byte occurs in either alphabet of base64. What fills it up only ends it.
pub(super) fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// Whether these bytes, from the last one on, are the head of a data URL in base64.
fn ends_head(mut backwards: impl Iterator<Item = u8>) -> bool {
    const CODED: &[u8] = b";base64,";
    const SCHEME: &[u8] = b"data:";
    let same = |byte: &u8, other: Option<u8>| other.is_some_and(|it| it.eq_ignore_ascii_case(byte));
    if !CODED.iter().rev().all(|byte| same(byte, backwards.next())) {
        return false;
    }
    // A media type and its parameters. In JSON in a string, the slash may have a backslash.
    let of_type = |byte: u8| is_base64(byte) || b".;=\\".contains(&byte);
    let mut media = backwards.take(RUN_BYTES).skip_while(|byte| of_type(*byte));
    SCHEME.iter().rev().all(|byte| same(byte, media.next()))
}

/// Why a detector has no match to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Miss {
    /// Nothing of this detector begins here, whatever follows.
    No,
    /// It depends on bytes that are not known yet.
    More,
}

/// A match that begins where the window begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hit {
    /// How many bytes are certain, at least one.
    pub len: usize,
    /// How the match goes on, where its end is not known yet.
    pub tail: Option<Tail>,
}

/// How a match goes on whose length is not known when it is certain.
///
/// It needs no buffer: what belongs to the match is masked as it arrives.
#[derive(Clone, Copy, Debug)]
pub(super) enum Tail {
    /// For as long as bytes of a class come, or single joiners between two of them.
    Run {
        /// The class.
        class: fn(u8) -> bool,
        /// What may stand between two bytes of the class.
        joiners: &'static [u8],
    },
    /// To an end that the detector looks for: given the bytes that follow, how many of them belong
    /// to the match, and whether it ends there.
    Until(fn(&Window<'_>) -> (usize, bool)),
}

/// A text from one position on, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window<'a> {
    /// What stands in front of the position.
    pub behind: Behind<'a>,
    /// The known bytes.
    pub bytes: &'a [u8],
    /// Whether the text ends after them.
    pub last: bool,
}

impl Window<'_> {
    /// The byte at `index`, or none where the text has ended.
    ///
    /// # Errors
    /// [`Miss::More`] where it is not known yet.
    pub(super) fn at(&self, index: usize) -> Result<Option<u8>, Miss> {
        #[cfg(test)]
        steps::add(1);
        match self.bytes.get(index) {
            Some(byte) => Ok(Some(*byte)),
            None if self.last => Ok(None),
            None => Err(Miss::More),
        }
    }

    /// How many bytes of a class stand from `from` on; counting stops at `most`.
    ///
    /// # Errors
    /// [`Miss::More`] where it depends on bytes that are not known yet.
    pub(super) fn run(
        &self,
        from: usize,
        most: usize,
        class: impl Fn(u8) -> bool,
    ) -> Result<usize, Miss> {
        let known = self.bytes.get(from..).unwrap_or_default();
        let run = known
            .iter()
            .take(most)
            .take_while(|byte| class(**byte))
            .count();
        #[cfg(test)]
        steps::add(run + 1);
        if run < most && run == known.len() && !self.last {
            return Err(Miss::More);
        }
        Ok(run)
    }

    /// Whether `literal` stands at `from`.
    ///
    /// # Errors
    /// [`Miss::More`] where the known bytes agree but end too early.
    pub(super) fn literal(&self, from: usize, literal: &[u8]) -> Result<bool, Miss> {
        let known = self.bytes.get(from..).unwrap_or_default();
        #[cfg(test)]
        steps::add(1);
        if known.starts_with(literal) {
            Ok(true)
        } else if literal.starts_with(known) && !self.last {
            Err(Miss::More)
        } else {
            Ok(false)
        }
    }

    /// The known bytes of a range; shorter where fewer are known.
    pub(super) fn slice(&self, from: usize, len: usize) -> &[u8] {
        let known = self.bytes.get(from..).unwrap_or_default();
        known.get(..len).unwrap_or(known)
    }

    /// Whether a word or number goes on at `index`.
    ///
    /// # Errors
    /// [`Miss::More`] where it is not known yet.
    pub(super) fn word_at(&self, index: usize) -> Result<bool, Miss> {
        Ok(self
            .at(index)?
            .is_some_and(|byte| byte.is_ascii_alphanumeric()))
    }

    /// Whether a digit stands at `index`.
    ///
    /// # Errors
    /// [`Miss::More`] where it is not known yet.
    pub(super) fn digit_at(&self, index: usize) -> Result<bool, Miss> {
        Ok(self.at(index)?.is_some_and(|byte| byte.is_ascii_digit()))
    }
}

impl PartialEq for Tail {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::Run { class, joiners },
                Self::Run {
                    class: other,
                    joiners: others,
                },
            ) => std::ptr::fn_addr_eq(*class, *other) && joiners == others,
            (Self::Until(end), Self::Until(other)) => std::ptr::fn_addr_eq(*end, *other),
            _ => false,
        }
    }
}

impl Tail {
    /// How many of `bytes` belong to the match, and whether it ends there.
    ///
    /// Where it does not end, the bytes that are left are needed again with what follows them.
    pub(super) fn eat(self, bytes: &[u8], last: bool) -> (usize, bool) {
        let window = Window {
            behind: Behind::default(),
            bytes,
            last,
        };
        match self {
            Self::Run { class, joiners } => run_on(&window, class, joiners),
            Self::Until(end) => end(&window),
        }
    }
}

fn run_on(window: &Window<'_>, class: fn(u8) -> bool, joiners: &[u8]) -> (usize, bool) {
    let mut len = 0;
    loop {
        let rest = window.bytes.get(len..).unwrap_or_default();
        len += rest.iter().take_while(|byte| class(**byte)).count();
        match (window.at(len), window.at(len + 1)) {
            (Ok(Some(joiner)), Ok(Some(next))) if joiners.contains(&joiner) && class(next) => {
                len += 2;
            }
            (Ok(Some(joiner)), Err(_)) if joiners.contains(&joiner) => return (len, false),
            (Err(_), _) => return (len, false),
            _ => return (len, true),
        }
    }
}

/// Counts the bytes that detectors look at, so that a test can bound the work.
#[cfg(test)]
pub(super) mod steps {
    use std::cell::Cell;

    thread_local!(static STEPS: Cell<usize> = const { Cell::new(0) });

    pub(crate) fn add(count: usize) {
        STEPS.set(STEPS.get() + count);
    }

    pub(crate) fn take() -> usize {
        STEPS.replace(0)
    }
}
