//! Grants and blocks, and the texts in them. The texts of all of them are one, since most are the same from one
//! grant to the next.

use core::cell::Cell;
use core::time::Duration;

use super::keys::{join, key};

/// Where a text stands in those of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    from: usize,
    to: usize,
}

/// The texts of all grants and blocks.
#[derive(Debug, Default)]
pub(super) struct Texts(String);

impl Texts {
    /// What stands there.
    pub(super) fn get(&self, span: Span) -> &str {
        self.0.get(span.from..span.to).unwrap_or_default()
    }

    /// Keeps a text; where it is the same as one that stands there already, no second time.
    pub(super) fn keep(&mut self, text: &str, before: Option<Span>) -> Span {
        if let Some(before) = before.filter(|before| self.get(*before) == text) {
            return before;
        }
        let from = self.0.len();
        self.0.push_str(text);
        Span {
            from,
            to: self.0.len(),
        }
    }
}

/// What stands.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub(super) texts: Texts,
    pub(super) grants: Vec<Grant>,
    pub(super) blocks: Vec<Block>,
    pub(super) resets: Vec<Reset>,
    /// Whose requests grants don't cover, and the keys of resets.
    pub(super) several: Vec<Span>,
}

/// For which models a grant is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of<T> {
    /// Requests that name none.
    Unnamed,
    /// One.
    One(T),
    /// Any, and requests that name none.
    Any,
}

/// Lets requests of a scope through.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) id: Span,
    pub(super) issuer: Span,
    /// Whether the holder is a subject; else it is a group.
    pub(super) subject: bool,
    pub(super) holder: Span,
    pub(super) rule: Span,
    pub(super) digest: Span,
    /// Any, where there is none.
    pub(super) operation: Option<Span>,
    pub(super) model: Of<Span>,
    /// From where to where in the list of those.
    pub(super) except: (usize, usize),
    pub(super) until: Duration,
}

/// Keeps somebody out.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) id: Span,
    /// Any, where there is none.
    pub(super) issuer: Option<Span>,
    /// Whether it is a subject that is blocked; else it is a token.
    pub(super) subject: bool,
    /// The subject, or what stands for the token's id.
    pub(super) name: Span,
    pub(super) until: Duration,
}

/// Empties a count.
#[derive(Debug)]
pub(super) struct Reset {
    pub(super) id: Span,
    pub(super) quota: Span,
    /// From where to where in the list of those.
    pub(super) key: (usize, usize),
    /// Until when that may be done,
    pub(super) until: Duration,
    /// and until when another worker may.
    pub(super) others_until: Duration,
    /// Whether nothing is to be done any more.
    pub(super) done: Cell<bool>,
}

impl Lists {
    pub(super) fn grant_key(&self, grant: &Grant) -> u64 {
        let text = |span: Span| self.texts.get(span);
        let model = match grant.model {
            Of::Unnamed => Of::Unnamed,
            Of::One(model) => Of::One(text(model)),
            Of::Any => Of::Any,
        };
        let rule = rule_key(text(grant.rule), text(grant.digest));
        let key = scope_key(rule, grant.operation.map(text), model);
        let key = holder_key(key, self::key(text(grant.issuer)), grant.subject);
        join(key, self::key(text(grant.holder)))
    }

    pub(super) fn block_key(&self, block: &Block) -> u64 {
        let text = |span: Span| self.texts.get(span);
        block_key(block.issuer.map(text), block.subject, key(text(block.name)))
    }

    /// Whether somebody of these names is one whom a grant doesn't cover.
    pub(super) fn excepts(&self, grant: &Grant, names: [Option<&str>; 2]) -> bool {
        let (from, to) = grant.except;
        let except = self.several.get(from..to).unwrap_or_default();
        if except.is_empty() {
            return false;
        }
        names.into_iter().flatten().any(|name| {
            let name = name.to_lowercase();
            except.iter().any(|one| self.texts.get(*one) == name)
        })
    }
}

pub(super) fn rule_key(rule: &str, digest: &str) -> u64 {
    join(key(rule), key(digest))
}

pub(super) fn scope_key(rule: u64, operation: Option<&str>, model: Of<&str>) -> u64 {
    let key = join(rule, operation.map_or(0, self::key));
    match model {
        Of::Unnamed => join(key, 1),
        Of::One(model) => join(key, self::key(model)),
        Of::Any => join(key, 2),
    }
}

/// The key of what an issuer's subject, or group, has; the name comes behind it.
pub(super) fn holder_key(scope: u64, issuer: u64, subject: bool) -> u64 {
    join(join(scope, u64::from(subject)), issuer)
}

pub(super) fn block_key(issuer: Option<&str>, subject: bool, name: u64) -> u64 {
    join(holder_key(0, issuer.map_or(0, key), subject), name)
}
