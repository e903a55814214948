//! Reviewers: who they are, also to the identity providers, and what they may do.
//!
//! ```json
//! { "name": "ana", "groups": ["ml-leads"], "key": "${ANA_KEY}",
//!   "subjects": [{ "issuer": "https://idp.example", "subject": "ana@example.com" }],
//!   "email": "ana@example.com", "break_glass": true, "blocks": true, "quotas": true }
//! ```

use std::collections::HashSet;

use serde::Deserialize;

use super::key::{Key, resolve};
use super::{check_name, twice};

/// The most subjects that are linked to a reviewer.
const MAX_SUBJECTS: usize = 64;

/// A subject of an issuer's tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The issuer (`iss`).
    pub issuer: String,
    /// The subject (`sub`).
    pub subject: String,
}

/// A person who decides.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviewer {
    /// The name.
    pub name: String,
    /// The groups that rules name as reviewers.
    pub groups: Vec<String>,
    /// The key that the person sends as `Authorization: Bearer`.
    pub key: Key,
    /// Who the person is in tokens: nobody decides on a request of their own.
    #[serde(default)]
    pub subjects: Vec<Subject>,
    /// The e-mail address by which tokens may know the person, too.
    pub email: Option<String>,
    /// Whether the person may set the rules for reviewers aside, loudly.
    #[serde(default)]
    pub break_glass: bool,
    /// Whether the person may block subjects and tokens, and take any grant back.
    #[serde(default)]
    pub blocks: bool,
    /// Whether the person may reset quotas.
    #[serde(default)]
    pub quotas: bool,
}

/// Checks all of them, and fills their keys in.
pub(super) fn check(
    reviewers: &mut [Reviewer],
    keys: &mut HashSet<Key>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<(), String> {
    let (mut names, mut subjects, mut emails) = (HashSet::new(), HashSet::new(), HashSet::new());
    for (index, reviewer) in reviewers.iter_mut().enumerate() {
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
        if reviewer.subjects.len() > MAX_SUBJECTS {
            return Err(format!(
                "{at}/subjects: found {} subjects, expected {MAX_SUBJECTS} at most",
                reviewer.subjects.len()
            ));
        }
        for (position, linked) in reviewer.subjects.iter().enumerate() {
            let at = format!("{at}/subjects/{position}");
            check_name(&linked.issuer, &format!("{at}/issuer"))?;
            check_name(&linked.subject, &format!("{at}/subject"))?;
            if !subjects.insert(linked.clone()) {
                return Err(twice(&at, "subject"));
            }
        }
        if let Some(email) = &reviewer.email {
            check_name(email, &format!("{at}/email"))?;
            if !emails.insert(email.to_lowercase()) {
                return Err(twice(&at, "email"));
            }
        }
        reviewer.key = resolve(&reviewer.key, &format!("{at}/key"), environment)?;
        if !keys.insert(reviewer.key.clone()) {
            return Err(twice(&at, "key"));
        }
    }
    Ok(())
}
