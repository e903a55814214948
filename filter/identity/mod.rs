//! Who is calling: a token found in the request, verified, and mapped to an [`Identity`].
//!
//! Everything about a token is refused that RFC 8725 (JSON Web Token Best Current Practices)
//! warns of: the algorithm comes from the provider's key and the policy, never from the token
//! alone, and a token can't bring or name its own key.

mod claims;
mod keys;
mod locate;
mod refusal;
mod token;

#[cfg(test)]
mod tests;

use core::time::Duration;
use std::collections::BTreeMap;

use crate::config::Problem;
use crate::config::identity::{Identity as Settings, Provider};

use keys::Key;
pub use locate::{Found, find_token};
pub use refusal::Refusal;
use token::Unverified;

/// A caller whose token was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider's name in the policy.
    pub provider: String,
    /// The token's `iss`.
    pub issuer: String,
    /// Who it is, unique within the provider.
    pub subject: String,
    /// Groups, as the provider lists them.
    pub groups: Vec<String>,
    /// Claims that the policy names.
    pub claims: BTreeMap<String, Vec<String>>,
}

/// Verifies tokens of the policy's providers.
#[derive(Debug)]
pub struct Verifier {
    providers: Vec<(Provider, Vec<Key>)>,
}

/// A subject or group longer than this fits into no header and no count.
const LONGEST_NAME: usize = 512;

/// More groups than this are cut off nowhere: the token is refused.
const MOST_GROUPS: usize = 1000;

impl Verifier {
    /// Compiles the providers' keys.
    ///
    /// # Errors
    /// Each key that can't be used, with its path in the policy.
    pub fn new(settings: &Settings) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut providers = Vec::new();
        for provider in &settings.providers {
            let mut keys = Vec::new();
            for (path, jwk) in &provider.keys {
                match Key::compile(path, jwk) {
                    Ok(key) => keys.push(key),
                    Err(problem) => problems.push(problem),
                }
            }
            providers.push((provider.clone(), keys));
        }
        if problems.is_empty() {
            Ok(Self { providers })
        } else {
            Err(problems)
        }
    }

    /// Verifies a token. `now` is the time since 1970.
    ///
    /// # Errors
    /// The first check that failed. The signature is checked before any claim but the issuer,
    /// so a forged token learns nothing about what is expected of the others.
    pub fn verify(&self, token: &str, now: Duration) -> Result<Identity, Refusal> {
        let token = Unverified::parse(token)?;
        let issuer = token.claims.get("iss").and_then(|value| value.as_str());
        let (provider, keys) = self
            .providers
            .iter()
            .find(|(provider, _)| Some(provider.issuer.as_str()) == issuer)
            .ok_or(Refusal::UnknownIssuer)?;
        check_signature(provider, keys, &token)?;
        check_times(provider, &token, now)?;
        check_audience(provider, &token)?;

        let subject = claims::at(&token.claims, &provider.subject_claim)
            .and_then(|value| value.as_str())
            .filter(|subject| !subject.is_empty() && subject.len() <= LONGEST_NAME)
            .ok_or(Refusal::SubjectMissing)?;
        let groups = provider
            .groups_claim
            .as_ref()
            .and_then(|path| claims::at(&token.claims, path))
            .map(claims::texts)
            .unwrap_or_default();
        if groups.len() > MOST_GROUPS {
            return Err(Refusal::TokenMalformed);
        }
        Ok(Identity {
            provider: provider.name.clone(),
            issuer: provider.issuer.clone(),
            subject: subject.to_owned(),
            groups,
            claims: claims::named(&token.claims, &provider.claims),
        })
    }
}

fn check_signature(
    provider: &Provider,
    keys: &[Key],
    token: &Unverified<'_>,
) -> Result<(), Refusal> {
    let algorithm = token
        .algorithm
        .filter(|algorithm| provider.algorithms.contains(algorithm))
        .ok_or(Refusal::AlgorithmNotAllowed)?;
    let mut candidates = keys
        .iter()
        .filter(|key| key.algorithm() == algorithm)
        .filter(|key| match (&token.key_id, key.id()) {
            (Some(wanted), Some(id)) => wanted == id,
            // Without an id on either side, every key of the right kind may have signed.
            _ => true,
        })
        .peekable();
    if candidates.peek().is_none() {
        return Err(Refusal::UnknownKey);
    }
    if candidates.any(|key| key.verifies(token.message, &token.signature)) {
        Ok(())
    } else {
        Err(Refusal::SignatureInvalid)
    }
}

fn check_times(provider: &Provider, token: &Unverified<'_>, now: Duration) -> Result<(), Refusal> {
    let date = |name| claims::date(&token.claims, name).ok_or(Refusal::TokenMalformed);
    let now = now.as_secs();
    let leeway = provider.leeway.as_secs();
    // A token that never expires is refused as one that has (RFC 8725, section 3.1).
    let expires = date("exp")?.ok_or(Refusal::TokenExpired)?;
    if now >= expires.saturating_add(leeway) {
        return Err(Refusal::TokenExpired);
    }
    let not_before = date("nbf")?;
    let issued = date("iat")?;
    for start in [not_before, issued].into_iter().flatten() {
        if start > now.saturating_add(leeway) {
            return Err(Refusal::TokenNotYetValid);
        }
    }
    if let Some(longest) = provider.max_lifetime {
        let lifetime = issued
            .or(not_before)
            .map(|start| expires.saturating_sub(start));
        if lifetime.is_none_or(|lifetime| lifetime > longest.as_secs()) {
            return Err(Refusal::LifetimeTooLong);
        }
    }
    Ok(())
}

fn check_audience(provider: &Provider, token: &Unverified<'_>) -> Result<(), Refusal> {
    let audiences = token.claims.get("aud").map(claims::texts);
    audiences
        .unwrap_or_default()
        .iter()
        .any(|audience| provider.audiences.contains(audience))
        .then_some(())
        .ok_or(Refusal::AudienceMismatch)
}
