//! One form for the host of an authority (RFC 3986, section 3.2).

use super::PathError;

/// The host without its port and without the dot at the end of a name that is written whole, in lower
/// case.
///
/// # Errors
/// An authority in which servers find different hosts: one with a user in front, with escapes, or with
/// something else behind its colon than a port.
pub fn host(authority: &str) -> Result<String, PathError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(PathError::Host)?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let address = authority.starts_with('[');
    let sound = |byte: u8| match address {
        true => byte.is_ascii_hexdigit() || b":.".contains(&byte),
        false => byte.is_ascii_alphanumeric() || b"-._~".contains(&byte),
    };
    let digits = port.strip_prefix(':').unwrap_or(port);
    let is_port = digits.len() < port.len() || port.is_empty();
    if !is_port || !digits.bytes().all(|byte| byte.is_ascii_digit()) || !host.bytes().all(sound) {
        return Err(PathError::Host);
    }
    let host = host.to_ascii_lowercase();
    Ok(match address {
        true => format!("[{host}]"),
        false => host.trim_end_matches('.').to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{PathError, host};

    #[test]
    fn hosts_have_one_form() {
        for (authority, known) in [
            ("models", "models"),
            ("Models.Test", "models.test"),
            ("models.test.", "models.test"),
            ("models.test:80", "models.test"),
            ("MODELS.test.:8080", "models.test"),
            ("models:", "models"),
            ("my_service-1:80", "my_service-1"),
            ("10.0.0.1:80", "10.0.0.1"),
            ("[2001:DB8::1]:80", "[2001:db8::1]"),
            ("[::1]", "[::1]"),
            ("", ""),
        ] {
            assert_eq!(host(authority).unwrap(), known, "{authority}");
        }
        for authority in [
            "x@models",
            "@models",
            "x:80@models",
            "models:80:80",
            "models:+80",
            "models:80.",
            "models:x",
            "mod%65ls",
            "models%00",
            "models,other",
            "mod els",
            "models/x",
            "models?x",
            "models#x",
            "models\\x",
            "caf\u{e9}",
            "[::1",
            "[::1]x",
            "[models]",
            "::1",
        ] {
            assert_eq!(host(authority).unwrap_err(), PathError::Host, "{authority}");
        }
    }
}
