//! How much of a request's body there is.

/// What is there of the body when rules are tried.
#[derive(Clone, Copy, Debug)]
pub(super) enum Seen<'a> {
    /// It is not whole yet.
    Coming,
    /// All of it.
    Here(&'a [u8]),
    /// It has been looked at, and is held by the host.
    Gone,
}
