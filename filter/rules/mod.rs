//! (policy, identity, operation) -> decision, with the rule that made it.
//!
//! | here | what it is |
//! |---|---|
//! | `section`, `when`, `patterns` | `/rules` and `/patterns` of the policy |
//! | `gate` | what a rule that asks says of whom, and of what an approval is good for |
//! | `conditions` | the table of all that a rule's `when` can say |
//! | `facts` | what is known of a request |
//! | `prompts` | looks for patterns in texts |
//! | `reach` | tells which rules a caller can ever meet |
//!
//! Conditions on a body that has not been read are neither true nor false. A rule that could
//! still apply stops the search with [`Decision::NeedsBody`]; so a request is decided from its
//! head alone whenever the policy allows that. A condition that is still unknown then fails closed:
//! rules that deny or ask apply, rules that allow don't. Nor does a rule allow what nobody has a name
//! for, the operation `unknown`, unless it says so by that name.

mod conditions;
mod facts;
mod gate;
mod patterns;
mod prompts;
mod reach;
mod section;
mod truth;
mod when;

#[cfg(test)]
pub(crate) mod tests;

pub use conditions::Names;
pub use facts::{Body, Head, Request, SentHeader};
pub use gate::{Escalation, Gate, GiveBack, Grant};
pub use patterns::{PATTERNS, Pattern, read as read_patterns};
pub use prompts::{PromptSearch, Prompts};
pub use reach::{Reach, reach};
pub use section::{
    MaskPlans, RULES, References, RequestMask, Rule, Then, headers_of, patterns_of, read,
};
pub use when::When;

use truth::Truth;

/// What the rules say; indices are into the policy's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// A rule allows.
    Allow(usize),
    /// A rule denies; `None` when no rule applied.
    Deny(Option<usize>),
    /// A person must approve before the rules behind this one are tried.
    Approve(usize),
    /// Whether the next rule applies can't be told without the body.
    NeedsBody,
}

/// What came of a rule that was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// It does not apply.
    No,
    /// Whether it applies can't be told, or not yet.
    Untold,
    /// It allows.
    Allow,
    /// It denies.
    Deny,
    /// It asks a person.
    Approve,
}

impl Came {
    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::No => "no",
            Self::Untold => "untold",
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Approve => "approve",
        }
    }
}

/// Tries the rules from `first` on, in order. What comes of each, by its index, goes to `each`.
#[must_use]
pub fn decide(
    rules: &[Rule],
    first: usize,
    request: &Request<'_>,
    each: &mut dyn FnMut(usize, Came),
) -> Decision {
    for (index, rule) in rules.iter().enumerate().skip(first) {
        let applies = rule
            .when
            .as_ref()
            .map_or(Truth::Yes, |when| when.holds(request));
        let (came, decision) = match (applies, &rule.then) {
            (Truth::No, _) => (Came::No, None),
            (_, Then::Allow { .. }) if !rule.may_allow(request.head.operation) => (Came::No, None),
            (Truth::Unknown, _) if request.body.is_none() => {
                (Came::Untold, Some(Decision::NeedsBody))
            }
            (Truth::Unknown, Then::Allow { .. }) => (Came::Untold, None),
            (Truth::Yes, Then::Allow { .. }) if request.head.operation.is_none() => {
                (Came::Untold, Some(Decision::NeedsBody))
            }
            (Truth::Yes, Then::Allow { .. }) => (Came::Allow, Some(Decision::Allow(index))),
            (_, Then::Deny) => (Came::Deny, Some(Decision::Deny(Some(index)))),
            (_, Then::Approve(_)) => (Came::Approve, Some(Decision::Approve(index))),
        };
        each(index, came);
        if let Some(decision) = decision {
            return decision;
        }
    }
    Decision::Deny(None)
}
