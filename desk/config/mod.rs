//! The desk's configuration: who may ask, and who may decide.
//!
//! ```json
//! {
//!   "filters": [{ "name": "edge", "key": "${DESK_KEY}" }],
//!   "reviewers": [{ "name": "ana", "groups": ["ml-leads"], "key": "${ANA_KEY}" }]
//! }
//! ```
//!
//! A key is at least 16 printable ASCII characters without spaces, and belongs to one name only.
//! What reviewers may have beside that is in `reviewer.rs`.
//! `${NAME}` in a key takes a value from the environment. With `"records_need_key": true`, session records are
//! taken from the filters only; without it, from whoever reaches the port. A filter may have, beside its key or
//! instead of one, a `certificate`: a name that stands in its client certificate. `"retention": "90d"` removes what is
//! older; without it, everything is kept. `tls` and `connections` are described in docs/desk.md, and
//! `witnesses.rs` says how witnesses are written. Unknown members are errors.

mod answers;
mod key;
mod network;
mod reviewer;
mod store;
mod witnesses;

use std::collections::HashSet;
use std::time::Duration;

use serde::Deserialize;

pub use self::answers::Answers;
use self::key::resolve;
pub use self::key::{Key, MIN_KEY};
pub use self::reviewer::{Reviewer, Subject};
pub use self::store::Shared;
use self::store::WrittenShared;
pub use self::witnesses::{Place, Watching, Witness};
use self::witnesses::{WrittenWatching, WrittenWitness};
pub use network::{ClientCertificate, Connections, Tls};

/// The longest time that something is kept, in seconds: 100 years of 366 days.
const MAX_RETENTION_SECONDS: u64 = 100 * 366 * 24 * 60 * 60;

/// The longest name of a filter, reviewer or group, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// Who may ask, and who may decide.
#[derive(Debug)]
pub struct Config {
    /// Filters, which ask.
    pub filters: Vec<Filter>,
    /// Reviewers, who decide.
    pub reviewers: Vec<Reviewer>,
    /// Whether streams of records need a filter's key.
    pub records_need_key: bool,
    /// The witnesses that see the ledger's checkpoints.
    pub witnesses: Vec<Witness>,
    /// What the desk is a witness of itself.
    pub watching: Option<Watching>,
    /// How long session records are kept; without it, for ever.
    pub retention: Option<Duration>,
    /// How many connections there may be, and for how long.
    pub connections: Connections,
    /// How they are protected, if they are.
    pub tls: Option<Tls>,
    /// The database of approvals, if several desks share one.
    pub store: Option<Shared>,
    /// How much room there is for answers that wait for people.
    pub answers: Answers,
}

/// A filter, or several that share a key or a certificate.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Its name, as approvals show it.
    pub name: String,
    /// The key that it sends as `Authorization: Bearer`.
    pub key: Option<Key>,
    /// Another one that is as good, while those who send it are given `key` one after another.
    pub previous_key: Option<Key>,
    /// The name in its client certificate: a URI such as `spiffe://mesh/ns/gw/sa/envoy`, or a DNS name. Each of
    /// both is enough.
    pub certificate: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    filters: Vec<Filter>,
    reviewers: Vec<Reviewer>,
    #[serde(default)]
    records_need_key: bool,
    #[serde(default)]
    witnesses: Vec<WrittenWitness>,
    witness: Option<WrittenWatching>,
    retention: Option<String>,
    #[serde(default)]
    connections: Connections,
    tls: Option<Tls>,
    store: Option<WrittenShared>,
    #[serde(default)]
    answers: Answers,
}

/// Reads a configuration; `environment` gives the values that `${NAME}` stands for.
///
/// # Errors
/// Says what is wrong, without quoting a key.
pub fn read(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Config, String> {
    let mut written: Written = serde_json::from_str(text).map_err(|error| unquoted(&error))?;
    let mut names = HashSet::new();
    let mut keys = HashSet::new();
    let mut certificates = HashSet::new();
    for (index, filter) in written.filters.iter_mut().enumerate() {
        let at = format!("/filters/{index}");
        check_name(&filter.name, &format!("{at}/name"))?;
        if !names.insert(filter.name.clone()) {
            return Err(twice(&at, "name"));
        }
        if filter.key.is_none() && filter.previous_key.is_some() {
            return Err(format!(
                "{at}/previous_key: found a key, and no {at}/key that takes its place"
            ));
        }
        for (name, key) in [
            ("key", &mut filter.key),
            ("previous_key", &mut filter.previous_key),
        ] {
            if let Some(key) = key {
                *key = resolve(key, &format!("{at}/{name}"), environment)?;
                if !keys.insert(key.clone()) {
                    return Err(twice(&at, name));
                }
            }
        }
        if filter.key.is_none() && filter.certificate.is_none() {
            return Err(format!(
                "{at}: found neither a key nor a certificate, expected one by which it is known"
            ));
        }
        if let Some(name) = &mut filter.certificate {
            check_name(name, &format!("{at}/certificate"))?;
            let tls = written.tls.as_ref();
            if tls.is_none_or(|tls| tls.client_ca.is_none()) {
                return Err(format!(
                    "{at}/certificate: found a name, and no /tls/client_ca that says whose certificates are right"
                ));
            }
            // Names of DNS have no case (RFC 4343); URIs do.
            if !name.contains(':') {
                name.make_ascii_lowercase();
            }
            if !certificates.insert(name.clone()) {
                return Err(twice(&at, "certificate"));
            }
        }
    }
    reviewer::check(&mut written.reviewers, &mut keys, environment)?;
    if written.filters.is_empty() {
        return Err("/filters: found an empty list, expected the filters that may ask".to_owned());
    }
    written.connections.check()?;
    written.tls.as_ref().map_or(Ok(()), Tls::check)?;
    written.answers.check()?;
    Ok(Config {
        filters: written.filters,
        reviewers: written.reviewers,
        records_need_key: written.records_need_key,
        witnesses: witnesses::witnesses(written.witnesses, environment)?,
        watching: written.witness.map(witnesses::watching).transpose()?,
        retention: written.retention.as_deref().map(read_time).transpose()?,
        connections: written.connections,
        tls: written.tls,
        store: written
            .store
            .map(|store| store::shared(store, environment))
            .transpose()?,
        answers: written.answers,
    })
}

/// Reads how long something is kept: a whole number and `s`, `m`, `h` or `d`.
fn read_time(text: &str) -> Result<Duration, String> {
    let units = [("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60)];
    let read = units.into_iter().find_map(|(unit, seconds)| {
        let digits = text.strip_suffix(unit)?;
        let plain = digits.len() <= 9 && digits.bytes().all(|digit| digit.is_ascii_digit());
        let number: u64 = digits.parse().ok().filter(|_| plain)?;
        number
            .checked_mul(seconds)
            .filter(|seconds| (1..=MAX_RETENTION_SECONDS).contains(seconds))
    });
    read.map(Duration::from_secs).ok_or_else(|| {
        format!(
            "/retention: found {} characters, expected a number and s, m, h or d, as in \"90d\", of 1 second to 100 years",
            text.chars().count()
        )
    })
}

fn twice(at: &str, what: &str) -> String {
    format!("{at}/{what}: found a {what} that stands further up already, expected one of its own")
}

fn check_name(name: &str, at: &str) -> Result<(), String> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
        return Err(format!(
            "{at}: found {} bytes, expected 1 to {MAX_NAME_BYTES} without control characters",
            name.len()
        ));
    }
    Ok(())
}

/// The message without the string that serde_json quotes when it expected another type: that
/// string may be a key.
fn unquoted(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let Some((before, after)) = text.split_once("string \"") else {
        return text;
    };
    // The quoted text may hold anything, so what follows it is found from the end.
    let after = after
        .rsplit_once("\", expected ")
        .map_or("another form", |(_, after)| after);
    format!("{before}a string, expected {after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_records_are_kept_is_a_number_and_a_unit() {
        for (text, seconds) in [("1s", 1), ("90d", 7_776_000), ("36h", 129_600), ("5m", 300)] {
            assert_eq!(read_time(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in [
            "",
            "d",
            "90",
            "0d",
            "-1d",
            "+1d",
            "1.5d",
            "1w",
            "90 d",
            "36601d",
            "99999999999d",
        ] {
            let error = read_time(wrong).unwrap_err();
            assert!(error.starts_with("/retention: found "), "{error}");
        }
    }

    #[test]
    fn a_previous_key_has_one_that_takes_its_place() {
        let config = |members: &str| {
            let text = format!(
                r#"{{ "filters": [{{ "name": "edge", {members} }}, {{ "name": "other", "key": "a-long-key-of-other" }}], "reviewers": [] }}"#
            );
            read(&text, &|_| None).map(drop)
        };
        let both = r#""key": "a-long-key-of-today", "previous_key": "a-long-key-of-before""#;
        assert_eq!(config(both), Ok(()));
        for (members, expected) in [
            (
                r#""previous_key": "a-long-key-of-before""#,
                "/filters/0/previous_key: found a key, and no",
            ),
            (
                r#""key": "a-long-key-of-today", "previous_key": "a-long-key-of-today""#,
                "/filters/0/previous_key: found a previous_key that stands further up",
            ),
            (
                r#""key": "a-long-key-of-today", "previous_key": "short""#,
                "/filters/0/previous_key: found a key of 5 bytes",
            ),
            // Of the next filter it is no key either.
            (
                r#""key": "a-long-key-of-today", "previous_key": "a-long-key-of-other""#,
                "/filters/1/key: found a key that stands further up",
            ),
        ] {
            let error = config(members).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn an_address_belongs_to_one_reviewer_in_any_case() {
        let config = |email: &str| {
            let reviewer = |name: &str, email: &str| {
                format!(
                    r#"{{ "name": "{name}", "groups": ["g"], "key": "a-long-key-of-{name}", "email": "{email}" }}"#
                )
            };
            let (one, other) = (reviewer("jörg", "jörg@example.com"), reviewer("ana", email));
            let text = format!(
                r#"{{ "filters": [{{ "name": "edge", "key": "a-long-key-of-edge" }}], "reviewers": [{one}, {other}] }}"#
            );
            read(&text.replace("key-of-jörg", "key-of-joerg"), &|_| None).map(drop)
        };
        assert_eq!(config("ana@example.com"), Ok(()));
        let twice = config("JÖRG@Example.com").unwrap_err();
        assert!(twice.starts_with("/reviewers/1/email: "), "{twice}");
    }

    #[test]
    fn the_whole_form_that_the_documents_show_is_right() {
        let page = include_str!("../../docs/desk.md");
        let shown = page.split("```json\n").nth(1).unwrap();
        let shown = shown.split("```").next().unwrap();
        let key = |name: &str| Some(format!("the-value-of-{name}"));
        let config = read(shown, &key).unwrap();
        assert!(config.records_need_key);
        assert_eq!(config.filters.len(), 2);
        let usual = Connections::default();
        let usual = (usual.head_seconds, usual.idle_seconds, usual.probe_seconds);
        let shown = config.connections;
        assert_eq!(
            (shown.head_seconds, shown.idle_seconds, shown.probe_seconds),
            usual
        );
        let tls = config.tls.unwrap();
        assert_eq!(tls.client_certificate, ClientCertificate::default());
    }
}
