//! The part of the configuration that says which witnesses see the ledger's checkpoints, and of which
//! logs the desk is a witness itself.
//!
//! ```json
//! {
//!   "witnesses": [
//!     { "file": "/mnt/audit/checkpoints.txt" },
//!     { "webhook": "https://audit.example/checkpoints", "authorization": "Bearer ${AUDIT_KEY}" },
//!     { "witness": "https://desk.other.example/v1/witness", "key": "other.example/w+5a3c...", "required_within": 60 }
//!   ],
//!   "witness": { "name": "here.example/w", "logs": ["portcullis/...+1b2c3d4e+AaBb..."] }
//! }
//! ```

use std::path::PathBuf;
use std::time::Duration;

use axum::http::Uri;
use axum::http::uri::Scheme;
use serde::Deserialize;

use super::Key;
use super::key::fill;
use crate::ledger::{PublicKey, WitnessKey};

/// The most witnesses that checkpoints go to: each has a thread.
const MAX_WITNESSES: usize = 16;

/// The most public keys of logs that a desk is a witness for.
const MAX_LOGS: usize = 256;

/// The longest that a witness may be away, in seconds: a day.
const MAX_AWAY: u64 = 86_400;

/// A witness that sees the ledger's checkpoints.
#[derive(Debug)]
pub struct Witness {
    /// Where they go.
    pub place: Place,
    /// A file of certificates (PEM) that its certificate must lead to, instead of the usual ones.
    pub ca: Option<PathBuf>,
    /// For how long it may lack a checkpoint before the desk says that something is wrong; `None` if
    /// it may be away for as long as it likes.
    pub required_within: Option<Duration>,
}

/// Where checkpoints go.
#[derive(Debug)]
pub enum Place {
    /// Each is appended to this file before it is published.
    File(PathBuf),
    /// Each is posted to this URL.
    Webhook {
        /// The URL.
        url: String,
        /// The header `Authorization`.
        authorization: Option<Key>,
    },
    /// A witness of c2sp.org/tlog-witness, such as another desk.
    Cosigner {
        /// Its submission prefix.
        url: String,
        /// The key that it cosigns with.
        key: WitnessKey,
    },
}

/// What the desk is a witness of.
#[derive(Debug)]
pub struct Watching {
    /// The name of its key.
    pub name: String,
    /// The public keys of the logs.
    pub logs: Vec<PublicKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenWitness {
    file: Option<PathBuf>,
    webhook: Option<String>,
    authorization: Option<Key>,
    witness: Option<String>,
    key: Option<String>,
    ca: Option<PathBuf>,
    required_within: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenWatching {
    name: String,
    logs: Vec<String>,
}

/// Reads the witnesses.
pub(super) fn witnesses(
    written: Vec<WrittenWitness>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Witness>, String> {
    if written.len() > MAX_WITNESSES {
        return Err(format!(
            "/witnesses: found {}, expected at most {MAX_WITNESSES}",
            written.len()
        ));
    }
    let all = written.into_iter().enumerate();
    all.map(|(index, one)| witness(one, &format!("/witnesses/{index}"), environment))
        .collect()
}

fn witness(
    written: WrittenWitness,
    at: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Witness, String> {
    let WrittenWitness {
        file,
        webhook,
        authorization,
        witness,
        key,
        ca,
        required_within,
    } = written;
    let unfit = |found: bool, name: &str, kind: &str| match found {
        true => Err(format!(
            "{at}/{name}: found it beside another kind of witness, expected it only with {kind}"
        )),
        false => Ok(()),
    };
    let place = match (file, webhook, witness) {
        (Some(file), None, None) => {
            unfit(ca.is_some(), "ca", "a webhook or a witness")?;
            let kind = "a webhook or a witness: without its file nothing is published at all";
            unfit(required_within.is_some(), "required_within", kind)?;
            unfit(authorization.is_some(), "authorization", "a webhook")?;
            unfit(key.is_some(), "key", "a witness")?;
            Place::File(file)
        }
        (None, Some(url), None) => {
            unfit(key.is_some(), "key", "a witness")?;
            let place = format!("{at}/authorization");
            let authorization = match authorization {
                Some(key) => Some(header(&key, &place, environment)?),
                None => None,
            };
            Place::Webhook {
                url: check_url(&url, &format!("{at}/webhook"), environment)?,
                authorization,
            }
        }
        (None, None, Some(url)) => {
            unfit(authorization.is_some(), "authorization", "a webhook")?;
            let url = check_url(&url, &format!("{at}/witness"), environment)?;
            let key = key.as_deref().and_then(WitnessKey::parse).ok_or_else(|| {
                format!("{at}/key: expected the witness' public key, NAME+ID+BASE64 with the type 4 (c2sp.org/tlog-cosignature)")
            })?;
            Place::Cosigner {
                url: url.trim_end_matches('/').to_owned(),
                key,
            }
        }
        _ => {
            return Err(format!(
                "{at}: expected one of \"file\", \"webhook\" and \"witness\""
            ));
        }
    };
    let within = match required_within {
        Some(seconds) if !(1..=MAX_AWAY).contains(&seconds) => {
            return Err(format!(
                "{at}/required_within: found {seconds}, expected 1 to {MAX_AWAY} seconds"
            ));
        }
        seconds => seconds.map(Duration::from_secs),
    };
    Ok(Witness {
        place,
        ca,
        required_within: within,
    })
}

fn header(
    key: &Key,
    at: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Key, String> {
    let value = fill(key.secret(), at, environment)?;
    if value.is_empty() || !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(format!(
            "{at}: found {} bytes, expected printable ASCII characters",
            value.len()
        ));
    }
    Ok(Key::new(value))
}

/// A URL with its variables filled in. It may hold a secret, and is not quoted.
fn check_url(
    url: &str,
    at: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let url = fill(url, at, environment)?;
    let known = url.parse::<Uri>().is_ok_and(|uri| {
        let scheme = uri.scheme();
        let web = scheme == Some(&Scheme::HTTPS) || scheme == Some(&Scheme::HTTP);
        web && uri.host().is_some_and(|host| !host.is_empty())
    });
    match known {
        true => Ok(url),
        false => Err(format!(
            "{at}: found another form, expected a URL with https:// or http://"
        )),
    }
}

/// Reads what the desk is a witness of.
pub(super) fn watching(written: WrittenWatching) -> Result<Watching, String> {
    let WrittenWatching { name, logs } = written;
    if logs.is_empty() || logs.len() > MAX_LOGS {
        return Err(format!(
            "/witness/logs: found {} keys, expected 1 to {MAX_LOGS}",
            logs.len()
        ));
    }
    if !WitnessKey::is_name(&name) {
        return Err(
            "/witness/name: expected a name without blanks and plus signs, such as a URL without its scheme"
                .to_owned(),
        );
    }
    let read = |(index, text): (usize, &String)| {
        PublicKey::parse(text).ok_or_else(|| {
            format!("/witness/logs/{index}: expected a log's public key, NAME+ID+BASE64")
        })
    };
    let logs = logs
        .iter()
        .enumerate()
        .map(read)
        .collect::<Result<_, _>>()?;
    Ok(Watching { name, logs })
}
