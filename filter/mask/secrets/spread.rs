//! Texts that go on from event to event, with asterisks over secrets.
//!
//! This is for bodies that nothing is to be masked in otherwise, and which therefore must pass
//! whatever they are: what can't be read goes on as it is.

use std::rc::Rc;
use std::sync::LazyLock;

use crate::{CompiledMask, Format, Framing, Layout, WalkError, Walker};

/// A dialect that streams in lines of JSON, and of which nothing else is known.
static LINES: LazyLock<Option<Layout>> = LazyLock::new(|| Layout::read("lines").ok());

/// One body on its way.
#[derive(Debug)]
pub struct SpreadSecrets {
    mask: Rc<CompiledMask>,
    walker: Walker,
    /// What has come and has not been written, as long as everything went on as it came.
    waiting: Vec<u8>,
    state: State,
    /// Where the body's length has to stay as it is: how many bytes have come, and gone.
    sized: Option<(u64, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Everything went on as it came.
    Same,
    /// A secret has been written over.
    Changed,
    /// The body can't be read.
    Unread,
}

impl SpreadSecrets {
    /// For a body that has not begun. The mask is of [`CompiledMask::of_secrets`]. Of what the dialect
    /// says, nothing counts but whether its JSON may be lines: a secret may be where it has no text.
    #[must_use]
    pub fn new(mask: &Rc<CompiledMask>, format: Format, framing: Framing) -> Self {
        let lines = framing.layout.is_some_and(Layout::has_lines);
        let framing = Framing {
            layout: if lines { LINES.as_ref() } else { None },
            // What is written of messages that are compressed is not.
            compression: None,
            ..framing
        };
        Self {
            mask: Rc::clone(mask),
            walker: Walker::framed(format, framing),
            waiting: Vec::new(),
            state: State::Same,
            sized: None,
        }
    }

    /// The same for a body whose head says how long it is: blanks take the place of what its secrets
    /// were longer than the asterisks over them, as where they had escapes.
    #[must_use]
    pub fn sized(mut self) -> Self {
        self.sized = Some((0, 0));
        self
    }

    /// Takes the next piece, the last one if `end`, and appends what may be sent to `out`.
    ///
    /// # Errors
    /// A body that has held a secret can't be read further.
    pub fn push(&mut self, piece: &[u8], end: bool, out: &mut Vec<u8>) -> Result<(), WalkError> {
        let before = out.len();
        self.walk(piece, end, out)?;
        let Some((came, gone)) = &mut self.sized else {
            return Ok(());
        };
        let count = |bytes: usize| u64::try_from(bytes).unwrap_or(u64::MAX);
        *came = came.saturating_add(count(piece.len()));
        *gone = gone.saturating_add(count(out.len() - before));
        let Some(missing) = came.checked_sub(*gone) else {
            // A number with quotes around it, or the copies of a token.
            return Err(WalkError::TooLarge);
        };
        if end && missing > 0 {
            *gone = *came;
            fill(usize::try_from(missing).unwrap_or_default(), before, out);
        }
        Ok(())
    }

    fn walk(&mut self, piece: &[u8], end: bool, out: &mut Vec<u8>) -> Result<(), WalkError> {
        if self.state == State::Unread {
            out.extend_from_slice(piece);
            return Ok(());
        }
        if self.state == State::Same {
            self.waiting.extend_from_slice(piece);
        }
        let before = out.len();
        let mut walked = self.walker.push(&self.mask, piece, out);
        if end && walked.is_ok() {
            walked = self.walker.finish(&self.mask, out);
        }
        if self.walker.counts().total() > 0 {
            self.state = State::Changed;
            self.waiting = Vec::new();
            return walked;
        }
        if walked.is_err() {
            out.truncate(before);
            out.append(&mut self.waiting);
            self.state = State::Unread;
        } else {
            let written = out.len() - before;
            self.waiting.drain(..written.min(self.waiting.len()));
        }
        Ok(())
    }

    /// As [`Walker::turned_out`].
    #[must_use]
    pub fn turned_out(&self) -> Option<Format> {
        self.walker.turned_out()
    }

    /// The bytes that have come and are still to be written.
    #[must_use]
    pub fn held(&self) -> usize {
        match self.state {
            State::Same | State::Changed => self.walker.held(),
            State::Unread => 0,
        }
    }

    /// The bytes that are held at all.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.held().saturating_add(self.waiting.len())
    }

    /// How many secrets there were.
    #[must_use]
    pub fn found(&self) -> u64 {
        self.walker.counts().total()
    }
}

/// Adds so many blanks to what has been written from `from` on: no lines of their own, which readers of
/// lines of JSON don't expect.
fn fill(blanks: usize, from: usize, out: &mut Vec<u8>) {
    let written = out.get(from..).unwrap_or_default();
    if written.is_empty() {
        return out.resize(out.len() + blanks, b'\n');
    }
    let ends = |byte: &&u8| matches!(byte, b'\r' | b'\n');
    let at = out.len() - written.iter().rev().take_while(ends).count();
    out.splice(at..at, std::iter::repeat_n(b' ', blanks));
}
