//! The policy: JSON in, a checked [`Policy`] out.
//!
//! Every rule about what may be written lives here. A policy that says something this version
//! doesn't do is refused by name: nothing is accepted and ignored.

pub mod approvals;
pub mod glob;
mod header;
pub mod identity;
pub mod limits;
pub mod mask;
pub mod operations;
pub mod patterns;
pub mod quotas;
mod reader;
pub mod rules;
mod sessions;
mod units;
pub mod upstream;
pub mod url;
pub mod when;

#[cfg(test)]
mod tests;

use sha2::{Digest, Sha256};

use crate::json;

use reader::{Document, Node};
pub use reader::{Environment, Problem};

/// A policy that has been checked whole.
#[derive(Clone, Debug)]
pub struct Policy {
    /// SHA-256 of the policy's text, in hex: what an approval is bound to, and what a record names.
    pub digest: String,
    /// Who may issue tokens.
    pub identity: identity::Identity,
    /// What the model server is told.
    pub upstream: upstream::Upstream,
    /// Bounds.
    pub limits: limits::Limits,
    /// Prompt patterns.
    pub patterns: Vec<patterns::Pattern>,
    /// Mask plans, one for each combination of masks that a rule uses.
    pub masks: Vec<mask::Plan>,
    /// What pseudonyms are made with; where there is none, Envoy's workers agree on one.
    pub pseudonym_key: Option<mask::PseudonymKey>,
    /// Quotas.
    pub quotas: Vec<quotas::Quota>,
    /// How the desk is reached; there if any rule asks for approval.
    pub approvals: Option<approvals::Approvals>,
    /// Rules, tried in order. What none of them allows is denied.
    pub rules: Vec<rules::Rule>,
}

impl Policy {
    /// One line on what the policy holds, for people.
    #[must_use]
    pub fn summary(&self) -> String {
        format!(
            "{} providers, {} rules, {} quotas, {} masks in use, {} patterns",
            self.identity.providers.len(),
            self.rules.len(),
            self.quotas.len(),
            self.masks.len(),
            self.patterns.len()
        )
    }
}

/// Reads a policy. `environment` gives the values that `${NAME}` stands for.
///
/// # Errors
/// Everything that is wrong with it, each with its JSON path.
pub fn load(text: &str, environment: &Environment<'_>) -> Result<Policy, Vec<Problem>> {
    let value = json::parse_up_to(text.as_bytes(), u32::MAX).map_err(|error| {
        vec![Problem {
            path: String::new(),
            found: error.to_string(),
            expected: "one JSON document (RFC 8259)".to_owned(),
        }]
    })?;
    let document = Document::new(environment);
    let policy = read(&Node::root(&document, &value), text);
    let problems = document.into_problems();
    match policy {
        Some(policy) if problems.is_empty() => Ok(policy),
        _ => Err(problems),
    }
}

fn read(node: &Node<'_>, text: &str) -> Option<Policy> {
    let object = node.object()?;
    if let Some(version) = object.required("version")
        && version.value().as_u64() != Some(1)
    {
        version.expected("1");
    }
    if let Some(mode) = object.optional("mode") {
        if mode.value().as_str() == Some("observe") {
            mode.not_in_this_version("the mode \"observe\"");
        } else {
            mode.one_of(&["enforce"]);
        }
    }
    let identity = object
        .required("identity")
        .and_then(|node| identity::read(&node));
    let providers: Vec<String> = identity
        .iter()
        .flat_map(|identity| identity.providers.iter().map(|one| one.name.clone()))
        .collect();
    let claims: Vec<String> = identity
        .iter()
        .flat_map(|identity| &identity.providers)
        .flat_map(|one| one.claims.others.keys().cloned())
        .collect();
    let upstream = object.optional("upstream").map_or_else(
        || Some(upstream::Upstream::default()),
        |node| upstream::read(&node, &claims),
    );
    let limits = object.optional("limits").map_or_else(
        || Some(limits::Limits::default()),
        |node| limits::read(&node),
    );
    let patterns = object
        .optional("patterns")
        .map(|node| patterns::read(&node))
        .unwrap_or_default();
    let detectors = object
        .optional("detectors")
        .map(|node| mask::read_detectors(&node))
        .unwrap_or_default();
    let has_approvals = object.optional("approvals");
    let around = mask::Surroundings {
        own: &detectors,
        desk: has_approvals.is_some(),
    };
    let masks = object
        .optional("masks")
        .map(|node| mask::read_masks(&node, &around))
        .unwrap_or_default();
    let pseudonym_key = object
        .optional("pseudonyms")
        .and_then(|node| mask::read_pseudonyms(&node));
    let quotas_node = object.optional("quotas");
    let quota_names: Vec<String> = quotas_node
        .iter()
        .filter_map(|node| node.value().as_object())
        .flat_map(|members| members.keys().cloned())
        .collect();
    let quotas = quotas_node
        .map(|node| quotas::read(&node))
        .unwrap_or_default();
    object.later(
        "global_quotas",
        "quotas of a whole mesh (\"global_quotas\")",
    );
    let approvals = has_approvals.as_ref().and_then(approvals::read);
    if let Some(node) = object.optional("sessions") {
        sessions::read(&node);
    }

    let pattern_names: Vec<String> = patterns.iter().map(|one| one.name.clone()).collect();
    let mut context = rules::Context {
        names: when::Names {
            providers: &providers,
            claims: &claims,
            patterns: &pattern_names,
        },
        quotas: &quota_names,
        masks: &masks,
        approvals: has_approvals.is_some(),
        plans: Vec::new(),
    };
    let rules = object
        .required("rules")
        .map(|node| rules::read(&node, &mut context))
        .unwrap_or_default();
    let plans = context.plans;
    if let Some(otherwise) = object.optional("otherwise") {
        otherwise.one_of(&["deny"]);
    }
    check_claims(&object, &quotas, &claims);
    object.close();
    Some(Policy {
        digest: hex(&Sha256::digest(text.as_bytes())),
        identity: identity?,
        upstream: upstream?,
        limits: limits?,
        patterns,
        masks: plans,
        pseudonym_key,
        quotas,
        approvals,
        rules,
    })
}

/// A quota by a claim that nobody defines would put everybody into one count.
fn check_claims(object: &reader::Object<'_>, quotas: &[quotas::Quota], claims: &[String]) {
    for quota in quotas {
        for dimension in &quota.by {
            if let quotas::Dimension::Claim(name) = dimension
                && !claims.contains(name)
            {
                object.node().problem(
                    format!(
                        "the quota {:?} by the claim {name:?}, which no provider defines",
                        quota.name
                    ),
                    "a name under a provider's \"claims\"",
                );
            }
        }
    }
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(u32::from(digit), 16))
        .collect()
}
