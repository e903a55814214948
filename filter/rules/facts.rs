//! What rules are tried on.

use base::identity::Identity;
use base::operation::Model;

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
    /// The operation's name; `None` while only the body can tell.
    pub operation: Option<&'a str>,
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
    /// The model, from the body or the path, by the name that the policy has for it.
    pub model: &'a Model,
    /// More models that take part, by those names.
    pub others: &'a [String],
    /// Predictions asked for; `None` if that can't be told.
    pub items: Option<u64>,
    /// What the texts that may reach the model fit.
    pub prompts: &'a Prompts,
    /// Whether some of those texts can't be read.
    pub unread: bool,
}
