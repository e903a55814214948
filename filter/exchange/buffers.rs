//! How much of bodies is held at once in the memory of a virtual machine, for one configuration.
//!
//! Reaching the cap of that memory takes the worker down. What a single exchange may hold is bounded,
//! but many of them together could still reach it. So whatever is held between two events and grows
//! with a body takes a share first: decoders, text that waits in a mask, kept answers, originals, heads
//! that wait for keys, and the copy of a request that is masked, which is the largest of what lives for
//! one event.

use core::cell::Cell;
use std::rc::Rc;

use coding::Allowance;

/// The bytes that may be held, and how many are.
#[derive(Debug)]
pub(super) struct Buffers {
    limit: usize,
    taken: Cell<usize>,
}

/// There are not enough bytes left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// A part of them, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    buffers: Rc<Buffers>,
    bytes: usize,
}

impl Buffers {
    pub(super) fn new(limit: u64) -> Rc<Self> {
        Rc::new(Self {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            taken: Cell::new(0),
        })
    }

    /// An empty share.
    pub(super) fn share(self: &Rc<Self>) -> Share {
        Share {
            buffers: Rc::clone(self),
            bytes: 0,
        }
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.taken.get()
    }
}

impl Share {
    /// Grows or shrinks it to so many bytes. Growing may fail, and then changes nothing.
    pub(super) fn resize(&mut self, bytes: usize) -> Result<(), Full> {
        let others = self.buffers.taken.get().saturating_sub(self.bytes);
        let taken = others.saturating_add(bytes);
        if bytes > self.bytes && taken > self.buffers.limit {
            return Err(Full);
        }
        self.buffers.taken.set(taken);
        self.bytes = bytes;
        Ok(())
    }
}

impl Allowance for Share {
    fn resize(&mut self, bytes: usize) -> bool {
        Share::resize(self, bytes).is_ok()
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let taken = &self.buffers.taken;
        taken.set(taken.get().saturating_sub(self.bytes));
    }
}
