//! What a request takes from quotas, and gives back if it doesn't go on.

use core::time::Duration;

use super::guard::Guard;
use super::reply::Refusal;
use super::world::World;
use crate::config::quotas::{Dimension, Measure, Quota};
use crate::identity::Identity;
use crate::operation::Facts;
use crate::quota::{self, Charge, ChargeError};

/// Who takes something, and what for.
pub(super) struct Spender<'a> {
    pub(super) identity: &'a Identity,
    pub(super) operation: &'a str,
    /// What the body says, if it has been read.
    pub(super) facts: Option<&'a Facts>,
}

/// What has been charged.
#[derive(Debug)]
pub(super) struct Charges {
    charged: Vec<Charged>,
    /// When, since 1970: what is given back is given to the windows of that time.
    at: Duration,
}

#[derive(Debug)]
struct Charged {
    /// Index of the quota.
    quota: usize,
    key: Vec<String>,
    amount: u64,
}

/// Whether what a quota counts, or counts apart, stands in the body.
pub(super) fn counts_the_body(quota: &Quota) -> bool {
    quota.count == Measure::Items || quota.by.contains(&Dimension::Model)
}

impl Charges {
    /// Charges all of these quotas, or none.
    pub(super) fn take(
        guard: &Guard,
        quotas: &[usize],
        spender: &Spender<'_>,
        world: World<'_>,
    ) -> Result<Self, Refusal> {
        let mut charges = Self {
            charged: Vec::new(),
            at: world.now,
        };
        for index in quotas {
            let Some(quota) = guard.policy.quotas.get(*index) else {
                continue;
            };
            if let Err(refusal) = charges.add(guard, (*index, quota), spender, world) {
                charges.give_back(guard, world);
                return Err(refusal);
            }
        }
        Ok(charges)
    }

    fn add(
        &mut self,
        guard: &Guard,
        (index, quota): (usize, &Quota),
        spender: &Spender<'_>,
        world: World<'_>,
    ) -> Result<(), Refusal> {
        // Without places nothing can be counted, and what can't be counted is refused.
        let places = guard.places().ok_or_else(Refusal::quota_unavailable)?;
        let charged = Charged {
            quota: index,
            key: key(quota, spender),
            amount: match quota.count {
                Measure::Requests => 1,
                Measure::Items => spender.facts.map_or(1, |facts| facts.items),
            },
        };
        let key: Vec<&str> = charged.key.iter().map(String::as_str).collect();
        let charge = charge_of(quota, &key, charged.amount);
        quota::charge(places, world.store, &charge, world.now).map_err(|error| match error {
            ChargeError::Over { retry_after } => Refusal::over_quota(&quota.name, retry_after),
            ChargeError::Never => Refusal::more_than_quota(&quota.name),
            ChargeError::Unavailable => Refusal::quota_unavailable(),
        })?;
        self.charged.push(charged);
        Ok(())
    }

    /// Gives everything back to the windows that it was taken from.
    pub(super) fn give_back(self, guard: &Guard, world: World<'_>) {
        let Some(places) = guard.places() else {
            return;
        };
        for charged in &self.charged {
            if let Some(quota) = guard.policy.quotas.get(charged.quota) {
                let key: Vec<&str> = charged.key.iter().map(String::as_str).collect();
                let charge = charge_of(quota, &key, charged.amount);
                // What can't be given back stays taken until the window ends.
                let _ = quota::refund(places, world.store, &charge, self.at);
            }
        }
    }

    /// The quotas' names.
    pub(super) fn names(&self, guard: &Guard) -> Vec<String> {
        self.charged
            .iter()
            .filter_map(|charged| guard.policy.quotas.get(charged.quota))
            .map(|quota| quota.name.clone())
            .collect()
    }
}

fn key(quota: &Quota, spender: &Spender<'_>) -> Vec<String> {
    let mut key: Vec<&str> = Vec::new();
    for dimension in &quota.by {
        // A name before the values keeps lists of different lengths apart.
        match dimension {
            Dimension::Subject => key.extend([
                "subject",
                spender.identity.provider.as_str(),
                spender.identity.subject.as_str(),
            ]),
            Dimension::Provider => key.extend(["provider", spender.identity.provider.as_str()]),
            Dimension::Model => {
                key.push("model");
                key.extend(spender.facts.and_then(|facts| facts.model.as_deref()));
            }
            Dimension::Operation => key.extend(["operation", spender.operation]),
            Dimension::Claim(name) => {
                key.extend(["claim", name.as_str()]);
                let values = spender.identity.claims.get(name);
                key.extend(values.into_iter().flatten().map(String::as_str));
            }
        }
    }
    key.into_iter().map(str::to_owned).collect()
}

fn charge_of<'a>(quota: &'a Quota, key: &'a [&'a str], amount: u64) -> Charge<'a> {
    Charge {
        quota: &quota.name,
        key,
        amount,
        limit: quota.limit,
        per: quota.per,
    }
}
