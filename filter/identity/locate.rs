//! Where in a request the token stands.

use super::Refusal;
use crate::identity::section::TokenPlace;

/// A token that a request carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Found<'a> {
    /// The token.
    pub token: &'a str,
    /// The header that it stands in, in lower case.
    pub header: &'a str,
}

/// Looks in the places of the policy, in order. `headers` are names in lower case with values
/// as they came; a value that is not text is no token.
///
/// # Errors
/// No token, or more than one: nobody can tell which of two a later reader would take.
pub fn find_token<'a>(
    places: &'a [TokenPlace],
    headers: &[(&'a [u8], &'a [u8])],
) -> Result<Found<'a>, Refusal> {
    let mut found = None;
    for place in places {
        for (name, value) in headers {
            if *name != place.header.as_bytes() {
                continue;
            }
            let Some(token) = core::str::from_utf8(value)
                .ok()
                .and_then(|text| strip_scheme(text, place.scheme.as_deref()))
            else {
                continue;
            };
            if found.is_some() {
                return Err(Refusal::SeveralTokens);
            }
            found = Some(Found {
                token,
                header: &place.header,
            });
        }
    }
    found.ok_or(Refusal::TokenMissing)
}

fn strip_scheme<'a>(value: &'a str, scheme: Option<&str>) -> Option<&'a str> {
    let value = value.trim();
    let token = match scheme {
        None => value,
        Some(scheme) => {
            let (head, rest) = value.split_once(' ')?;
            head.eq_ignore_ascii_case(scheme).then(|| rest.trim())?
        }
    };
    (!token.is_empty()).then_some(token)
}
