//! Whose the workers are, and which policies the nodes have: what the ledger's events say last.
//!
//! A worker belongs to the peer that brought its first records, and nobody else's records of it are taken: so
//! no peer can fill another one's gaps, or take its numbers.
//!
//! | the worker is | its records may come |
//! |---|---|
//! | nobody's yet | from anybody, who owns it then |
//! | of one without a key | from anybody without a key; a filter with a key takes it over, once |
//! | a filter's that has only sent records one by one | from that filter, and by streams without a key: the access log of the same Envoy may have none |
//! | a filter's whose stream has its key | from that filter only |
//! | a filter's that the configuration no longer names | as of one without a key |

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::event::{Event, KeptWorker, Way, What, Who};

/// How many workers are kept in memory between two looks into the index.
const MAX_KNOWN: usize = 4096;

/// How many nodes of one peer are remembered: the oldest go first, and their policy counts as new later.
const MAX_NODES: i64 = 1024;

/// How many workers an event of what was removed takes along.
const MAX_CARRIED: usize = 100_000;

/// How many of them may have no records any more.
const MAX_IDLE: usize = 10_000;

/// The tables.
pub(super) const TABLES: &str = "
CREATE TABLE workers (
    worker TEXT PRIMARY KEY,
    owned INTEGER NOT NULL,
    peer TEXT,
    streamed INTEGER NOT NULL,
    policy TEXT,
    removed INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE nodes (
    peer TEXT NOT NULL,
    node TEXT NOT NULL,
    policy TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (peer, node)
) STRICT, WITHOUT ROWID;
CREATE INDEX nodes_age ON nodes (peer, seq);
";

/// Who brings records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Who has the ledger's files, and may do anything: what is imported belongs to nobody.
    Operator,
    /// An access log stream, of the filter with this name or of somebody without a key.
    Stream(Option<Arc<str>>),
    /// A filter that sends records one by one.
    Post(Arc<str>),
}

impl Sender {
    pub(super) fn peer(&self) -> Option<&Arc<str>> {
        match self {
            Self::Operator => None,
            Self::Stream(name) => name.as_ref(),
            Self::Post(name) => Some(name),
        }
    }
}

/// What is known of a worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Worker {
    /// Whose it is, if somebody's.
    pub owner: Option<Owner>,
    /// The policy of its records: a worker has one.
    pub policy: Option<String>,
    /// The highest number of its records that were removed.
    pub removed: i64,
    /// The entry of its latest claim.
    pub seq: u64,
}

/// Whose a worker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    /// The filter's name; `None` for one without a key.
    pub peer: Option<Arc<str>>,
    /// Whether its stream has brought records.
    pub streamed: bool,
}

/// A node: the peer's name and its own, empty where there is none.
pub(super) type Node = (String, String);

/// Changes that are in the ledger, or are to come there next.
#[derive(Clone, Debug, Default)]
pub(super) struct Changes {
    pub workers: HashMap<String, Worker>,
    pub nodes: HashMap<Node, (String, u64)>,
}

/// What is known, as far as it is in memory. All else is in the index.
#[derive(Default)]
pub(super) struct Standing {
    known: Changes,
    /// Of those, what the index lacks.
    changed: HashSet<String>,
    moved: HashSet<Node>,
    /// The filters of the configuration; without them any may be one.
    filters: Option<HashSet<Arc<str>>>,
}

/// What becomes of a record of a worker.
enum Claim {
    Taken,
    Claims(Owner),
    Foreign,
}

impl Standing {
    /// Says which filters the configuration names.
    pub fn set_filters(&mut self, filters: HashSet<Arc<str>>) {
        self.filters = Some(filters);
    }

    /// Whether a new record of this worker is taken from `sender`. If it makes the worker somebody's, or shows
    /// another policy, that is put into `staged`, and the events that say so into `events`.
    pub fn admit(
        &mut self,
        index: &Connection,
        record: &super::record::Entry,
        sender: &Sender,
        staged: &mut Changes,
        events: &mut Vec<(Who, What)>,
    ) -> rusqlite::Result<bool> {
        let known = match staged.workers.get(&record.worker) {
            Some(worker) => Some(worker),
            None => worker(&mut self.known, index, &record.worker)?,
        };
        let owner = known.and_then(|worker| worker.owner.as_ref());
        let claim = claim(self.filters.as_ref(), owner, sender);
        let has_policy = *sender == Sender::Operator
            || record.policy.is_none()
            || known.is_some_and(|worker| worker.policy == record.policy);
        let mut worker = match claim {
            Claim::Foreign => return Ok(false),
            Claim::Taken if has_policy => return Ok(true),
            _ => known.cloned().unwrap_or_default(),
        };
        let who = Who::peer(sender.peer());
        if let Claim::Claims(owner) = claim {
            let way = match sender {
                Sender::Post(_) => Way::Post,
                _ => Way::Stream,
            };
            let before = worker.owner.replace(owner);
            events.push((
                who.clone(),
                What::Worker {
                    worker: record.worker.clone(),
                    way,
                    before: before.map(|owner| Who::peer(owner.peer.as_ref())),
                },
            ));
        }
        if !has_policy && let Some(policy) = &record.policy {
            worker.policy = Some(policy.clone());
            let name = |name: Option<&str>| name.unwrap_or_default().to_owned();
            let peer = sender.peer().map(|peer| &**peer);
            let node = (name(peer), name(record.node.as_deref()));
            let before = match staged.nodes.get(&node) {
                Some((before, _)) => Some(before.clone()),
                None => self.policy(index, &node)?,
            };
            if before.as_ref() != Some(policy) {
                staged.nodes.insert(node, (policy.clone(), 0));
                events.push((
                    who,
                    What::Policy {
                        node: record.node.clone(),
                        policy: policy.clone(),
                        before,
                        worker: record.worker.clone(),
                    },
                ));
            }
        }
        staged.workers.insert(record.worker.clone(), worker);
        Ok(true)
    }

    /// Whether a record is one of those that were removed, or older than one of its worker's.
    pub fn has_removed(
        &mut self,
        index: &Connection,
        record: &super::record::Entry,
    ) -> rusqlite::Result<bool> {
        let known = worker(&mut self.known, index, &record.worker)?;
        // Zero is no number: the VM could not tell one.
        Ok(record.number > 0 && known.is_some_and(|worker| record.number <= worker.removed))
    }

    /// The changes are in the ledger, from the entry `seq` on.
    pub fn keep(&mut self, staged: Changes, seq: u64) {
        for (name, mut worker) in staged.workers {
            worker.seq = seq;
            self.changed.insert(name.clone());
            self.known.workers.insert(name, worker);
        }
        for (node, (policy, _)) in staged.nodes {
            self.moved.insert(node.clone());
            self.known.nodes.insert(node, (policy, seq));
        }
    }

    /// Whether so much is in memory that it should go to the index.
    pub fn is_full(&self) -> bool {
        self.known.workers.len() >= MAX_KNOWN || self.known.nodes.len() >= MAX_KNOWN
    }

    /// Whether the index lacks something.
    pub fn has_changed(&self) -> bool {
        !self.changed.is_empty() || !self.moved.is_empty()
    }

    /// Writes to the index what it lacks.
    pub fn write(&self, index: &Transaction<'_>) -> rusqlite::Result<()> {
        let workers = self.changed.iter();
        for (name, worker) in workers.filter_map(|name| self.known.workers.get_key_value(name)) {
            write_worker(index, name, worker)?;
        }
        let mut put =
            index.prepare_cached("INSERT OR REPLACE INTO nodes VALUES (?1, ?2, ?3, ?4)")?;
        let mut trim = index.prepare_cached(
            "DELETE FROM nodes WHERE peer = ?1 AND seq <
                 (SELECT seq FROM nodes WHERE peer = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ?2)",
        )?;
        for node in &self.moved {
            if let Some((policy, seq)) = self.known.nodes.get(node) {
                put.execute(params![node.0, node.1, policy, integer(*seq)])?;
                trim.execute(params![node.0, MAX_NODES - 1])?;
            }
        }
        Ok(())
    }

    /// The index has all.
    pub fn written(&mut self) {
        self.changed.clear();
        self.moved.clear();
        if self.is_full() {
            self.known = Changes::default();
        }
    }

    /// Forgets what is in memory, all of which the index has, since that has changed.
    pub fn reload(&mut self) {
        self.known = Changes::default();
    }

    /// Follows what an entry says, when the index is made anew.
    pub fn replay(&mut self, index: &Connection, event: &Event, seq: u64) -> rusqlite::Result<()> {
        let mut staged = Changes::default();
        match &event.what {
            What::Worker { worker, way, .. } => {
                let mut known = self.copy(index, worker)?;
                known.owner = owner(&event.who, *way);
                staged.workers.insert(worker.clone(), known);
            }
            What::Policy { node, policy, .. } => {
                let peer = event.who.filter().unwrap_or_default().to_owned();
                let node = (peer, node.clone().unwrap_or_default());
                staged.nodes.insert(node, (policy.clone(), 0));
            }
            What::Retention { workers, .. } => {
                for kept in workers {
                    let mut known = self.copy(index, &kept.worker)?;
                    let said = kept.owner.as_ref().zip(kept.way);
                    if known.owner.is_none() {
                        known.owner = said.and_then(|(who, way)| owner(who, way));
                    }
                    known.removed = known.removed.max(kept.removed);
                    staged.workers.insert(kept.worker.clone(), known);
                }
            }
            // Nothing else is about workers.
            _ => return Ok(()),
        }
        self.keep(staged, seq);
        Ok(())
    }

    /// Follows a record, when the index is made anew.
    pub fn replay_record(
        &mut self,
        index: &Connection,
        record: &super::record::Entry,
        seq: u64,
    ) -> rusqlite::Result<()> {
        let known = worker(&mut self.known, index, &record.worker)?;
        if record.policy.is_none() || known.is_some_and(|known| known.policy == record.policy) {
            return Ok(());
        }
        let mut worker = self.copy(index, &record.worker)?;
        worker.policy.clone_from(&record.policy);
        let seq = if worker.owner.is_some() {
            worker.seq
        } else {
            seq
        };
        let workers = HashMap::from([(record.worker.clone(), worker)]);
        let staged = Changes {
            workers,
            ..Changes::default()
        };
        self.keep(staged, seq);
        Ok(())
    }

    fn copy(&mut self, index: &Connection, name: &str) -> rusqlite::Result<Worker> {
        let known = worker(&mut self.known, index, name)?;
        Ok(known.cloned().unwrap_or_default())
    }

    fn policy(&mut self, index: &Connection, node: &Node) -> rusqlite::Result<Option<String>> {
        if let Some((policy, _)) = self.known.nodes.get(node) {
            return Ok(Some(policy.clone()));
        }
        index
            .prepare_cached("SELECT policy FROM nodes WHERE peer = ?1 AND node = ?2")?
            .query_row(params![node.0, node.1], |row| row.get(0))
            .optional()
    }
}

/// What is known of a worker, by memory or by the index.
fn worker<'k>(
    known: &'k mut Changes,
    index: &Connection,
    name: &str,
) -> rusqlite::Result<Option<&'k Worker>> {
    if !known.workers.contains_key(name) {
        let Some(worker) = read_worker(index, name)? else {
            return Ok(None);
        };
        known.workers.insert(name.to_owned(), worker);
    }
    Ok(known.workers.get(name))
}

fn claim(filters: Option<&HashSet<Arc<str>>>, owner: Option<&Owner>, sender: &Sender) -> Claim {
    if *sender == Sender::Operator {
        return Claim::Taken;
    }
    let streams = matches!(sender, Sender::Stream(_));
    let claims = || {
        Claim::Claims(Owner {
            peer: sender.peer().cloned(),
            streamed: streams,
        })
    };
    let Some(owner) = owner else {
        return claims();
    };
    let listed = |name: &&Arc<str>| filters.is_none_or(|filters| filters.contains(*name));
    match (owner.peer.as_ref().filter(listed), sender.peer()) {
        (None, None) => Claim::Taken,
        (None, Some(_)) => claims(),
        (Some(own), Some(peer)) if own == peer => match streams && !owner.streamed {
            true => claims(),
            false => Claim::Taken,
        },
        (Some(_), None) if !owner.streamed => Claim::Taken,
        _ => Claim::Foreign,
    }
}

fn owner(who: &Who, way: Way) -> Option<Owner> {
    Some(Owner {
        peer: match who {
            Who::Filter(name) => Some(name.as_str().into()),
            Who::Stranger => None,
            Who::Reviewer(_) | Who::Desk => return None,
        },
        streamed: way == Way::Stream,
    })
}

/// The workers of removed records once all entries before `to` are removed: those that have other records, and
/// of those that have none, the latest, since they may go on. All others are forgotten.
pub(super) fn carried(index: &Transaction<'_>, to: u64) -> rusqlite::Result<Vec<KeptWorker>> {
    let mut removed = index.prepare_cached(
        "SELECT worker, max(number), max(seq) FROM sessions WHERE seq < ?1 GROUP BY worker",
    )?;
    let mut rows = removed.query([integer(to)])?;
    while let Some(row) = rows.next()? {
        let (name, number, seq): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let mut worker = read_worker(index, &name)?.unwrap_or_default();
        worker.removed = worker.removed.max(number);
        worker.seq = worker.seq.max(u64::try_from(seq).unwrap_or(0));
        write_worker(index, &name, &worker)?;
    }
    let mut all = index.prepare(
        "SELECT worker, owned, peer, streamed, removed,
             coalesce((SELECT seq FROM sessions WHERE sessions.worker = workers.worker
                 ORDER BY number DESC LIMIT 1), 0) AS last
             FROM workers WHERE seq < ?1 OR removed > 0 ORDER BY max(last, seq) DESC",
    )?;
    let mut forget = index.prepare_cached("DELETE FROM workers WHERE worker = ?1")?;
    let mut rows = all.query([integer(to)])?;
    let (mut kept, mut idle) = (Vec::new(), 0usize);
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        let last: i64 = row.get(5)?;
        if last < integer(to) {
            idle = idle.saturating_add(1);
        }
        if kept.len() >= MAX_CARRIED || idle > MAX_IDLE && last < integer(to) {
            forget.execute([&name])?;
            continue;
        }
        let (owned, streamed): (bool, bool) = (row.get(1)?, row.get(3)?);
        let peer: Option<String> = row.get(2)?;
        let way = if streamed { Way::Stream } else { Way::Post };
        kept.push(KeptWorker {
            worker: name,
            owner: owned.then(|| Who::peer(peer.map(Arc::from).as_ref())),
            way: owned.then_some(way),
            removed: row.get(4)?,
        });
    }
    Ok(kept)
}

fn read_worker(index: &Connection, name: &str) -> rusqlite::Result<Option<Worker>> {
    index
        .prepare_cached(
            "SELECT owned, peer, streamed, policy, removed, seq FROM workers WHERE worker = ?1",
        )?
        .query_row([name], |row| {
            let peer: Option<String> = row.get(1)?;
            let owner = Owner {
                peer: peer.map(Arc::from),
                streamed: row.get(2)?,
            };
            let owned: bool = row.get(0)?;
            let seq: i64 = row.get(5)?;
            Ok(Worker {
                owner: owned.then_some(owner),
                policy: row.get(3)?,
                removed: row.get(4)?,
                seq: u64::try_from(seq).unwrap_or(0),
            })
        })
        .optional()
}

fn write_worker(index: &Connection, name: &str, worker: &Worker) -> rusqlite::Result<()> {
    let owner = worker.owner.as_ref();
    index
        .prepare_cached("INSERT OR REPLACE INTO workers VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?
        .execute(params![
            name,
            owner.is_some(),
            owner.and_then(|owner| owner.peer.as_deref()),
            owner.is_some_and(|owner| owner.streamed),
            worker.policy,
            worker.removed,
            integer(worker.seq),
        ])
        .map(drop)
}

fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
