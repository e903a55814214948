//! What the token is made of.

use serde_json::{Map, Value};

use super::words::{count, list, value};
use super::{Outcome, Refusal, Step};
use crate::identity::jws::{Compact, MAX_TOKEN_BYTES, NOT_SUPPORTED, decode};
use base::json;

/// As much of a token as can be read, and what the reading showed.
pub(super) struct Parts {
    pub(super) header: Option<Map<String, Value>>,
    pub(super) claims: Option<Map<String, Value>>,
    pub(super) steps: Vec<Step>,
}

impl Parts {
    pub(super) fn of(token: &str) -> Self {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts.as_slice() else {
            let encrypted = if parts.len() == 5 {
                ": this is an encrypted token"
            } else {
                ""
            };
            let parts = count(parts.len().try_into().unwrap_or(u64::MAX), "part");
            let text = format!(
                "{parts}, expected three with dots between them (RFC 7515, section 7.1){encrypted}"
            );
            return Self::unreadable(token, text);
        };
        if token.len() > MAX_TOKEN_BYTES {
            let text = format!("{} bytes, expected at most {MAX_TOKEN_BYTES}", token.len());
            return Self::unreadable(token, text);
        }
        let (header, claims) = (object(header), object(claims));
        let signed = decode(signature).map_err(|_| BASE64.to_owned());
        let header_step = match &header {
            Ok(members) => judge_header(members),
            Err(problem) => no("header", problem.clone()),
        };
        let claims_step = match (&claims, &signed) {
            (Err(problem), _) => no("claims", problem.clone()),
            (_, Err(problem)) => no("claims", format!("the signature is {problem}")),
            (Ok(members), _) => Step::new(
                "claims",
                Ok(()),
                if members.is_empty() {
                    "none".to_owned()
                } else {
                    list(members.keys())
                },
            ),
        };
        let text = format!("three parts, {} bytes", token.len());
        Self {
            header: header.ok(),
            claims: claims.ok(),
            steps: vec![Step::new("form", Ok(()), text), header_step, claims_step],
        }
    }

    /// Of too many parts the filter still reads the header first.
    fn unreadable(token: &str, problem: String) -> Self {
        let parsed = Compact::parse(token).map(|_| ());
        let refusal = parsed.err().unwrap_or(Refusal::TokenMalformed);
        Self {
            header: None,
            claims: None,
            steps: vec![
                Step::new("form", Err(refusal), problem),
                Step::skipped("header", "there is none to read"),
                Step::skipped("claims", "there are none to read"),
            ],
        }
    }

    /// A member of the header that is text.
    pub(super) fn header_text(&self, name: &str) -> Option<&str> {
        self.header.as_ref()?.get(name)?.as_str()
    }

    /// Whether the filter would get as far as the claims.
    pub(super) fn is_sound(&self) -> bool {
        self.steps.iter().all(|step| step.outcome == Outcome::Ok)
    }
}

const BASE64: &str = "not base64url without padding (RFC 7515, section 2)";

fn no(name: &'static str, problem: String) -> Step {
    Step::new(name, Err(Refusal::TokenMalformed), problem)
}

fn object(part: &str) -> Result<Map<String, Value>, String> {
    let bytes = decode(part).map_err(|_| BASE64.to_owned())?;
    match json::parse(&bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err("JSON, but no object".to_owned()),
        Err(error) => Err(format!("no JSON: {error}")),
    }
}

fn judge_header(members: &Map<String, Value>) -> Step {
    let found: Vec<&str> = NOT_SUPPORTED
        .iter()
        .copied()
        .filter(|name| members.contains_key(*name))
        .collect();
    if !found.is_empty() {
        return Step::new(
            "header",
            Err(Refusal::HeaderNotSupported),
            format!(
                "has {}, which would change how the token is read, or bring a key along",
                list(found)
            ),
        );
    }
    if !members.contains_key("alg") {
        return no("header", "has no \"alg\"".to_owned());
    }
    let known = ["alg", "kid", "typ"];
    for name in known {
        if let Some(member) = members.get(name).filter(|member| !member.is_string()) {
            let found = value(member);
            return no("header", format!("its {name:?} is {found}, expected text"));
        }
    }
    let shown: Vec<String> = known
        .iter()
        .filter_map(|name| Some(format!("{name} {}", value(members.get(*name)?))))
        .collect();
    Step::new("header", Ok(()), shown.join(", "))
}
