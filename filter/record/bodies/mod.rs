//! What is kept of bodies, in numbered parts: a part is what went at one time, so that an answer which
//! streamed can be replayed at its pace.

mod form;
mod section;

#[cfg(test)]
mod tests;

pub use section::{BODIES, Bodies, BodyForm, read};

use std::rc::Rc;

use super::age::{self, Recipient, SEED_BYTES};

/// No body has more parts. One with more pieces loses times in its middle, and no bytes.
const MAX_PARTS: usize = 4096;

/// No part that is one text is longer, in bytes.
const MAX_PART_BYTES: usize = 64 << 10;

/// Why the rest of a body is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// It is longer than the policy keeps.
    Limit,
    /// The memory for bodies was taken.
    Memory,
    /// It could not be read further, so that it could not be masked.
    Unreadable,
    /// Its end was kept back: it waits in vain for its record.
    NotSent,
    /// It broke off in a text that could have become one to hide.
    Broken,
}

/// Why nothing of a body is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftOut {
    /// It holds no text, so that it can't be masked.
    NoText,
    /// It can't be read, so that it can't be masked.
    Unreadable,
    /// It is encoded in a way that nobody undid.
    Encoded,
    /// It is what follows the head of a session, such as a WebSocket's.
    Session,
    /// It is a stream of messages from the client.
    ClientStream,
    /// Nothing of it went.
    NotSent,
    /// It can't be sealed: there is no randomness.
    NotSealed,
    /// The memory for bodies was taken when it was to be sealed.
    Memory,
}

/// What is kept of one body.
#[derive(Clone, Debug, Default)]
pub struct Body {
    bytes: Vec<u8>,
    marks: Vec<Mark>,
    /// The most that is kept, in bytes.
    most: usize,
    cut: Option<Cut>,
    left_out: Option<LeftOut>,
    /// Who alone can read it.
    to: Option<Recipient>,
    /// The sealed file, once the body is over.
    sealed: Option<Rc<Vec<u8>>>,
    /// How often it was sealed: nothing is sealed twice with the same randomness.
    times_sealed: u8,
}

/// From where on bytes went at one time.
#[derive(Clone, Copy, Debug)]
struct Mark {
    from: usize,
    /// In milliseconds since the request came.
    after: u64,
}

impl Body {
    /// Of which at most so many bytes are kept, sealed to `to` where it is raw.
    #[must_use]
    pub fn new(most: usize, to: Option<Recipient>) -> Self {
        Self {
            most,
            to,
            ..Self::default()
        }
    }

    /// One of which nothing is kept.
    #[must_use]
    pub fn left_out(why: LeftOut) -> Self {
        Self {
            left_out: Some(why),
            ..Self::default()
        }
    }

    /// Whether more of it is kept, if more comes.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.cut.is_none() && self.left_out.is_none() && self.sealed.is_none()
    }

    /// Whether it is kept raw, and has something to be sealed.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.to.is_some() && self.left_out.is_none() && self.sealed.is_none()
    }

    /// How much memory it takes, or would take with so many bytes more, in bytes.
    #[must_use]
    pub fn memory(&self, more: usize) -> usize {
        let bytes = self.bytes.len().saturating_add(more).min(self.most);
        let room = bytes.max(self.bytes.capacity());
        let marks = self.marks.capacity().saturating_mul(size_of::<Mark>());
        room.saturating_add(marks)
    }

    /// These bytes went, so many milliseconds after the request came. What is more than is kept is cut.
    pub fn push(&mut self, bytes: &[u8], after: u64) {
        if !self.is_open() || bytes.is_empty() {
            return;
        }
        let room = self.most.saturating_sub(self.bytes.len());
        let kept = bytes.get(..room).unwrap_or(bytes);
        if kept.len() < bytes.len() {
            self.cut = Some(Cut::Limit);
        }
        if kept.is_empty() {
            return;
        }
        self.mark(after);
        // Not twice what is kept at most.
        let wanted = self.bytes.len().saturating_add(kept.len());
        if wanted > self.bytes.capacity() {
            let place = wanted.saturating_mul(2).min(self.most).max(wanted);
            self.bytes
                .reserve_exact(place.saturating_sub(self.bytes.len()));
        }
        self.bytes.extend_from_slice(kept);
    }

    fn mark(&mut self, after: u64) {
        if self.marks.last().is_some_and(|last| last.after == after) {
            return;
        }
        if self.marks.len() >= MAX_PARTS {
            let mut odd = false;
            self.marks.retain(|_| {
                odd = !odd;
                odd
            });
        }
        let from = self.bytes.len();
        self.marks.push(Mark { from, after });
    }

    /// All of it goes only now.
    pub fn goes_at(&mut self, after: u64) {
        self.marks.clear();
        self.marks.push(Mark { from: 0, after });
    }

    /// The rest of it is not kept.
    pub fn cut(&mut self, why: Cut) {
        if self.is_open() {
            self.cut = Some(why);
        }
    }

    /// Its last bytes, so many, did not go after all.
    pub fn end_not_sent(&mut self, bytes: usize) {
        // Of one that was cut before, all that is kept went.
        if self.cut.is_some() || self.left_out.is_some() {
            return;
        }
        let kept = self.bytes.len().saturating_sub(bytes);
        self.bytes.truncate(kept);
        self.marks.retain(|mark| mark.from < kept);
        self.sealed = None;
        self.cut = Some(Cut::NotSent);
    }

    /// It is over: it is sealed, if it has to be. The seed is the exchange's own, and `purpose` the body's
    /// name in it.
    pub fn finish(&mut self, seed: Option<[u8; SEED_BYTES]>, purpose: &str) {
        let Some(to) = self.to else {
            return;
        };
        if self.left_out.is_some() || self.sealed.is_some() {
            return;
        }
        let purpose = format!("{purpose} {}", self.times_sealed);
        let once = self.times_sealed.checked_add(1);
        let sealed = seed
            .zip(once)
            .and_then(|(seed, _)| age::seal(to, &self.bytes, seed, &purpose));
        match (sealed, once) {
            (Some(sealed), Some(times)) => {
                self.sealed = Some(Rc::new(sealed));
                self.times_sealed = times;
            }
            _ => *self = Self::left_out(LeftOut::NotSealed),
        }
    }
}
