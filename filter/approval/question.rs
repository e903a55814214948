//! What the service shows a reviewer.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Subject;

/// A question, version 2.
#[derive(Clone, Debug, Serialize)]
pub struct Question<'a> {
    /// 2.
    pub version: u8,
    /// What an approval of this one thing is bound to; see [`super::bind`].
    pub binding: &'a str,
    /// What is asked about.
    pub about: Subject,
    /// Who waits: one for each question and VM, 32 hex digits.
    pub asker: &'a str,
    /// The record of the exchange that asked first.
    pub exchange: &'a str,
    /// The verified subject.
    pub subject: &'a str,
    /// The token's issuer.
    pub issuer: &'a str,
    /// The identity provider's name.
    pub provider: &'a str,
    /// The verified groups.
    pub groups: &'a [String],
    /// The e-mail address, where the token has one.
    pub email: Option<&'a str>,
    /// The operation's name.
    pub operation: &'a str,
    /// The method.
    pub method: &'a str,
    /// The authority, without the port and in lower case.
    pub host: &'a str,
    /// The normalized path.
    pub path: &'a str,
    /// The query, without what keys clients send in it.
    pub query: Option<String>,
    /// The model that is asked for.
    pub model: Option<&'a str>,
    /// Other models that the request names.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub other_models: &'a [String],
    /// Predictions that are asked for.
    pub items: Option<u64>,
    /// The route's name in Envoy.
    pub route: Option<&'a str>,
    /// The cluster that the request was routed to as it came.
    pub cluster: Option<&'a str>,
    /// The headers that an approval is bound to.
    pub headers: BTreeMap<&'a str, String>,
    /// The request's body; of a question about an answer, the answer's.
    pub body: Option<Body<'a>>,
    /// Where the client is.
    pub client: Option<&'a str>,
    /// The rule that wants approval.
    pub rule: &'a str,
    /// SHA-256 of what the rule says, in hex.
    pub rule_digest: &'a str,
    /// Groups of reviewers, any of whom may decide.
    pub reviewers: &'a [String],
    /// How many people must approve.
    pub approvals: u64,
    /// Whether who decides must say why: `optional` or `required`.
    pub reason: &'static str,
    /// Seconds that a question stays open.
    pub expires: u64,
    /// Who else is asked when nobody has decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalate: Option<Escalate<'a>>,
    /// What an approval is good for, where that isn't this one thing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// Detectors that found something in the answer, where the question is about that.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub found: &'a [String],
    /// SHA-256 of the policy, in hex.
    pub policy: &'a str,
}

/// A body.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Body<'a> {
    /// Its SHA-256, in hex.
    pub digest: &'a str,
    /// Its length.
    pub bytes: usize,
    /// Its beginning as text, under the policy's masks; none of an answer, or where it has no text.
    pub text: Option<&'a str>,
    /// Whether it goes on behind that.
    pub cut: bool,
}

/// Who else is asked after a time.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Escalate<'a> {
    /// Seconds, from the question on.
    pub after: u64,
    /// Groups of reviewers who may decide from then on, too.
    pub reviewers: &'a [String],
}

/// What an approval is good for.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Grant {
    /// Seconds, from the moment of approval.
    #[serde(rename = "for")]
    pub lasts: u64,
    /// How often.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uses: Option<u64>,
}
