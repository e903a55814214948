//! What stands at the desk: grants that last, and who is blocked.
//!
//! `GET /v1/standing?since=REV&wait=S` is answered as soon as something has changed, and after S seconds
//! if nothing has. What was listed holds as long as the desk's last word is young, its *lease*: behind
//! that, grants are asked for again, and blocks go on as they were.

mod keys;
mod lists;
mod read;
#[cfg(test)]
mod tests;

use core::cell::Cell;
use core::time::Duration;

use base::identity::Identity;

use keys::{Keys, join, key};
use lists::{Grant, Lists, Of, block_key, holder_key, rule_key, scope_key};

use super::kept::Names;

/// The largest answer that is taken: all that may be listed, at 400 bytes each.
pub const MAX_STANDING_BYTES: usize = 8 << 20;

/// The longest lease that is taken, however long a desk says: so long may a grant that was taken back be
/// used where the desk can't be heard.
const MAX_LEASE: Duration = Duration::from_secs(10);

/// For how long it is known who is blocked once the desk was heard.
const MAX_SILENCE: Duration = Duration::from_secs(10);

/// The seconds for which the desk is asked to wait for something to change.
const WAIT: Duration = Duration::from_secs(1);

/// When a lease is so old that it is renewed at once.
const OLD_LEASE: Duration = Duration::from_millis(500);

/// A question about what stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Poll {
    /// When it was sent, since 1970.
    pub sent: Duration,
    /// How long the desk was asked to wait.
    pub wait: Duration,
}

/// What stands, as the desk has last said.
#[derive(Debug, Default)]
pub struct Standing {
    revision: String,
    lists: Lists,
    grant_keys: Keys,
    block_keys: Keys,
    /// Whether some grants are for any operation,
    any_operation: bool,
    /// some for any model,
    any_model: bool,
    /// and some for groups.
    any_group: bool,
    /// Under which names answers are kept.
    answers: Names,
    /// Since when it has stood like this for certain, since 1970.
    since: Option<Duration>,
    lease: Duration,
    /// When the desk was last heard.
    heard: Option<Duration>,
}

/// What a grant must cover to let a request through.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Who asks.
    pub caller: &'a Identity,
    /// The name of the rule that wants approval.
    pub rule: &'a str,
    /// The digest of what it says.
    pub digest: &'a str,
    /// What is asked for.
    pub operation: &'a str,
    /// The model, where the request names one.
    pub model: Option<&'a str>,
    /// Whether it names others besides, one of which the server may take.
    pub others: bool,
}

/// A count that is to be emptied, unless that was done.
#[derive(Clone, Debug)]
pub struct Reset<'a> {
    /// What the reset is known by.
    pub id: &'a str,
    /// The quota's name.
    pub quota: &'a str,
    /// What was counted apart.
    pub key: Vec<&'a str>,
    /// Until when another worker may be told of it, since 1970.
    pub others_until: Duration,
    /// To be set once nothing is to be done any more.
    pub done: &'a Cell<bool>,
}

impl Standing {
    /// The counts that are to be emptied at `now` (since 1970), unless this worker knows that they have been.
    pub fn resets(&self, now: Duration) -> impl Iterator<Item = Reset<'_>> {
        let text = |span| self.lists.texts.get(span);
        let resets = self.lists.resets.iter();
        let resets = resets.filter(move |reset| reset.until > now && !reset.done.get());
        resets.map(move |reset| {
            let (from, to) = reset.key;
            let key = self.lists.several.get(from..to).unwrap_or_default();
            Reset {
                id: text(reset.id),
                quota: text(reset.quota),
                key: key.iter().map(|span| text(*span)).collect(),
                others_until: reset.others_until,
                done: &reset.done,
            }
        })
    }

    /// What to ask next, and where.
    #[must_use]
    pub fn poll(&self, now: Duration) -> (Poll, String) {
        let old = |since: Duration| now.saturating_sub(since) > OLD_LEASE;
        // Whoever has heard of a change only at the end of a wait asks once without one: until the next
        // wait ends, the lease would be over.
        let wait = match self.since.is_none_or(old) {
            true => Duration::ZERO,
            false => WAIT,
        };
        let mut path = "/v1/standing?".to_owned();
        if !self.revision.is_empty() {
            path = [&path, "since=", &self.revision, "&"].concat();
        }
        path.push_str(if wait.is_zero() { "wait=0" } else { "wait=1" });
        (Poll { sent: now, wait }, path)
    }

    /// Takes an answer of status 200.
    ///
    /// # Errors
    /// What is wrong with it; then what was known before stays.
    pub fn take(&mut self, body: &[u8], poll: Poll, now: Duration) -> Result<(), &'static str> {
        let said = read::read(body, poll.sent, now)?;
        let revision = said.revision.ok_or("no revision")?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if !(1..=64).contains(&revision.len()) || !revision.bytes().all(plain) {
            return Err("a revision that isn't letters, digits and \"_-.\"");
        }
        let waited = now.saturating_sub(poll.sent) >= poll.wait;
        let unchanged = said.unchanged;
        if unchanged && (self.revision != revision || self.since.is_none()) {
            return Err("nothing new since another revision");
        }
        let lease = match said.lease {
            None if unchanged => self.lease,
            Some(Some(lease)) => Duration::from_millis(lease).min(MAX_LEASE),
            _ => return Err("no lease_ms"),
        };
        if !unchanged {
            if !said.grants || !said.blocks {
                return Err("no list of grants, or none of blocks");
            }
            self.list(said.lists);
            self.answers = Names::of(said.answers);
            self.revision = revision;
        }
        // That nothing has changed is said behind the wait.
        let wait = match unchanged && waited {
            true => poll.wait,
            false => Duration::ZERO,
        };
        self.lease = lease;
        self.since = Some(poll.sent.saturating_add(wait));
        self.heard = Some(now);
        Ok(())
    }

    fn list(&mut self, lists: Lists) {
        let grants = lists.grants.iter();
        self.any_operation = grants.clone().any(|grant| grant.operation.is_none());
        self.any_model = grants.clone().any(|grant| grant.model == Of::Any);
        self.any_group = grants.clone().any(|grant| !grant.subject);
        self.grant_keys = Keys::new(grants.map(|grant| lists.grant_key(grant)).collect());
        let blocks = lists.blocks.iter();
        self.block_keys = Keys::new(blocks.map(|block| lists.block_key(block)).collect());
        self.lists = lists;
    }

    /// The id of a grant that lets a request of this scope through now.
    #[must_use]
    #[inline(never)]
    pub fn grant(&self, scope: &Scope<'_>, now: Duration) -> Option<&str> {
        if self.lists.grants.is_empty() || !self.is_leased(now) {
            return None;
        }
        let caller = scope.caller;
        let scopes = self.scopes(scope);
        let issuer = key(&caller.issuer);
        let of = |subject: bool| {
            let scopes = scopes.map(|scope| Some(holder_key(scope?, issuer, subject)));
            move |name: &str| {
                let name_key = key(name);
                let mut scopes = scopes.into_iter().flatten();
                scopes.find_map(|scope_key| {
                    self.granted(join(scope_key, name_key), name, subject, scope, now)
                })
            }
        };
        let found = of(true)(&caller.subject);
        let of_group = of(false);
        let mut groups = caller.groups.iter().filter(|_| self.any_group);
        let found = found.or_else(|| groups.find_map(|name| of_group(name)));
        found.map(|grant| self.lists.texts.get(grant.id))
    }

    /// The keys of the scopes that cover a request's: of its operation or any, and of its model or any.
    fn scopes(&self, scope: &Scope<'_>) -> [Option<u64>; 4] {
        let rule = rule_key(scope.rule, scope.digest);
        let own = Some(scope.operation);
        // What is for one model is for a request that names no other.
        let one = scope.model.map_or(Of::Unnamed, Of::One);
        [
            (own, one, !scope.others),
            (own, Of::Any, self.any_model),
            (None, one, !scope.others && self.any_operation),
            (None, Of::Any, self.any_model && self.any_operation),
        ]
        .map(|(operation, model, looked_for)| looked_for.then(|| scope_key(rule, operation, model)))
    }

    fn granted(
        &self,
        key: u64,
        name: &str,
        subject: bool,
        scope: &Scope<'_>,
        now: Duration,
    ) -> Option<&Grant> {
        let mut next = self.grant_keys.first(key);
        while let Some(at) = next {
            let grant = self.lists.grants.get(at)?;
            if grant.until > now && self.covers(grant, scope, subject, name) {
                return Some(grant);
            }
            next = self.grant_keys.after(at);
        }
        None
    }

    /// Whether a grant really is what its key says.
    fn covers(&self, grant: &Grant, scope: &Scope<'_>, subject: bool, name: &str) -> bool {
        let text = |span| self.lists.texts.get(span);
        let model = match grant.model {
            Of::Unnamed => scope.model.is_none() && !scope.others,
            Of::One(model) => scope.model == Some(text(model)) && !scope.others,
            Of::Any => true,
        };
        let operation = grant.operation.map(text);
        let caller = scope.caller;
        model
            && grant.subject == subject
            && text(grant.holder) == name
            && text(grant.issuer) == caller.issuer
            && text(grant.rule) == scope.rule
            && text(grant.digest) == scope.digest
            && operation.is_none_or(|operation| operation == scope.operation)
            && !self
                .lists
                .excepts(grant, [Some(&*caller.subject), caller.email.as_deref()])
    }

    /// The id of what blocks a caller now.
    #[must_use]
    #[inline(never)]
    pub fn block(&self, caller: &Identity, now: Duration) -> Option<&str> {
        if self.lists.blocks.is_empty() {
            return None;
        }
        let text = |span| self.lists.texts.get(span);
        let names = [
            (true, Some(&caller.subject)),
            (false, caller.token.as_ref()),
        ];
        for (subject, name) in names {
            let Some(name) = name else { continue };
            let name_key = key(name);
            for issuer in [Some(&*caller.issuer), None] {
                let mut next = self.block_keys.first(block_key(issuer, subject, name_key));
                while let Some(at) = next {
                    let found = self.lists.blocks.get(at).filter(|block| {
                        block.until > now
                            && block.issuer.map(text) == issuer
                            && block.subject == subject
                            && text(block.name) == name
                    });
                    if let Some(block) = found {
                        return Some(text(block.id));
                    }
                    next = self.block_keys.after(at);
                }
            }
        }
        None
    }

    /// Whether an answer may be kept under this name; `None` if that can't be told now.
    #[must_use]
    #[inline(never)]
    pub fn keeps(&self, name: &str, now: Duration) -> Option<bool> {
        self.answers.has(name).filter(|_| self.is_leased(now))
    }

    fn is_leased(&self, now: Duration) -> bool {
        // A clock that was put back tells nothing of a lease.
        let leased = |since: Duration| since <= now && now < since.saturating_add(self.lease);
        self.since.is_some_and(leased)
    }

    /// Whether it can be told who is blocked.
    #[must_use]
    pub fn is_heard(&self, now: Duration) -> bool {
        // A clock that was put back tells nothing of it.
        let is_fresh = |heard: Duration| heard <= now && now < heard.saturating_add(MAX_SILENCE);
        self.heard.is_some_and(is_fresh)
    }
}
