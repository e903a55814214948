//! Keys that are made when the provider starts, and are never written anywhere.

use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::Signer;
use rand_core::{OsRng, RngCore};
use rsa::pkcs1v15;
use rsa::sha2::Sha256;
use rsa::signature::SignatureEncoding;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};

use super::Alg;

#[derive(Debug)]
pub(super) struct Keys {
    rsa: pkcs1v15::SigningKey<Sha256>,
    rsa_public: rsa::RsaPublicKey,
    p256: p256::ecdsa::SigningKey,
    ed25519: ed25519_dalek::SigningKey,
    stranger: p256::ecdsa::SigningKey,
}

/// The identifier of the key for an algorithm.
pub(super) fn id(alg: Alg) -> &'static str {
    match alg {
        Alg::Rs256 => "rsa-1",
        Alg::Es256 => "ec-1",
        Alg::EdDsa => "ed-1",
        Alg::None => "none",
    }
}

impl Keys {
    pub(super) fn generate() -> Result<Self, String> {
        let rsa = rsa_key()?;
        let mut seed = [0; 32];
        OsRng.fill_bytes(&mut seed);
        Ok(Self {
            rsa_public: rsa.to_public_key(),
            rsa: pkcs1v15::SigningKey::new(rsa),
            p256: p256::ecdsa::SigningKey::random(&mut OsRng),
            ed25519: ed25519_dalek::SigningKey::from_bytes(&seed),
            stranger: p256::ecdsa::SigningKey::random(&mut OsRng),
        })
    }

    /// The public keys (RFC 7517, RFC 7518 section 6, RFC 8037 section 2).
    pub(super) fn public(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = self.p256.verifying_key().to_encoded_point(false);
        json!({ "keys": [
            {
                "kty": "RSA", "use": "sig", "alg": "RS256", "kid": id(Alg::Rs256),
                "n": text(&self.rsa_public.n().to_bytes_be()),
                "e": text(&self.rsa_public.e().to_bytes_be())
            },
            {
                "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": id(Alg::Es256),
                "x": text(point.x().map_or(&[][..], |x| x.as_ref())),
                "y": text(point.y().map_or(&[][..], |y| y.as_ref()))
            },
            {
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": id(Alg::EdDsa),
                "x": text(self.ed25519.verifying_key().as_bytes())
            }
        ] })
    }

    pub(super) fn sign(&self, alg: Alg, text: &[u8]) -> Vec<u8> {
        match alg {
            Alg::Rs256 => self.rsa.sign(text).to_vec(),
            Alg::Es256 => ecdsa(&self.p256, text),
            Alg::EdDsa => self.ed25519.sign(text).to_bytes().to_vec(),
            Alg::None => Vec::new(),
        }
    }

    /// Signs by ES256 with a key that is not published.
    pub(super) fn sign_as_stranger(&self, text: &[u8]) -> Vec<u8> {
        ecdsa(&self.stranger, text)
    }
}

/// Half a second goes into an RSA key in a debug build, so the providers of one
/// process share theirs.
fn rsa_key() -> Result<rsa::RsaPrivateKey, String> {
    static MADE: OnceLock<Result<rsa::RsaPrivateKey, String>> = OnceLock::new();
    MADE.get_or_init(|| {
        rsa::RsaPrivateKey::new(&mut OsRng, 2048)
            .map_err(|error| format!("no RSA key could be made: {error}"))
    })
    .clone()
}

/// The two halves of the signature one after the other, as RFC 7518 wants them.
fn ecdsa(key: &p256::ecdsa::SigningKey, text: &[u8]) -> Vec<u8> {
    let signature: p256::ecdsa::Signature = key.sign(text);
    signature.to_bytes().to_vec()
}
