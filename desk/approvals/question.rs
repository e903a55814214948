//! The filter's question.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The longest single text in a question, in bytes.
const MAX_TEXT_BYTES: usize = 8 << 10;

/// Members of [`Approval`](super::Approval) that stand beside those of its question.
const DESKS_OWN: [&str; 9] = [
    "id", "state", "reason", "reviewer", "created", "expires", "decided", "used", "filter",
];

/// What the filter wants a person to decide on: the body of `POST /v1/approvals`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// SHA-256 of the request, in hex.
    pub digest: String,
    /// The verified subject.
    pub subject: String,
    /// The token's issuer.
    pub issuer: String,
    /// The identity provider's name.
    pub provider: String,
    /// The verified groups.
    pub groups: Vec<String>,
    /// The operation's name.
    pub operation: String,
    /// The method.
    pub method: String,
    /// The normalized path.
    pub path: String,
    /// The model that is asked for.
    pub model: Option<String>,
    /// Predictions that are asked for.
    pub items: Option<u64>,
    /// The rule that wants approval.
    pub rule: String,
    /// Groups of reviewers, any of whom may decide.
    pub reviewers: Vec<String>,
    /// Detectors that found something in the answer, where the question is about that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub found: Vec<String>,
    /// SHA-256 of the policy, in hex.
    pub policy: String,
    /// Seconds that the filter waits for a decision.
    #[serde(default, skip_serializing)]
    pub wait: u64,
    /// Members that this version doesn't know. They are stored and shown as they came, so that a
    /// filter may be upgraded before the desk.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Question {
    /// Checks what the types of the members don't.
    ///
    /// # Errors
    /// Says which member is wrong.
    pub fn check(&self) -> Result<(), String> {
        if !is_sha256(&self.digest) || !is_sha256(&self.policy) {
            return Err(
                "\"digest\" and \"policy\" are SHA-256 in 64 lower-case hex digits".to_owned(),
            );
        }
        for (name, text) in [
            ("subject", &self.subject),
            ("issuer", &self.issuer),
            ("provider", &self.provider),
            ("operation", &self.operation),
            ("method", &self.method),
            ("path", &self.path),
            ("rule", &self.rule),
        ] {
            if text.is_empty() || text.len() > MAX_TEXT_BYTES {
                return Err(format!("\"{name}\" has 1 to {MAX_TEXT_BYTES} bytes"));
            }
        }
        if self.reviewers.is_empty() {
            return Err("\"reviewers\" names at least one group".to_owned());
        }
        // Shown beside the desk's own member, the filter's could be taken for it.
        if let Some(name) = DESKS_OWN
            .iter()
            .find(|name| self.unknown.contains_key(**name))
        {
            return Err(format!("\"{name}\" is for the desk to say"));
        }
        Ok(())
    }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
