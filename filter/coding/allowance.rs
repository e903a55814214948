//! What a decoder may hold.

use core::fmt::Debug;

/// Bounds what a decoder holds, in bytes. It begins with [`super::Coding::most_bytes`] of the
/// decoder's coding, and is told what is needed once the stream has said so.
pub trait Allowance: Debug {
    /// Makes it so many bytes in all; says whether they may be held. Fewer always may.
    fn resize(&mut self, bytes: usize) -> bool;
}

/// No bound besides the coding's own.
#[derive(Debug)]
pub(super) struct Unbounded;

impl Allowance for Unbounded {
    fn resize(&mut self, _bytes: usize) -> bool {
        true
    }
}
