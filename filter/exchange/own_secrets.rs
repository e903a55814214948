//! The guard's own secrets: what a policy has of them, and how they are kept out of an answer's head
//! and trailers. Its body has a tap for them (`taps::guard`).

use std::collections::BTreeSet;
use std::rc::Rc;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};

use super::effect::Effect;
use super::event::Headers;
use super::headers::values;
use crate::identity::section::{Document, KeySource};
use crate::policy::{Policy, Problem};
use mask::{CompiledMask, MIN_SECRET_BYTES, Secrets};

/// What no answer may hold.
#[derive(Debug)]
pub(super) struct OwnSecrets {
    /// What is looked for.
    pub(super) secrets: Rc<Secrets>,
    /// The same, for texts that go on from event to event.
    pub(super) mask: Rc<CompiledMask>,
}

impl OwnSecrets {
    /// The secrets of a policy; `None` if nobody is given one who could let it out.
    pub(super) fn of(policy: &Policy) -> Option<Self> {
        let given: BTreeSet<String> =
            base::sort::inserted(given(policy).into_iter().flat_map(|it| it.parts));
        let secrets = Secrets::new(given.iter().map(String::as_str));
        if secrets.is_empty() {
            return None;
        }
        let pseudonyms = policy.pseudonym_key.as_ref();
        let kept = pseudonyms.and_then(|key| core::str::from_utf8(key.bytes()).ok());
        let all = given.iter().map(String::as_str).chain(kept);
        let secrets = Rc::new(Secrets::new(all));
        Some(Self {
            mask: Rc::new(CompiledMask::of_secrets(&secrets)),
            secrets,
        })
    }

    /// Edits an answer's head, behind what other edits there are.
    pub(super) fn head(&self, headers: &Headers<'_>, effects: &mut Vec<Effect>) -> u64 {
        let mut found = self.edited(effects);
        for (name, value, count) in self.fields(headers, |name| is_edited(effects, name)) {
            effects.push(match value {
                Some(value) => Effect::SetResponseHeader { name, value },
                None => Effect::RemoveResponseHeader(name),
            });
            found += count;
        }
        found
    }

    /// Edits an answer's trailers, behind what other edits there are.
    pub(super) fn trailers(&self, trailers: &Headers<'_>, effects: &mut Vec<Effect>) -> u64 {
        let mut found = self.edited(effects);
        for (name, value, count) in self.fields(trailers, |name| is_edited(effects, name)) {
            effects.push(match value {
                Some(value) => Effect::SetResponseTrailer { name, value },
                None => Effect::RemoveResponseTrailer(name),
            });
            found += count;
        }
        found
    }

    /// Scrubs the values that are set already.
    fn edited(&self, effects: &mut [Effect]) -> u64 {
        let mut found = 0;
        for effect in effects {
            let (name, value) = match effect {
                Effect::SetResponseHeader { name, value } => (name.as_bytes(), value),
                Effect::SetResponseTrailer { name, value } => (name.as_bytes(), value),
                _ => continue,
            };
            if let Some((scrubbed, count)) = self.secrets.scrub_field(name, value) {
                *value = scrubbed;
                found += count;
            }
        }
        found
    }

    /// The fields with a secret in them, as they are to be, with how many there were; without a value,
    /// those that go: where the name has one, and cookies, several of which can't be written as one.
    fn fields(
        &self,
        fields: &Headers<'_>,
        is_edited: impl Fn(&str) -> bool,
    ) -> Vec<(String, Option<Vec<u8>>, u64)> {
        let names: BTreeSet<&[u8]> = base::sort::inserted(fields.iter().map(|(name, _)| *name));
        // Envoy lets no other names in, and its own are not the model server's.
        let names = names.iter().filter_map(|it| core::str::from_utf8(it).ok());
        let names = names.filter(|name| !name.starts_with(':') && !is_edited(name));
        let scrubbed = names.filter_map(|name| {
            // Several of one name are one, with commas between them (RFC 9110, section 5.3).
            let came: Vec<&[u8]> = values(fields, name).collect();
            let came = came.join(&b","[..]);
            if let Some((_, count)) = self.secrets.scrub_field(b"", name.as_bytes()) {
                return Some((name.to_owned(), None, count));
            }
            let (value, count) = self.secrets.scrub_field(name.as_bytes(), &came)?;
            let value = Some(value).filter(|_| name != "set-cookie");
            Some((name.to_owned(), value, count))
        });
        scrubbed.collect()
    }
}

fn is_edited(effects: &[Effect], name: &str) -> bool {
    effects.iter().any(|effect| match effect {
        Effect::SetResponseHeader { name: one, .. } => one == name,
        Effect::RemoveResponseHeader(one) => *one == name,
        Effect::SetResponseTrailer { name: one, .. } | Effect::RemoveResponseTrailer(one) => {
            one == name
        }
        _ => false,
    })
}

/// A value that some server is given.
struct Given {
    /// Its JSON path in the policy.
    path: String,
    /// What of it is secret, the longest first.
    parts: Vec<String>,
}

/// What the policy has servers given.
fn given(policy: &Policy) -> Vec<Given> {
    let mut found = Vec::new();
    for (index, one) in policy.upstream.credentials.iter().enumerate() {
        let path = if one.clusters.is_empty() && one.operations.is_empty() {
            "/upstream/credential/value".to_owned()
        } else {
            format!("/upstream/credentials/{index}/value")
        };
        let mut parts = parts(&one.credential.value);
        parts.extend(one.credential.variables.iter().cloned());
        found.push(Given { path, parts });
    }
    let desk = policy.approvals.as_ref();
    if let Some(value) = desk.and_then(|desk| desk.credential.as_ref()) {
        found.push(Given {
            path: "/approvals/credential".to_owned(),
            parts: parts(value),
        });
    }
    let recorder = policy.sessions.desk.as_ref();
    if let Some(value) = recorder.and_then(|desk| desk.credential.as_ref()) {
        found.push(Given {
            path: "/sessions/desk/credential".to_owned(),
            parts: parts(value),
        });
    }
    for (index, provider) in policy.identity.providers.iter().enumerate() {
        if let KeySource::Fetched(fetch) = &provider.keys
            && let Some(value) = &fetch.credential
        {
            let source = match fetch.document {
                Document::Metadata(_) => "discover",
                Document::KeySet(_) => "jwks_uri",
            };
            found.push(Given {
                path: format!("/identity/providers/{index}/keys/{source}/credential"),
                parts: parts(value),
            });
        }
    }
    found
}

/// What is secret of a header's value: not the scheme in front (RFC 9110, section 11.4), which
/// whoever quotes it may leave out; of `Basic`, the password too (RFC 7617, section 2).
fn parts(value: &str) -> Vec<String> {
    let value = value.trim();
    let Some((scheme, rest)) = value.split_once(' ') else {
        return vec![value.to_owned()];
    };
    let rest = rest.trim();
    let mut parts = vec![rest.to_owned()];
    if rest.len() < MIN_SECRET_BYTES {
        parts.push(value.to_owned());
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let decoded = BASE64_STANDARD
            .decode(rest)
            .or_else(|_| BASE64_STANDARD_NO_PAD.decode(rest));
        let decoded = decoded.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let password = decoded.as_deref().and_then(|pair| pair.split_once(':'));
        parts.extend(password.map(|(_, password)| password.to_owned()));
        parts.extend(decoded);
    }
    parts
}

/// Values that are too short for one of them to be told from other text.
pub(super) fn warnings(policy: &Policy) -> Vec<Problem> {
    let short = |it: &Given| {
        let first = it.parts.first();
        first.is_some_and(|part| part.len() < MIN_SECRET_BYTES)
    };
    let given = given(policy).into_iter().filter(short);
    given
        .map(|it| Problem {
            path: it.path,
            found: format!("a secret of fewer than {MIN_SECRET_BYTES} bytes"),
            expected: "a longer one: where a server quotes this one, its answer passes with it"
                .to_owned(),
        })
        .collect()
}
