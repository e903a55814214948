//! Checks of verified claims that don't depend on keys.

use core::time::Duration;

use serde_json::{Map, Value};

use super::{Refusal, claims};
use crate::identity::section::Provider;

/// When a token may be used, in seconds since 1970, the provider's leeway included.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lifetime {
    /// From this second on.
    from: u64,
    /// No more from this second on.
    until: u64,
}

impl Lifetime {
    pub(super) fn of(provider: &Provider, claims: &Map<String, Value>) -> Result<Self, Refusal> {
        let date = |name| claims::date(claims, name).ok_or(Refusal::TokenMalformed);
        let leeway = provider.leeway.as_secs();
        // A token that never expires is refused as one that has (RFC 8725, section 3.1).
        let expires = date("exp")?.ok_or(Refusal::TokenExpired)?;
        let not_before = date("nbf")?;
        let issued = date("iat")?;
        if let Some(longest) = provider.max_lifetime {
            let lifetime = issued
                .or(not_before)
                .map(|start| expires.saturating_sub(start));
            if lifetime.is_none_or(|lifetime| lifetime > longest.as_secs()) {
                return Err(Refusal::LifetimeTooLong);
            }
        }
        let start = not_before.unwrap_or(0).max(issued.unwrap_or(0));
        Ok(Self {
            from: start.saturating_sub(leeway),
            until: expires.saturating_add(leeway),
        })
    }

    /// From when on the token may be used no more, since 1970.
    pub(super) fn until(self) -> Duration {
        Duration::from_secs(self.until)
    }

    pub(super) fn check(self, now: Duration) -> Result<(), Refusal> {
        let now = now.as_secs();
        if now >= self.until {
            Err(Refusal::TokenExpired)
        } else if now < self.from {
            Err(Refusal::TokenNotYetValid)
        } else {
            Ok(())
        }
    }
}

pub(super) fn audience(provider: &Provider, claims: &Map<String, Value>) -> Result<(), Refusal> {
    claims::values(claims, &provider.audience_claim)
        .iter()
        .any(|audience| provider.audiences.contains(audience))
        .then_some(())
        .ok_or(Refusal::AudienceMismatch)
}

/// RFC 8725, section 3.11: an ID token or a logout token is no access token, if the policy says
/// which types are.
pub(super) fn media_type(provider: &Provider, found: Option<&str>) -> Result<(), Refusal> {
    if provider.types.is_empty() {
        return Ok(());
    }
    found
        .map(crate::identity::section::media_type)
        .is_some_and(|found| provider.types.contains(&found))
        .then_some(())
        .ok_or(Refusal::TypeNotAccepted)
}
