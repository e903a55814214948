//! What stands at the desk: grants that last, and who is blocked.
//!
//! `GET /v1/standing?since=REV&wait=S` is answered as soon as something has changed, and after S seconds
//! if nothing has. What was listed holds as long as the desk's last word is young, its *lease*: behind
//! that, grants are asked for again, and blocks go on as they were.

#[cfg(test)]
mod tests;

use core::time::Duration;

use base::identity::{Identity, token_digest};
use base::json;
use serde_json::Value;

use super::kept::Names;

/// The largest answer that is taken: all that may be listed, at 400 bytes each.
pub const MAX_STANDING_BYTES: usize = 8 << 20;

/// Values in one answer.
const MAX_VALUES: u32 = 1 << 18;

/// Grants, and blocks, in one answer.
const MAX_LISTED: usize = 10_000;

/// Bytes of one text of it.
const MAX_TEXT_BYTES: usize = 4096;

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
    grants: Vec<Grant>,
    /// Of the grants.
    grant_keys: Keys,
    /// Whether some are for any operation.
    any_operation: bool,
    blocks: Vec<Block>,
    /// Of the blocks.
    block_keys: Keys,
    /// Under which names answers are kept.
    answers: Names,
    /// Since when it has stood like this for certain, since 1970.
    since: Option<Duration>,
    lease: Duration,
    /// When the desk was last heard.
    heard: Option<Duration>,
}

/// Lets requests of a scope through.
#[derive(Debug)]
struct Grant {
    id: String,
    issuer: String,
    /// Whether the holder is a subject; else it is a group.
    subject: bool,
    holder: String,
    rule: String,
    digest: String,
    /// Any, where there is none.
    operation: Option<String>,
    /// That of requests that name none, where there is none.
    model: Option<String>,
    until: Duration,
}

/// Keeps somebody out.
#[derive(Debug)]
struct Block {
    id: String,
    /// Any, where there is none.
    issuer: Option<String>,
    /// Whether it is a subject that is blocked; else it is a token.
    subject: bool,
    /// The subject, or what stands for the token's id.
    name: String,
    until: Duration,
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
}

impl Standing {
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
        let answer = json::parse_up_to(body, MAX_VALUES).map_err(|_| "no JSON of this size")?;
        let revision = text(&answer, "revision")?.ok_or("no revision")?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if revision.len() > 64 || !revision.bytes().all(plain) {
            return Err("a revision that isn't letters, digits and \"_-.\"");
        }
        let waited = now.saturating_sub(poll.sent) >= poll.wait;
        let unchanged = answer.get("unchanged") == Some(&Value::Bool(true));
        if unchanged && (self.revision != revision || self.since.is_none()) {
            return Err("nothing new since another revision");
        }
        let lease = match answer.get("lease_ms").map(Value::as_u64) {
            None if unchanged => self.lease,
            Some(Some(lease)) => Duration::from_millis(lease).min(MAX_LEASE),
            _ => return Err("no lease_ms"),
        };
        if !unchanged {
            // A grant ends no later, and a block no sooner, than the desk has it.
            let (mut grants, mut grant_keys) = (Vec::new(), Vec::new());
            for item in list(&answer, "grants")? {
                let grant = grant(item, poll.sent)?;
                grant_keys.push(grant.key());
                grants.push(grant);
            }
            let (mut blocks, mut block_keys) = (Vec::new(), Vec::new());
            for item in list(&answer, "blocks")? {
                block(item, now, &mut blocks)?;
            }
            block_keys.extend(blocks.iter().map(Block::key));
            self.any_operation = grants.iter().any(|grant| grant.operation.is_none());
            self.grants = grants;
            self.grant_keys = Keys::new(grant_keys);
            self.blocks = blocks;
            self.block_keys = Keys::new(block_keys);
            self.answers = Names::read(&answer);
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

    /// The id of a grant that lets a request of this scope through now.
    #[must_use]
    #[inline(never)]
    pub fn grant(&self, scope: &Scope<'_>, now: Duration) -> Option<&str> {
        if self.grants.is_empty() || !self.is_leased(now) {
            return None;
        }
        let caller = scope.caller;
        let of_any = self.any_operation.then_some(None);
        for operation in [Some(Some(scope.operation)), of_any].into_iter().flatten() {
            let key = scope_key(scope.rule, scope.digest, operation, scope.model);
            let of_subject = issuer_key(key, &caller.issuer, true);
            let of_group = issuer_key(key, &caller.issuer, false);
            let found = self.granted(of_subject, &caller.subject, true, scope, now);
            let mut groups = caller.groups.iter();
            let found = found.or_else(|| {
                groups.find_map(|name| self.granted(of_group, name, false, scope, now))
            });
            if let Some(grant) = found {
                return Some(&grant.id);
            }
        }
        None
    }

    fn granted(
        &self,
        of_issuer: u64,
        name: &str,
        subject: bool,
        scope: &Scope<'_>,
        now: Duration,
    ) -> Option<&Grant> {
        let mut next = self.grant_keys.first(mix(of_issuer, name));
        while let Some(at) = next {
            let grant = self.grants.get(at)?;
            if grant.until > now && grant.covers(scope, subject, name) {
                return Some(grant);
            }
            next = self.grant_keys.after(at);
        }
        None
    }

    /// The id of what blocks a caller now.
    #[must_use]
    #[inline(never)]
    pub fn block(&self, caller: &Identity, now: Duration) -> Option<&str> {
        if self.blocks.is_empty() {
            return None;
        }
        let names = [
            (true, Some(&caller.subject)),
            (false, caller.token.as_ref()),
        ];
        for issuer in [Some(&*caller.issuer), None] {
            for (subject, name) in names {
                let Some(name) = name else { continue };
                let key = block_key(issuer, subject, name);
                let mut next = self.block_keys.first(key);
                while let Some(at) = next {
                    let found = self.blocks.get(at).filter(|block| {
                        block.until > now
                            && block.issuer.as_deref() == issuer
                            && block.subject == subject
                            && block.name == *name
                    });
                    if let Some(block) = found {
                        return Some(&block.id);
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

impl Grant {
    fn key(&self) -> u64 {
        let (operation, model) = (self.operation.as_deref(), self.model.as_deref());
        let key = scope_key(&self.rule, &self.digest, operation, model);
        mix(issuer_key(key, &self.issuer, self.subject), &self.holder)
    }

    /// Whether it really is what its key says.
    fn covers(&self, scope: &Scope<'_>, subject: bool, name: &str) -> bool {
        let operation = self.operation.as_deref();
        self.subject == subject
            && self.holder == name
            && self.issuer == scope.caller.issuer
            && self.rule == scope.rule
            && self.digest == scope.digest
            && operation.is_none_or(|operation| operation == scope.operation)
            && self.model.as_deref() == scope.model
    }
}

impl Block {
    fn key(&self) -> u64 {
        block_key(self.issuer.as_deref(), self.subject, &self.name)
    }
}

fn grant(item: &Value, sent: Duration) -> Result<Grant, &'static str> {
    let (subject, holder) = match (text(item, "subject")?, text(item, "group")?) {
        (Some(subject), None) => (true, subject),
        (None, Some(group)) => (false, group),
        _ => return Err("a grant that isn't for one subject or one group"),
    };
    let left = item.get("left_ms").and_then(Value::as_u64);
    let left = left.ok_or("a grant without left_ms")?;
    Ok(Grant {
        id: id(item)?,
        issuer: text(item, "issuer")?.ok_or("a grant without an issuer")?,
        subject,
        holder,
        rule: text(item, "rule")?.ok_or("a grant without a rule")?,
        digest: text(item, "rule_digest")?.ok_or("a grant without a rule_digest")?,
        operation: text(item, "operation")?,
        model: text(item, "model")?,
        until: sent.saturating_add(Duration::from_millis(left)),
    })
}

/// A token's id is taken as it stands in tokens, and as records show it.
fn block(item: &Value, now: Duration, blocks: &mut Vec<Block>) -> Result<(), &'static str> {
    let id = id(item)?;
    let issuer = text(item, "issuer")?;
    let until = match item.get("left_ms") {
        None | Some(Value::Null) => Duration::MAX,
        Some(left) => {
            let left = left.as_u64().ok_or("a block whose left_ms is no number")?;
            now.saturating_add(Duration::from_millis(left))
        }
    };
    let subject = text(item, "subject")?;
    let token = text(item, "token_id")?;
    if subject.is_none() && token.is_none() {
        return Err("a block without a subject or a token_id");
    }
    let shown = token.as_deref().map(token_digest);
    for (subject, name) in [(true, subject), (false, token), (false, shown)] {
        let Some(name) = name else { continue };
        blocks.push(Block {
            id: id.clone(),
            issuer: issuer.clone(),
            subject,
            name,
            until,
        });
    }
    Ok(())
}

fn list<'v>(answer: &'v Value, name: &str) -> Result<&'v [Value], &'static str> {
    let items = answer.get(name).and_then(Value::as_array);
    let items = items.ok_or("no list of grants, or none of blocks")?;
    match items.len() {
        0..=MAX_LISTED => Ok(items),
        _ => Err("more than 10,000 grants, or blocks"),
    }
}

fn id(item: &Value) -> Result<String, &'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let id = text(item, "id")?.filter(|id| id.len() <= 64 && id.bytes().all(plain));
    id.ok_or("an id that isn't letters, digits, \"_\" and \"-\"")
}

/// A text that isn't empty; `None` where there is none, or null.
#[inline(never)]
fn text(item: &Value, name: &str) -> Result<Option<String>, &'static str> {
    match item.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.len() <= MAX_TEXT_BYTES => {
            Ok(Some(text.clone()))
        }
        Some(_) => Err("a member that is no text, or an empty or a very long one"),
    }
}

/// Finds places in a list by keys, several of which may be the same.
#[derive(Debug, Default)]
struct Keys {
    keys: Vec<u64>,
    /// For the low bits of keys, the first place, from 1; 0 where there is none.
    heads: Vec<u32>,
    /// For each place the next one in a chain.
    next: Vec<u32>,
}

impl Keys {
    #[inline(never)]
    fn new(keys: Vec<u64>) -> Self {
        let mut heads = vec![0; keys.len().next_power_of_two()];
        let mut next = vec![0; keys.len()];
        for ((place, key), next) in (1..).zip(&keys).zip(&mut next) {
            if let Some(head) = heads.get_mut(bucket(*key, keys.len())) {
                *next = core::mem::replace(head, place);
            }
        }
        Self { keys, heads, next }
    }

    /// The first place of a key.
    fn first(&self, key: u64) -> Option<usize> {
        let head = self.heads.get(bucket(key, self.keys.len()))?;
        self.place(*head, key)
    }

    /// The place of the same key behind a place.
    fn after(&self, place: usize) -> Option<usize> {
        self.place(*self.next.get(place)?, *self.keys.get(place)?)
    }

    /// The first place of a key in a chain.
    fn place(&self, mut at: u32, key: u64) -> Option<usize> {
        loop {
            let place = usize::try_from(at.checked_sub(1)?).ok()?;
            if self.keys.get(place) == Some(&key) {
                return Some(place);
            }
            at = *self.next.get(place)?;
        }
    }
}

/// The chain that a key is in, where there are so many keys.
fn bucket(key: u64, keys: usize) -> usize {
    let mixed = key ^ key >> 32;
    usize::try_from(mixed & 0xffff_ffff).unwrap_or_default() & (keys.next_power_of_two() - 1)
}

fn scope_key(rule: &str, digest: &str, operation: Option<&str>, model: Option<&str>) -> u64 {
    let key = mix(mix(START, rule), digest);
    mix(
        mix(key, operation.unwrap_or_default()),
        model.unwrap_or_default(),
    )
}

fn issuer_key(key: u64, issuer: &str, subject: bool) -> u64 {
    mix(key ^ u64::from(subject), issuer)
}

fn block_key(issuer: Option<&str>, subject: bool, name: &str) -> u64 {
    mix(issuer_key(START, issuer.unwrap_or_default(), subject), name)
}

/// FNV-1a. Texts that fall together by it are told apart by what they say.
const START: u64 = 0xcbf2_9ce4_8422_2325;

#[inline(never)]
fn mix(key: u64, text: &str) -> u64 {
    // No text has this byte, so that none is mistaken for two.
    let bytes = text.bytes().chain([0xff]);
    bytes.fold(key, |key, byte| {
        (key ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
