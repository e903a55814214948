//! What the model server is told.

use serde_json::json;
use testbed::http::Request;
use testbed::model::Received;

use super::{EMBED_KEY, LIST_KEY, ask, engineer, received, token};
use crate::support::{CREDENTIAL, Guarded, chat, idp};

const FACTS: [&str; 8] = [
    "subject", "groups", "provider", "issuer", "client", "kind", "tenant", "teams",
];

/// All values of a header, however it is spelled: many servers read `_` as `-`.
pub fn values(received: &Received, name: &str) -> Vec<String> {
    received
        .headers
        .iter()
        .filter(|(one, _)| one.replace('_', "-") == name)
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        .collect()
}

/// Claims to be somebody else, in each spelling that Envoy lets through.
fn disguised(mut request: Request) -> Request {
    for fact in FACTS {
        let name = format!("x-portcullis-{fact}");
        for spelling in [
            name.clone(),
            name.to_uppercase(),
            name.replace('-', "_"),
            format!("X-Portcullis_{fact}"),
        ] {
            request = request.header(&spelling, "root");
        }
    }
    request.header("x_other", "kept")
}

pub fn headers_are_the_filter_s_own(guarded: &Guarded) {
    let issuer = idp().issuer_at("/corp");
    let all = token(
        "corp",
        "ana",
        json!({"groups": ["engineers", "ml"], "azp": "web-7", "scope": "models:read",
            "org": {"units": [{"name": "acme"}]}, "ext": {"teams": "red;blue"}}),
    );
    let few = engineer();
    let nothing = token("corp", "batch", json!({"gty": "client-credentials"}));
    let cases = [
        (
            "all",
            &all,
            [
                "ana",
                "engineers,ml",
                "corp",
                &issuer,
                "web-7",
                "person",
                "acme",
                "red,blue",
            ],
        ),
        (
            "few",
            &few,
            ["ana", "engineers", "corp", &issuer, "", "person", "", ""],
        ),
        (
            "nothing",
            &nothing,
            ["batch", "", "corp", &issuer, "", "service", "", ""],
        ),
    ];
    for (case, token, expected) in cases {
        for (place, request) in [
            ("bearer", chat(token, "hello")),
            ("key", Request::get("/v1/models").header("x-api-key", token)),
        ] {
            let case = format!("{case}-{place}");
            guarded.model.forget();
            let (answer, record) = ask(guarded, &case, disguised(request));
            assert_eq!(answer.status, 200, "{case}: {record}");
            let received = received(guarded, &case);
            for (fact, expected) in FACTS.iter().zip(expected) {
                let found = values(&received, &format!("x-portcullis-{fact}"));
                let expected: Vec<&str> =
                    Vec::from_iter((!expected.is_empty()).then_some(expected));
                assert_eq!(found, expected, "{case}: {fact}");
            }
            assert_eq!(values(&received, "x-other"), ["kept"], "{case}");
            assert!(values(&received, "x-api-key").is_empty(), "{case}");
        }
    }
}

pub fn credentials_have_purposes(guarded: &Guarded) {
    let token = engineer();
    let embed = Request::post("/v1/embeddings")
        .bearer(&token)
        .json(&json!({"model": "small-1", "input": "hello"}));
    let list = Request::get("/v1/models").bearer(&token);
    let usual = format!("Bearer {CREDENTIAL}");
    let listing = format!("Bearer {LIST_KEY}");
    for (case, request, authorization, key) in [
        ("usual", chat(&token, "hello"), Some(usual.as_str()), None),
        // One that has a purpose comes alone.
        ("by-operation", embed, None, Some(EMBED_KEY)),
        ("by-another", list, Some(listing.as_str()), None),
    ] {
        guarded.model.forget();
        // Where it isn't put in, a client can't put it in either.
        let request = request
            .header("x-embed-key", "mine")
            .header("x_embed_key", "mine");
        let (answer, record) = ask(guarded, case, request);
        assert_eq!(answer.status, 200, "{case}: {record}");
        let received = received(guarded, case);
        let found = values(&received, "authorization");
        assert_eq!(found, Vec::from_iter(authorization), "{case}");
        assert_eq!(
            values(&received, "x-embed-key"),
            Vec::from_iter(key),
            "{case}"
        );
    }
}
