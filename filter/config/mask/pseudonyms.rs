//! `/pseudonyms` of the policy: the key that makes the same value the same pseudonym.

use super::super::reader::Node;

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

pub(in crate::config) fn read_pseudonyms(node: &Node<'_>) -> Option<PseudonymKey> {
    let object = node.object()?;
    let key = object.required("key").and_then(|node| {
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
    });
    object.close();
    key
}
