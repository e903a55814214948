//! Envoy's own cryptography, through its foreign function `verify_signature`.

use super::calls;
use super::probe;
use crate::exchange::{Algorithm, Native, VerifyWith};

/// What the host was found to verify.
pub struct HostNative {
    covered: Vec<Algorithm>,
}

impl HostNative {
    /// Finds out what the host can do, if the policy lets it do anything.
    ///
    /// # Errors
    /// When the policy wants the host to verify and it can't verify anything.
    pub fn find(wanted: VerifyWith) -> Result<Self, String> {
        let covered = match wanted {
            VerifyWith::Filter => Vec::new(),
            VerifyWith::Auto | VerifyWith::Host => probe::covered(verify),
        };
        if wanted == VerifyWith::Host && covered.is_empty() {
            return Err(
                "/identity/verify_with: found a host without the function verify_signature, \
                 expected Envoy 1.30 or later, or \"auto\" or \"filter\""
                    .to_owned(),
            );
        }
        Ok(Self { covered })
    }
}

impl Native for HostNative {
    fn verify(
        &self,
        algorithm: Algorithm,
        key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Option<bool> {
        self.covered
            .contains(&algorithm)
            .then(|| verify(algorithm, key, message, signature))
    }
}

/// Envoy answers with a message whose field 1 is true; anything else is no.
const YES: &[u8] = &[0x08, 0x01];

fn verify(algorithm: Algorithm, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let hash: &[u8] = match algorithm {
        Algorithm::Rs256 | Algorithm::Es256 => b"sha256",
        Algorithm::Rs384 | Algorithm::Es384 => b"sha384",
        Algorithm::Rs512 => b"sha512",
        _ => return false,
    };
    let fields = [hash, key, signature, message];
    let length: usize = fields
        .iter()
        .map(|field| field.len().saturating_add(6))
        .sum();
    let mut argument = Vec::with_capacity(length);
    for (number, field) in (1_u8..).zip(fields) {
        // A field of bytes: its number and wire type, its length, itself (protobuf, "Encoding").
        argument.push(number << 3 | 2);
        let mut length = field.len();
        while length >= 0x80 {
            argument.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
            length >>= 7;
        }
        argument.push(u8::try_from(length).unwrap_or_default());
        argument.extend_from_slice(field);
    }
    calls::foreign("verify_signature", &argument).is_ok_and(|answer| answer == YES)
}
