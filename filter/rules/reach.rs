//! (policy, identity) -> which rules a caller can ever meet.
//!
//! What a condition says about the caller is judged as [`super::decide`] judges it; what it says
//! about the request is unknown here.

#[cfg(test)]
mod tests;

use base::identity::Identity;
use base::operation::UNKNOWN;

use super::section::{Rule, Then};
use super::truth::Truth;

/// How a rule stands to a caller. Conditions are named by their keys; those under `not` have it
/// before their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It applies to every request that comes so far.
    Applies,
    /// It applies or not by these conditions on the request.
    Depends(Vec<String>),
    /// It never applies, for these conditions on the caller.
    Unmet(Vec<String>),
    /// It is never tried: the rule of this index, before it, decides all requests.
    Behind(usize),
}

/// How each rule stands to a caller, in the policy's order.
#[must_use]
pub fn reach(rules: &[Rule], caller: &Identity) -> Vec<Reach> {
    let mut decided = None;
    let mut reaches = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        if let Some(earlier) = decided {
            reaches.push(Reach::Behind(earlier));
            continue;
        }
        let when = rule.when.as_ref();
        let (truth, keys) = when.map_or((Truth::Yes, Vec::new()), |when| when.of_caller(caller));
        // What nobody has a name for goes past it.
        let allows = matches!(rule.then, Then::Allow { .. });
        let (truth, keys) = match truth {
            Truth::Yes if allows && !rule.may_allow(Some(UNKNOWN)) => {
                (Truth::Unknown, vec!["operation".to_owned()])
            }
            other => (other, keys),
        };
        // Behind an approval the rules go on.
        if truth == Truth::Yes && !matches!(rule.then, Then::Approve(_)) {
            decided = Some(index);
        }
        reaches.push(match truth {
            Truth::Yes => Reach::Applies,
            Truth::Unknown => Reach::Depends(keys),
            Truth::No => Reach::Unmet(keys),
        });
    }
    reaches
}
