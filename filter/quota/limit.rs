//! How much whom is allowed, and what counts for more than one.

use base::glob::Glob;
use base::identity::Identity;

/// A limit of its own for some callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Special {
    /// Groups, any of which will do; empty where groups don't matter.
    pub groups: Vec<Glob>,
    /// Claims, of each of which a value must fit.
    pub claims: Vec<(String, Vec<Glob>)>,
    /// What takes the place of the quota's limit.
    pub limit: u64,
}

/// What something of some models counts for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weight {
    /// The models.
    pub models: Vec<Glob>,
    /// By how much what is counted is multiplied.
    pub weight: u64,
}

impl Special {
    pub(super) fn is_for(&self, identity: &Identity) -> bool {
        let claims = |(name, globs): &(String, Vec<Glob>)| {
            let values = identity.claims.get(name);
            values.is_some_and(|values| any(globs, values))
        };
        (self.groups.is_empty() || any(&self.groups, &identity.groups))
            && self.claims.iter().all(claims)
    }
}

fn any(globs: &[Glob], values: &[String]) -> bool {
    let fits = |value: &String| globs.iter().any(|glob| glob.matches(value));
    values.iter().any(fits)
}

impl Weight {
    pub(super) fn is_for(&self, model: &str) -> bool {
        self.models.iter().any(|glob| glob.matches(model))
    }
}
