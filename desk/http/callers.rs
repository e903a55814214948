//! Who is calling: a filter or a reviewer, by a bearer key.

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use super::answer::Refusal;
use crate::config::Config;

/// A reviewer who was identified by a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name in the configuration.
    pub name: String,
    /// The groups that rules name as reviewers.
    pub groups: Vec<String>,
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

/// The SHA-256 of every key, with its owner.
pub struct Callers {
    known: Vec<([u8; 32], Caller)>,
}

impl Callers {
    /// The callers of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let filters = config.filters.iter().map(|filter| {
            (
                hash(filter.key.secret().as_bytes()),
                Caller::Filter(filter.name.as_str().into()),
            )
        });
        let reviewers = config.reviewers.iter().map(|reviewer| {
            (
                hash(reviewer.key.secret().as_bytes()),
                Caller::Reviewer(Arc::new(Person {
                    name: reviewer.name.clone(),
                    groups: reviewer.groups.clone(),
                })),
            )
        });
        Self {
            known: filters.chain(reviewers).collect(),
        }
    }

    /// The names of the filters.
    pub fn filters(&self) -> impl Iterator<Item = &Arc<str>> {
        self.known.iter().filter_map(|(_, caller)| match caller {
            Caller::Filter(name) => Some(name),
            Caller::Reviewer(_) => None,
        })
    }

    /// Identifies the sender of these headers.
    ///
    /// # Errors
    /// 401 without exactly one known bearer key (RFC 6750).
    pub fn identify(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let key = match (values.next(), values.next()) {
            (Some(value), None) => bearer(value.as_bytes()),
            _ => None,
        };
        key.and_then(|key| self.owner(key)).ok_or_else(|| {
            Refusal::new(
                StatusCode::UNAUTHORIZED,
                "unauthorized",
                "This takes a key: Authorization: Bearer ...",
            )
        })
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

/// The key of `Bearer <key>`; the scheme's case doesn't matter (RFC 9110, 11.1).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(rest)
}
