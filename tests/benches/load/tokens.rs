//! Tokens like those of a real identity provider, and the requests that carry them.

use std::fmt;
use std::thread;

use serde_json::{Value, json};
use testbed::idp::{AUDIENCE, Alg, Idp, now};

/// How many distinct tokens there are of an algorithm. They are used in turn; with many times
/// as many as a cache holds, it has forgotten each when it comes again.
pub const DISTINCT: u32 = 8 * CACHE;

/// How many tokens the caches hold.
pub const CACHE: u32 = 1000;

/// How long the tokens are valid, in seconds.
const LIFETIME: u64 = 3600;

/// What the requests of a window carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// One token, signed with RS256, again and again.
    Repeated,
    /// Each request another token, signed so.
    Distinct(Alg),
}

impl Case {
    /// In the order in which they are shown.
    pub const ALL: [Self; 3] = [
        Self::Repeated,
        Self::Distinct(Alg::Rs256),
        Self::Distinct(Alg::Es256),
    ];

    /// The requests, whole, as they are sent. Signing takes all processors some seconds.
    pub fn requests(self, idp: &Idp) -> Vec<Vec<u8>> {
        let (alg, count) = match self {
            Self::Repeated => (Alg::Rs256, 1),
            Self::Distinct(alg) => (alg, DISTINCT),
        };
        let half = count / 2;
        let some = |from, to| (from..to).map(|number| request(&token(idp, alg, number)));
        thread::scope(|scope| {
            let others = scope.spawn(|| some(0, half).collect::<Vec<_>>());
            let mut requests: Vec<_> = some(half, count).collect();
            // A panic would have left a message; the requests that are there will do.
            requests.extend(others.join().unwrap_or_default());
            requests
        })
    }
}

impl fmt::Display for Case {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repeated => to.write_str("one RS256 token, repeated"),
            Self::Distinct(Alg::Rs256) => to.write_str("distinct RS256 tokens"),
            Self::Distinct(Alg::Es256) => to.write_str("distinct ES256 tokens"),
            Self::Distinct(alg) => write!(to, "distinct tokens of {alg:?}"),
        }
    }
}

fn token(idp: &Idp, alg: Alg, number: u32) -> String {
    idp.token(&claims(&idp.issuer(), number), alg)
}

fn claims(issuer: &str, number: u32) -> Value {
    let issued = now();
    json!({
        "iss": issuer,
        "sub": format!("5f0c9c1e-7a52-4c3b-9d6f-{number:012x}"),
        "aud": AUDIENCE,
        "exp": issued.saturating_add(LIFETIME),
        "iat": issued,
        "jti": format!("d1a7e0b2-64c8-4f19-8a35-{number:012x}"),
        "azp": "notebooks",
        "scope": "openid profile email inference",
        "groups": ["engineers", "everyone", "ml-platform", "on-call", "reviewers"],
        "email": format!("person-{number}@example.com"),
    })
}

fn request(token: &str) -> Vec<u8> {
    format!(
        "GET /v1/models HTTP/1.1\r\nhost: models.example.com\r\naccept: application/json\r\n\
         user-agent: load\r\nauthorization: Bearer {token}\r\n\r\n"
    )
    .into_bytes()
}
