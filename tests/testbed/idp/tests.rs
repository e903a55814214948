use hmac::{Hmac, Mac};
use rsa::sha2::{Digest, Sha256, Sha384, Sha512};
use rsa::signature::Verifier;

use super::*;
use crate::http::{self, Client, Request};

fn parts(token: &str) -> (String, Vec<u8>) {
    let (text, signature) = token.rsplit_once('.').unwrap();
    (text.to_owned(), URL_SAFE_NO_PAD.decode(signature).unwrap())
}

fn key(jwks: &Value, id: &str, field: &str) -> Vec<u8> {
    let keys = jwks["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == id).unwrap();
    URL_SAFE_NO_PAD
        .decode(key[field].as_str().unwrap())
        .unwrap()
}

/// Whether a token's signature is right, by the key that its header names.
fn verifies(jwks: &Value, token: &str) -> bool {
    let (text, signature) = parts(token);
    let header = text.split_once('.').unwrap().0;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    let (alg, id) = (
        header["alg"].as_str().unwrap(),
        header["kid"].as_str().unwrap(),
    );
    let field = |name: &str| key(jwks, id, name);
    let text = text.as_bytes();
    let rsa = || {
        let n = rsa::BigUint::from_bytes_be(&field("n"));
        rsa::RsaPublicKey::new(n, rsa::BigUint::from_bytes_be(&field("e"))).unwrap()
    };
    let (hash, digest) = hashed(alg, text);
    match alg.split_at(2).0 {
        "RS" => rsa().verify(hash, &digest, &signature).is_ok(),
        "PS" => {
            let scheme = match alg {
                "PS256" => rsa::Pss::new_with_salt::<Sha256>(32),
                "PS384" => rsa::Pss::new_with_salt::<Sha384>(48),
                _ => rsa::Pss::new_with_salt::<Sha512>(64),
            };
            rsa().verify(scheme, &digest, &signature).is_ok()
        }
        "ES" if alg == "ES256" => {
            let point = [vec![4], field("x"), field("y")].concat();
            let verifier = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap();
            let signature = p256::ecdsa::Signature::from_slice(&signature).unwrap();
            verifier.verify(text, &signature).is_ok()
        }
        "ES" => {
            let point = [vec![4], field("x"), field("y")].concat();
            let verifier = p384::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap();
            let signature = p384::ecdsa::Signature::from_slice(&signature).unwrap();
            verifier.verify(text, &signature).is_ok()
        }
        "Ed" => {
            let public = field("x").try_into().unwrap();
            let verifier = ed25519_dalek::VerifyingKey::from_bytes(&public).unwrap();
            let signature = ed25519_dalek::Signature::from_slice(&signature).unwrap();
            verifier.verify(text, &signature).is_ok()
        }
        _ => {
            let secret = field("k");
            match alg {
                "HS256" => is_mac::<Hmac<Sha256>>(&secret, text, &signature),
                "HS384" => is_mac::<Hmac<Sha384>>(&secret, text, &signature),
                _ => is_mac::<Hmac<Sha512>>(&secret, text, &signature),
            }
        }
    }
}

fn hashed(alg: &str, text: &[u8]) -> (rsa::Pkcs1v15Sign, Vec<u8>) {
    use rsa::Pkcs1v15Sign;
    match alg.split_at(2).1 {
        "384" => (Pkcs1v15Sign::new::<Sha384>(), Sha384::digest(text).to_vec()),
        "512" => (Pkcs1v15Sign::new::<Sha512>(), Sha512::digest(text).to_vec()),
        _ => (Pkcs1v15Sign::new::<Sha256>(), Sha256::digest(text).to_vec()),
    }
}

fn is_mac<M: Mac + hmac::digest::KeyInit>(secret: &[u8], text: &[u8], signature: &[u8]) -> bool {
    let mac = <M as Mac>::new_from_slice(secret).unwrap();
    mac.chain_update(text).verify_slice(signature).is_ok()
}

#[test]
fn tokens_verify_with_the_published_keys_or_the_secrets() {
    let idp = Idp::start().unwrap();
    let jwks = http::get(idp.port(), "/jwks").unwrap().json();
    assert_eq!(jwks, idp.jwks());
    let claims = idp.claims("ana", &["engineers"]);
    for alg in Alg::PUBLIC {
        assert!(verifies(&jwks, &idp.token(&claims, alg)), "{alg:?}");
    }
    for alg in Alg::SECRET {
        assert!(
            verifies(&idp.secrets(), &idp.token(&claims, alg)),
            "{alg:?}"
        );
        assert!(!jwks.to_string().contains(&idp.kid(alg)), "{jwks}");
    }
    assert!(!jwks.to_string().contains("\"k\":"), "{jwks}");
    assert!(!verifies(&jwks, &idp.forged("ana", &[])));
    let good = idp.good("ana", &[]);
    let (text, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = text.split_once('.').unwrap();
    let other = idp.good("bob", &[]);
    let claims = other.split('.').nth(1).unwrap();
    assert!(!verifies(&jwks, &format!("{header}.{claims}.{signature}")));
}

#[test]
fn a_rotation_brings_new_keys() {
    let idp = Idp::start().unwrap();
    let before = idp.jwks();
    let old = idp.good("ana", &[]);
    idp.rotate_beside().unwrap();
    let both = http::get(idp.port(), "/jwks").unwrap().json();
    assert!(verifies(&both, &old));
    assert!(verifies(&both, &idp.good("ana", &[])));
    idp.rotate().unwrap();
    let after = http::get(idp.port(), "/jwks").unwrap().json();
    for alg in Alg::PUBLIC {
        let token = idp.token(&idp.claims("ana", &[]), alg);
        assert!(verifies(&after, &token), "{alg:?}");
    }
    let ids = |jwks: &Value| -> Vec<String> {
        let keys = jwks["keys"].as_array().unwrap();
        keys.iter().map(|key| key["kid"].to_string()).collect()
    };
    assert_eq!(ids(&both).len(), 2 * ids(&before).len());
    for id in ids(&after) {
        assert!(!ids(&both).contains(&id), "{id} twice");
    }
    idp.publish(before.clone());
    assert_eq!(http::get(idp.port(), "/jwks").unwrap().json(), before);
}

#[test]
fn many_keys_sign_tokens_of_their_own() {
    let many = ManyKeys::generate(4);
    let jwks = many.jwks();
    assert_eq!(jwks["keys"].as_array().unwrap().len(), 4);
    let claims = json!({"sub": "ana"});
    let tokens: Vec<String> = (0..5).map(|at| many.token(at, &claims).unwrap()).collect();
    for token in &tokens {
        assert!(verifies(&jwks, token), "{token}");
    }
    let header = |token: &str| token.split('.').next().unwrap().to_owned();
    assert_eq!(header(&tokens[0]), header(&tokens[4]));
    assert_ne!(header(&tokens[0]), header(&tokens[2]));
    assert!(ManyKeys::generate(0).token(0, &claims).is_none());
}

#[test]
fn an_unsigned_token_ends_with_its_dot() {
    let idp = Idp::start().unwrap();
    let token = idp.unsigned("ana", &[]);
    assert!(token.ends_with('.'));
    assert_eq!(token.matches('.').count(), 2);
}

#[test]
fn discovery_leads_to_the_keys() {
    let idp = Idp::start().unwrap();
    for tenant in ["", "/realms/x"] {
        let issuer = idp.issuer_at(tenant);
        let path = format!("{tenant}/.well-known/openid-configuration");
        let found = http::get(idp.port(), &path).unwrap().json();
        assert_eq!(found["issuer"], issuer);
        assert_eq!(found["jwks_uri"], format!("{issuer}/jwks"));
        let keys = http::get(idp.port(), &format!("{tenant}/jwks")).unwrap();
        assert_eq!(keys.json(), idp.jwks());
    }
    assert_eq!(http::get(idp.port(), "/nothing").unwrap().status, 404);
    let other = Request::get("/jwks").header("host", "elsewhere.example.com");
    assert_eq!(http::send(idp.port(), other).unwrap().status, 421);
    let expected = Fetches {
        discovery: 2,
        jwks: 3,
    };
    assert_eq!(idp.fetches(), expected);
}

#[test]
fn it_can_answer_otherwise_late_or_not_at_all() {
    let idp = Idp::start().unwrap();
    let get = |path: &str| http::get(idp.port(), path).unwrap();
    idp.answer_with(503);
    assert_eq!(get("/jwks").status, 503);
    idp.answer_with(302);
    let moved = get("/jwks");
    assert_eq!(moved.header("location"), Some("/moved/jwks"));
    idp.recover();
    assert_eq!(get("/moved/jwks").json(), idp.jwks());
    let with_a_credential = Request::get("/jwks?of=them").bearer("key");
    let answer = http::send(idp.port(), with_a_credential).unwrap();
    assert_eq!(answer.json(), idp.jwks());
    let last = Asked {
        target: "/jwks?of=them".to_owned(),
        credential: Some("Bearer key".to_owned()),
    };
    assert_eq!(idp.asked().last(), Some(&last));
    idp.document_issuer("https://elsewhere.example.com");
    let found = get("/.well-known/openid-configuration").json();
    assert_eq!(found["issuer"], "https://elsewhere.example.com");
    idp.document_keys("https://keys.example.com/all?of=them");
    let found = get("/.well-known/openid-configuration").json();
    assert_eq!(found["jwks_uri"], "https://keys.example.com/all?of=them");
    idp.recover();

    let gate = Gate::new();
    idp.wait_for(&gate);
    let client = Client::http1(idp.port()).unwrap();
    let pending = client.start(Request::get("/jwks")).unwrap();
    let asked = || idp.fetches().jwks == 5;
    crate::wait::until("the request", std::time::Duration::from_secs(10), asked).unwrap();
    assert!(!pending.answered());
    gate.open(1);
    assert_eq!(pending.response().unwrap().status, 200);
    idp.recover();

    let port = idp.port();
    idp.go_away();
    assert!(http::get(port, "/jwks").is_err());
    assert!(client.send(Request::get("/jwks")).is_err());
    idp.come_back().unwrap();
    assert_eq!(idp.port(), port);
    assert_eq!(get("/jwks").status, 200);
}
