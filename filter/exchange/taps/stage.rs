//! What the stages of a response's way have in common.

use base::code::Code;

/// Takes what a stage makes of a piece, and whether the body ends with it.
pub(super) type Next<'n> = dyn FnMut(&[u8], bool) -> Result<(), Code> + 'n;

/// A stage of a body's way.
pub(super) trait Stage {
    /// Takes the next piece, the last one if `end`, and hands on what becomes of it: in any number of
    /// pieces, of which the last one, if the body ends, is marked so.
    ///
    /// # Errors
    /// The body goes no further. What was handed on before must not be sent.
    fn push(&mut self, piece: &[u8], end: bool, next: &mut Next<'_>) -> Result<(), Code>;
}

/// A closed tap: what comes passes it by.
impl<S: Stage> Stage for Option<S> {
    fn push(&mut self, piece: &[u8], end: bool, next: &mut Next<'_>) -> Result<(), Code> {
        match self {
            Some(stage) => stage.push(piece, end, next),
            None => next(piece, end),
        }
    }
}
