//! The policy: JSON in, a checked [`Policy`] out.
//!
//! Each concern describes and reads its own section; here they are put together, and what one
//! section says of another is checked. A policy that says something this version doesn't do is
//! refused by name: nothing is accepted and ignored.

mod described;
mod plans;

#[cfg(test)]
mod mask_tests;
#[cfg(test)]
mod tests;

use base::bytes::hex;
use base::json;
use base::policy::{Document, Form, Key, Node, Object, TEXT, Usual, last_line};
pub use base::policy::{Environment, Problem};
use mask::Matcher;
use mask::policy::{self as masks, Detection, Detector, Plan, PseudonymKey, Style};
use serde_json::Value;
use sha2::{Digest, Sha256};

pub use described::{reference, schema};

use std::sync::Arc;

use crate::dialect::{self, Routes};
use crate::operation::{self, Models};
use crate::quota::Quota;
use crate::rules::{Names, Pattern, Rule};
use crate::{approval, identity, limits, quota, record, rules, shared, upstream};

use plans::Plans;

/// A policy that has been checked whole.
#[derive(Clone, Debug)]
pub struct Policy {
    /// SHA-256 of the policy's text, in hex: what an approval is bound to, and what a record names.
    pub digest: String,
    /// That of what its masks and detectors say.
    pub masks_digest: String,
    /// Who may issue tokens.
    pub identity: identity::Section,
    /// What the model server is told.
    pub upstream: upstream::Upstream,
    /// Bounds.
    pub limits: limits::Limits,
    /// Routes of servers that no dialect has.
    pub routes: Arc<Routes>,
    /// The names of models.
    pub models: Models,
    /// Prompt patterns.
    pub patterns: Vec<Pattern>,
    /// Mask plans, one for each combination of masks that a rule uses.
    pub masks: Vec<Plan>,
    /// The mask plan of bodies that records keep masked.
    pub record_mask: Option<Plan>,
    /// What is hidden in what reviewers see, where people are asked and there are masks.
    pub shown_mask: Option<Plan>,
    /// What pseudonyms are made with; where there is none, Envoy's workers agree on one.
    pub pseudonym_key: Option<PseudonymKey>,
    /// What the workers of an Envoy count in.
    pub store: shared::Store,
    /// Quotas.
    pub quotas: Vec<Quota>,
    /// How the desk is reached; there if any rule asks for approval.
    pub approvals: Option<approval::Approvals>,
    /// What is kept of an exchange, and how.
    pub sessions: record::Sessions,
    /// Rules, tried in order. What none of them allows is denied.
    pub rules: Vec<Rule>,
}

impl Policy {
    /// All plans: those of rules, then that of records, then that of what reviewers see.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        let others = self.record_mask.iter().chain(&self.shown_mask);
        self.masks.iter().chain(others)
    }

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

/// The whole policy.
pub static POLICY: Form = Form::object(&[
    Key::optional("$schema", "The address of this schema, for editors.", &TEXT),
    Key::required("version", "The version of the policy's form.", &VERSION),
    Key::usually(
        "mode",
        Usual::Text("enforce"),
        "What is done with decisions. `enforce` applies them; there is no other mode yet.",
        &MODE,
    ),
    Key::required("identity", "Who is calling.", &identity::IDENTITY),
    Key::usually(
        "upstream",
        Usual::Empty,
        "What the model server is told instead of the caller's token.",
        &upstream::UPSTREAM,
    ),
    Key::usually(
        "limits",
        Usual::Empty,
        "How much memory bodies may take, and how many requests may wait.",
        &limits::LIMITS,
    ),
    Key::usually(
        "store",
        Usual::Empty,
        "What the workers of an Envoy count in.",
        &shared::STORE,
    ),
    Key::usually(
        "models",
        Usual::Empty,
        "The names of models, and which one is meant where none is named.",
        &operation::MODELS,
    ),
    Key::optional(
        "routes",
        "Routes of servers that the built-in catalog doesn't have. They go before those that it has.",
        &dialect::ROUTES,
    ),
    Key::usually(
        "patterns",
        Usual::Empty,
        "Sets of expressions for the condition `prompt`.",
        &rules::PATTERNS,
    ),
    Key::usually(
        "detectors",
        Usual::Empty,
        "Detectors of the policy's own, beside those that are built in.",
        &masks::DETECTORS,
    ),
    Key::usually(
        "masks",
        Usual::Empty,
        "What is looked for in answers and requests, and what becomes of it.",
        &masks::MASKS,
    ),
    Key::usually(
        "pseudonyms",
        Usual::Words("the workers of each Envoy draw a key"),
        "The key of the style `pseudonym`.",
        &masks::PSEUDONYMS,
    ),
    Key::usually(
        "quotas",
        Usual::Empty,
        "How much may be asked for in a time.",
        &quota::QUOTAS,
    ),
    Key::later(
        "global_quotas",
        "quotas of a whole mesh (\"global_quotas\")",
    ),
    Key::optional(
        "approvals",
        "How the desk is reached, where a person decides.",
        &approval::APPROVALS,
    ),
    Key::usually(
        "sessions",
        Usual::Empty,
        "What is kept of an exchange.",
        &record::SESSIONS,
    ),
    Key::required(
        "rules",
        "What is allowed. Rules are tried in order, and the first that applies decides.",
        &rules::RULES,
    ),
    Key::usually(
        "otherwise",
        Usual::Text("deny"),
        "What becomes of a request that no rule decides.",
        &OTHERWISE,
    ),
]);

static VERSION: Form = Form::whole(1, 1);
static MODE: Form = Form::names(&["enforce"]);
static OTHERWISE: Form = Form::names(&["deny"]);

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
    let policy = read(&Node::root(&document, &value, &POLICY), text);
    let problems = document.into_problems();
    match policy {
        Some(policy) if problems.is_empty() => Ok(policy),
        _ => Err(problems),
    }
}

fn read(node: &Node<'_>, text: &str) -> Option<Policy> {
    let object = node.object()?;
    check_fixed(&object);
    let identity_node = object.get("identity");
    let named = Named::of(identity_node.as_ref());
    let identity = identity_node.and_then(|node| identity::read(&node));
    let claims = named.claims;
    let upstream = upstream::read(&object.get("upstream")?, &claims);
    let limits = limits::read(&object.get("limits")?);
    let patterns_node = object.get("patterns")?;
    let patterns = rules::read_patterns(&patterns_node);
    let detectors_node = object.get("detectors")?;
    let detectors = masks::read_detectors(&detectors_node);
    check_detectors(&detectors_node, &detectors);
    let approvals = object.get("approvals");
    let around = masks::Surroundings {
        own: &detectors,
        desk: approvals.is_some(),
    };
    let mut plans = Plans::new(masks::read_masks(&object.get("masks")?, &around));
    let pseudonyms = object.get("pseudonyms");
    let pseudonym_key = pseudonyms.and_then(|node| masks::read_pseudonyms(&node));
    let store = shared::read(&object.get("store")?);
    let models = Models::read(&object.get("models")?);
    let routes = object.get("routes");
    let routes = routes.map_or_else(Routes::default, |node| dialect::read_routes(&node));
    let quotas_node = object.get("quotas")?;
    let quotas = quota::read(&quotas_node, &claims);
    let approvals = approvals.map(|node| approval::read(&node));
    let mut record_mask = None;
    let sessions = record::read(&object.get("sessions")?, &mut |masks| {
        record_mask = plans.of_records(masks);
        record_mask.is_some()
    });
    let shown_mask = approvals.as_ref().and_then(|_| plans.of_records(None));
    let recorder = sessions.as_ref().is_none_or(|one| one.desk.is_some());
    let bodies = sessions.as_ref().is_none_or(|one| one.keeps.is_some());

    let mut references = rules::References {
        names: Names {
            providers: &named.providers,
            claims: &claims,
            patterns: &names_under(&patterns_node),
            aliases: &models.aliases(),
        },
        quotas: &names_under(&quotas_node),
        masks: &mut plans,
        desk: approvals.is_some(),
        recorder,
        bodies,
    };
    let rules = object.get("rules");
    let rules = rules.map(|node| rules::read(&node, &mut references));
    Some(Policy {
        digest: hex(&Sha256::digest(text.as_bytes())),
        masks_digest: digest_of(&object, &["masks", "detectors"]),
        identity: identity?,
        upstream: upstream?,
        limits: limits?,
        routes: Arc::new(routes),
        models,
        patterns,
        masks: plans.in_use(),
        record_mask,
        shown_mask,
        pseudonym_key,
        store: store?,
        quotas,
        approvals: match approvals {
            None => None,
            Some(read) => Some(read?),
        },
        sessions: sessions?,
        rules: rules?,
    })
}

/// The digest of what some sections say, as that of a rule.
fn digest_of(object: &Object<'_>, sections: &[&str]) -> String {
    let mut digest = Sha256::new();
    for section in sections {
        let node = object.get(section);
        let text = node.and_then(|node| node.value().map(ToString::to_string));
        digest.update(text.unwrap_or_default());
        digest.update([0]);
    }
    hex(&digest.finalize())
}

/// Keys that have one value only, so far.
fn check_fixed(object: &Object<'_>) {
    let _ = object.text("$schema");
    let _ = object.whole("version");
    let _ = object.name("otherwise");
    if let Some(mode) = object.get("mode") {
        if mode.value().and_then(Value::as_str) == Some("observe") {
            mode.not_in_this_version("the mode \"observe\"");
        } else {
            let _ = mode.name();
        }
    }
}

/// The names of what a section defines, also of what is wrong.
fn names_under(node: &Node<'_>) -> Vec<String> {
    let members = node.value().and_then(Value::as_object);
    let names = members.into_iter().flat_map(|members| members.keys());
    names.cloned().collect()
}

/// Whether each detector of the policy's own can be looked for, also one that no rule uses.
fn check_detectors(node: &Node<'_>, detectors: &[Detector]) {
    let entries = node.object().map(|object| object.entries());
    for (name, node) in entries.unwrap_or_default() {
        let detector = detectors.iter().find(|one| one.name() == name);
        let key = match detector {
            Some(Detector::Pattern { .. }) => "pattern",
            Some(Detector::Words { .. }) => "words",
            _ => continue,
        };
        let detection = detector.map(|detector| Detection {
            detector: detector.clone(),
            style: Style::Label,
        });
        let compiled = Matcher::new(detection.as_slice());
        if let Err(error) = compiled
            && let Some(value) = node.object().and_then(|object| object.get(key))
        {
            value.problem(last_line(&error.reason), "one that can be looked for");
        }
    }
}

/// What other sections call by name in `/identity`, also of what is wrong there: who uses it is not
/// wrong for it.
#[derive(Default)]
struct Named {
    providers: Vec<String>,
    claims: Vec<String>,
}

impl Named {
    fn of(identity: Option<&Node<'_>>) -> Self {
        let providers = identity
            .and_then(Node::value)
            .and_then(|identity| identity.get("providers"))
            .and_then(Value::as_array);
        let mut named = Self::default();
        for provider in providers.into_iter().flatten() {
            let name = provider.get("name").and_then(Value::as_str);
            named.providers.extend(name.map(str::to_owned));
            let claims = provider.get("claims").and_then(Value::as_object);
            let own = claims.into_iter().flat_map(|claims| claims.keys());
            let own = own.filter(|name| !["subject", "groups"].contains(&name.as_str()));
            named.claims.extend(own.cloned());
        }
        named
    }
}
