use rsa::signature::Verifier;

use super::*;
use crate::http;

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

#[test]
fn tokens_verify_with_the_published_keys() {
    let idp = Idp::start().unwrap();
    let jwks = http::get(idp.port(), "/jwks").unwrap().json();
    assert_eq!(jwks, idp.jwks());
    let claims = idp.claims("ana", &["engineers"]);

    let (text, signature) = parts(&idp.token(&claims, Alg::Rs256));
    let n = rsa::BigUint::from_bytes_be(&key(&jwks, "rsa-1", "n"));
    let e = rsa::BigUint::from_bytes_be(&key(&jwks, "rsa-1", "e"));
    let public = rsa::RsaPublicKey::new(n, e).unwrap();
    let verifier = rsa::pkcs1v15::VerifyingKey::<rsa::sha2::Sha256>::new(public);
    let signature = rsa::pkcs1v15::Signature::try_from(signature.as_slice()).unwrap();
    verifier.verify(text.as_bytes(), &signature).unwrap();

    let point = p256::EncodedPoint::from_affine_coordinates(
        key(&jwks, "ec-1", "x").as_slice().into(),
        key(&jwks, "ec-1", "y").as_slice().into(),
        false,
    );
    let verifier = p256::ecdsa::VerifyingKey::from_encoded_point(&point).unwrap();
    let verifies = |token: &str| {
        let (text, signature) = parts(token);
        let signature = p256::ecdsa::Signature::from_slice(&signature).unwrap();
        verifier.verify(text.as_bytes(), &signature).is_ok()
    };
    assert!(verifies(&idp.good("ana", &[])));
    assert!(!verifies(&idp.unknown_key("ana", &[])));
    assert!(!verifies(&idp.forged("ana", &[])));

    let (text, signature) = parts(&idp.token(&claims, Alg::EdDsa));
    let public = key(&jwks, "ed-1", "x").try_into().unwrap();
    let verifier = ed25519_dalek::VerifyingKey::from_bytes(&public).unwrap();
    let signature = ed25519_dalek::Signature::from_slice(&signature).unwrap();
    verifier.verify(text.as_bytes(), &signature).unwrap();
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
    let found = http::get(idp.port(), "/.well-known/openid-configuration")
        .unwrap()
        .json();
    assert_eq!(found["issuer"], idp.issuer());
    assert_eq!(found["jwks_uri"], format!("{}/jwks", idp.issuer()));
    assert_eq!(http::get(idp.port(), "/nothing").unwrap().status, 404);
}
