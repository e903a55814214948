//! (policy, identity, operation) -> decision, with the rule that made it.
//!
//! Conditions on a body that has not been read are neither true nor false. A rule that could
//! still apply stops the search with [`Decision::NeedsBody`]; so a request is decided from its
//! head alone whenever the policy allows that.

mod caller;
mod prompts;
mod reach;

#[cfg(test)]
mod tests;

use crate::config::glob::Glob;
use crate::config::rules::{Rule, Then};
use crate::config::when::{PathMatch, When};

use caller::CONDITIONS;
pub use caller::Caller;
pub use prompts::{PromptSearch, Prompts};
pub use reach::{Reach, reach};

/// What is known of a request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Who is calling.
    pub caller: Caller<'a>,
    /// The method.
    pub method: &'a str,
    /// The authority without its port, in lower case.
    pub host: &'a str,
    /// The normalized path.
    pub path: &'a str,
    /// The operation's name.
    pub operation: &'a str,
    /// What the body says; `None` until it has been read.
    pub body: Option<Body<'a>>,
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

/// What the rules say; indices are into the policy's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A rule allows.
    Allow(usize),
    /// A rule denies; `None` when no rule applied.
    Deny(Option<usize>),
    /// A person must approve before the rules behind this one are tried.
    Approve(usize),
    /// The next rule that could apply depends on the body.
    NeedsBody,
}

/// Tries the rules from `first` on, in order.
#[must_use]
pub fn decide(rules: &[Rule], first: usize, request: &Request<'_>) -> Decision {
    for (index, rule) in rules.iter().enumerate().skip(first) {
        let applies = rule
            .when
            .as_ref()
            .map_or(Truth::Yes, |when| holds(when, request));
        match (applies, &rule.then) {
            (Truth::No, _) => {}
            (Truth::Unknown, _) => return Decision::NeedsBody,
            (Truth::Yes, Then::Allow { .. }) => return Decision::Allow(index),
            (Truth::Yes, Then::Deny) => return Decision::Deny(Some(index)),
            (Truth::Yes, Then::Approve { .. }) => return Decision::Approve(index),
        }
    }
    Decision::Deny(None)
}

/// Kleene's third value stands for what the body would tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    Yes,
    No,
    Unknown,
}

impl Truth {
    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

fn holds(when: &When, request: &Request<'_>) -> Truth {
    if !head_holds(when, request) {
        return Truth::No;
    }
    let mut truth = body_holds(when, request);
    if truth != Truth::No
        && let Some(inner) = &when.not
    {
        truth = match holds(inner, request).not() {
            Truth::No => Truth::No,
            Truth::Unknown => Truth::Unknown,
            Truth::Yes => truth,
        };
    }
    truth
}

fn head_holds(when: &When, request: &Request<'_>) -> bool {
    let any = |globs: &[Glob], text: &str| {
        globs.is_empty() || globs.iter().any(|glob| glob.matches(text))
    };
    let one_of =
        |list: &[String], text: &str| list.is_empty() || list.iter().any(|one| one == text);
    CONDITIONS
        .iter()
        .all(|condition| condition.holds(when, &request.caller))
        && one_of(&when.method, request.method)
        && any(&when.host, request.host)
        && any(&when.operation, request.operation)
        && (when.path.is_empty()
            || when.path.iter().any(|path| match path {
                PathMatch::Glob(glob) => glob.matches(request.path),
                PathMatch::Regex(regex) => regex.is_match(request.path),
            }))
}

fn body_holds(when: &When, request: &Request<'_>) -> Truth {
    if when.model.is_empty() && when.prompt.is_empty() && when.items_over.is_none() {
        return Truth::Yes;
    }
    let Some(body) = request.body else {
        return Truth::Unknown;
    };
    let model = when.model.is_empty()
        || body
            .model
            .is_some_and(|model| when.model.iter().any(|glob| glob.matches(model)));
    let items = when.items_over.is_none_or(|over| body.items > over);
    let prompt = when.prompt.is_empty() || when.prompt.iter().any(|index| body.prompts.fit(*index));
    Truth::from(model && items && prompt)
}
