//! Requests of many callers.

use serde_json::json;
use testbed::idp::{AUDIENCE, Alg, Idp, now};

use crate::variants::NAMES;

/// A request of each caller that has no body.
pub fn lists(idp: &Idp, callers: usize) -> Vec<Vec<u8>> {
    let request = |number| {
        let token = token(idp, "caller", number);
        format!(
            "GET /v1/models HTTP/1.1\r\nhost: models.example.com\r\naccept: application/json\r\n\
             authorization: Bearer {token}\r\n\r\n"
        )
        .into_bytes()
    };
    (0..callers).map(request).collect()
}

/// Requests of other callers, each for a model that nobody has asked for.
pub fn names(idp: &Idp, callers: usize) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for number in 0..callers {
        let token = token(idp, "filler", number);
        for name in 0..NAMES {
            let body = json!({"model": format!("m-{name}"), "query": "a", "documents": ["b"]});
            let body = body.to_string();
            let request = format!(
                "POST /v1/rerank HTTP/1.1\r\nhost: models.example.com\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\
                 authorization: Bearer {token}\r\n\r\n{body}",
                body.len()
            );
            all.push(request.into_bytes());
        }
    }
    all
}

fn token(idp: &Idp, kind: &str, number: usize) -> String {
    let issued = now();
    let claims = json!({
        "iss": idp.issuer(),
        "sub": format!("{kind}-{number:012x}"),
        "aud": AUDIENCE,
        "exp": issued.saturating_add(3600),
        "iat": issued,
        "azp": "notebooks",
        "groups": ["engineers", "everyone"],
    });
    idp.token(&claims, Alg::Es256)
}
