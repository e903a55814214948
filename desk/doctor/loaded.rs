//! A policy, and what of it concerns Envoy.

use std::cell::RefCell;
use std::collections::BTreeSet;

use portcullis::exchange::CompiledPolicy;
use portcullis::identity::section::KeySource;
use portcullis::policy::{Policy, Problem};
use portcullis::quota::Measure;
use portcullis::rules::Then;
use serde_json::Value;

/// A policy that is right.
pub(super) struct Loaded {
    /// What it is called in findings.
    pub(super) name: String,
    /// SHA-256 of its text.
    pub(super) digest: String,
    /// The policy as JSON.
    pub(super) raw: Value,
    /// The variables that it takes from the VM's environment.
    pub(super) variables: BTreeSet<String>,
    /// The policy.
    pub(super) compiled: CompiledPolicy,
}

impl Loaded {
    /// Reads a policy. What its variables stand for is not known here.
    pub(super) fn read(name: &str, text: &str) -> Result<Self, Vec<Problem>> {
        let variables = RefCell::new(BTreeSet::new());
        let compiled = CompiledPolicy::load(text, &|name| {
            variables.borrow_mut().insert(name.to_owned());
            crate::policy::variable(name, false)
        })?;
        Ok(Self {
            name: name.to_owned(),
            digest: compiled.policy().digest.clone(),
            raw: serde_json::from_str(text).unwrap_or_default(),
            variables: variables.into_inner(),
            compiled,
        })
    }

    pub(super) fn policy(&self) -> &Policy {
        self.compiled.policy()
    }

    /// The clusters that it names, each with its place in it and what it is for.
    pub(super) fn clusters(&self) -> Vec<Named> {
        let mut named = Vec::new();
        let mut add = |cluster: &str, path: String, purpose: Purpose| {
            named.push(Named {
                cluster: cluster.to_owned(),
                path,
                purpose,
            });
        };
        let policy = self.policy();
        for (index, provider) in policy.identity.providers.iter().enumerate() {
            let KeySource::Fetched(fetch) = &provider.keys else {
                continue;
            };
            let path = format!("/identity/providers/{index}/keys");
            add(&fetch.cluster, path.clone(), Purpose::Keys(index));
            if fetch.keys_cluster != fetch.cluster {
                add(&fetch.keys_cluster, path, Purpose::KeySet(index));
            }
        }
        if let Some(approvals) = &policy.approvals {
            add(
                &approvals.cluster,
                "/approvals/cluster".to_owned(),
                Purpose::Desk,
            );
        }
        if let Some(desk) = &policy.sessions.desk {
            add(
                &desk.cluster,
                "/sessions/desk/cluster".to_owned(),
                Purpose::Desk,
            );
        }
        named
    }

    /// Why bodies of requests are read, if they are: the place of something that needs one.
    pub(super) fn needs_bodies(&self) -> Option<String> {
        let rules = self.raw.get("rules").and_then(Value::as_array);
        for (index, rule) in rules.into_iter().flatten().enumerate() {
            for key in ["model", "prompt", "items"] {
                if rule.get("when").is_some_and(|when| when.get(key).is_some()) {
                    return Some(format!("/rules/{index}/when/{key}"));
                }
            }
            if rule.get("mask_request").is_some() {
                return Some(format!("/rules/{index}/mask_request"));
            }
        }
        let policy = self.policy();
        for (index, rule) in policy.rules.iter().enumerate() {
            match &rule.then {
                Then::Approve(_) => return Some(format!("/rules/{index}/then/approve")),
                Then::Allow { quotas, .. } => {
                    let counts = quotas.iter().filter_map(|one| policy.quotas.get(*one));
                    let mut counts = counts.filter(|one| one.count == Measure::Items);
                    if counts.next().is_some() {
                        return Some(format!("/rules/{index}/quota"));
                    }
                }
                Then::Deny => {}
            }
        }
        policy
            .sessions
            .keeps
            .as_ref()
            .map(|_| "/sessions/record".to_owned())
    }

    /// Whether workers that share it count together.
    pub(super) fn counts(&self) -> bool {
        !self.policy().quotas.is_empty()
    }
}

/// A cluster that a policy names.
pub(super) struct Named {
    pub(super) cluster: String,
    pub(super) path: String,
    pub(super) purpose: Purpose,
}

/// What a cluster is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A provider's keys, or what leads to them, by its place among the providers.
    Keys(usize),
    /// A provider's keys, where another cluster leads to them.
    KeySet(usize),
    /// The desk.
    Desk,
}

/// The policies, each once.
pub(super) fn each_once(policies: &[Option<Loaded>]) -> Vec<&Loaded> {
    let mut seen = BTreeSet::new();
    let there = policies.iter().flatten();
    there.filter(|one| seen.insert(&one.digest)).collect()
}
