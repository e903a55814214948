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
//! `${NAME}` in a key takes a value from the environment. With `"records_need_key": true`, session records are
//! taken from the filters only; without it, from whoever reaches the port. `witnesses.rs` says how witnesses are
//! written. Unknown members are errors.

mod key;
mod witnesses;

use std::collections::HashSet;

use serde::Deserialize;

use self::key::resolve;
pub use self::key::{Key, MIN_KEY};
pub use self::witnesses::{Place, Watching, Witness};
use self::witnesses::{WrittenWatching, WrittenWitness};

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
}

/// A filter, or several that share a key.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// Its name, as approvals show it.
    pub name: String,
    /// The key that it sends as `Authorization: Bearer`.
    pub key: Key,
}

/// A person who decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviewer {
    /// The name, the same as the subject in this person's tokens: nobody decides on a request
    /// of their own.
    pub name: String,
    /// The groups that rules name as reviewers.
    pub groups: Vec<String>,
    /// The key that the person sends as `Authorization: Bearer`.
    pub key: Key,
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
}

/// Reads a configuration; `environment` gives the values that `${NAME}` stands for.
///
/// # Errors
/// Says what is wrong, without quoting a key.
pub fn read(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Result<Config, String> {
    let mut written: Written = serde_json::from_str(text).map_err(|error| unquoted(&error))?;
    let mut names = HashSet::new();
    let mut keys = HashSet::new();
    for (index, filter) in written.filters.iter_mut().enumerate() {
        let at = format!("/filters/{index}");
        check_name(&filter.name, &format!("{at}/name"))?;
        if !names.insert(filter.name.clone()) {
            return Err(twice(&at, "name"));
        }
        filter.key = resolve(&filter.key, &format!("{at}/key"), environment)?;
        if !keys.insert(filter.key.clone()) {
            return Err(twice(&at, "key"));
        }
    }
    names.clear();
    for (index, reviewer) in written.reviewers.iter_mut().enumerate() {
        let at = format!("/reviewers/{index}");
        check_name(&reviewer.name, &format!("{at}/name"))?;
        if !names.insert(reviewer.name.clone()) {
            return Err(twice(&at, "name"));
        }
        if reviewer.groups.is_empty() {
            return Err(format!(
                "{at}/groups: found an empty list, expected the groups that rules name as reviewers"
            ));
        }
        for (position, group) in reviewer.groups.iter().enumerate() {
            check_name(group, &format!("{at}/groups/{position}"))?;
        }
        reviewer.key = resolve(&reviewer.key, &format!("{at}/key"), environment)?;
        if !keys.insert(reviewer.key.clone()) {
            return Err(twice(&at, "key"));
        }
    }
    if written.filters.is_empty() {
        return Err("/filters: found an empty list, expected the filters that may ask".to_owned());
    }
    Ok(Config {
        filters: written.filters,
        reviewers: written.reviewers,
        records_need_key: written.records_need_key,
        witnesses: witnesses::witnesses(written.witnesses, environment)?,
        watching: written.witness.map(witnesses::watching).transpose()?,
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
