//! Who is calling: a filter or a reviewer, by a bearer key; or a filter, by its certificate.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::answer::Refusal;
use super::credentials::Credentials;
use crate::config::{Config, Reviewer, Subject};

/// A reviewer who was identified by a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name in the configuration.
    pub name: String,
    /// The groups that rules name as reviewers.
    pub groups: Vec<String>,
    /// Who the person is in tokens.
    pub subjects: Vec<Subject>,
    /// The e-mail address by which tokens may know the person, too.
    pub email: Option<String>,
    /// Whether the person may set the rules for reviewers aside.
    pub break_glass: bool,
    /// Whether the person may block.
    pub blocks: bool,
    /// Whether the person may reset quotas.
    pub quotas: bool,
}

impl Person {
    fn new(reviewer: &Reviewer) -> Self {
        Self {
            name: reviewer.name.clone(),
            groups: reviewer.groups.clone(),
            subjects: reviewer.subjects.clone(),
            email: reviewer.email.clone(),
            break_glass: reviewer.break_glass,
            blocks: reviewer.blocks,
            quotas: reviewer.quotas,
        }
    }
}

/// Who is calling.
#[derive(Clone, Debug)]
pub enum Caller {
    /// A filter, by name.
    Filter(Arc<str>),
    /// A reviewer.
    Reviewer(Arc<Person>),
}

impl Caller {
    /// The filter's name.
    ///
    /// # Errors
    /// 403 for a reviewer.
    pub fn filter(self) -> Result<Arc<str>, Refusal> {
        match self {
            Self::Filter(name) => Ok(name),
            Self::Reviewer(_) => Err(wrong_key("a filter's")),
        }
    }

    /// The reviewer.
    ///
    /// # Errors
    /// 403 for a filter.
    pub fn reviewer(self) -> Result<Arc<Person>, Refusal> {
        match self {
            Self::Reviewer(person) => Ok(person),
            Self::Filter(_) => Err(wrong_key("a reviewer's")),
        }
    }
}

fn wrong_key(whose: &str) -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "wrong_key",
        format!("This takes {whose} key."),
    )
}

/// The SHA-256 of every key, and every certificate's name, each with its owner.
pub struct Callers {
    filters: Vec<Arc<str>>,
    known: Vec<([u8; 32], Caller)>,
    certified: HashMap<String, Arc<str>>,
}

impl Callers {
    /// The callers of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let names = config.filters.iter().map(|filter| Arc::from(&*filter.name));
        let names: Vec<Arc<str>> = names.collect();
        let named = || config.filters.iter().zip(&names);
        let filters = named().flat_map(|(filter, name)| {
            let keys = filter.key.iter().chain(&filter.previous_key);
            keys.map(|key| {
                let hash = hash(key.secret().as_bytes());
                (hash, Caller::Filter(Arc::clone(name)))
            })
        });
        let certified = named()
            .filter_map(|(filter, name)| Some((filter.certificate.clone()?, Arc::clone(name))))
            .collect();
        let reviewers = config.reviewers.iter().map(|reviewer| {
            let person = Arc::new(Person::new(reviewer));
            (
                hash(reviewer.key.secret().as_bytes()),
                Caller::Reviewer(person),
            )
        });
        let known = filters.chain(reviewers).collect();
        Self {
            filters: names,
            known,
            certified,
        }
    }

    /// The names of the filters.
    pub fn filters(&self) -> impl Iterator<Item = &Arc<str>> {
        self.filters.iter()
    }

    /// The reviewers.
    pub fn reviewers(&self) -> impl Iterator<Item = &Arc<Person>> {
        self.known.iter().filter_map(|(_, caller)| match caller {
            Caller::Reviewer(person) => Some(person),
            Caller::Filter(_) => None,
        })
    }

    /// Identifies the sender of a request. A filter's certificate is as good as its key; who sends both has to be
    /// the same filter. A reviewer is known by the key, whatever the connection's certificate says.
    ///
    /// # Errors
    /// 401 without exactly one known bearer key (RFC 6750) or else the certificate of exactly one filter, 403 for
    /// the key of one filter and the certificate of another.
    pub fn identify(&self, credentials: &Credentials) -> Result<Caller, Refusal> {
        let certified = self.certified(credentials)?;
        let caller = match (credentials.has_key(), &certified) {
            (false, Some(name)) => Some(Caller::Filter(Arc::clone(name))),
            _ => credentials.key().and_then(|key| self.owner(key)),
        };
        match (&caller, &certified) {
            (None, _) if credentials.has_key() => Err(unauthorized(
                "The key is none that the desk knows. Expected the key of a filter or a reviewer of desk.json.",
            )),
            (None, _) => Err(unauthorized(
                "This takes a key: Authorization: Bearer ..., or a filter's certificate.",
            )),
            (Some(Caller::Filter(name)), Some(other)) if name != other => Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "two_filters",
                "The key is one filter's, and the certificate another one's.",
            )),
            (Some(caller), _) => Ok(caller.clone()),
        }
    }

    /// Whether the sender has a certificate of a filter, or of several.
    #[must_use]
    pub fn has_certificate(&self, credentials: &Credentials) -> bool {
        let mut names = credentials.certified();
        names.any(|name| self.certified.contains_key(name))
    }

    /// The filter that the sender's certificate is for.
    fn certified(&self, credentials: &Credentials) -> Result<Option<Arc<str>>, Refusal> {
        let mut found: Option<&Arc<str>> = None;
        for name in credentials.certified() {
            let Some(filter) = self.certified.get(name) else {
                continue;
            };
            if found.is_some_and(|other| other != filter) {
                return Err(unauthorized("The certificate is for more than one filter."));
            }
            found = Some(filter);
        }
        Ok(found.cloned())
    }

    /// Compares with every key in constant time, so that the duration tells nothing about them.
    fn owner(&self, key: &[u8]) -> Option<Caller> {
        let hash = hash(key);
        let nobody = u64::MAX;
        let mut found = nobody;
        for (index, (known, _)) in (0u64..).zip(&self.known) {
            let same: Choice = known.ct_eq(&hash);
            found = u64::conditional_select(&found, &index, same);
        }
        let index = usize::try_from(found).ok()?;
        self.known.get(index).map(|(_, caller)| caller.clone())
    }
}

fn hash(key: &[u8]) -> [u8; 32] {
    Sha256::digest(key).into()
}

fn unauthorized(message: &str) -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
}
