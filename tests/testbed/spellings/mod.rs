//! Requests in many spellings, each with what it is a spelling of: what some server takes for the one
//! request, however it is written.
//!
//! | here | what is spelled |
//! |---|---|
//! | `things` | what is asked for: requests as their vendors' references write them |
//! | `paths` | slashes, dots, escapes, capitals |
//! | `heads` | methods, queries, headers that claim another method or path |
//! | `hosts` | the authority |
//! | `members` | names of members, and JSON itself |
//! | `media` | content-types, charsets, encodings |
//! | `models` | the model's name, wherever it stands |
//! | `weights` | files of weights |
//!
//! They are made by rules, in one order, so that a name means the same spelling in every run.

mod heads;
mod hosts;
mod media;
mod members;
mod models;
mod paths;
mod things;
mod weights;

pub use heads::CLAIMS;
pub use things::{ALIAS, EXACT, KEPT_OUT, LET_IN, NOT, Place, REST, THINGS, Thing};

/// What must become of a spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It says the thing in a way that all servers read alike, so it is judged as the thing: denied by
    /// the rule that denies it, and allowed by the one that allows it.
    Plain,
    /// Some servers take it for the thing and others don't, or read it as another: where the thing is
    /// denied, it goes nowhere.
    Crooked,
    /// It is another request, with something beside it by which frameworks take it for the thing: it
    /// goes on as that other request, without what is beside it.
    Disarmed,
}

/// A spelling of a thing.
#[derive(Clone, Debug)]
pub struct Spelling {
    /// Its name; no two have the same.
    pub name: String,
    /// What it is a spelling of.
    pub thing: &'static Thing,
    /// What must become of it.
    pub fate: Fate,
    /// The method.
    pub method: String,
    /// The target of the request, byte for byte.
    pub target: String,
    /// The authority.
    pub host: String,
    /// Headers, but for the authority, the token and the length.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// The path without its query that goes on, once it is normal, where that is the same whoever
    /// normalizes.
    pub arrives: Option<String>,
}

impl Spelling {
    /// The thing as it is, under a name: what is changed is changed after that.
    fn new(thing: &'static Thing, fate: Fate, what: impl AsRef<str>) -> Self {
        let headers = match thing.body {
            "" => Vec::new(),
            _ => vec![("content-type".to_owned(), "application/json".to_owned())],
        };
        Self {
            name: format!("{}: {}", thing.name, what.as_ref()),
            thing,
            fate,
            method: thing.method.to_owned(),
            target: thing.target(),
            host: thing.host.to_owned(),
            headers,
            body: (!thing.body.is_empty()).then(|| thing.body.as_bytes().to_vec()),
            arrives: None,
        }
    }

    fn plain(thing: &'static Thing, what: impl AsRef<str>) -> Self {
        Self::new(thing, Fate::Plain, what)
    }

    fn crooked(thing: &'static Thing, what: impl AsRef<str>) -> Self {
        Self::new(thing, Fate::Crooked, what)
    }

    fn method(mut self, method: impl Into<String>) -> Self {
        self.method = method.into();
        self
    }

    fn target(mut self, target: impl Into<String>) -> Self {
        self.target = target.into();
        self
    }

    /// Another path, in front of the thing's query.
    fn path(mut self, path: &str) -> Self {
        self.target = match self.thing.query {
            "" => path.to_owned(),
            query => format!("{path}?{query}"),
        };
        self
    }

    /// What goes on is the thing's own path.
    fn arrives(mut self) -> Self {
        self.arrives = Some(self.thing.path.to_owned());
        self
    }

    fn host(mut self, host: impl Into<String>) -> Self {
        self.host = host.into();
        self
    }

    fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves the content-type out.
    fn untyped(mut self) -> Self {
        self.headers.retain(|(name, _)| name != "content-type");
        self
    }

    fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = Some(body.as_ref().to_vec());
        self
    }
}

/// All of them, in one order.
#[must_use]
pub fn all() -> Vec<Spelling> {
    let mut all = Vec::new();
    for thing in THINGS {
        all.push(Spelling::plain(thing, "as it is").arrives());
        all.extend(paths::of(thing));
        all.extend(heads::of(thing));
        all.extend(hosts::of(thing));
        all.extend(members::of(thing));
        all.extend(media::of(thing));
        all.extend(models::of(thing));
        all.extend(weights::of(thing));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Fate, THINGS, all};

    #[test]
    fn there_are_enough_and_each_has_a_name_of_its_own() {
        let all = all();
        let names: BTreeSet<&str> = all.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names.len(), all.len(), "two have one name");
        assert!(all.len() >= 800, "{}", all.len());
        for thing in THINGS {
            let of = |fate| {
                let all = all.iter();
                all.filter(|one| one.thing.name == thing.name && one.fate == fate)
                    .count()
            };
            assert!(of(Fate::Plain) >= 20, "{}", thing.name);
            assert!(of(Fate::Crooked) >= 20, "{}", thing.name);
        }
    }

    #[test]
    fn they_are_the_same_every_time() {
        let names = |all: Vec<super::Spelling>| -> Vec<String> {
            all.into_iter().map(|one| one.name).collect()
        };
        assert_eq!(names(all()), names(all()));
    }
}
