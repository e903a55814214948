//! Where a request goes, where its credential depends on that.
//!
//! Envoy chooses the cluster by the head as it came, and again behind the filter, by the head as it
//! leaves; until then it says nothing of the second choice. So what a caller could choose the first one
//! by, and the second one could not, is refused. Routes may still look at what the filter itself puts
//! in or always takes out: that shows when the answer comes from elsewhere, and is refused from then on.

use core::cell::RefCell;
use std::collections::BTreeSet;

use super::effect::Effect;
use super::reply::Refusal;
use crate::upstream::Upstream;

/// More clusters than any policy tells apart.
const MAX_MISLED: usize = 256;

/// Clusters of which it has been seen that requests for them go to others.
#[derive(Debug, Default)]
pub(super) struct Misled(RefCell<BTreeSet<String>>);

impl Misled {
    fn add(&self, cluster: &str) {
        if let Ok(mut known) = self.0.try_borrow_mut()
            && known.len() < MAX_MISLED
        {
            known.insert(cluster.to_owned());
        }
    }

    fn has(&self, cluster: &str) -> bool {
        // What can't be told is not "no".
        self.0.try_borrow().map_or(true, |known| {
            known.len() >= MAX_MISLED || known.contains(cluster)
        })
    }
}

/// Where a request was going when its credential was chosen.
#[derive(Debug)]
pub(super) struct Destination {
    cluster: String,
    operation: &'static str,
}

impl Destination {
    /// Of a request for `cluster` with these edits; `token` is the header from which the token is taken.
    /// `None` where no credential depends on it.
    pub(super) fn of(
        upstream: &Upstream,
        misled: &Misled,
        cluster: Option<&str>,
        operation: &'static str,
        (edits, token): (&[Effect], &str),
    ) -> Result<Option<Self>, Refusal> {
        let Some(cluster) = cluster.filter(|_| upstream.asks_for_cluster()) else {
            return Ok(None);
        };
        for edit in edits {
            if let Effect::RemoveRequestHeader(name) = edit
                && name != token
                && name != "range"
            {
                return Err(Refusal::could_choose_the_route(name));
            }
        }
        if misled.has(cluster) {
            return Err(Refusal::goes_elsewhere());
        }
        Ok(Some(Self {
            cluster: cluster.to_owned(),
            operation,
        }))
    }

    /// Looks at where the answer comes from: another cluster must not have been given this one's
    /// credential.
    pub(super) fn check(
        &self,
        upstream: &Upstream,
        misled: &Misled,
        came_from: &str,
    ) -> Result<(), Refusal> {
        let credential = |cluster: &str| upstream.credential(Some(cluster), self.operation);
        if credential(&self.cluster) == credential(came_from) {
            return Ok(());
        }
        misled.add(&self.cluster);
        Err(Refusal::goes_elsewhere())
    }
}
