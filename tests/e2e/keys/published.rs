//! Key sets as providers publish them: encoded, and with more in them than keys for signatures.

use serde_json::{Value, json};
use testbed::idp::{AUDIENCE, Alg, Idp};

use super::{call, discovered, is_without_keys, trusting, until};
use crate::bodies::coding::{brotli, deflate, gzip, zstd};
use crate::support::{Guarded, code};
use crate::versions::in_the_current_envoy;
use crate::vms::Vms;

in_the_current_envoy!(
    documents_are_read_in_whatever_form_they_come,
    keys_that_cannot_be_used_stand_in_nobodys_way,
    the_last_good_set_outlives_one_without_keys,
);

fn marked(text: &[u8]) -> Vec<u8> {
    [b"\xEF\xBB\xBF", text].concat()
}

fn marked_gzip(text: &[u8]) -> Vec<u8> {
    gzip(&marked(text))
}

fn documents_are_read_in_whatever_form_they_come(version: &str) {
    type Form = (&'static str, Option<&'static str>, fn(&[u8]) -> Vec<u8>);
    let forms: [Form; 7] = [
        ("gzip", Some("gzip"), gzip),
        ("deflate", Some("deflate"), deflate),
        ("br", Some("br"), brotli),
        ("zstd", Some("zstd"), zstd),
        ("marked", None, marked),
        ("marked-gzip", Some("x-gzip"), marked_gzip),
        // What a provider says of a coding that it doesn't use.
        ("chunked", Some("aws-chunked"), <[u8]>::to_vec),
    ];
    let idps = forms.map(|(name, coding, write)| {
        let idp = Idp::start().unwrap();
        idp.write_as(coding, write);
        (name, idp)
    });
    let lying = Idp::start().unwrap();
    lying.write_as(Some("gzip"), <[u8]>::to_vec);
    let timings = json!({"wait": "5s", "cooldown": "1s"});
    let mut providers: Vec<Value> = idps
        .iter()
        .map(|(name, idp)| discovered(name, &idp.issuer(), &timings))
        .collect();
    providers.push(discovered("lying", &lying.issuer(), &json!({"wait": "1s"})));
    let guarded = Guarded::start_with(version, &trusting(&providers), |builder| {
        let builder = builder.cluster("lying", lying.port());
        idps.iter().fold(builder, |builder, (name, idp)| {
            builder.cluster(name, idp.port())
        })
    });
    let vms = Vms::of(&guarded.mesh);
    for (name, idp) in &idps {
        let answer = call(&guarded, &idp.good("ana", &[]));
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
    }
    is_without_keys(&call(&guarded, &lying.good("ana", &[])), "lying");
    vms.all_live(&guarded.mesh);
}

/// The provider's keys with others between them that nobody can use here.
fn beside_others(idp: &Idp) -> Value {
    let mut jwks = idp.jwks();
    let keys = jwks["keys"].as_array_mut().unwrap();
    let mut encryption = keys[0].clone();
    encryption["use"] = json!("enc");
    encryption["kid"] = json!("enc-1");
    let others = [
        json!({"kty": "AKP", "alg": "ML-DSA-65", "pub": "AA", "kid": "ml-1"}),
        json!({"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA", "kid": "p521-1"}),
        encryption,
        Value::Null,
        json!(["no key"]),
    ];
    keys.splice(0..0, others);
    jwks
}

fn keys_that_cannot_be_used_stand_in_nobodys_way(version: &str) {
    let (fetched, pasted) = (Idp::start().unwrap(), Idp::start().unwrap());
    fetched.publish(beside_others(&fetched));
    let providers = [
        discovered("fetched", &fetched.issuer(), &json!({})),
        json!({
            "name": "pasted",
            "issuer": pasted.issuer(),
            "audiences": [AUDIENCE],
            "keys": {"jwks": beside_others(&pasted)},
        }),
    ];
    let guarded = Guarded::start_with(version, &trusting(&providers), |builder| {
        builder.cluster("fetched", fetched.port())
    });
    for idp in [&fetched, &pasted] {
        for alg in Alg::PUBLIC {
            let answer = call(&guarded, &idp.token(&idp.claims("ana", &[]), alg));
            assert_eq!(answer.status, 200, "{alg:?}: {}", answer.text());
        }
    }
    // The same key, by the name that it has for encryption.
    let header = json!({"alg": "RS256", "kid": "enc-1"});
    let claims = pasted.claims("ana", &[]);
    let answer = call(&guarded, &pasted.token_with(&header, &claims, Alg::Rs256));
    assert_eq!(answer.status, 401, "{}", answer.text());
    assert_eq!(code(&answer), "unknown_key");
    let log = guarded.mesh.log();
    for place in 0..5 {
        let start = format!("policy: /identity/providers/1/keys/jwks/keys/{place}: found ");
        let told = log.lines().find(|line| line.contains(&start));
        let told = told.unwrap_or_else(|| panic!("nothing of {place}:\n{log}"));
        assert!(
            told.contains("warning") && told.contains("ignored"),
            "{told}"
        );
    }
}

fn the_last_good_set_outlives_one_without_keys(version: &str) {
    let idp = Idp::start().unwrap();
    let timings = json!({"refresh": "1s", "timeout": "1s", "wait": "1s", "cooldown": "1s"});
    let providers = [discovered("idp", &idp.issuer(), &timings)];
    let guarded = Guarded::start_with(version, &trusting(&providers), |builder| {
        builder.cluster("idp", idp.port())
    });
    until(&guarded, 200, || idp.good("ana", &[]));
    let good = idp.jwks();
    for empty in [
        json!({"keys": []}),
        json!({"keys": [{"kty": "AKP", "alg": "ML-DSA-65", "pub": "AA"}]}),
    ] {
        idp.publish(empty);
        let before = idp.fetches().jwks;
        let fetched = || {
            let answer = call(&guarded, &idp.good("ana", &[]));
            assert_eq!(answer.status, 200, "{}", answer.text());
            idp.fetches().jwks >= before + 3
        };
        testbed::wait::until("fetches in vain", super::PATIENCE, fetched).unwrap();
    }
    idp.publish(good);
    until(&guarded, 200, || idp.good("bea", &[]));
}
