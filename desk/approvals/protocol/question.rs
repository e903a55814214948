//! What the filter asks.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use super::own::DESKS_OWN;

/// The longest single text in a question, in bytes.
const MAX_TEXT_BYTES: usize = 8 << 10;

/// The longest text that a grant is for, in bytes: filters are told of many grants at once.
const MAX_SCOPE_BYTES: usize = 4 << 10;

/// The most models that a request may name besides.
const MAX_OTHER_MODELS: usize = 64;

/// The longest that these are together, in bytes: a question has to fit into a body.
const MAX_OTHER_MODELS_BYTES: usize = 16 << 10;

/// The most groups that may be named as reviewers.
const MAX_GROUPS: usize = 64;

/// The most people that a decision may take.
const MAX_APPROVALS: u32 = 16;

/// The longest that a question stays open, in seconds: 30 days.
const MAX_OPEN_SECONDS: u64 = 30 * 24 * 60 * 60;

/// The longest that a grant lasts, in seconds: a year.
pub(in crate::approvals) const MAX_GRANT_SECONDS: u64 = 366 * 24 * 60 * 60;

/// The most uses of a grant that are counted.
const MAX_USES: u64 = 1_000_000;

/// What a question is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// A request that a filter holds.
    #[default]
    Request,
    /// An answer that a filter holds.
    Answer,
    /// Requests to come, which somebody asked for ahead of need: no filter asks this.
    Access,
}

/// Whether reviewers have to give a reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReasonRule {
    /// They may.
    #[default]
    Optional,
    /// They must.
    Required,
}

/// The decoded body of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Body {
    /// Its SHA-256 in hex.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub digest: String,
    /// Its length.
    pub bytes: u64,
    /// Its beginning as text, under the policy's masks; none where it has no text. Of an answer, what was found is
    /// hidden, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Whether it goes on behind that.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// Who else may decide when nobody has for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Escalate {
    /// After how many seconds.
    pub after: u64,
    /// Groups of reviewers who may decide from then on, too.
    #[schemars(length(min = 1, max = MAX_GROUPS))]
    pub reviewers: Vec<String>,
}

/// What an approval is to be good for. Without it: one use within 30 minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GrantTerms {
    /// For how many seconds from the decision.
    #[serde(rename = "for")]
    #[schemars(range(min = 1, max = MAX_GRANT_SECONDS))]
    pub seconds: u64,
    /// How often; without it, as often as the time allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = MAX_USES))]
    pub uses: Option<u64>,
}

/// What people are shown, and decide on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Matter {
    /// What it is about.
    #[serde(default)]
    pub about: About,
    /// The record id of the exchange that asked first: 32 hex digits.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9a-f]{32}$"))]
    pub exchange: Option<String>,
    /// The verified subject.
    pub subject: String,
    /// The token's issuer.
    pub issuer: String,
    /// The identity provider's name.
    #[serde(default)]
    pub provider: String,
    /// The verified groups.
    #[serde(default)]
    pub groups: Vec<String>,
    /// The e-mail address, if the token vouches for it.
    #[serde(default)]
    pub email: Option<String>,
    /// The operation's name.
    pub operation: String,
    /// The method.
    #[serde(default)]
    pub method: String,
    /// The host.
    #[serde(default)]
    pub host: String,
    /// The canonical path.
    #[serde(default)]
    pub path: String,
    /// The canonical query.
    #[serde(default)]
    pub query: Option<String>,
    /// The model that is asked for. An empty name is none.
    #[serde(default, deserialize_with = "name")]
    pub model: Option<String>,
    /// Other models that the request names, one of which the server may take. Together they have 16,384 bytes
    /// at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = MAX_OTHER_MODELS))]
    pub other_models: Vec<String>,
    /// Predictions that are asked for.
    #[serde(default)]
    pub items: Option<u64>,
    /// Envoy's route.
    #[serde(default)]
    pub route: Option<String>,
    /// Envoy's cluster.
    #[serde(default)]
    pub cluster: Option<String>,
    /// The headers that the approval is bound to.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The decoded body.
    #[serde(default)]
    pub body: Option<Body>,
    /// The client's address.
    #[serde(default)]
    pub client: Option<String>,
    /// The rule that wants approval.
    pub rule: String,
    /// SHA-256 of what the rule says, in hex.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub rule_digest: Option<String>,
    /// Groups of reviewers, any of whom may decide.
    #[schemars(length(min = 1, max = MAX_GROUPS))]
    pub reviewers: Vec<String>,
    /// Who else may, after a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate: Option<Escalate>,
    /// Detectors that found something in the answer, where the question is about that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
    /// SHA-256 of the policy, in hex.
    #[serde(default)]
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub policy: Option<String>,
}

/// What a filter wants people to decide on: the body of `POST /v1/approvals`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// The protocol's version.
    #[serde(default = "two")]
    pub version: u64,
    /// What an approval for this one request is bound to: 64 hex digits.
    #[schemars(regex(pattern = r"^[0-9a-f]{64}$"))]
    pub binding: String,
    /// Who waits: 32 hex digits, one for each question and VM of a filter.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(regex(pattern = r"^[0-9a-f]{32}$"))]
    pub asker: String,
    /// What people decide on.
    #[serde(flatten)]
    pub matter: Matter,
    /// How many people must approve.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = MAX_APPROVALS))]
    pub approvals: u32,
    /// Whether they must say why.
    #[serde(default)]
    pub reason: ReasonRule,
    /// How many seconds the question stays open.
    #[serde(default = "a_day")]
    #[schemars(range(min = 1, max = MAX_OPEN_SECONDS))]
    pub expires: u64,
    /// What an approval is good for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<GrantTerms>,
    /// Members that this version doesn't know. They are stored and shown as they came, so that a
    /// filter may be upgraded before the desk.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// A name, where there is one: servers take an empty one for none.
fn name<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    let name = Option::<String>::deserialize(value)?;
    Ok(name.filter(|name| !name.is_empty()))
}

fn two() -> u64 {
    2
}

fn one() -> u32 {
    1
}

fn a_day() -> u64 {
    24 * 60 * 60
}

impl Question {
    /// Checks what a filter may ask, beyond the types of the members.
    ///
    /// # Errors
    /// Says which member is wrong.
    pub fn check(&self) -> Result<(), String> {
        let matter = &self.matter;
        if matter.about == About::Access {
            return Err("\"about\" is \"request\" or \"answer\"".to_owned());
        }
        if self.version != two() {
            return Err(format!(
                "\"version\" is {}, and this desk speaks 2",
                self.version
            ));
        }
        let digests = [
            ("binding", Some(&self.binding)),
            ("rule_digest", matter.rule_digest.as_ref()),
            ("policy", matter.policy.as_ref()),
        ];
        for (name, digest) in digests {
            if !digest.is_some_and(|digest| is_hex(digest, 64)) {
                return Err(format!("\"{name}\" is SHA-256 in 64 lower-case hex digits"));
            }
        }
        let ids = [
            ("asker", Some(&self.asker)),
            ("exchange", matter.exchange.as_ref()),
        ];
        for (name, id) in ids {
            if !id.is_some_and(|id| is_hex(id, 32)) {
                return Err(format!("\"{name}\" has 32 lower-case hex digits"));
            }
        }
        for (name, text) in [("method", &matter.method), ("path", &matter.path)] {
            check_text(name, text, MAX_TEXT_BYTES)?;
        }
        let others = matter.other_models.iter();
        let bytes = others.map(String::len).fold(0, usize::saturating_add);
        if matter.other_models.len() > MAX_OTHER_MODELS || bytes > MAX_OTHER_MODELS_BYTES {
            return Err(format!(
                "\"other_models\" names {MAX_OTHER_MODELS} models at most, with {MAX_OTHER_MODELS_BYTES} bytes"
            ));
        }
        self.check_terms()
    }

    /// Checks what any question has.
    ///
    /// # Errors
    /// Says which member is wrong.
    pub fn check_terms(&self) -> Result<(), String> {
        let matter = &self.matter;
        for (name, text) in [
            ("subject", Some(&matter.subject)),
            ("issuer", Some(&matter.issuer)),
            ("operation", Some(&matter.operation)),
            ("model", matter.model.as_ref()),
            ("rule", Some(&matter.rule)),
            ("rule_digest", matter.rule_digest.as_ref()),
        ] {
            text.map_or(Ok(()), |text| check_text(name, text, MAX_SCOPE_BYTES))?;
        }
        let escalated = matter.escalate.as_ref().map(|escalate| &escalate.reviewers);
        for groups in [Some(&matter.reviewers), escalated].into_iter().flatten() {
            if !(1..=MAX_GROUPS).contains(&groups.len()) {
                return Err(format!("\"reviewers\" names 1 to {MAX_GROUPS} groups"));
            }
        }
        if !(1..=MAX_APPROVALS).contains(&self.approvals) {
            return Err(format!("\"approvals\" is 1 to {MAX_APPROVALS}"));
        }
        if !(1..=MAX_OPEN_SECONDS).contains(&self.expires) {
            return Err(format!("\"expires\" is 1 to {MAX_OPEN_SECONDS} seconds"));
        }
        let grant = self.grant;
        if grant.is_some_and(|grant| !(1..=MAX_GRANT_SECONDS).contains(&grant.seconds)) {
            return Err(format!("\"for\" is 1 to {MAX_GRANT_SECONDS} seconds"));
        }
        let uses = grant.and_then(|grant| grant.uses);
        if uses.is_some_and(|uses| !(1..=MAX_USES).contains(&uses)) {
            return Err(format!("\"uses\" is 1 to {MAX_USES}"));
        }
        // Shown beside the desk's own member, the filter's could be taken for it.
        let taken = DESKS_OWN
            .iter()
            .find(|name| self.unknown.contains_key(**name));
        taken.map_or(Ok(()), |name| {
            Err(format!("\"{name}\" is for the desk to say"))
        })
    }
}

fn check_text(name: &str, text: &str, most: usize) -> Result<(), String> {
    if text.is_empty() || text.len() > most {
        return Err(format!("\"{name}\" has 1 to {most} bytes"));
    }
    Ok(())
}

/// Whether a text is this many lower-case hex digits.
pub(in crate::approvals) fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
