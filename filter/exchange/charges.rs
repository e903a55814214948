//! What a request takes from quotas, once nothing else can refuse it.

use core::net::SocketAddr;
use core::time::Duration;

use super::compiled_policy::CompiledPolicy;
use super::levels::{Level, Levels};
use super::reply::Refusal;
use super::world::World;
use crate::dialect::Facts;
use crate::identity::Identity;
use crate::quota::{self, Charge, ChargeError, OTHERS, Reservation, Slot};
use crate::quota::{Dimension, Measure, Quota, Span};
use crate::record::Charged;
use crate::shared::{ReadOnce, Table};
use base::bytes::hex;

/// An answer is charged whenever so much of it has passed, and at its end.
const STEP_BYTES: u64 = 64 << 10;

/// Who takes something, and what for.
pub(super) struct Spender<'a> {
    pub(super) identity: &'a Identity,
    pub(super) operation: &'a str,
    /// What the body says, if it has been read.
    pub(super) facts: Option<&'a Facts>,
    /// How many bytes of it are sent, where that is known.
    pub(super) bytes: Option<u64>,
    /// The client's address with its port, where the host knows it.
    pub(super) client: Option<&'a str>,
    /// Whether it is a stream of which a message has gone already: what is counted once for all of it
    /// has been.
    pub(super) goes_on: bool,
}

/// What an exchange has taken. Dropped, it stays taken, but for what was only held.
#[derive(Debug, Default)]
pub(super) struct Charges {
    taken: Vec<Taken>,
    /// Bytes of the answer that have passed and are not charged.
    pending: u64,
}

/// What was taken from one quota.
#[derive(Debug)]
struct Taken {
    /// Its place in the policy.
    quota: usize,
    amount: u64,
    limit: u64,
    /// How much was left,
    left: u64,
    /// and when, since 1970.
    at: Duration,
    /// What its count is known by.
    key: Vec<String>,
    what: What,
}

#[derive(Debug)]
enum What {
    Counted(Reservation),
    /// Each byte of the answer counts for so many.
    Metered(Reservation, u64),
    /// Until the end of the exchange.
    Held(Slot),
}

/// Whether what a quota counts, or counts apart, stands in the body.
pub(super) fn counts_the_body(quota: &Quota) -> bool {
    quota.count == Measure::Items
        || quota.by.contains(&Dimension::Model)
        || !quota.weights.is_empty()
}

impl Charges {
    /// Charges all of these quotas, or none. Those behind the first are looked at before anything is
    /// taken, so that a request that one of them refuses writes nothing.
    pub(super) fn take(
        compiled: &CompiledPolicy,
        quotas: &[usize],
        spender: &Spender<'_>,
        world: World<'_>,
        levels: &mut Levels,
    ) -> Result<Self, Refusal> {
        let seen = ReadOnce::new(world.shared);
        let looking = World {
            shared: &seen,
            ..world
        };
        let behind = quotas.get(1..).unwrap_or_default();
        Self::look(compiled, behind, spender, looking, levels)?;
        let seen = seen.reuse();
        let taking = World {
            shared: &seen,
            ..world
        };
        let mut charges = Self::default();
        for quota in quotas {
            match take(compiled, *quota, spender, (taking, true), levels) {
                Ok(taken) => charges.taken.extend(taken),
                Err(refusal) => {
                    // Others were faster.
                    charges.give_back(compiled, world);
                    return Err(refusal);
                }
            }
        }
        Ok(charges)
    }

    /// Whether all of these quotas could be charged now.
    pub(super) fn look(
        compiled: &CompiledPolicy,
        quotas: &[usize],
        spender: &Spender<'_>,
        world: World<'_>,
        levels: &mut Levels,
    ) -> Result<(), Refusal> {
        let mut all = quotas.iter();
        all.try_for_each(|quota| take(compiled, *quota, spender, (world, false), levels).map(drop))
    }

    /// Gives everything back to the times that it was taken for.
    pub(super) fn give_back(self, compiled: &CompiledPolicy, world: World<'_>) {
        let Some(table) = compiled.table() else {
            return;
        };
        for taken in self.taken {
            match taken.what {
                What::Counted(reservation) | What::Metered(reservation, _) => {
                    // What can't be given back stays taken.
                    let _ = reservation.refund(table, world.shared, world.now);
                }
                What::Held(slot) => slot.release(table, world.shared, world.now),
            }
        }
    }

    /// Adds what one more message of a stream has taken.
    pub(super) fn add(&mut self, more: Self) {
        for new in more.taken {
            let mut all = self.taken.iter_mut();
            match all.find(|taken| taken.quota == new.quota) {
                Some(taken) => {
                    taken.amount = taken.amount.saturating_add(new.amount);
                    taken.left = new.left;
                    taken.at = new.at;
                    taken.key = new.key;
                    taken.what = new.what;
                }
                None => self.taken.push(new),
            }
        }
    }

    /// Whether bytes of the answer are counted.
    pub(super) fn are_metered(&self) -> bool {
        let metered = |taken: &Taken| matches!(taken.what, What::Metered(..));
        self.taken.iter().any(metered)
    }

    /// So many bytes of the answer pass.
    pub(super) fn pass(&mut self, bytes: usize, compiled: &CompiledPolicy, world: World<'_>) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.pending = self.pending.saturating_add(bytes);
        if self.pending >= STEP_BYTES {
            self.settle(compiled, world);
        }
    }

    /// Charges what of the answer has passed.
    pub(super) fn settle(&mut self, compiled: &CompiledPolicy, world: World<'_>) {
        let bytes = core::mem::take(&mut self.pending);
        let Some(table) = compiled.table().filter(|_| bytes > 0) else {
            return;
        };
        for taken in &mut self.taken {
            if let What::Metered(reservation, weight) = &mut taken.what {
                let more = bytes.saturating_mul(*weight);
                // It has passed: where it can't be counted, it isn't.
                let _ = reservation.add(table, world.shared, more, world.now);
                taken.amount = reservation.amount();
                taken.left = reservation.left();
                taken.at = world.now;
            }
        }
    }

    /// The exchange is over: what was held is free.
    pub(super) fn end(&mut self, compiled: &CompiledPolicy, world: World<'_>) {
        self.settle(compiled, world);
        let Some(table) = compiled.table() else {
            return;
        };
        for taken in core::mem::take(&mut self.taken) {
            if let What::Held(slot) = taken.what {
                slot.release(table, world.shared, world.now);
            }
        }
    }

    /// What was taken from each quota, for the record of a request that came at `began` (since 1970).
    pub(super) fn taken(&self, compiled: &CompiledPolicy, began: Duration) -> Vec<Charged> {
        let began = milliseconds(began);
        let charged = self.taken.iter().filter_map(|taken| {
            Some(Charged {
                quota: compiled.policy.quotas.get(taken.quota)?.name.clone(),
                amount: taken.amount,
                limit: taken.what.most().unwrap_or(taken.limit),
                remaining: taken.left,
                key: Some(taken.key.clone()),
                at: milliseconds(taken.at).saturating_sub(began),
                until: taken.what.until().map(|until| until.saturating_sub(began)),
            })
        });
        charged.collect()
    }
}

impl What {
    /// When all of it will be there again unless somebody takes more, in milliseconds since 1970.
    fn until(&self) -> Option<u64> {
        match self {
            Self::Counted(reservation) | Self::Metered(reservation, _) => Some(reservation.until()),
            Self::Held(_) => None,
        }
    }

    /// How much there is when nothing is taken, where that isn't the limit.
    fn most(&self) -> Option<u64> {
        match self {
            Self::Counted(reservation) | Self::Metered(reservation, _) => Some(reservation.most()),
            Self::Held(_) => None,
        }
    }

    /// Whether it is of what the subject's further names have in common.
    fn is_of_others(&self, table: &Table, charge: &Charge<'_>) -> bool {
        match self {
            Self::Counted(reservation) | Self::Metered(reservation, _) => {
                reservation.is_of_others(table, charge)
            }
            Self::Held(slot) => slot.is_of_others(table, charge),
        }
    }
}

/// Takes from one quota, or only looks whether it could if not `write`, and notes how it stands.
fn take(
    compiled: &CompiledPolicy,
    index: usize,
    spender: &Spender<'_>,
    (world, write): (World<'_>, bool),
    levels: &mut Levels,
) -> Result<Option<Taken>, Refusal> {
    let Some(quota) = compiled.policy.quotas.get(index) else {
        return Ok(None);
    };
    let once = matches!(quota.count, Measure::InFlight | Measure::ResponseBytes);
    if once && spender.goes_on {
        return Ok(None);
    }
    // Without a table nothing can be counted, and what can't be counted is refused.
    let table = compiled.table().ok_or_else(Refusal::quota_unavailable)?;
    let unknown = || Refusal::not_countable(&quota.name);
    let model = spender.facts.and_then(|facts| facts.model.name());
    let weight = match quota.weights.is_empty() {
        true => 1,
        false => quota.weight_of(model),
    };
    let metered = quota.count == Measure::ResponseBytes;
    let amount = match quota.count {
        Measure::Requests | Measure::InFlight => 1,
        Measure::Items => spender
            .facts
            .and_then(|facts| facts.items)
            .ok_or_else(unknown)?,
        Measure::RequestBytes => spender.bytes.ok_or_else(unknown)?,
        Measure::ResponseBytes => 0,
    };
    let (special, limit) = quota.limit_of(spender.identity);
    let address = address(quota, spender);
    let mut key = key(quota, spender, model, address.as_deref());
    // What runs out of a bucket depends on the limit, so each has buckets of its own.
    let special = special.map(|place| place.to_string());
    if let (Span::Window(quota::Window::Bucket { .. }), Some(place)) = (quota.span, &special) {
        key.extend(["limit", place.as_str()]);
    }
    let made_up = |by: &Dimension| {
        use Dimension::{Address, Claim, Model};
        matches!(by, Model | Claim(_) | Address)
    };
    let identity = spender.identity;
    let charge = Charge {
        quota: &quota.id,
        key: &key,
        amount: amount.saturating_mul(weight),
        room: u64::from(metered),
        limit,
        inventor: (quota.by.iter().any(made_up))
            .then_some((identity.provider.as_str(), identity.subject.as_str())),
    };
    let (shared, now) = (world.shared, world.now);
    let taken = match quota.span {
        Span::Window(window) if write => {
            quota::charge(table, shared, window, &charge, now).map(|reservation| {
                let (left, until) = (reservation.left(), reservation.until());
                let what = match metered {
                    true => What::Metered(reservation, weight),
                    false => What::Counted(reservation),
                };
                (left, Some(until), Some(what))
            })
        }
        Span::Window(window) => {
            let looked = quota::look(table, shared, window, &charge, now);
            // Nothing has been taken of it.
            looked.map(|(left, until)| (left.saturating_add(charge.amount), Some(until), None))
        }
        Span::Now { lease } => {
            let slot = compiled
                .in_flight
                .hold((table, shared), &charge, lease, (now, write));
            slot.map(|slot| match write {
                true => (slot.left(), None, Some(What::Held(slot))),
                false => (slot.left().saturating_add(charge.amount), None, None),
            })
        }
    };
    let mut note = |left, until| {
        let level = Level {
            quota: index,
            limit,
            left,
            until,
        };
        levels.note(quota, level);
    };
    let (left, until, what) = taken.map_err(|error| match error {
        ChargeError::Over { retry_after, left } => {
            let until = milliseconds(now).saturating_add(retry_after.saturating_mul(1000));
            note(Some(left), Some(until));
            Refusal::over_quota(&quota.name, retry_after)
        }
        ChargeError::Never => {
            note(None, None);
            Refusal::more_than_quota(&quota.name)
        }
        ChargeError::Unavailable => Refusal::quota_unavailable(),
    })?;
    note(Some(left), until);
    Ok(what.map(|what| {
        let others = [OTHERS, &identity.provider, &identity.subject];
        let known_by = match what.is_of_others(table, &charge) {
            true => &others[..],
            false => charge.key,
        };
        Taken {
            quota: index,
            amount: charge.amount,
            limit,
            left,
            at: now,
            key: known_by.iter().map(|text| (*text).to_owned()).collect(),
            what,
        }
    }))
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What stands for a client's address, where the quota counts by it: all of an IPv4 address, also as
/// IPv6 writes it, and the first 64 bits of an IPv6 address, which one client has all of.
fn address(quota: &Quota, spender: &Spender<'_>) -> Option<String> {
    if !quota.by.contains(&Dimension::Address) {
        return None;
    }
    let address: SocketAddr = spender.client?.parse().ok()?;
    Some(match address.ip().to_canonical() {
        core::net::IpAddr::V4(ip) => hex(&ip.octets()),
        core::net::IpAddr::V6(ip) => hex(ip.octets().first_chunk::<8>()?),
    })
}

fn key<'a>(
    quota: &'a Quota,
    spender: &Spender<'a>,
    model: Option<&'a str>,
    address: Option<&'a str>,
) -> Vec<&'a str> {
    let identity = spender.identity;
    let mut key = Vec::new();
    for dimension in &quota.by {
        // A name before the values keeps lists of different lengths apart.
        match dimension {
            Dimension::Subject => key.extend([
                "subject",
                identity.provider.as_str(),
                identity.subject.as_str(),
            ]),
            Dimension::Provider => key.extend(["provider", identity.provider.as_str()]),
            Dimension::Group => {
                key.push("group");
                key.extend(quota.group_of(identity));
            }
            Dimension::Model => {
                key.push("model");
                key.extend(model);
            }
            Dimension::Operation => key.extend(["operation", spender.operation]),
            Dimension::Address => {
                key.push("address");
                key.extend(address);
            }
            Dimension::Claim(name) => {
                key.extend(["claim", name.as_str()]);
                let values = identity.claims.get(name);
                key.extend(values.into_iter().flatten().map(String::as_str));
            }
            Dimension::Constant(text) => key.extend(["constant", text.as_str()]),
        }
    }
    key
}
