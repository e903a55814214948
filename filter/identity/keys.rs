//! Public keys of a provider.

use jwt_compact::AlgorithmSignature as _;
use jwt_compact::alg::{Ed25519, Es256, Rsa, RsaPublicKey};
use jwt_compact::jwk::JsonWebKey;
use serde_json::Value;

use crate::config::Problem;
use crate::config::identity::Algorithm;

type P256Key = <Es256 as jwt_compact::Algorithm>::VerifyingKey;
type Ed25519Key = <Ed25519 as jwt_compact::Algorithm>::VerifyingKey;

/// A public key, which fixes the one algorithm that it can verify.
#[derive(Debug)]
enum Material {
    Rs256(Box<RsaPublicKey>),
    Es256(Box<P256Key>),
    EdDsa(Box<Ed25519Key>),
}

/// A key with the id under which tokens refer to it.
#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    material: Material,
}

/// RSA keys below 2048 bits are refused (NIST SP 800-131A), as are those above 8192, whose
/// verification would be a way to burn the worker's time.
const RSA_BYTES: core::ops::RangeInclusive<usize> = 256..=1024;

impl Key {
    /// Compiles a JSON Web Key (RFC 7517).
    pub(super) fn compile(path: &str, jwk: &Value) -> Result<Self, Problem> {
        let problem = |found: String, expected: &str| Problem {
            path: path.to_owned(),
            found,
            expected: expected.to_owned(),
        };
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if jwk.get("d").is_some() || text("kty") == Some("oct") {
            return Err(problem(
                "a private or symmetric key".to_owned(),
                "a public key",
            ));
        }
        if let Some(purpose) = text("use")
            && purpose != "sig"
        {
            return Err(problem(
                format!("a key for the use {purpose:?}"),
                "a key for signatures (\"use\": \"sig\")",
            ));
        }
        let parsed: JsonWebKey<'_> = serde_json::from_value(jwk.clone())
            .map_err(|error| problem(error.to_string(), "a JSON Web Key (RFC 7517)"))?;
        let material = match &parsed {
            JsonWebKey::Rsa { modulus, .. } => {
                let length = modulus.iter().skip_while(|byte| **byte == 0).count();
                if !RSA_BYTES.contains(&length) {
                    return Err(problem(
                        format!("an RSA key of {} bits", length.saturating_mul(8)),
                        "an RSA key of 2048 to 8192 bits",
                    ));
                }
                RsaPublicKey::try_from(&parsed).map(|key| Material::Rs256(Box::new(key)))
            }
            JsonWebKey::EllipticCurve { .. } => {
                P256Key::try_from(&parsed).map(|key| Material::Es256(Box::new(key)))
            }
            _ => Ed25519Key::try_from(&parsed).map(|key| Material::EdDsa(Box::new(key))),
        }
        .map_err(|error| {
            problem(
                error.to_string(),
                "an RSA key, or a key on the curve P-256 or Ed25519",
            )
        })?;
        let key = Self {
            id: text("kid").map(str::to_owned),
            material,
        };
        if let Some(name) = text("alg")
            && name != key.algorithm_name()
        {
            return Err(problem(
                format!("a key for the algorithm {name:?}"),
                key.algorithm_name(),
            ));
        }
        Ok(key)
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Rs256(_) => Algorithm::Rs256,
            Material::Es256(_) => Algorithm::Es256,
            Material::EdDsa(_) => Algorithm::EdDsa,
        }
    }

    fn algorithm_name(&self) -> &'static str {
        let own = self.algorithm();
        Algorithm::NAMES
            .iter()
            .find(|(_, one)| *one == own)
            .map_or("", |(name, _)| name)
    }

    /// Whether `signature` is this key's over `message`.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.material {
            Material::Rs256(key) => check(&Rsa::rs256(), key, message, signature),
            Material::Es256(key) => check(&Es256, key, message, signature),
            Material::EdDsa(key) => check(&Ed25519, key, message, signature),
        }
    }
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
