//! Many keys at once, for tests of size.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer;
use rand_core::OsRng;
use serde_json::{Value, json};

use super::keys::{ed25519, ed25519_jwk, p256_jwk, p256_signature};
use super::signed_text;

/// Keys for Ed25519, and every fourth for P-256, with which signing takes longer.
#[derive(Debug)]
pub struct ManyKeys(Vec<Key>);

#[derive(Debug)]
enum Key {
    Ed25519(ed25519_dalek::SigningKey),
    P256(p256::ecdsa::SigningKey),
}

impl ManyKeys {
    /// Makes so many keys.
    #[must_use]
    pub fn generate(count: usize) -> Self {
        let made = (0..count).map(|at| match at % 4 {
            3 => Key::P256(p256::ecdsa::SigningKey::random(&mut OsRng)),
            _ => Key::Ed25519(ed25519()),
        });
        Self(made.collect())
    }

    /// The public keys, as a JSON Web Key Set.
    #[must_use]
    pub fn jwks(&self) -> Value {
        let keys = self.0.iter().enumerate().map(|(at, key)| {
            let (mut jwk, alg) = match key {
                Key::Ed25519(key) => (ed25519_jwk(&key.verifying_key()), "EdDSA"),
                Key::P256(key) => (p256_jwk(key.verifying_key()), "ES256"),
            };
            if let Some(fields) = jwk.as_object_mut() {
                fields.insert("alg".to_owned(), json!(alg));
                fields.insert("kid".to_owned(), json!(id(at)));
            }
            jwk
        });
        json!({ "keys": keys.collect::<Vec<_>>() })
    }

    /// A token with these claims, signed with the key at a place in the set,
    /// counted on from its begin when it is past the end. `None` if there are no
    /// keys.
    #[must_use]
    pub fn token(&self, place: usize, claims: &Value) -> Option<String> {
        let at = place.checked_rem(self.0.len())?;
        let key = self.0.get(at)?;
        let alg = match key {
            Key::Ed25519(_) => "EdDSA",
            Key::P256(_) => "ES256",
        };
        let header = json!({ "alg": alg, "typ": "JWT", "kid": id(at) });
        let text = signed_text(&header, claims);
        let signature = match key {
            Key::Ed25519(key) => key.sign(text.as_bytes()).to_bytes().to_vec(),
            Key::P256(key) => p256_signature(key, text.as_bytes()),
        };
        Some(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn id(at: usize) -> String {
    format!("many-{at}")
}
