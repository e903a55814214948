//! Keys of a provider.

mod rsa;
mod set;

#[cfg(test)]
mod tests;

use ::rsa::pkcs8::EncodePublicKey;
use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use jwt_compact::AlgorithmSignature as _;
use jwt_compact::alg::{
    Ed25519, Es256, Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key, Rsa, RsaPublicKey,
    VerifyingKey as _,
};
use p384::ecdsa::signature::Verifier as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Native;
use crate::identity::section::Algorithm;
pub use set::{KeySet, verify_jws};

type P256Key = <Es256 as jwt_compact::Algorithm>::VerifyingKey;
type P384Key = p384::ecdsa::VerifyingKey;
type Ed25519Key = <Ed25519 as jwt_compact::Algorithm>::VerifyingKey;

/// What verifies a signature.
enum Material {
    Rsa(Box<RsaPublicKey>),
    P256(Box<P256Key>),
    P384(Box<P384Key>),
    Ed25519(Box<Ed25519Key>),
    Secret(Vec<u8>),
}

/// A key, with the algorithms that it may be used with and the id under which tokens refer to it.
pub(super) struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    material: Material,
    /// The DER SubjectPublicKeyInfo, for the host; empty for those that it can't use.
    public: Vec<u8>,
    /// Tells one key from another.
    thumbprint: [u8; 32],
}

/// Why a JSON Web Key can't be used: what was found, and what is expected.
pub(super) type Unusable = (String, &'static str);

impl core::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Key")
            .field("id", &self.id)
            .field("algorithms", &self.algorithms)
            .finish_non_exhaustive()
    }
}

impl Key {
    /// Compiles a JSON Web Key (RFC 7517): a public one, or a symmetric one.
    pub(super) fn compile(jwk: &Value) -> Result<Self, Unusable> {
        if !jwk.is_object() {
            return Err((
                "something that is no object".to_owned(),
                "a JSON Web Key (RFC 7517)",
            ));
        }
        let text = |name: &str| match jwk.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err((format!("{name:?} that is not a string"), "a string")),
        };
        check_purpose(jwk, text("use")?)?;
        if jwk.get("d").is_some() {
            return Err(("a private key".to_owned(), "a public key"));
        }
        let material = Material::compile(jwk, text("kty")?, text("crv")?)?;
        let mut algorithms = material.algorithms();
        if let Some(name) = text("alg")? {
            let only = Algorithm::named(name).filter(|one| algorithms.contains(one));
            let Some(only) = only else {
                let names: Vec<&str> = algorithms.iter().map(|one| one.name()).collect();
                return Err((
                    format!("a key of this kind for the algorithm {name:?}"),
                    if names.is_empty() {
                        "a longer secret: at least as long as the algorithm's hash"
                    } else {
                        "an algorithm that the key's kind has"
                    },
                ));
            };
            algorithms = vec![only];
        }
        if algorithms.is_empty() {
            return Err((
                "a secret shorter than 32 bytes".to_owned(),
                "a secret at least as long as the algorithm's hash (RFC 7518, section 3.2)",
            ));
        }
        let public = material.public();
        let mut digest = Sha256::new();
        match &material {
            Material::Secret(secret) => digest.update(secret),
            Material::Ed25519(key) => digest.update(key.as_bytes()),
            _ => digest.update(&public),
        }
        Ok(Self {
            id: text("kid")?.map(str::to_owned),
            algorithms,
            public,
            thumbprint: digest.finalize().into(),
            material,
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        self.thumbprint == other.thumbprint
            && self.id == other.id
            && self.algorithms == other.algorithms
    }

    fn is_secret(&self) -> bool {
        matches!(self.material, Material::Secret(_))
    }

    /// Whether `signature` is this key's over `message`. The algorithm is one of the key's.
    fn verifies(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
        native: &dyn Native,
    ) -> bool {
        self.asks(algorithm, message, signature, native)
            .unwrap_or_else(|| self.material.verifies(algorithm, message, signature))
    }

    /// Asks the host; `None` if it doesn't cover the algorithm.
    fn asks(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
        native: &dyn Native,
    ) -> Option<bool> {
        if self.public.is_empty() {
            return None;
        }
        // A JWS has both numbers of an ECDSA signature side by side (RFC 7518, section 3.4); what
        // is not two numbers in range is no signature.
        match &self.material {
            Material::P256(_) => {
                p256::ecdsa::Signature::from_slice(signature).map_or(Some(false), |signature| {
                    native.verify(
                        algorithm,
                        &self.public,
                        message,
                        signature.to_der().as_bytes(),
                    )
                })
            }
            Material::P384(_) => {
                p384::ecdsa::Signature::from_slice(signature).map_or(Some(false), |signature| {
                    native.verify(
                        algorithm,
                        &self.public,
                        message,
                        signature.to_der().as_bytes(),
                    )
                })
            }
            _ => native.verify(algorithm, &self.public, message, signature),
        }
    }
}

/// A key for signatures, if it says what it is for (RFC 7517, sections 4.2 and 4.3; JWT-SVID,
/// section 4.2.2).
fn check_purpose(jwk: &Value, purpose: Option<&str>) -> Result<(), Unusable> {
    if let Some(purpose) = purpose
        && !matches!(purpose, "sig" | "jwt-svid")
    {
        return Err((
            format!("a key for the use {purpose:?}"),
            "a key for signatures (\"use\": \"sig\")",
        ));
    }
    let Some(operations) = jwk.get("key_ops") else {
        return Ok(());
    };
    let verifies = operations
        .as_array()
        .is_some_and(|list| list.iter().any(|one| one == "verify"));
    if verifies {
        return Ok(());
    }
    Err((
        "a key whose \"key_ops\" don't include \"verify\"".to_owned(),
        "a key for verifying signatures",
    ))
}

const KINDS: &str = "an RSA key, a key on the curve P-256, P-384 or Ed25519, or a secret";

impl Material {
    fn compile(jwk: &Value, kind: Option<&str>, curve: Option<&str>) -> Result<Self, Unusable> {
        match (kind, curve) {
            (Some("oct"), _) => member(jwk, "k").map(Self::Secret),
            (Some("RSA"), _) => {
                rsa::key(&number(jwk, "n")?, &number(jwk, "e")?).map(|key| Self::Rsa(Box::new(key)))
            }
            (Some("EC"), Some("P-256")) => P256Key::from_sec1_bytes(&point(jwk, 32)?)
                .map(|key| Self::P256(Box::new(key)))
                .map_err(|_| ("no point of the curve P-256".to_owned(), KINDS)),
            (Some("EC"), Some("P-384")) => P384Key::from_sec1_bytes(&point(jwk, 48)?)
                .map(|key| Self::P384(Box::new(key)))
                .map_err(|_| ("no point of the curve P-384".to_owned(), KINDS)),
            // No number, but the 32 bytes of a point as RFC 8032 encodes it.
            (Some("OKP"), Some("Ed25519")) => Ed25519Key::from_slice(&member(jwk, "x")?)
                .map(|key| Self::Ed25519(Box::new(key)))
                .map_err(|_| ("no point of the curve Ed25519".to_owned(), KINDS)),
            _ => {
                let shown = |text: Option<&str>| text.unwrap_or("none").chars().take(32).collect();
                let (kind, curve): (String, String) = (shown(kind), shown(curve));
                Err((format!("a key of kind {kind:?} and curve {curve:?}"), KINDS))
            }
        }
    }

    /// What a key of this kind can be used with.
    fn algorithms(&self) -> Vec<Algorithm> {
        use Algorithm as A;
        match self {
            Self::Rsa(_) => vec![A::Rs256, A::Rs384, A::Rs512, A::Ps256, A::Ps384, A::Ps512],
            Self::P256(_) => vec![A::Es256],
            Self::P384(_) => vec![A::Es384],
            Self::Ed25519(_) => vec![A::EdDsa],
            Self::Secret(secret) => [(32, A::Hs256), (48, A::Hs384), (64, A::Hs512)]
                .into_iter()
                .filter(|(least, _)| secret.len() >= *least)
                .map(|(_, algorithm)| algorithm)
                .collect(),
        }
    }

    /// Empty where there is nothing that a host could use.
    fn public(&self) -> Vec<u8> {
        let encoded = match self {
            Self::Rsa(key) => key.to_public_key_der(),
            Self::P256(key) => p256::PublicKey::from(key.as_ref()).to_public_key_der(),
            Self::P384(key) => p384::PublicKey::from(key.as_ref()).to_public_key_der(),
            Self::Ed25519(_) | Self::Secret(_) => return Vec::new(),
        };
        encoded
            .map(|der| der.as_bytes().to_vec())
            .unwrap_or_default()
    }

    fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        use Algorithm as A;
        match (self, algorithm) {
            (Self::Rsa(key), A::Rs256) => check(&Rsa::rs256(), key, message, signature),
            (Self::Rsa(key), A::Rs384) => check(&Rsa::rs384(), key, message, signature),
            (Self::Rsa(key), A::Rs512) => check(&Rsa::rs512(), key, message, signature),
            (Self::Rsa(key), A::Ps256) => check(&Rsa::ps256(), key, message, signature),
            (Self::Rsa(key), A::Ps384) => check(&Rsa::ps384(), key, message, signature),
            (Self::Rsa(key), A::Ps512) => check(&Rsa::ps512(), key, message, signature),
            (Self::P256(key), A::Es256) => check(&Es256, key, message, signature),
            (Self::P384(key), A::Es384) => p384::ecdsa::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
            (Self::Ed25519(key), A::EdDsa) => check(&Ed25519, key, message, signature),
            (Self::Secret(key), A::Hs256) => check(&Hs256, &Hs256Key::new(key), message, signature),
            (Self::Secret(key), A::Hs384) => check(&Hs384, &Hs384Key::new(key), message, signature),
            (Self::Secret(key), A::Hs512) => check(&Hs512, &Hs512Key::new(key), message, signature),
            _ => false,
        }
    }
}

/// Base64url as it is published: RFC 7515, section 2, forbids padding, and some pad.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A member that is base64url.
fn member(jwk: &Value, name: &'static str) -> Result<Vec<u8>, Unusable> {
    jwk.get(name)
        .and_then(Value::as_str)
        .and_then(|text| BASE64URL.decode(text).ok())
        .ok_or_else(|| {
            (
                format!("a key whose {name:?} is missing or not base64url"),
                "base64url",
            )
        })
}

/// A member that is a number, without zeros in front: RFC 7518, section 6.3.1.1, forbids them, and
/// encoders of signed numbers write one.
fn number(jwk: &Value, name: &'static str) -> Result<Vec<u8>, Unusable> {
    let bytes = member(jwk, name)?;
    let number: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
    if number.is_empty() {
        return Err((format!("a key whose {name:?} is no number"), "a number"));
    }
    Ok(number)
}

/// The point of an EC key, uncompressed (SEC 1, section 2.3.3), its coordinates in so many bytes.
fn point(jwk: &Value, size: usize) -> Result<Vec<u8>, Unusable> {
    let mut point = vec![4];
    for name in ["x", "y"] {
        let number = number(jwk, name)?;
        let Some(zeros) = size.checked_sub(number.len()) else {
            return Err((
                format!("a key whose {name:?} is longer than its curve's numbers"),
                "a point of the curve",
            ));
        };
        point.resize(point.len().saturating_add(zeros), 0);
        point.extend(number);
    }
    Ok(point)
}

fn check<A: jwt_compact::Algorithm>(
    algorithm: &A,
    key: &A::VerifyingKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    if A::Signature::LENGTH.is_some_and(|length| length.get() != signature.len()) {
        return false;
    }
    A::Signature::try_from_slice(signature)
        .is_ok_and(|signature| algorithm.verify_signature(&signature, key, message))
}
