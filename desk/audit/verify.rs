//! `verify`: a ledger, a proof of one record, or evidence.

use std::io::{BufRead, Read as _, Write};
use std::path::{Path, PathBuf};

use super::event;
use super::evidence::{FORM, Head, Item, Tail};
use super::list::row;
use super::proof::Proof;
use super::select::removal;
use super::{Failed, RIGHT, Status, WRONG, line, open, plain};
use crate::ledger::{
    self, Chain, Checkpoint, Entry, Hash, Kind, Note, Public, PublicKey, Question, Removal,
    WitnessKey, root_by_inclusion,
};
use crate::policy::read_from;
use crate::sessions::{Entry as Record, Outline, RUNNING};
use crate::witness::Client;

/// The longest witness and the longest proof that are read, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 30;

/// The longest line of evidence, in bytes: the longest record, escaped, with its proof.
const MAX_LINE_BYTES: u64 = 256 << 20;

/// How many problems of evidence are told one by one.
const MAX_TOLD: u64 = 100;

/// What the asker knows beside what is verified.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The log's public key: itself, or a file with it.
    pub key: Option<String>,
    /// Witnesses: files, or the prefixes of URLs.
    pub witnesses: Vec<String>,
    /// Public keys of witnesses, each itself or a file with it.
    pub witness_keys: Vec<String>,
    /// A file of certificates that those of the URLs must lead to, instead of the usual ones.
    pub ca: Option<PathBuf>,
}

impl Known {
    fn key(&self) -> Result<Option<PublicKey>, Failed> {
        self.key.as_deref().map(public_key).transpose()
    }

    fn witness_keys(&self) -> Result<Vec<WitnessKey>, Failed> {
        let keys = self.witness_keys.iter();
        keys.map(|text| public_key(text)).collect()
    }

    /// What the witnesses have, each with its name.
    fn witnessed(&self, folder: &Path) -> Result<Vec<(String, String)>, Failed> {
        let is_url = |text: &str| text.starts_with("https://") || text.starts_with("http://");
        let mut client = None;
        let mut found = Vec::new();
        for place in &self.witnesses {
            if !is_url(place) {
                found.push((place.clone(), read(Path::new(place))?));
                continue;
            }
            let client = match &client {
                Some(client) => client,
                None => client.insert(Client::new(self.ca.as_deref()).map_err(Failed::new)?),
            };
            found.push((plain(place), fetch(client, place, folder)?));
        }
        Ok(found)
    }
}

/// A key, or what a file has of one.
fn public_key<const TYPE: u8>(text: &str) -> Result<Public<TYPE>, Failed> {
    let named = || {
        let file = std::fs::File::open(text).ok()?;
        read_from(file, 4096).ok()
    };
    Public::parse(text)
        .or_else(|| Public::parse(&named()?))
        .ok_or_else(|| {
            Failed::new(format!(
                "{}: found no public key, expected NAME+ID+BASE64 or a file with that",
                plain(text)
            ))
        })
}

/// What the witness at a URL has seen last of the ledger in `folder`.
fn fetch(client: &Client, prefix: &str, folder: &Path) -> Result<String, Failed> {
    // The first entry names the log, also where the checkpoint is gone.
    let reader = open(folder)?;
    let named = match reader.entry(0)? {
        Some(first) => ledger::named(&first.bytes),
        // It was removed, and what says so has it.
        None => removal(&reader, u64::MAX)?
            .and_then(|(_, removal)| removal.keys.into_iter().next())
            .and_then(|key| ledger::named(key.text.as_bytes())),
    };
    let (key, _) = named.ok_or_else(|| Failed::new("entry 0: found no key, expected the log's"))?;
    let log = ledger::name_of(key.name());
    let url = format!("{}/{log}/checkpoint", prefix.trim_end_matches('/'));
    let failed = |why: String| Failed::new(format!("{}: {}", plain(&url), plain(&why)));
    let answer = client.get(&url).map_err(failed)?;
    match answer.status {
        200 => Ok(answer.body),
        status => Err(failed(format!(
            "found the answer {status}, expected the log's latest checkpoint"
        ))),
    }
}

fn read(path: &Path) -> Result<String, Failed> {
    let failed = |error: String| Failed::new(format!("{}: {error}", path.display()));
    let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
    read_from(file, MAX_FILE_BYTES).map_err(failed)
}

/// Streams through a whole ledger, and names what is wrong with it.
///
/// # Errors
/// It can't be read.
pub fn verify(folder: &Path, known: &Known, out: &mut dyn Write) -> Status {
    open(folder)?;
    let question = Question {
        trusted: known.key()?,
        witnesses: known.witnessed(folder)?,
        cosigners: known.witness_keys()?,
        threads: std::thread::available_parallelism().map_or(1, Into::into),
    };
    let verdict = ledger::verify(folder, &question)?;
    for problem in &verdict.problems.list {
        line(out, &plain(&problem.to_string()))?;
    }
    if verdict.problems.more > 0 {
        line(out, &format!("and {} more", verdict.problems.more))?;
    }
    for remark in &verdict.remarks {
        line(out, &format!("note: {}", plain(remark)))?;
    }
    let word = if verdict.is_right() { "right" } else { "wrong" };
    line(
        out,
        &format!(
            "{word}: {} entries, {} bytes, {} signed for, log {}, keys {}, {} checkpoints of witnesses agree",
            verdict.entries,
            verdict.bytes,
            verdict.signed,
            plain(&verdict.origin),
            verdict.keys.join(" "),
            verdict.witnessed
        ),
    )?;
    if question.trusted.is_none() {
        line(
            out,
            "note: the key is believed because the ledger names it; --key says which one to expect",
        )?;
    }
    Ok(if verdict.is_right() { RIGHT } else { WRONG })
}

/// Checks a proof of one record, without the ledger, and prints the record's line.
///
/// # Errors
/// The file can't be read, or no key is given.
pub fn verify_proof(path: &Path, known: &Known, out: &mut dyn Write) -> Status {
    let text = read(path)?;
    let proof =
        Proof::read(&text).map_err(|what| Failed::new(format!("{}: {what}", path.display())))?;
    let key = known
        .key()?
        .ok_or_else(|| Failed::new("a proof is checked with the log's public key: --key"))?;
    let place = path.display();
    if !is_signed(&key, &proof.checkpoint, &proof.note) {
        line(
            out,
            &format!(
                "forged: {place}: the checkpoint is not signed by the key {}",
                key.id()
            ),
        )?;
        return Ok(WRONG);
    }
    if let Err(what) = is_in(&proof.entry, proof.number, &proof.hashes, &proof.checkpoint) {
        line(out, &format!("changed: {place}: {what}"))?;
        return Ok(WRONG);
    }
    if proof.entry.kind == Kind::EVENT {
        if let Some(found) = Outline::read(&proof.entry.bytes) {
            line(out, &event::row(proof.number, &found, &proof.entry.bytes))?;
        }
    } else if let Ok(record) = Record::read(&proof.entry.bytes) {
        line(out, &row(proof.number, &record))?;
    }
    line(
        out,
        &format!(
            "right: entry {} of {} in the log {}",
            proof.number,
            proof.checkpoint.size,
            plain(&proof.checkpoint.origin)
        ),
    )?;
    Ok(RIGHT)
}

fn is_signed(key: &PublicKey, checkpoint: &Checkpoint, note: &Note) -> bool {
    key.name() == checkpoint.origin && key.has_signed(note)
}

/// Whether an entry is in the tree of a checkpoint; otherwise why not.
fn is_in(
    entry: &Entry,
    number: u64,
    proof: &[Hash],
    checkpoint: &Checkpoint,
) -> Result<(), String> {
    let found = root_by_inclusion(entry.leaf().hash(), number, checkpoint.size, proof);
    if found == Some(checkpoint.root) {
        return Ok(());
    }
    Err(format!(
        "entry {number}: found the root {}, expected {} over {} entries",
        found.map_or_else(|| "of another tree".to_owned(), |found| found.to_string()),
        checkpoint.root,
        checkpoint.size
    ))
}

/// Checks evidence line by line, without the ledger, and names the records that were changed.
///
/// # Errors
/// The file can't be read, or is no evidence.
pub fn verify_evidence(path: &Path, known: &Known, out: &mut dyn Write) -> Status {
    let place = path.display().to_string();
    let failed = |what: &str| Failed::new(format!("{place}: {what}"));
    let file = std::fs::File::open(path).map_err(|error| failed(&error.to_string()))?;
    let mut lines = Lines(std::io::BufReader::with_capacity(1 << 20, file));
    let head: Head = lines
        .next()
        .map_err(|error| failed(&error))?
        .and_then(|text| serde_json::from_str(&text).ok())
        .filter(|head: &Head| head.form == FORM)
        .ok_or_else(|| failed(&format!("line 1: expected {FORM} and a checkpoint")))?;
    let (checkpoint, note) = Checkpoint::of(&head.checkpoint)
        .ok_or_else(|| failed("line 1: expected a checkpoint (c2sp.org/tlog-checkpoint)"))?;
    let mut check = Check {
        place: &place,
        checkpoint: &checkpoint,
        trusted: known.key()?,
        chain: Chain::default(),
        last: None,
        items: 0,
        records: 0,
        events: 0,
        numbers: 0,
        removed: None,
        old_keys: 0,
        wrong: 0,
        out,
    };
    let mut tail = None;
    let mut number = 1u64;
    while let Some(text) = lines.next().map_err(|error| failed(&error))? {
        number = number.saturating_add(1);
        if tail.is_some() {
            check.tell(
                "inserted",
                &format!("line {number}: found a line behind the last one"),
            )?;
            break;
        }
        if let Ok(found) = serde_json::from_str::<Tail>(&text) {
            tail = Some(found.items);
            continue;
        }
        match serde_json::from_str::<Item>(&text) {
            Ok(item) => check.item(number, item)?,
            Err(error) => check.tell(
                "changed",
                &format!(
                    "line {number}: expected an entry with its proof: {}",
                    plain(&error.to_string())
                ),
            )?,
        }
    }
    check.end(tail, &note)
}

/// Lines of a bounded length.
struct Lines<R>(R);

impl<R: BufRead> Lines<R> {
    fn next(&mut self) -> Result<Option<String>, String> {
        let mut text = String::new();
        let mut limited = self.0.by_ref().take(MAX_LINE_BYTES);
        let read = limited
            .read_line(&mut text)
            .map_err(|error| error.to_string())?;
        if read > 0 && limited.limit() == 0 {
            return Err(format!(
                "found a longer line, expected at most {MAX_LINE_BYTES} bytes"
            ));
        }
        Ok((read > 0).then_some(text))
    }
}

struct Check<'c> {
    place: &'c str,
    checkpoint: &'c Checkpoint,
    trusted: Option<PublicKey>,
    chain: Chain,
    last: Option<u64>,
    items: u64,
    records: u64,
    events: u64,
    /// Entries that say which numbers records will have.
    numbers: u64,
    /// Before which entry all were removed, as the latest event says of it.
    removed: Option<u64>,
    /// How many keys are from before it.
    old_keys: u64,
    wrong: u64,
    out: &'c mut dyn Write,
}

impl Check<'_> {
    fn tell(&mut self, word: &str, what: &str) -> Result<(), Failed> {
        self.wrong = self.wrong.saturating_add(1);
        if self.wrong <= MAX_TOLD {
            line(self.out, &format!("{word}: {}: {what}", self.place))?;
        }
        Ok(())
    }

    fn item(&mut self, number: u64, item: Item) -> Result<(), Failed> {
        self.items = self.items.saturating_add(1);
        let hashes: Option<Vec<_>> = item
            .proof
            .iter()
            .map(|hash| Hash::from_base64(hash))
            .collect();
        let entry = Entry {
            kind: Kind(item.kind),
            time: item.time,
            bytes: item.text.into_bytes(),
        };
        let id = match Record::read(&entry.bytes) {
            Ok(record) => format!(" (record {})", plain(&record.id)),
            Err(_) => String::new(),
        };
        if self.last.is_some_and(|last| last >= item.entry) {
            let what = format!(
                "line {number}: entry {}{id} stands behind entry {}",
                item.entry,
                self.last.unwrap_or(0)
            );
            self.tell("reordered", &what)?;
        }
        self.last = Some(item.entry);
        let hashes = hashes
            .filter(|hashes| hashes.len() <= 64)
            .unwrap_or_default();
        if let Err(what) = is_in(&entry, item.entry, &hashes, self.checkpoint) {
            return self.tell("changed", &format!("line {number}{id}: {what}"));
        }
        if entry.kind == Kind::KEY {
            let followed = self
                .chain
                .follow(item.entry, &entry.bytes, self.trusted.as_ref());
            return match followed {
                Ok(()) => Ok(()),
                Err(what) => self.tell("key", &format!("line {number}: {what}")),
            };
        }
        if entry.kind == Kind::EVENT {
            self.events = self.events.saturating_add(1);
            if let Some(removal) = Removal::read(entry.kind, &entry.bytes) {
                let keys = self.chain.keys().iter();
                let old = keys.filter(|(number, _)| *number < removal.to).count();
                self.old_keys = u64::try_from(old).unwrap_or(0);
                self.removed = Some(removal.to);
            }
            return Ok(());
        }
        let count = match entry.kind {
            RUNNING => &mut self.numbers,
            _ => &mut self.records,
        };
        *count = count.saturating_add(1);
        Ok(())
    }

    fn end(mut self, tail: Option<u64>, note: &Note) -> Status {
        let size = self.checkpoint.size;
        if !self
            .chain
            .signer(size)
            .is_some_and(|key| is_signed(key, self.checkpoint, note))
        {
            self.tell(
                "forged",
                "line 1: the checkpoint is not signed by the log's key",
            )?;
        }
        if let Some(trusted) = self.trusted.clone()
            && !self.chain.has(&trusted)
        {
            self.tell(
                "key",
                &format!("found no entry that names the given key {}", trusted.id()),
            )?;
        }
        match tail {
            Some(items) if items == self.items => {}
            Some(items) => {
                let what = format!(
                    "found {} entries, expected {items} as the last line says",
                    self.items
                );
                self.tell("dropped", &what)?;
            }
            None => self.tell(
                "truncated",
                "found no last line, expected how many entries there are",
            )?,
        }
        if self.wrong > MAX_TOLD {
            line(self.out, &format!("and {} more", self.wrong - MAX_TOLD))?;
        }
        let word = if self.wrong == 0 { "right" } else { "wrong" };
        let kept = self.items.saturating_sub(self.old_keys);
        let whole = match self.removed {
            _ if self.items == size => "all that the log had".to_owned(),
            Some(to) if kept == size.saturating_sub(to) => {
                format!("all that it still had, with those before entry {to} removed by retention")
            }
            _ => "a part of what the log had".to_owned(),
        };
        let numbers = match self.numbers {
            0 => String::new(),
            numbers => format!(", and {numbers} numbers of records,"),
        };
        line(
            self.out,
            &format!(
                "{word}: {} records and {} events{numbers} of {size} entries in the log {}: {whole}",
                self.records,
                self.events,
                plain(&self.checkpoint.origin)
            ),
        )?;
        if self.trusted.is_none() {
            line(
                self.out,
                "note: the key is believed because the evidence names it; --key says which one to expect",
            )?;
        }
        Ok(if self.wrong == 0 { RIGHT } else { WRONG })
    }
}
