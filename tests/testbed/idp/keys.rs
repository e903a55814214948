//! Keys that are made when the provider starts or rotates, and are never written
//! anywhere.

use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer;
use hmac::{Hmac, Mac};
use rand_core::{OsRng, RngCore};
use rsa::pss;
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use rsa::traits::PublicKeyParts;
use rsa::{RsaPrivateKey, pkcs1v15};
use serde_json::{Value, json};

use super::Alg;
use crate::lock;

/// The keys of one generation. A rotation makes the next.
#[derive(Debug)]
pub(super) struct Keys {
    generation: usize,
    rsa: RsaPrivateKey,
    p256: p256::ecdsa::SigningKey,
    p384: p384::ecdsa::SigningKey,
    ed25519: ed25519_dalek::SigningKey,
    secret: [u8; 64],
    stranger: p256::ecdsa::SigningKey,
}

impl Keys {
    /// Makes the keys of a generation; the first is 1.
    pub(super) fn generate(generation: usize) -> Result<Self, String> {
        let mut secret = [0; 64];
        OsRng.fill_bytes(&mut secret);
        Ok(Self {
            generation,
            rsa: rsa_key(generation)?,
            p256: p256::ecdsa::SigningKey::random(&mut OsRng),
            p384: p384::ecdsa::SigningKey::random(&mut OsRng),
            ed25519: ed25519(),
            secret,
            stranger: p256::ecdsa::SigningKey::random(&mut OsRng),
        })
    }

    /// The keys that replace these.
    pub(super) fn next(&self) -> Result<Self, String> {
        Self::generate(self.generation.saturating_add(1))
    }

    /// The identifier of the key for an algorithm.
    pub(super) fn id(&self, alg: Alg) -> String {
        format!("{}-{}", alg.stem(), self.generation)
    }

    /// The public keys.
    pub(super) fn public(&self) -> Vec<Value> {
        Alg::PUBLIC.iter().map(|alg| self.key(*alg)).collect()
    }

    /// The secrets, which are not for publishing (RFC 7518, section 6.4).
    pub(super) fn secrets(&self) -> Vec<Value> {
        Alg::SECRET.iter().map(|alg| self.key(*alg)).collect()
    }

    /// What verifies an algorithm's signatures (RFC 7517; RFC 7518, section 6;
    /// RFC 8037, section 2).
    fn key(&self, alg: Alg) -> Value {
        let mut key = match alg {
            Alg::Rs256 | Alg::Rs384 | Alg::Rs512 | Alg::Ps256 | Alg::Ps384 | Alg::Ps512 => json!({
                "kty": "RSA",
                "n": text(&self.rsa.n().to_bytes_be()),
                "e": text(&self.rsa.e().to_bytes_be())
            }),
            Alg::Es256 => p256_jwk(self.p256.verifying_key()),
            Alg::Es384 => {
                let point = self.p384.verifying_key().to_encoded_point(false);
                json!({
                    "kty": "EC", "crv": "P-384",
                    "x": text(point.x().map_or(&[][..], |x| x.as_ref())),
                    "y": text(point.y().map_or(&[][..], |y| y.as_ref()))
                })
            }
            Alg::EdDsa => ed25519_jwk(&self.ed25519.verifying_key()),
            Alg::Hs256 | Alg::Hs384 | Alg::Hs512 => {
                json!({ "kty": "oct", "k": text(&self.secret) })
            }
            Alg::None => json!({}),
        };
        if let Some(fields) = key.as_object_mut() {
            fields.insert("use".to_owned(), json!("sig"));
            fields.insert("alg".to_owned(), json!(alg.name()));
            fields.insert("kid".to_owned(), json!(self.id(alg)));
        }
        key
    }

    pub(super) fn sign(&self, alg: Alg, text: &[u8]) -> Vec<u8> {
        let rsa = || self.rsa.clone();
        match alg {
            Alg::Rs256 => pkcs1v15::SigningKey::<Sha256>::new(rsa())
                .sign(text)
                .to_vec(),
            Alg::Rs384 => pkcs1v15::SigningKey::<Sha384>::new(rsa())
                .sign(text)
                .to_vec(),
            Alg::Rs512 => pkcs1v15::SigningKey::<Sha512>::new(rsa())
                .sign(text)
                .to_vec(),
            Alg::Ps256 => salted(&pss::SigningKey::<Sha256>::new(rsa()), text),
            Alg::Ps384 => salted(&pss::SigningKey::<Sha384>::new(rsa()), text),
            Alg::Ps512 => salted(&pss::SigningKey::<Sha512>::new(rsa()), text),
            Alg::Es256 => p256_signature(&self.p256, text),
            Alg::Es384 => {
                let signature: p384::ecdsa::Signature = self.p384.sign(text);
                signature.to_bytes().to_vec()
            }
            Alg::EdDsa => self.ed25519.sign(text).to_bytes().to_vec(),
            Alg::Hs256 => mac(Hmac::<Sha256>::new_from_slice(&self.secret), text),
            Alg::Hs384 => mac(Hmac::<Sha384>::new_from_slice(&self.secret), text),
            Alg::Hs512 => mac(Hmac::<Sha512>::new_from_slice(&self.secret), text),
            Alg::None => Vec::new(),
        }
    }

    /// Signs by ES256 with a key that is not published.
    pub(super) fn sign_as_stranger(&self, text: &[u8]) -> Vec<u8> {
        p256_signature(&self.stranger, text)
    }
}

/// A key for Ed25519.
pub(super) fn ed25519() -> ed25519_dalek::SigningKey {
    let mut seed = [0; 32];
    OsRng.fill_bytes(&mut seed);
    ed25519_dalek::SigningKey::from_bytes(&seed)
}

pub(super) fn ed25519_jwk(key: &ed25519_dalek::VerifyingKey) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "x": text(key.as_bytes()) })
}

pub(super) fn p256_jwk(key: &p256::ecdsa::VerifyingKey) -> Value {
    let point = key.to_encoded_point(false);
    json!({
        "kty": "EC", "crv": "P-256",
        "x": text(point.x().map_or(&[][..], |x| x.as_ref())),
        "y": text(point.y().map_or(&[][..], |y| y.as_ref()))
    })
}

/// The two halves of the signature one after the other, as RFC 7518 wants them.
pub(super) fn p256_signature(key: &p256::ecdsa::SigningKey, text: &[u8]) -> Vec<u8> {
    let signature: p256::ecdsa::Signature = key.sign(text);
    signature.to_bytes().to_vec()
}

/// Half a second goes into an RSA key in a debug build, so the providers of one
/// process share theirs, generation by generation.
fn rsa_key(generation: usize) -> Result<RsaPrivateKey, String> {
    static MADE: Mutex<Vec<RsaPrivateKey>> = Mutex::new(Vec::new());
    let mut made = lock(&MADE);
    loop {
        if let Some(key) = made.get(generation) {
            return Ok(key.clone());
        }
        let key = RsaPrivateKey::new(&mut OsRng, 2048)
            .map_err(|error| format!("no RSA key could be made: {error}"))?;
        made.push(key);
    }
}

fn salted(key: &impl RandomizedSigner<pss::Signature>, text: &[u8]) -> Vec<u8> {
    key.sign_with_rng(&mut OsRng, text).to_vec()
}

/// HMAC takes a key of any length, so there is no other outcome.
fn mac<M: Mac>(key: Result<M, hmac::digest::InvalidLength>, text: &[u8]) -> Vec<u8> {
    key.map_or_else(
        |_| Vec::new(),
        |mac| mac.chain_update(text).finalize().into_bytes().to_vec(),
    )
}

fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
