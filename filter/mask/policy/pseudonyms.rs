//! `/pseudonyms` of the policy: the key that makes the same value the same pseudonym.

use base::policy::{Form, Key, Node, SECRET};

/// The fewest characters that a key is written with.
const MIN_KEY_BYTES: usize = 32;

/// A key that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PseudonymKey(String);

impl PseudonymKey {
    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl core::fmt::Debug for PseudonymKey {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("PseudonymKey")
    }
}

/// `/pseudonyms`.
pub static PSEUDONYMS: Form = Form::object(&[Key::required(
    "key",
    "At least 32 characters that nobody can guess. With the same key, the same value has the same pseudonym in every Envoy.",
    &SECRET,
)]);

/// Reads `/pseudonyms`.
#[must_use]
pub fn read_pseudonyms(node: &Node<'_>) -> Option<PseudonymKey> {
    let node = node.object()?.get("key")?;
    let key = node.secret()?;
    if key.len() < MIN_KEY_BYTES {
        // Whoever can guess the key can guess what every pseudonym stands for.
        node.problem(
            "a key that can be guessed",
            format!("at least {MIN_KEY_BYTES} characters"),
        );
        return None;
    }
    Some(PseudonymKey(key))
}
