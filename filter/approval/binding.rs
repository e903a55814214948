//! What an approval is bound to.
//!
//! SHA-256 over parts, each with its length in front, so that no two lists of parts are the same
//! bytes. What a client sends by the way (its name, the ids of traces, how often it has tried) is in
//! no part: the same request, sent again, finds the same approval.

use base::bytes::hex;
use sha2::{Digest as _, Sha256};

use super::Subject;

/// What an approval is bound to. What is not there is told apart from what is empty.
#[derive(Clone, Copy, Debug)]
pub struct Binding<'a> {
    /// The token's issuer.
    pub issuer: &'a str,
    /// The verified subject.
    pub subject: &'a str,
    /// The route's name in Envoy, where it has one.
    pub route: Option<&'a str>,
    /// The cluster that the request was routed to as it came.
    pub cluster: Option<&'a str>,
    /// The operation's name.
    pub operation: &'a str,
    /// The model that is asked for.
    pub model: Option<&'a str>,
    /// Other models that the request names, such as one to fall back to, or an adapter in a header.
    pub others: &'a [String],
    /// The request's method.
    pub method: &'a str,
    /// Its authority, without the port and in lower case.
    pub host: &'a str,
    /// Its normalized path, with its query.
    pub path: &'a str,
    /// The headers that count, each value with its name.
    pub headers: &'a [(String, Vec<u8>)],
    /// SHA-256 of the request's body without its coding, in hex; none where nobody has read it.
    pub body: Option<&'a str>,
    /// The rule that wants approval.
    pub rule: &'a str,
    /// SHA-256 of what the rule says, in hex.
    pub rule_digest: &'a str,
    /// What is asked about.
    pub about: Subject,
    /// SHA-256 of the answer that waits, in hex: an approval is for the very answer that a person was
    /// asked about. Without it, this is what any answer to the request is kept by.
    pub answer: Option<&'a str>,
}

/// Parts in front of each other's lengths.
struct Parts(Sha256);

impl Parts {
    fn add(&mut self, part: &[u8]) {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        self.0.update(length.to_le_bytes());
        self.0.update(part);
    }

    /// No part is as long as one that is missing.
    fn add_if(&mut self, part: Option<&str>) {
        match part {
            Some(part) => self.add(part.as_bytes()),
            None => self.0.update(u64::MAX.to_le_bytes()),
        }
    }
}

/// The binding, in hex.
#[must_use]
pub fn bind(binding: &Binding<'_>) -> String {
    let mut parts = Parts(Sha256::new());
    parts.add(b"portcullis approval 2");
    parts.add(binding.issuer.as_bytes());
    parts.add(binding.subject.as_bytes());
    parts.add_if(binding.route);
    parts.add_if(binding.cluster);
    parts.add(binding.operation.as_bytes());
    parts.add_if(binding.model);
    let others = u64::try_from(binding.others.len()).unwrap_or(u64::MAX);
    parts.0.update(others.to_le_bytes());
    for other in binding.others {
        parts.add(other.as_bytes());
    }
    for part in [binding.method, binding.host, binding.path] {
        parts.add(part.as_bytes());
    }
    let headers = u64::try_from(binding.headers.len()).unwrap_or(u64::MAX);
    parts.0.update(headers.to_le_bytes());
    for (name, value) in binding.headers {
        parts.add(name.as_bytes());
        parts.add(value);
    }
    parts.add_if(binding.body);
    parts.add(binding.rule.as_bytes());
    parts.add(binding.rule_digest.as_bytes());
    if binding.about == Subject::Answer {
        parts.add(b"answer");
        parts.add_if(binding.answer);
    }
    hex(&parts.0.finalize())
}

/// SHA-256 of a body, in hex.
#[must_use]
pub fn digest(body: &[u8]) -> String {
    hex(&Sha256::digest(body))
}

/// A name of 32 hex digits for the `number`th thing of this kind in an exchange: as unique as the
/// exchange's own id, which is random.
#[must_use]
pub fn name(kind: &str, exchange: &str, number: u64) -> String {
    let mut parts = Parts(Sha256::new());
    parts.add(kind.as_bytes());
    parts.add(exchange.as_bytes());
    parts.0.update(number.to_le_bytes());
    let digest = parts.0.finalize();
    hex(digest.first_chunk::<16>().map_or(&[], |half| half))
}
