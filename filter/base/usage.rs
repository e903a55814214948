//! Tokens, as model servers count them.

/// What an answer says of the tokens that it took. What it doesn't say is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Those of the request, cached ones among them.
    pub input: Option<u64>,
    /// Those of the answer.
    pub output: Option<u64>,
    /// Those of the request that were not computed anew.
    pub cached: Option<u64>,
    /// All of them, where a server says that alone.
    pub total: Option<u64>,
}
