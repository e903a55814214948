//! Conditions about the caller: what [`super::decide`] and [`super::reach`] judge alike.

use std::collections::BTreeMap;

use crate::config::glob::Glob;
use crate::config::identity::Kind;
use crate::config::when::When;

/// The verified caller.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// The identity provider's name.
    pub provider: &'a str,
    /// The verified subject.
    pub subject: &'a str,
    /// The verified groups.
    pub groups: &'a [String],
    /// The verified client.
    pub client: Option<&'a str>,
    /// Whether a person or a program is calling.
    pub kind: Kind,
    /// Claims that the policy names.
    pub claims: &'a BTreeMap<String, Vec<String>>,
}

/// One key of a condition.
pub(super) struct Condition {
    /// The key.
    pub(super) name: &'static str,
    pub(super) is_written: fn(&When) -> bool,
    /// Asked only where the key is written.
    met: fn(&When, &Caller<'_>) -> bool,
}

impl Condition {
    pub(super) fn holds(&self, when: &When, caller: &Caller<'_>) -> bool {
        !(self.is_written)(when) || (self.met)(when, caller)
    }
}

/// All that a condition can say about the caller.
pub(super) const CONDITIONS: [Condition; 6] = [
    Condition {
        name: "provider",
        is_written: |when| !when.provider.is_empty(),
        met: |when, caller| when.provider.iter().any(|name| name == caller.provider),
    },
    Condition {
        name: "subject",
        is_written: |when| !when.subject.is_empty(),
        met: |when, caller| any(&when.subject, caller.subject),
    },
    Condition {
        name: "client",
        is_written: |when| !when.client.is_empty(),
        met: |when, caller| {
            caller
                .client
                .is_some_and(|client| any(&when.client, client))
        },
    },
    Condition {
        name: "kind",
        is_written: |when| !when.kind.is_empty(),
        met: |when, caller| when.kind.contains(&caller.kind),
    },
    Condition {
        name: "group",
        is_written: |when| !when.group.is_empty(),
        met: |when, caller| caller.groups.iter().any(|group| any(&when.group, group)),
    },
    Condition {
        name: "claim",
        is_written: |when| !when.claim.is_empty(),
        met: |when, caller| {
            when.claim.iter().all(|(name, globs)| {
                let values = caller.claims.get(name);
                values.is_some_and(|values| values.iter().any(|value| any(globs, value)))
            })
        },
    },
];

fn any(globs: &[Glob], text: &str) -> bool {
    globs.iter().any(|glob| glob.matches(text))
}
