//! What is wrong with the body of a form, and the names that every server reads alike.

use core::fmt;

/// The longest name of a field. Busboy cuts longer ones.
pub const MAX_NAME_BYTES: usize = 100;

/// Two servers might read this form differently, or it is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FormError {
    /// What was found; nothing of the body is quoted.
    pub reason: &'static str,
    /// Where it is in the body: the byte itself, or the first of the header, part or pair.
    pub at: usize,
}

impl FormError {
    pub(crate) const fn new(reason: &'static str, at: usize) -> Self {
        Self { reason, at }
    }
}

impl fmt::Display for FormError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at byte {}", self.reason, self.at)
    }
}

impl core::error::Error for FormError {}

/// Whether every server takes this for the name of a field and of nothing else.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        // Go drops such a field, Busboy gives it no name.
        return Err("a name that is empty");
    }
    if name.len() > MAX_NAME_BYTES {
        return Err("a name longer than 100 bytes");
    }
    if name.trim() != name {
        // Django and PHP trim.
        return Err("a blank at an end of a name");
    }
    if name == "_charset_" {
        // It says how to decode the fields behind it, to aiohttp for one.
        return Err("a field named _charset_");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::FormError;

    #[test]
    fn an_error_says_what_and_where() {
        let error = FormError::new("a preamble", 7);
        assert_eq!(error.to_string(), "a preamble at byte 7");
    }
}
