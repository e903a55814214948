//! Witnesses: files, on other disks or machines, that keep every checkpoint. Who can change the
//! ledger and its keys can make another ledger that is right in itself, but not one that agrees
//! with them.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::checkpoint::{Checkpoint, notes};
use super::files;
use super::note::Note;

/// Appends a checkpoint's note, and waits until the disk has it.
pub(super) fn append(path: &Path, note: &str) -> io::Result<()> {
    let mut options = files::private();
    let mut file = options.append(true).create(true).open(path)?;
    if !ends_with_line(path)? {
        // A crash cut a note off. What follows must not become a part of it.
        file.write_all(b"\n")?;
    }
    file.write_all(note.as_bytes())?;
    file.sync_data()
}

fn ends_with_line(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    if !file.metadata()?.is_file() || file.seek(SeekFrom::End(0))? == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// The checkpoints of a witness, and how many notes in it have another form, as one that a crash
/// cut off has.
#[must_use]
pub fn checkpoints(text: &str) -> (Vec<(Checkpoint, Note)>, usize) {
    let mut found = Vec::new();
    let mut broken = 0usize;
    for note in notes(text) {
        // One that was cut off stands in front of a whole one, as if it were a part of it. No
        // checkpoint here has lines after its third.
        let mut lines = note.split_inclusive('\n');
        let mut read = std::iter::from_fn(|| {
            let rest = lines.clone().collect::<String>();
            lines.next()?;
            Some(Checkpoint::of(&rest).filter(|(_, note)| note.text.lines().count() == 3))
        });
        let first = read.next().flatten();
        if first.is_none() {
            broken = broken.saturating_add(1);
        }
        found.extend(first.or_else(|| read.flatten().next()));
    }
    (found, broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::hash::Hash;
    use crate::ledger::note::PrivateKey;

    #[test]
    fn a_note_that_was_cut_off_hides_none_that_follows() {
        let key = PrivateKey::new("log", &[1; 32]).unwrap();
        let checkpoint = |size| Checkpoint {
            origin: "log".to_owned(),
            size,
            root: Hash::leaf(b"x"),
        };
        let note = |size| checkpoint(size).sign(&key);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("witness");
        for cut in 0..=note(2).len() {
            let Some(part) = note(2).get(..cut).map(ToOwned::to_owned) else {
                continue;
            };
            std::fs::write(&path, format!("{}{part}", note(1))).unwrap();
            append(&path, &note(3)).unwrap();
            append(&path, &note(4)).unwrap();
            let (found, _) = checkpoints(&std::fs::read_to_string(&path).unwrap());
            let sizes: Vec<_> = found.iter().map(|(one, _)| one.size).collect();
            assert!(
                sizes == [1, 3, 4] || sizes == [1, 2, 3, 4],
                "{cut}: {sizes:?}"
            );
        }
    }
}
