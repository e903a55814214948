//! How much whom is allowed, and what counts for more than one.

use base::glob::Glob;
use base::identity::Identity;

use super::section::Quota;

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
    fn is_for(&self, identity: &Identity) -> bool {
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

impl Quota {
    /// How much a caller is allowed, and the place of the special limit that says so, if one does.
    #[must_use]
    pub fn limit_of(&self, identity: &Identity) -> (Option<usize>, u64) {
        let mut specials = self.limits.iter().enumerate();
        let special = specials.find(|(_, special)| special.is_for(identity));
        special.map_or((None, self.limit), |(place, special)| {
            (Some(place), special.limit)
        })
    }

    /// What one of a model counts for; of a request that names none, what one of the model whose name
    /// is empty does.
    #[must_use]
    pub fn weight_of(&self, model: Option<&str>) -> u64 {
        let model = model.unwrap_or_default();
        let fits = |weight: &&Weight| weight.models.iter().any(|glob| glob.matches(model));
        let weight = self.weights.iter().find(fits);
        weight.map_or(1, |weight| weight.weight)
    }

    /// The group under which a caller is counted, if it is in one of the quota's.
    #[must_use]
    pub fn group_of(&self, identity: &Identity) -> Option<&str> {
        let is_in = |group: &&String| identity.groups.contains(group);
        self.groups.iter().find(is_in).map(String::as_str)
    }
}
