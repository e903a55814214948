//! From verified claims to who is calling.

use core::time::Duration;

use base::identity::{Identity, Kind, token_digest};
use serde_json::{Map, Value};

use super::checks::Lifetime;
use super::section::Provider;
use super::{Refusal, claims};

/// A subject, client or group longer than this fits into no header and no count.
const MAX_NAME_BYTES: usize = 512;

/// More groups than this are cut off nowhere: the token is refused.
const MAX_GROUPS: usize = 1000;

/// Who the verified claims of a provider's token speak of.
pub(super) fn identity(
    provider: &Provider,
    claims: &Map<String, Value>,
) -> Result<Identity, Refusal> {
    let subject = subject(provider, claims)?;
    let groups = groups(provider, claims)?;
    let client = accepted_client(provider, claims)?;
    Ok(Identity {
        provider: provider.name.clone(),
        issuer: provider.issuer.clone(),
        subject: subject.to_owned(),
        kind: provider
            .kind
            .unwrap_or_else(|| kind(claims, subject, client)),
        client: client.map(str::to_owned),
        token: token_id(claims),
        groups,
        email: email(claims),
        expires: Lifetime::of(provider, claims).map_or(Duration::ZERO, Lifetime::until),
        claims: claims::named(claims, &provider.claims.others),
    })
}

/// What stands for the token's id. What is no such id is none.
fn token_id(claims: &Map<String, Value>) -> Option<String> {
    Some(token_digest(claims.get("jti")?.as_str()?))
}

/// The e-mail address (OpenID Connect Core 1.0, section 5.1): it is shown to reviewers, and nobody
/// decides on what goes back to an address of their own.
fn email(claims: &Map<String, Value>) -> Option<String> {
    let email = claims.get("email")?.as_str()?;
    let denied = claims.get("email_verified");
    let verified = denied.is_none_or(|value| value != false && value != "false");
    (verified && email.len() <= MAX_NAME_BYTES).then(|| email.to_owned())
}

pub(super) fn subject<'a>(
    provider: &Provider,
    claims: &'a Map<String, Value>,
) -> Result<&'a str, Refusal> {
    claims::at(claims, &provider.claims.subject.path)
        .and_then(Value::as_str)
        .filter(|subject| !subject.is_empty() && subject.len() <= MAX_NAME_BYTES)
        .filter(|subject| trusts(provider, subject))
        .ok_or(Refusal::SubjectMissing)
}

pub(super) fn groups(
    provider: &Provider,
    claims: &Map<String, Value>,
) -> Result<Vec<String>, Refusal> {
    if !provider.ignore_overage && kept_elsewhere(provider, claims) {
        return Err(Refusal::GroupsOverage);
    }
    let groups = provider
        .claims
        .groups
        .as_ref()
        .map(|path| claims::values(claims, path))
        .unwrap_or_default();
    if groups.len() > MAX_GROUPS || groups.iter().any(|group| group.len() > MAX_NAME_BYTES) {
        return Err(Refusal::TokenMalformed);
    }
    Ok(groups)
}

/// The client, where the token names one; one that the policy accepts, if it says which.
pub(super) fn accepted_client<'a>(
    provider: &Provider,
    claims: &'a Map<String, Value>,
) -> Result<Option<&'a str>, Refusal> {
    let client = client(claims);
    // To leave it out would make it one that no rule about clients holds for.
    if client.is_some_and(|client| client.len() > MAX_NAME_BYTES) {
        return Err(Refusal::TokenMalformed);
    }
    if !provider.clients.is_empty() {
        let accepted =
            client.is_some_and(|client| provider.clients.iter().any(|glob| glob.matches(client)));
        if !accepted {
            return Err(Refusal::ClientNotAccepted);
        }
    }
    Ok(client)
}

/// A trust domain speaks for the workloads under its own name only (SPIFFE ID, section 2).
fn trusts(provider: &Provider, subject: &str) -> bool {
    !provider.issuer.starts_with(SPIFFE) || within(&provider.issuer, subject)
}

pub(super) const SPIFFE: &str = "spiffe://";

/// Whether a SPIFFE ID lies in a trust domain.
pub(super) fn within(domain: &str, subject: &str) -> bool {
    subject
        .strip_prefix(domain.trim_end_matches('/'))
        .is_some_and(|path| path.starts_with('/'))
}

/// The client, as OpenID Connect (`azp`), RFC 9068 (`client_id`), Entra's first tokens (`appid`)
/// and Okta (`cid`) name it.
pub(super) fn client(claims: &Map<String, Value>) -> Option<&str> {
    ["azp", "client_id", "appid", "cid"]
        .iter()
        .find_map(|name| claims.get(*name)?.as_str())
        .filter(|client| !client.is_empty())
}

/// Whether a program got the token for itself.
fn kind(claims: &Map<String, Value>, subject: &str, client: Option<&str>) -> Kind {
    mark(claims, subject, client).map_or(Kind::Person, |_| Kind::Service)
}

/// What shows that a program got the token for itself, by the marks that providers leave.
pub(super) fn mark(
    claims: &Map<String, Value>,
    subject: &str,
    client: Option<&str>,
) -> Option<&'static str> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let begins =
        |name: &str, prefix: &str| text(name).is_some_and(|value| value.starts_with(prefix));
    // RFC 9068, section 5: a client that stands for itself is its own subject.
    if client == Some(subject) {
        Some("its client is its subject")
    } else if subject.starts_with(SPIFFE) {
        Some("its subject is a workload's SPIFFE ID")
    } else if subject.starts_with("system:serviceaccount:") {
        Some("its subject is a Kubernetes service account")
    } else if text("idtyp") == Some("app") {
        // Entra.
        Some("its \"idtyp\" is \"app\"")
    } else if text("gty") == Some("client-credentials") {
        // Auth0.
        Some("its \"gty\" is \"client-credentials\"")
    } else if begins("preferred_username", "service-account-") {
        // Keycloak.
        Some("its \"preferred_username\" begins with \"service-account-\"")
    } else {
        None
    }
}

/// Whether a claim that the policy reads groups from is kept outside the token: Entra leaves out
/// long lists and names their source in `_claim_names` (OpenID Connect Core 1.0, section 5.6.2),
/// or says `hasgroups`.
pub(super) fn kept_elsewhere(provider: &Provider, claims: &Map<String, Value>) -> bool {
    let Some(path) = provider.claims.groups.as_ref() else {
        return false;
    };
    if claims::at(claims, &path.path).is_some() {
        return false;
    }
    let name = claims::first_name(&path.path);
    let named = claims
        .get("_claim_names")
        .and_then(Value::as_object)
        .is_some_and(|names| names.contains_key(&name));
    let flagged = name == "groups"
        && claims
            .get("hasgroups")
            .is_some_and(|flag| flag == true || flag == "true");
    named || flagged
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_that_is_called_unverified_is_none() {
        let email = |claims: Value| email(claims.as_object().unwrap());
        let ana = Some("ana@example.com".to_owned());
        assert_eq!(email(json!({"email": "ana@example.com"})), ana);
        let claims = json!({"email": "ana@example.com", "email_verified": true});
        assert_eq!(email(claims), ana);
        for denied in [json!(false), json!("false")] {
            let claims = json!({"email": "ana@example.com", "email_verified": denied});
            assert_eq!(email(claims), None);
        }
        assert_eq!(email(json!({"email": 1})), None);
    }

    #[test]
    fn a_tokens_id_is_found_again_and_not_shown() {
        let id = |claims: Value| token_id(claims.as_object().unwrap());
        // printf t-1 | sha256sum
        let known = "46e9bc3476c92ea24fb17adac6cd9cda";
        assert_eq!(id(json!({"jti": "t-1"})).as_deref(), Some(known));
        assert_eq!(id(json!({"jti": 1})), None);
        assert_eq!(id(json!({})), None);
    }
}
