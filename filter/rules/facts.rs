//! What rules are tried on.

use base::identity::Identity;

use super::prompts::Prompts;

/// What is known of a request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who is calling.
    pub caller: &'a Identity,
    /// What its head says.
    pub head: Head<'a>,
    /// What the body says; `None` until it has been read.
    pub body: Option<Body<'a>>,
}

/// What a request's head says.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// The authority without its port, in lower case.
    pub host: &'a str,
    /// The normalized path.
    pub path: &'a str,
    /// The operation's name.
    pub operation: &'a str,
    /// The headers that conditions ask for ([`super::headers_of`]) and that were sent.
    pub headers: &'a [SentHeader],
}

/// A header that conditions ask for, as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentHeader {
    /// Its name, in lower case.
    pub name: String,
    /// Its values, in their order; bytes that are not UTF-8 are replacement characters.
    pub values: Vec<String>,
}

/// What the body says.
#[derive(Clone, Copy, Debug)]
pub struct Body<'a> {
    /// The model, from the body or the path.
    pub model: Option<&'a str>,
    /// Predictions asked for.
    pub items: u64,
    /// What the texts that may reach the model fit.
    pub prompts: &'a Prompts,
}
