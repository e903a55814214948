//! The algorithm, the key and the signature.

use super::form::Parts;
use super::words::{count, list, quoted};
use super::{NoNative, Outcome, Provider, Refusal, Step};
use crate::identity::jws::Compact;
use crate::identity::section::{Algorithm, Document, KeySource};

const NAMES: [&str; 3] = ["algorithm", "key", "signature"];

pub(super) fn steps(
    token: &str,
    parts: &Parts,
    provider: Option<&Provider>,
    steps: &mut Vec<Step>,
) {
    let Some(provider) = provider else {
        steps.extend(NAMES.map(|name| Step::skipped(name, "no provider is known")));
        return;
    };
    let named = parts.header_text("alg");
    let Some(name) = named else {
        steps.extend(NAMES.map(|name| Step::skipped(name, "the header names no algorithm")));
        return;
    };
    let algorithm = Algorithm::named(name);
    let allowed = &provider.settings.algorithms;
    let accepted = algorithm.is_some_and(|one| allowed.contains(&one));
    steps.push(Step::new(
        "algorithm",
        accepted.then_some(()).ok_or(Refusal::AlgorithmNotAllowed),
        if accepted {
            format!("{name}, which the policy accepts")
        } else {
            let expected: Vec<&str> = allowed.iter().map(|one| one.name()).collect();
            format!("{}, expected {}", quoted(name), expected.join(", "))
        },
    ));
    let compact = if parts.is_sound() {
        Compact::parse(token).ok()
    } else {
        None
    };
    let (Some(algorithm), Some(compact)) = (algorithm, compact) else {
        let why = if algorithm.is_none() {
            "no key is for this algorithm"
        } else {
            "the token is not of a form that is read"
        };
        steps.extend([Step::skipped("key", why), Step::skipped("signature", why)]);
        return;
    };
    if let Some(place) = awaited(provider) {
        steps.push(Step::skipped("key", "the keys are not at hand"));
        steps.push(Step::skipped("signature", &place));
        return;
    }
    let key = key(provider, &compact, algorithm);
    let found = key.outcome == Outcome::Ok;
    steps.push(key);
    if !found {
        steps.push(Step::skipped(
            "signature",
            "there is no key to check it with",
        ));
        return;
    }
    let signer = provider.keys.signer(&compact, &[algorithm], &NoNative);
    let text = match signer {
        Ok(_) => "right",
        Err(_) => "not that key's over this header and these claims",
    };
    steps.push(Step::new("signature", signer.map(|_| ()), text.to_owned()));
}

/// Where keys come from that are not there.
fn awaited(provider: &Provider) -> Option<String> {
    let KeySource::Fetched(fetch) = &provider.settings.keys else {
        return None;
    };
    let (Document::Metadata(url) | Document::KeySet(url)) = &fetch.document;
    provider.awaits_keys().then(|| {
        format!(
            "keys come from {}://{}{}; give them with --keys",
            url.scheme, url.authority, url.path
        )
    })
}

fn key(provider: &Provider, token: &Compact<'_>, algorithm: Algorithm) -> Step {
    let keys = &provider.keys;
    let id = token.header.key_id.as_deref();
    let fitting = keys.candidates(id, algorithm).count();
    let all = count(keys.len().try_into().unwrap_or(u64::MAX), "key");
    if fitting > 0 {
        let text = match id {
            Some(id) if keys.ids().any(|one| one == Some(id)) => {
                format!("{} found among {all}", quoted(id))
            }
            Some(id) => format!(
                "{} is none of {all}, but {fitting} without an id may be meant",
                quoted(id)
            ),
            None => format!(
                "the token names none; {fitting} of {all} may be meant for {}",
                algorithm.name()
            ),
        };
        return Step::new("key", Ok(()), text);
    }
    let text = match id {
        Some(id) if keys.ids().any(|one| one == Some(id)) => {
            format!("{} is not a key for {}", quoted(id), algorithm.name())
        }
        Some(id) => format!("{} not found among {all}: {}", quoted(id), ids(provider)),
        None => format!(
            "the token names none, and none of {all} is for {}",
            algorithm.name()
        ),
    };
    Step::new("key", Err(Refusal::UnknownKey), text)
}

fn ids(provider: &Provider) -> String {
    let mut ids: Vec<&str> = provider.keys.ids().flatten().collect();
    base::sort::sort(&mut ids);
    if ids.is_empty() {
        "none has an id".to_owned()
    } else {
        list(ids)
    }
}
