//! Values of headers: bytes that are no text, and line breaks.

use std::time::Duration;

use serde_json::json;
use testbed::http::Request;
use testbed::idp::{Alg, with};
use testbed::mesh::Mesh;
use testbed::wait;

use super::masked_with;
use crate::crude::{Crude, Then};
use crate::support::{CREDENTIAL, ana, chat, code, idp};
use crate::versions::in_every_envoy;
use crate::vms::Vms;

in_every_envoy!(any_bytes_may_stand_in_a_header);

fn any_bytes_may_stand_in_a_header(version: &str) {
    let model = Crude::start(answered);
    let policy = masked_with(&json!({
        "identity": {
            "providers": [{
                "name": "corp",
                "issuer": idp().issuer(),
                "audiences": [testbed::idp::AUDIENCE],
                "keys": {"jwks": idp().jwks()},
                "claims": {"subject": "sub", "groups": "groups"},
            }],
            "token": [{"header": "authorization", "scheme": "Bearer"}, {"header": "x-api-key"}],
        },
        "upstream": {
            "credential": {"header": "authorization", "value": "Bearer ${MODEL_SERVER_KEY}"},
            "identity_headers": {"subject": "x-subject", "groups": "x-groups"},
        },
    }));
    let mesh = Mesh::builder()
        .version(Some(version))
        .policy(policy)
        .variable("MODEL_SERVER_KEY", CREDENTIAL)
        .shared()
        .model(model.port())
        .start()
        .unwrap();
    let vms = Vms::of(&mesh);
    let send = |request| testbed::http::send(mesh.port(), request).unwrap();

    // A request header that no rule asks for goes through as it is.
    let response = send(chat(&ana(), "Hi").header("x-note", b"caf\xe9 \xff\xfe"));
    assert_eq!(response.status, 200);
    let asked = model.requests();
    assert_eq!(asked.len(), 1);
    assert!(contains(&asked[0], b"x-note: caf\xe9 \xff\xfe\r\n"));
    assert!(contains(&asked[0], b"x-subject: ana\r\n"));

    // So does a response header, on an answer that is masked.
    let note = response.headers.iter().find(|(name, _)| name == "x-note");
    assert_eq!(note.unwrap().1, b"\xff\xfe\xe9");
    assert_eq!(response.text(), r#"{"text":"[EMAIL]"}"#);

    // Where a token should be, and there are bytes, there is no token.
    for name in ["authorization", "x-api-key"] {
        for value in [
            &b"Bearer \xff\xfe"[..],
            b"\xff",
            b"Bearer caf\xe9.\xe9.\xe9",
        ] {
            let request = Request::get("/v1/models").header(name, value);
            let refused = send(request);
            assert_eq!(refused.status, 401, "{name}: {value:?}");
            assert!(refused.header("www-authenticate").is_some());
        }
    }
    // Nor does one count that stands beside such a header.
    let both = Request::get("/v1/models")
        .bearer(&ana())
        .header("authorization", b"\xff");
    assert_eq!(send(both).status, 401);

    // A media type that can't be read is none that can be judged or masked.
    let plain = Request::post("/strange-type").bearer(&ana()).body("x");
    let refused = send(plain);
    assert_eq!(
        (refused.status, code(&refused).as_str()),
        (502, "media_type_not_maskable")
    );
    assert!(!refused.text().contains('@'), "{}", refused.text());

    // A verified subject or group that would break out of its header ends the request.
    let before = model.requests().len();
    let broken = [
        "ana\r\nx-admin: yes",
        "ana\nx",
        "ana\r",
        "a\0na",
        "ana\u{7f}",
    ];
    for text in broken {
        let subject = idp().claims(text, &["engineers"]);
        let groups = with(
            idp().claims("ana", &[]),
            "groups",
            json!(["engineers", text]),
        );
        for claims in [subject, groups] {
            let refused = send(chat(&idp().token(&claims, Alg::Es256), "Hi"));
            assert_eq!(refused.status, 401, "{claims}");
            assert_eq!(code(&refused), "identity_not_a_header", "{claims}");
        }
    }
    // What is text, but not ASCII, is written as UTF-8.
    let jose = idp().good("josé", &["engineers"]);
    assert_eq!(send(chat(&jose, "Hi")).status, 200);
    let asked = model.requests();
    assert_eq!(asked.len(), before + 1);
    assert!(contains(&asked[before], "x-subject: josé\r\n".as_bytes()));

    vms.all_live(&mesh);
    wait::until("the record of josé", Duration::from_secs(30), || {
        let records = mesh.sessions(0).unwrap();
        records
            .iter()
            .any(|one| one["identity"]["subject"] == "josé")
    })
    .unwrap();
}

fn answered(head: &str, _: &[u8]) -> (Vec<u8>, Then) {
    let kind: &[u8] = match head.starts_with("POST /strange-type ") {
        true => b"application/json\xff",
        false => b"application/json",
    };
    let bytes = [
        b"HTTP/1.1 200 OK\r\nx-note: \xff\xfe\xe9\r\ncontent-type: ",
        kind,
        b"\r\ncontent-length: 23\r\n\r\n{\"text\":\"ana@corp.com\"}",
    ]
    .concat();
    (bytes, Then::Stay)
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|one| one == part)
}
