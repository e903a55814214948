//! One form for a method (RFC 9110, section 9.1: methods are told apart by case, and not all servers
//! do).

/// Why a method was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MethodError {
    /// Not in upper case: some servers would take it for the one that is.
    NotNormal,
    /// It would send the credential of the model server back.
    Echoes,
}

impl MethodError {
    /// What the caller is told.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::NotNormal => "The method is not in upper case.",
            Self::Echoes => "The method asks for an echo of the request.",
        }
    }
}

/// Reads the value of `:method`.
///
/// # Errors
/// One that servers read in different ways, or that must not reach one.
pub fn method(raw: &[u8]) -> Result<&str, MethodError> {
    let method = core::str::from_utf8(raw).map_err(|_| MethodError::NotNormal)?;
    let sound =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    if method.is_empty() || !method.bytes().all(sound) {
        return Err(MethodError::NotNormal);
    }
    match method {
        "TRACE" | "TRACK" | "DEBUG" => Err(MethodError::Echoes),
        method => Ok(method),
    }
}
