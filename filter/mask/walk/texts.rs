//! The texts of a stream that go on from entry to entry, and the entries that wait for them.

use super::queue::Queue;
use super::track::{Track, Work, Writing};
use super::{Counts, WalkError};
use crate::mask::Engine;

/// Texts that may be open at once. A choice has few; a stream has few choices.
const OPEN: usize = 256;
/// Entries that may wait before the oldest one's text is forced.
const ENTRIES: usize = 256;
/// Bytes of entries that may wait behind the oldest one before its text is forced.
const BYTES: usize = 256 * 1024;

/// A digest of what tells one text of a stream from another.
pub(super) type Id = [u8; 32];

/// What a text belongs to, and so what ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Owner {
    /// The choice or candidate.
    pub(super) choice: Option<i64>,
    /// The content block.
    pub(super) block: Option<i64>,
    /// The output item.
    pub(super) output: Option<i64>,
}

#[derive(Debug)]
struct Open {
    id: Id,
    owner: Owner,
    track: Track,
}

/// Open texts and waiting entries.
#[derive(Debug, Default)]
pub(super) struct Texts {
    open: Vec<Open>,
    pub(super) queue: Queue,
}

impl Texts {
    /// Calls `feed` with the text `id` and what it works with.
    ///
    /// # Errors
    /// The text is one too many.
    pub(super) fn feed(
        &mut self,
        id: &Id,
        owner: Owner,
        writing: Writing,
        (engine, counts): (&Engine, &mut Counts),
        feed: impl FnOnce(&mut Track, super::track::Place, &mut Work<'_>),
    ) -> Result<(), WalkError> {
        let index = match self.open.iter().position(|open| open.id == *id) {
            Some(index) => index,
            None if self.open.len() == OPEN => return Err(WalkError::TooManyTexts),
            None => {
                self.open.push(Open {
                    id: *id,
                    owner,
                    track: Track::new(writing),
                });
                self.open.len() - 1
            }
        };
        let place = self.queue.place();
        if let Some(open) = self.open.get_mut(index) {
            feed(
                &mut open.track,
                place,
                &mut Work {
                    engine,
                    out: &mut self.queue,
                    counts,
                },
            );
        }
        Ok(())
    }

    /// Ends the texts whose owner is told by `ends`.
    pub(super) fn finish(
        &mut self,
        engine: &Engine,
        counts: &mut Counts,
        ends: impl Fn(&Owner) -> bool,
    ) {
        let queue = &mut self.queue;
        self.open.retain_mut(|open| {
            let over = ends(&open.owner);
            if over {
                open.track.finish(&mut Work {
                    engine,
                    out: queue,
                    counts,
                });
            }
            !over
        });
    }

    /// Moves what is decided to `out`; when too much waits for one text, that is decided first.
    pub(super) fn release(&mut self, engine: &Engine, counts: &mut Counts, out: &mut Vec<u8>) {
        self.queue.release(out);
        while self.queue.len() > ENTRIES || self.queue.size_behind_front() > BYTES {
            let front = self.queue.front();
            for open in self
                .open
                .iter_mut()
                .filter(|open| open.track.waits_in() == front)
            {
                open.track.force(&mut Work {
                    engine,
                    out: &mut self.queue,
                    counts,
                });
            }
            self.queue.release(out);
            if self.queue.front() == front {
                return;
            }
        }
    }
}
