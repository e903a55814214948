//! Secrets in the configuration, with values from the environment.

use std::fmt;

use serde::Deserialize;

/// The shortest key that is taken, in characters.
pub const MIN_KEY: usize = 16;

/// A secret, which `Debug` doesn't print.
#[derive(Clone, Deserialize, PartialEq, Eq, Hash)]
#[serde(transparent)]
pub struct Key(String);

impl Key {
    pub(super) fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Key(..)")
    }
}

/// A key with its variables filled in.
pub(super) fn resolve(
    key: &Key,
    at: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Key, String> {
    let out = fill(key.secret(), at, environment)?;
    if out.len() < MIN_KEY || !out.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!(
            "{at}: found a key of {} bytes, expected at least {MIN_KEY} printable ASCII characters without spaces",
            out.len()
        ));
    }
    Ok(Key(out))
}

/// A text with the values of the variables that it names.
pub(super) fn fill(
    text: &str,
    at: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let (name, tail) = after
            .split_once('}')
            .filter(|(name, _)| is_variable(name))
            .ok_or_else(|| {
                format!(
                    "{at}: found \"${{\" without a variable's name and \"}}\", expected ${{NAME}}"
                )
            })?;
        let value = environment(name).ok_or_else(|| {
            format!(
                "{at}: found ${{{name}}}, which is not set, expected an environment variable {name}"
            )
        })?;
        out.push_str(&value);
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
