//! RSA keys, and those that should not be used.

use jwt_compact::alg::RsaPublicKey;
use rsa::BigUint;
use rsa::traits::PublicKeyParts as _;

use super::Unusable;

/// Keys below 2048 bits are refused (NIST SP 800-131A), as are those above 4096, whose
/// verification would be a way to burn the worker's time.
const BITS: core::ops::RangeInclusive<usize> = 2048..=4096;

/// A key of its modulus and its exponent, both big-endian, if it is worth a signature.
pub(super) fn key(modulus: &[u8], exponent: &[u8]) -> Result<RsaPublicKey, Unusable> {
    let (modulus, exponent) = (
        BigUint::from_bytes_be(modulus),
        BigUint::from_bytes_be(exponent),
    );
    let key = RsaPublicKey::new(modulus, exponent)
        .map_err(|error| (format!("an RSA key that is none: {error}"), "an RSA key"))?;
    weakness(&key).map_or(Ok(key), Err)
}

/// What is wrong with a key.
fn weakness(key: &RsaPublicKey) -> Option<Unusable> {
    let bits = key.n().bits();
    if !BITS.contains(&bits) {
        return Some((
            format!("an RSA key of {bits} bits"),
            "an RSA key of 2048 to 4096 bits",
        ));
    }
    let even = |number: &BigUint| {
        number
            .to_bytes_le()
            .first()
            .is_none_or(|byte| byte % 2 == 0)
    };
    if even(key.n()) || even(key.e()) || key.e() < &BigUint::from(3_u8) {
        return Some((
            "an RSA key with an even number or an exponent below 3".to_owned(),
            "an RSA key with an odd modulus and an odd exponent from 3",
        ));
    }
    is_roca(&key.n().to_bytes_be()).then(|| {
        (
            "an RSA key from a broken generator (CVE-2017-15361)".to_owned(),
            "another key",
        )
    })
}

/// Whether the modulus has the mark of the generator whose keys can be factored (Nemec and others,
/// "The Return of Coppersmith's Attack", 2017): modulo each of these primes it is a power of
/// 65537. One sound key in a hundred million has it too.
pub(super) fn is_roca(modulus: &[u8]) -> bool {
    const PRIMES: [u32; 20] = [
        3, 5, 7, 11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
    ];
    PRIMES.iter().all(|prime| {
        let rest = modulus
            .iter()
            .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % prime);
        let mut power = 1;
        // The powers repeat after at most as many steps as there are rests.
        (0..*prime).any(|_| {
            power = power * 65_537 % prime;
            power == rest
        })
    })
}
