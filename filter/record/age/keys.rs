//! The keys of age: whom something is sealed to, and who can open it.

use core::fmt;

use bech32::primitives::decode::CheckedHrpstring;
use bech32::{Bech32, Hrp};
use curve25519_dalek::MontgomeryPoint;

/// What a recipient's text begins with, in front of the `1` that ends it.
const RECIPIENT: &str = "age";

/// The same for an identity, which is written in capitals.
const IDENTITY: &str = "age-secret-key-";

/// The length of a key in bytes.
pub(super) const KEY_BYTES: usize = 32;

/// Whom something is sealed to: a public key of X25519 (c2sp.org/age, "X25519 recipient").
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Recipient(pub(super) [u8; KEY_BYTES]);

/// Who can open what is sealed to its recipient.
#[derive(Clone)]
pub struct Identity(pub(super) [u8; KEY_BYTES]);

impl Recipient {
    /// Reads `age1...`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        read(text, RECIPIENT).map(Self)
    }
}

impl Identity {
    /// Reads `AGE-SECRET-KEY-1...`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        read(text, IDENTITY).map(Self)
    }

    /// Reads the file that `age-keygen` writes: an identity a line, comments behind `#`, blank lines.
    /// `None` if another line is in it, or no identity.
    #[must_use]
    pub fn read_file(text: &str) -> Option<Vec<Self>> {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let identities: Option<Vec<Self>> = lines.map(Self::read).collect();
        identities.filter(|identities| !identities.is_empty())
    }

    /// Whom to seal to for this identity.
    #[must_use]
    pub fn recipient(&self) -> Recipient {
        Recipient(MontgomeryPoint::mul_base_clamped(self.0).to_bytes())
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hrp = Hrp::parse(RECIPIENT).map_err(|_| fmt::Error)?;
        bech32::encode_lower_to_fmt::<Bech32, _>(formatter, hrp, &self.0).map_err(|_| fmt::Error)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Identity(..)")
    }
}

fn read(text: &str, hrp: &str) -> Option<[u8; KEY_BYTES]> {
    let checked = CheckedHrpstring::new::<Bech32>(text).ok()?;
    if checked.hrp() != Hrp::parse(hrp).ok()? {
        return None;
    }
    let bytes: Vec<u8> = checked.byte_iter().collect();
    bytes.try_into().ok()
}
