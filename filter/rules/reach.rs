//! (policy, identity) -> which rules a caller can ever meet.
//!
//! What a condition says about the caller is judged as [`super::decide`] judges it; what it says
//! about the request is unknown here.

#[cfg(test)]
mod tests;

use super::Truth;
use super::caller::{CONDITIONS, Caller};
use crate::config::rules::{Rule, Then};
use crate::config::when::When;

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
pub fn reach(rules: &[Rule], caller: &Caller<'_>) -> Vec<Reach> {
    let mut decided = None;
    let mut reaches = Vec::with_capacity(rules.len());
    for (index, rule) in rules.iter().enumerate() {
        if let Some(earlier) = decided {
            reaches.push(Reach::Behind(earlier));
            continue;
        }
        let (truth, keys) = rule
            .when
            .as_ref()
            .map_or((Truth::Yes, Vec::new()), |when| judge(when, caller));
        // Behind an approval the rules go on.
        if truth == Truth::Yes && !matches!(rule.then, Then::Approve { .. }) {
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

/// With the keys that make it so.
fn judge(when: &When, caller: &Caller<'_>) -> (Truth, Vec<String>) {
    let written = CONDITIONS.iter().filter(|one| (one.is_written)(when));
    let (met, unmet): (Vec<_>, Vec<_>) = written.partition(|one| one.holds(when, caller));
    let names = |list: Vec<&super::caller::Condition>| -> Vec<String> {
        list.iter().map(|one| one.name.to_owned()).collect()
    };
    if !unmet.is_empty() {
        return (Truth::No, names(unmet));
    }
    let mut open: Vec<String> = about_the_request(when).map(str::to_owned).collect();
    let mut truth = if open.is_empty() {
        Truth::Yes
    } else {
        Truth::Unknown
    };
    if let Some(inner) = &when.not {
        let (inner, keys) = judge(inner, caller);
        let keys = keys.into_iter().map(|key| format!("not {key}"));
        match inner {
            Truth::Yes => return (Truth::No, keys.collect()),
            Truth::No => {}
            Truth::Unknown => {
                open.extend(keys);
                truth = Truth::Unknown;
            }
        }
    }
    (
        truth,
        if truth == Truth::Yes {
            names(met)
        } else {
            open
        },
    )
}

/// The keys of a condition that say something about the request.
fn about_the_request(when: &When) -> impl Iterator<Item = &'static str> {
    [
        ("method", !when.method.is_empty()),
        ("host", !when.host.is_empty()),
        ("path", !when.path.is_empty()),
        ("operation", !when.operation.is_empty()),
        ("model", !when.model.is_empty()),
        ("prompt", !when.prompt.is_empty()),
        ("items", when.items_over.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, is_written)| is_written.then_some(name))
}
