//! What a request takes from quotas, and gives back if it doesn't go on.

use super::compiled_policy::CompiledPolicy;
use super::reply::Refusal;
use super::world::World;
use crate::dialect::Facts;
use crate::identity::Identity;
use crate::quota::{self, Charge, ChargeError, Reservation};
use crate::quota::{Dimension, Measure, Quota};
use crate::record::Charged;

/// Who takes something, and what for.
pub(super) struct Spender<'a> {
    pub(super) identity: &'a Identity,
    pub(super) operation: &'a str,
    /// What the body says, if it has been read.
    pub(super) facts: Option<&'a Facts>,
}

/// What has been charged.
#[derive(Debug, Default)]
pub(super) struct Charges {
    /// Each with the index of its quota.
    charged: Vec<(usize, Reservation)>,
}

/// Whether what a quota counts, or counts apart, stands in the body.
pub(super) fn counts_the_body(quota: &Quota) -> bool {
    quota.count == Measure::Items || quota.by.contains(&Dimension::Model)
}

impl Charges {
    /// Charges all of these quotas, or none.
    pub(super) fn take(
        compiled: &CompiledPolicy,
        quotas: &[usize],
        spender: &Spender<'_>,
        world: World<'_>,
    ) -> Result<Self, Refusal> {
        let mut charges = Self::default();
        for index in quotas {
            let Some(quota) = compiled.policy.quotas.get(*index) else {
                continue;
            };
            if let Err(refusal) = charges.add(compiled, (*index, quota), spender, world) {
                charges.give_back(compiled, world);
                return Err(refusal);
            }
        }
        Ok(charges)
    }

    fn add(
        &mut self,
        compiled: &CompiledPolicy,
        (index, quota): (usize, &Quota),
        spender: &Spender<'_>,
        world: World<'_>,
    ) -> Result<(), Refusal> {
        // Without a table nothing can be counted, and what can't be counted is refused.
        let table = compiled.table().ok_or_else(Refusal::quota_unavailable)?;
        let key = key(quota, spender);
        let amount = match quota.count {
            Measure::Requests => 1,
            Measure::Items => spender
                .facts
                .and_then(|facts| facts.items)
                .ok_or_else(|| Refusal::not_countable(&quota.name))?,
        };
        let charge = Charge {
            quota: &quota.name,
            key: &key,
            amount,
            limit: quota.limit,
            per: quota.per,
        };
        let charged = quota::charge(table, world.shared, &charge, world.now);
        let reservation = charged.map_err(|error| match error {
            ChargeError::Over { retry_after } => Refusal::over_quota(&quota.name, retry_after),
            ChargeError::Never => Refusal::more_than_quota(&quota.name),
            ChargeError::Unavailable => Refusal::quota_unavailable(),
        })?;
        self.charged.push((index, reservation));
        Ok(())
    }

    /// Gives everything back to the windows that it was taken from.
    pub(super) fn give_back(self, compiled: &CompiledPolicy, world: World<'_>) {
        let Some(table) = compiled.table() else {
            return;
        };
        for (_, reservation) in self.charged {
            // What can't be given back stays taken until the window ends.
            let _ = reservation.refund(table, world.shared, world.now);
        }
    }

    /// What was taken from each quota, for the record.
    pub(super) fn taken(&self, compiled: &CompiledPolicy) -> Vec<Charged> {
        self.charged
            .iter()
            .filter_map(|(index, reservation)| {
                let quota = compiled.policy.quotas.get(*index)?;
                Some(Charged {
                    quota: quota.name.clone(),
                    amount: reservation.amount(),
                    limit: quota.limit,
                    remaining: reservation.left(),
                })
            })
            .collect()
    }

    /// The quotas' names.
    pub(super) fn names(&self, compiled: &CompiledPolicy) -> Vec<String> {
        self.charged
            .iter()
            .filter_map(|(index, _)| compiled.policy.quotas.get(*index))
            .map(|quota| quota.name.clone())
            .collect()
    }
}

fn key<'a>(quota: &'a Quota, spender: &'a Spender<'_>) -> Vec<&'a str> {
    let mut key = Vec::new();
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
                key.extend(spender.facts.and_then(|facts| facts.model.name()));
            }
            Dimension::Operation => key.extend(["operation", spender.operation]),
            Dimension::Claim(name) => {
                key.extend(["claim", name.as_str()]);
                let values = spender.identity.claims.get(name);
                key.extend(values.into_iter().flatten().map(String::as_str));
            }
        }
    }
    key
}
