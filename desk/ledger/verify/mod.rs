//! Whether a ledger is as it was signed, and if not, what became of it.
//!
//! All entries are hashed once, and give the roots at the sizes of the checkpoint and of the
//! witnesses' checkpoints. If those are the signed ones, nothing was changed, and that is all.
//! If they are not, the entries are laid beside the leaf hashes in the tiles, which the root vouches
//! for, and every difference is named.

mod align;
mod cosigners;
mod look;
mod problem;
mod stream;

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use self::align::{Aligner, Location};
use self::look::{Look, Seen};
pub use self::problem::{Problem, Problems, Wrong};
use self::stream::{What, stream};
use super::checkpoint::Checkpoint;
use super::cosignature::WitnessKey;
use super::error::LedgerError;
use super::note::{Note, PublicKey};
use super::reader::Reader;
use super::tree::{Edge, TILE_ENTRIES};
use super::witness;

/// How often it is begun if retention removes segments meanwhile.
const TRIES: usize = 4;

/// What is asked of a ledger.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// A key that the asker knows to be the ledger's. Without one its first entry is believed.
    pub trusted: Option<PublicKey>,
    /// The texts of witnesses' files, with their names.
    pub witnesses: Vec<(String, String)>,
    /// The keys of witnesses that must have cosigned a checkpoint: one in those texts, or that which
    /// stands beside the ledger.
    pub cosigners: Vec<WitnessKey>,
    /// How many threads hash; at least one.
    pub threads: usize,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What is wrong.
    pub problems: Problems,
    /// What is worth knowing, and not wrong.
    pub remarks: Vec<String>,
    /// The log's origin.
    pub origin: String,
    /// How many entries there are.
    pub entries: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// How many of them the checkpoint signs for.
    pub signed: u64,
    /// The ids of the keys, oldest first.
    pub keys: Vec<String>,
    /// How many checkpoints of witnesses agree.
    pub witnessed: u64,
    /// How many of the entries were removed: the first ones.
    pub removed: u64,
}

impl Verdict {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_right(&self) -> bool {
        self.problems.list.is_empty()
    }
}

/// Streams through the ledger in `folder` and says what is wrong with it. It may be written to
/// meanwhile.
///
/// # Errors
/// Files can't be read.
pub fn verify(folder: &Path, question: &Question) -> Result<Verdict, LedgerError> {
    let reader = Reader::new(folder);
    for _ in 1..TRIES {
        let horizon = reader.horizon()?;
        let verdict = verify_from(&reader, horizon, question);
        // Retention may have removed segments under it.
        if reader.horizon()? == horizon {
            return verdict;
        }
    }
    verify_from(&reader, reader.horizon()?, question)
}

fn verify_from(reader: &Reader, horizon: u64, question: &Question) -> Result<Verdict, LedgerError> {
    let mut verdict = Verdict::default();
    let mut witnessed = read_witnesses(question, &mut verdict);
    cosigners::judge(reader.folder(), question, &mut witnessed, &mut verdict)?;
    // What a witness has was published after its entries were stored, and what is published is
    // read before the entries are: so there must be as many.
    let latest = match reader.latest() {
        Ok(latest) => latest,
        Err(LedgerError::Damaged(what)) => {
            verdict.problems.add(Wrong::Forged, None, what);
            None
        }
        Err(error) => return Err(error),
    };
    if latest.is_none() && verdict.is_right() {
        let file = reader.checkpoint_file();
        verdict.problems.add(
            Wrong::Forged,
            None,
            format!("{}: found none, expected a checkpoint", file.display()),
        );
    }
    let sizes = witnessed.iter().map(|(_, checkpoint, _)| checkpoint.size);
    let sizes = sizes.chain(latest.iter().map(|latest| latest.checkpoint.size));
    let signed = latest.as_ref().map_or(0, |latest| latest.checkpoint.size);
    let trusted = question.trusted.as_ref();
    let mut look = Look::new(reader.tiles(), sizes, signed, horizon, trusted);
    stream(reader.folder(), question.threads, &mut |piece| {
        look.take(piece);
        ControlFlow::Continue(())
    })?;
    let seen = look.end();
    verdict.entries = seen.entries;
    verdict.bytes = seen.bytes;
    verdict.keys = seen.chain.keys().iter().map(|(_, key)| key.id()).collect();
    verdict.origin = seen
        .chain
        .keys()
        .first()
        .map_or_else(String::new, |(_, key)| key.name().to_owned());
    judge_removal(&seen, horizon, &mut verdict);
    for what in &seen.key_problems {
        verdict.problems.add(Wrong::Key, None, what.clone());
    }
    if let Some(trusted) = &question.trusted
        && !seen.chain.has(trusted)
    {
        verdict.problems.add(
            Wrong::Key,
            None,
            format!(
                "found no entry that names the given key {}, expected one",
                trusted.id()
            ),
        );
    }

    let mut reference = None;
    let mut differs = seen.is_irregular;
    if let Some(latest) = &latest {
        let place = reader.checkpoint_file().display().to_string();
        verdict.signed = latest.checkpoint.size;
        if is_signed(
            &seen,
            &latest.checkpoint,
            &latest.note,
            &place,
            &mut verdict.problems,
        ) {
            reference = Some(latest.checkpoint.clone());
        }
        differs |= !seen.agrees(&latest.checkpoint);
    }
    let lasting = judge_witnesses(&seen, &witnessed, &mut verdict);
    differs |= lasting
        .as_ref()
        .is_some_and(|lasting| !seen.agrees(lasting));
    let reference = match (reference, lasting) {
        (Some(one), Some(other)) if other.size > one.size => Some(other),
        (one, other) => one.or(other),
    };
    let reference = reference.or_else(|| latest.map(|latest| latest.checkpoint));
    if differs {
        let mut problems = std::mem::take(&mut verdict.problems);
        let reference = reference.as_ref();
        diagnose(reader, horizon, question, reference, &seen, &mut problems)?;
        verdict.problems = problems;
    } else {
        for (entries, text) in seen.tile_problems {
            verdict.problems.add(Wrong::Tile, entries, text);
        }
    }
    if seen.checksums > 0 {
        verdict.remarks.push(format!(
            "{} groups of entries have a wrong checksum",
            seen.checksums
        ));
    }
    if let Some(text) = seen.tail {
        verdict.remarks.push(text);
    }
    let unsigned = verdict.entries.saturating_sub(verdict.signed);
    if unsigned > 0 {
        verdict.remarks.push(format!(
            "the last {unsigned} entries are not signed for yet"
        ));
    }
    Ok(verdict)
}

/// Whether the entries before `horizon` may be missing: where an entry that is signed for says so.
fn judge_removal(seen: &Seen, horizon: u64, verdict: &mut Verdict) {
    verdict.removed = horizon;
    if horizon == 0 {
        return;
    }
    let covered = seen.removal.as_ref().map_or(0, |(_, removal)| removal.to);
    match &seen.removal {
        Some((number, removal)) if covered >= horizon => verdict.remarks.push(format!(
            "the entries before {horizon} were removed by retention, as entry {number} says: they are from before {}",
            removal.until
        )),
        _ => verdict.problems.add(
            Wrong::Dropped,
            Some((covered, horizon)),
            format!(
                "the entries {covered} to {} are missing, expected them, or an entry that is signed for and says that they were removed",
                horizon - 1
            ),
        ),
    }
}

type Witnessed = (String, Checkpoint, Note);

fn read_witnesses(question: &Question, verdict: &mut Verdict) -> Vec<Witnessed> {
    let mut all = Vec::new();
    for (name, text) in &question.witnesses {
        let (found, broken) = witness::checkpoints(text);
        if broken > 0 {
            verdict
                .remarks
                .push(format!("{name}: {broken} checkpoints were cut off"));
        }
        if found.is_empty() {
            let text = format!("{name}: found no checkpoint, expected some");
            verdict.problems.add(Wrong::Forged, None, text);
        }
        all.extend(
            found
                .into_iter()
                .map(|(checkpoint, note)| (name.clone(), checkpoint, note)),
        );
    }
    all
}

/// Whether the ledger's key for that size has signed a checkpoint.
fn is_signed(
    seen: &Seen,
    checkpoint: &Checkpoint,
    note: &Note,
    place: &str,
    problems: &mut Problems,
) -> bool {
    let key = seen.chain.signer(checkpoint.size);
    // Of more entries than there are, any later key may have signed for them; the last is known.
    let right = key.is_some_and(|key| key.name() == checkpoint.origin && key.has_signed(note));
    if !right {
        let expected = key.map_or_else(
            || "of a key that an entry names".to_owned(),
            |key| format!("of the key {}", key.id()),
        );
        let found: Vec<_> = note.ids().collect();
        problems.add(
            Wrong::Forged,
            None,
            format!(
                "{place}: the checkpoint of {} entries: found a signature of {} that doesn't hold, expected one {expected}",
                checkpoint.size,
                found.join(", ")
            ),
        );
    }
    right
}

/// Compares the witnesses' checkpoints; returns the one of the most entries that is signed.
fn judge_witnesses(
    seen: &Seen,
    witnessed: &[Witnessed],
    verdict: &mut Verdict,
) -> Option<Checkpoint> {
    let mut most: Option<&Checkpoint> = None;
    let mut beyond: Option<&Witnessed> = None;
    for one in witnessed {
        let (name, checkpoint, note) = one;
        if checkpoint.size > seen.entries {
            // A key that came later than the ledger ends can't be told from a forged one.
            if beyond.is_none_or(|(_, other, _)| other.size < checkpoint.size) {
                beyond = Some(one);
            }
            let known = seen
                .chain
                .keys()
                .iter()
                .any(|(_, key)| key.has_signed(note));
            if known && most.is_none_or(|most| most.size < checkpoint.size) {
                most = Some(checkpoint);
            }
            continue;
        }
        if !is_signed(seen, checkpoint, note, name, &mut verdict.problems) {
            continue;
        }
        if most.is_none_or(|most| most.size < checkpoint.size) {
            most = Some(checkpoint);
        }
        if seen.agrees(checkpoint) {
            verdict.witnessed = verdict.witnessed.saturating_add(1);
        } else {
            verdict.problems.add(
                Wrong::Rewritten,
                None,
                format!(
                    "{name}: the witness has seen the root {} over {} entries, found another",
                    checkpoint.root, checkpoint.size
                ),
            );
        }
    }
    if let Some((name, checkpoint, _)) = beyond {
        verdict.problems.add(
            Wrong::RolledBack,
            Some((seen.entries, checkpoint.size)),
            format!(
                "{name}: the witness has seen {} entries, found {}",
                checkpoint.size, seen.entries
            ),
        );
    }
    most.cloned()
}

/// Finds out what is different.
fn diagnose(
    reader: &Reader,
    horizon: u64,
    question: &Question,
    reference: Option<&Checkpoint>,
    seen: &Seen,
    problems: &mut Problems,
) -> Result<(), LedgerError> {
    let tiles = reader.tiles();
    let before = problems.list.len();
    let signed = reference.map_or(0, |reference| reference.size);
    if let Some(reference) = reference {
        let root = tiles_root(&tiles, signed);
        if root != Some(reference.root) {
            problems.add(
                Wrong::Tile,
                None,
                format!(
                    "the leaf hashes in the tiles: found the root {} over {signed} entries, expected {}: entries are compared with what nobody has signed",
                    root.map_or_else(|| "of fewer".to_owned(), |root| root.to_string()),
                    reference.root
                ),
            );
        }
    }
    let tiled = problems.list.len();
    let mut broken = Problems::default();
    let mut aligner = Aligner::new(tiles, horizon, signed, problems);
    let mut next = horizon;
    let mut gap: Option<Location> = None;
    stream(reader.folder(), question.threads, &mut |piece| {
        let location = Location {
            path: Arc::clone(&piece.path),
            offset: piece.offset,
        };
        match piece.what {
            What::NoStart => broken.add(
                Wrong::Unreadable,
                None,
                format!("{location}: found another beginning, expected that of the segment"),
            ),
            What::Junk { is_tail, bytes } => {
                if !is_tail || next < signed {
                    broken.add(
                        Wrong::Unreadable,
                        None,
                        format!("{location}: found {bytes} bytes that are no group of entries, expected entry {next}"),
                    );
                }
                gap = Some(location);
            }
            What::Lost { first, end } => {
                broken.add(
                    Wrong::Unreadable,
                    Some((first, end)),
                    format!("{location}: found a group that can't be unpacked, expected the entries {first} to {}", end.saturating_sub(1)),
                );
                aligner.lose(first, end);
                next = end;
            }
            What::Group(group) => {
                if group.first > next && gap.take().is_some() {
                    aligner.lose(next, group.first);
                } else if group.first != next {
                    broken.add(
                        Wrong::Unreadable,
                        None,
                        format!("{location}: found a group that begins with entry {}, expected entry {next}", group.first),
                    );
                }
                next = group.first;
                for (_, hash) in group.leaves {
                    next = next.saturating_add(1);
                    if !aligner.push(hash, location.clone()) {
                        return ControlFlow::Break(());
                    }
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    aligner.end();
    // Numbers that don't fit follow from what is named already.
    let named = problems.list.len() > tiled;
    for problem in broken.list {
        if !named || problem.entries.is_some() || seen.has_junk {
            problems.add(problem.wrong, problem.entries, problem.text);
        }
    }
    if problems.list.len() == before {
        problems.add(
            Wrong::Changed,
            Some((0, signed)),
            format!("the {signed} entries don't have the root that was signed"),
        );
    }
    Ok(())
}

/// The root over the first leaf hashes in the tiles; `None` if there are fewer.
fn tiles_root(tiles: &super::Tiles, size: u64) -> Option<super::Hash> {
    let mut edge = Edge::default();
    let mut full = Vec::new();
    while edge.size() < size {
        let width = (size - edge.size()).min(TILE_ENTRIES);
        let width = usize::try_from(width).ok()?;
        let hashes = tiles.read_wide(0, edge.size() / TILE_ENTRIES, width).ok()?;
        for hash in hashes.into_iter().take(width) {
            edge.push(hash, &mut full);
        }
        full.clear();
    }
    Some(edge.root())
}
