//! The errors that the service may answer with.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::schemas::{Schemas, of, put};
use super::who::Who;

/// An error.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Refusal {
    /// What is wrong.
    error: Why,
}

/// Why something is refused.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub(super) struct Why {
    /// One word, for programs.
    code: String,
    /// A sentence, for people.
    message: String,
}

/// A status, a code, and when it comes.
pub(super) struct Refused(pub u16, pub &'static str, pub &'static str);

/// What may come back wherever something is called.
const ANYWHERE: &[Refused] = &[
    Refused(
        401,
        "unauthorized",
        "no key or certificate that is known, or more than one",
    ),
    Refused(
        503,
        "store_unavailable",
        "the service can't read or write what it keeps",
    ),
];

/// What may come back where only one kind of caller is right.
const BY_KIND: &[Refused] = &[Refused(
    403,
    "wrong_key",
    "a filter's key where a reviewer's is expected, or the other way round",
)];

/// What may come back where a certificate is taken.
const BY_CERTIFICATE: &[Refused] = &[Refused(
    403,
    "two_filters",
    "the key is one filter's, and the certificate another's",
)];

/// What may come back where a body is sent.
const BY_BODY: &[Refused] = &[
    Refused(
        400,
        "malformed",
        "the body isn't what is expected; the message says where",
    ),
    Refused(408, "too_slow", "the body doesn't come within 10 seconds"),
    Refused(
        413,
        "too_large",
        "the body has more than 64 KiB, or than the operation takes",
    ),
];

/// The answers with errors, by their statuses.
pub(super) fn refusals(
    who: Who,
    has_body: bool,
    own: &'static [Refused],
    schemas: &mut Schemas,
) -> Map<String, Value> {
    let by_certificate = if who == Who::Reviewer {
        &[][..]
    } else {
        BY_CERTIFICATE
    };
    let by_kind = if who == Who::Either { &[] } else { BY_KIND };
    let by_body = if has_body { BY_BODY } else { &[] };
    let mut by_status: BTreeMap<u16, Vec<&Refused>> = BTreeMap::new();
    for one in own
        .iter()
        .chain(by_body)
        .chain(ANYWHERE)
        .chain(by_kind)
        .chain(by_certificate)
    {
        by_status.entry(one.0).or_default().push(one);
    }
    let schema = schemas.written(of::<Refusal>);
    let written = by_status.into_iter().map(|(status, each)| {
        let codes = each
            .iter()
            .map(|Refused(_, code, when)| format!("- `{code}`: {when}"));
        let examples: Map<String, Value> = each
            .iter()
            .map(|Refused(_, code, when)| {
                let message = format!("For people: {when}.");
                let error = json!({ "error": { "code": code, "message": message } });
                ((*code).to_owned(), json!({ "value": error }))
            })
            .collect();
        let mut response = json!({
            "description": codes.collect::<Vec<_>>().join("\n"),
            "content": { "application/json": { "schema": schema, "examples": examples } },
        });
        if matches!(status, 429 | 503) {
            put(
                &mut response,
                "headers",
                json!({
                    "retry-after": { "description": "Seconds.", "schema": { "type": "integer" } },
                }),
            );
        }
        (status.to_string(), response)
    });
    written.collect()
}
