//! What the claims say.

use core::time::Duration;

use serde_json::{Map, Value};

use super::form::Parts;
use super::words::{count, list, quoted, span, time, value};
use super::{Provider, Refusal, Step};
use crate::identity::checks::{self, Lifetime};
use crate::identity::section::{ClaimPath, Provider as Settings};
use crate::identity::{caller, claims};

type Claims = Map<String, Value>;

pub(super) fn issuer(parts: &Parts, providers: &[Provider], found: Option<&Provider>) -> Step {
    let Some(claims) = &parts.claims else {
        return Step::skipped("issuer", "there are no claims");
    };
    if let Some(provider) = found {
        let Settings { name, issuer, .. } = &provider.settings;
        let text = if claims.contains_key("iss") {
            format!("{}, the provider {}", quoted(issuer), quoted(name))
        } else {
            format!(
                "no \"iss\", but the subject is of the trust domain {}, the provider {}",
                quoted(issuer),
                quoted(name)
            )
        };
        return Step::new("issuer", Ok(()), text);
    }
    let issuer = claims.get("iss");
    let bare = |text: &str| text.trim_end_matches('/').to_owned();
    let slash = issuer.and_then(Value::as_str).is_some_and(|issuer| {
        providers
            .iter()
            .any(|one| bare(&one.settings.issuer) == bare(issuer))
    });
    let text = format!(
        "{}, expected {}{}",
        issuer.map_or("none".to_owned(), value),
        list(providers.iter().map(|one| &one.settings.issuer)),
        if slash {
            " (a slash at the end makes it another)"
        } else {
            ""
        }
    );
    Step::new("issuer", Err(Refusal::UnknownIssuer), text)
}

/// The checks behind the signature's.
pub(super) fn steps(
    parts: &Parts,
    provider: Option<&Provider>,
    now: Duration,
    steps: &mut Vec<Step>,
) {
    let names = [
        "type", "dates", "lifetime", "time", "audience", "subject", "groups", "client", "kind",
        "others",
    ];
    let (Some(claims), Some(provider)) = (&parts.claims, provider) else {
        let why = if parts.claims.is_none() {
            "there are no claims"
        } else {
            "no provider is known"
        };
        steps.extend(names.map(|name| Step::skipped(name, why)));
        return;
    };
    let settings = &provider.settings;
    steps.push(media_type(parts, settings));
    steps.extend(dates(settings, claims, now));
    steps.push(audience(settings, claims));
    steps.push(subject(settings, claims));
    steps.push(groups(settings, claims));
    steps.push(client(settings, claims));
    steps.push(kind(settings, claims));
    steps.push(others(settings, claims));
}

fn media_type(parts: &Parts, settings: &Settings) -> Step {
    let found = parts.header_text("typ");
    let shown = found.map_or("none".to_owned(), quoted);
    let text = if settings.types.is_empty() {
        format!("{shown}; the policy accepts any")
    } else {
        format!("{shown}, expected {}", list(&settings.types))
    };
    Step::new("type", checks::media_type(settings, found), text)
}

/// Whether there are dates, how far apart they lie, and where in between it is now.
fn dates(settings: &Settings, claims: &Claims, now: Duration) -> [Step; 3] {
    let date = |name| claims::date(claims, name).flatten();
    let shown: Vec<String> = ["exp", "nbf", "iat"]
        .iter()
        .filter_map(|name| {
            let found = claims.get(*name);
            Some(match (claims::date(claims, name), found) {
                (Some(Some(seconds)), _) => format!("{name} {}", time(seconds)),
                (None, Some(found)) => format!("{name} {}, expected seconds", value(found)),
                _ if *name == "exp" => "no exp, which every token must have".to_owned(),
                _ => return None,
            })
        })
        .collect();
    let unbounded = Settings {
        max_lifetime: None,
        ..settings.clone()
    };
    let lifetime = Lifetime::of(&unbounded, claims);
    let bounded = Lifetime::of(settings, claims);
    let dates = Step::new("dates", lifetime.map(|_| ()), shown.join(", "));
    let (Ok(lifetime), Some(expires)) = (lifetime, date("exp")) else {
        let skip = |name| Step::skipped(name, "there are no dates to go by");
        return [dates, skip("lifetime"), skip("time")];
    };
    let start = date("iat").or(date("nbf"));
    let lives = match start {
        Some(start) => span(expires.saturating_sub(start)),
        None => "unknown without \"iat\" and \"nbf\"".to_owned(),
    };
    let most = settings.max_lifetime.map_or_else(
        || "the policy sets no bound".to_owned(),
        |most| format!("expected at most {}", span(most.as_secs())),
    );
    let lasts = Step::new("lifetime", bounded.map(|_| ()), format!("{lives}, {most}"));
    let begins = date("nbf").max(date("iat"));
    let check = lifetime.check(now);
    [
        dates,
        lasts,
        Step::new("time", check, moment(settings, expires, begins, now)),
    ]
}

fn moment(settings: &Settings, expires: u64, begins: Option<u64>, now: Duration) -> String {
    let now = now.as_secs();
    let leeway = span(settings.leeway.as_secs());
    let text = if now >= expires {
        format!("expired {} ago", span(now.saturating_sub(expires)))
    } else if let Some(begins) = begins.filter(|begins| now < *begins) {
        format!("begins in {}", span(begins.saturating_sub(now)))
    } else {
        return format!(
            "it is {}, and it expires in {}",
            time(now),
            span(expires.saturating_sub(now))
        );
    };
    format!("{text}: it is {}; the leeway is {leeway}", time(now))
}

fn audience(settings: &Settings, claims: &Claims) -> Step {
    let path = &settings.audience_claim;
    let text = format!(
        "{}, expected {}",
        found(claims, path),
        list(&settings.audiences)
    );
    Step::new("audience", checks::audience(settings, claims), text)
}

/// What stands at a path.
fn found(claims: &Claims, path: &ClaimPath) -> String {
    match claims::at(claims, &path.path) {
        None => format!("no claim {}", quoted(&path.path)),
        Some(found) => format!("{} {}", path.path.escape_debug(), value(found)),
    }
}

fn subject(settings: &Settings, claims: &Claims) -> Step {
    let result = caller::subject(settings, claims);
    let mut text = found(claims, &settings.claims.subject);
    if result.is_err() {
        text.push_str(if settings.issuer.starts_with(caller::SPIFFE) {
            ", expected a SPIFFE ID of the issuer's trust domain"
        } else {
            ", expected text of 1 to 512 bytes"
        });
    }
    Step::new("subject", result.map(|_| ()), text)
}

fn groups(settings: &Settings, claims: &Claims) -> Step {
    let Some(path) = &settings.claims.groups else {
        let text = "none: the policy names no claim for them".to_owned();
        return Step::new("groups", Ok(()), text);
    };
    let elsewhere = caller::kept_elsewhere(settings, claims);
    let result = caller::groups(settings, claims);
    let text = match &result {
        Ok(_) if elsewhere => {
            "none: they are kept at the provider, which the policy ignores".to_owned()
        }
        Ok(groups) if groups.is_empty() => format!("none: {}", found(claims, path)),
        Ok(groups) => format!(
            "{}: {}",
            count(groups.len().try_into().unwrap_or(u64::MAX), "group"),
            list(groups)
        ),
        Err(Refusal::GroupsOverage) => format!(
            "not in the token but kept at the provider, expected {}",
            quoted(&path.path)
        ),
        Err(_) => "too many or too long, expected up to 1000 of up to 512 bytes".to_owned(),
    };
    Step::new("groups", result.map(|_| ()), text)
}

fn client(settings: &Settings, claims: &Claims) -> Step {
    let shown = caller::client(claims).map_or("none".to_owned(), quoted);
    let text = if settings.clients.is_empty() {
        format!("{shown}; the policy accepts any")
    } else {
        let globs = settings.clients.iter().map(|glob| glob.as_str());
        format!("{shown}, expected {}", list(globs))
    };
    let result = caller::accepted_client(settings, claims).map(|_| ());
    let text = match result {
        Err(Refusal::TokenMalformed) => format!("{shown}, expected at most 512 bytes"),
        _ => text,
    };
    Step::new("client", result, text)
}

fn kind(settings: &Settings, claims: &Claims) -> Step {
    if let Some(kind) = settings.kind {
        let text = format!("{}: the policy says so", kind.name());
        return Step::new("kind", Ok(()), text);
    }
    let Ok(subject) = caller::subject(settings, claims) else {
        return Step::skipped("kind", "there is no subject");
    };
    let text = match caller::mark(claims, subject, caller::client(claims)) {
        Some(mark) => format!("service: {mark}"),
        None => "person: nothing shows a service".to_owned(),
    };
    Step::new("kind", Ok(()), text)
}

fn others(settings: &Settings, claims: &Claims) -> Step {
    let named = claims::named(claims, &settings.claims.others);
    let shown: Vec<String> = settings
        .claims
        .others
        .iter()
        .map(|(name, path)| match named.get(name) {
            Some(values) => format!("{} = {}", name.escape_debug(), list(values)),
            None => format!("{}: {}", name.escape_debug(), found(claims, path)),
        })
        .collect();
    let text = if shown.is_empty() {
        "the policy names no other claims".to_owned()
    } else {
        shown.join("; ")
    };
    Step::new("others", Ok(()), text)
}
