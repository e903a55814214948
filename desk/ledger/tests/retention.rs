//! Old entries go, and nothing else can.

use std::fs;

use super::support::{Shelf, copy, entry};
use crate::ledger::verify::Wrong;
use crate::ledger::{
    Entry, Kind, Ledger, LedgerError, Question, Removal, consistency, expired, inclusion,
    is_consistent, root_by_inclusion, verify,
};

/// What the desk would say of a removal.
fn said(from: u64, to: u64, keys: &[crate::ledger::KeptKey]) -> Entry {
    let event = serde_json::json!({
        "version": 1, "id": "00", "event": "retention", "time": "t", "who": { "kind": "desk" },
        "from": from, "to": to, "count": to - from, "until": "2023-11-14T22:13:20.000Z",
        "keys": keys, "workers": [],
    });
    Entry {
        kind: Kind::EVENT,
        time: 1_800_000_000_000,
        bytes: event.to_string().into_bytes(),
    }
}

/// Every entry of the shelf is older than this.
const LATER: u64 = 1_750_000_000_000;

/// Removes the oldest segment as the desk does; returns the first entry that stays.
fn remove(shelf: &Shelf) -> u64 {
    remove_before(shelf, LATER)
}

fn remove_before(shelf: &Shelf, before: u64) -> u64 {
    let mut ledger = shelf.open();
    let found = expired(&shelf.reader(), before).unwrap().unwrap();
    let mut keys = known_keys(shelf);
    keys.extend(found.keys.clone());
    if !found.is_followed {
        ledger.seal();
    }
    ledger.append(&[said(found.from, found.to, &keys)]).unwrap();
    ledger.checkpoint().unwrap();
    ledger.remove(found.to).unwrap();
    found.to
}

/// The keys that the latest removal tells.
fn known_keys(shelf: &Shelf) -> Vec<crate::ledger::KeptKey> {
    let mut keys = Vec::new();
    let read = &mut |_, _, part: crate::ledger::Part<'_>| {
        if let Some(removal) = Removal::read(part.kind, part.bytes) {
            keys = removal.keys;
        }
        Ok::<_, LedgerError>(())
    };
    shelf.reader().each(0, read).unwrap();
    keys
}

/// Six hundred entries in segments of about 2000 bytes, whose borders are not those of tiles.
fn shelf() -> Shelf {
    Shelf::with(600, 7, 2000)
}

#[test]
fn removed_segments_are_right_and_the_rest_stays_provable() {
    let shelf = shelf();
    let witness = fs::read_to_string(shelf.witness()).unwrap();
    let old = shelf.reader().latest().unwrap().unwrap().checkpoint;
    let mut horizon = 0;
    for _ in 0..9 {
        horizon = remove(&shelf);
        let verdict = shelf.verify();
        assert!(verdict.is_right(), "{verdict:?}");
        assert_eq!(verdict.removed, horizon);
        assert!(
            verdict.remarks[0].contains(&format!("before {horizon} were removed")),
            "{:?}",
            verdict.remarks
        );
    }
    assert!(horizon > 256 && !horizon.is_multiple_of(256), "{horizon}");
    let new = shelf.reader().latest().unwrap().unwrap().checkpoint;
    assert_eq!(new.size, 610);
    let tiles = shelf.reader().tiles();
    let proof = consistency(&tiles, old.size, new.size).unwrap();
    assert!(is_consistent(
        old.size, old.root, new.size, new.root, &proof
    ));
    let first = shelf.reader().entry(horizon).unwrap().unwrap();
    let proof = inclusion(&tiles, horizon, new.size).unwrap();
    let found = root_by_inclusion(first.leaf().hash(), horizon, new.size, &proof);
    assert_eq!(found, Some(new.root));
    // A removed entry, too, as long as somebody has it.
    let proof = inclusion(&tiles, 5, new.size).unwrap();
    let found = root_by_inclusion(entry(5).leaf().hash(), 5, new.size, &proof);
    assert_eq!(found, Some(new.root));
    assert_eq!(shelf.reader().entry(5).unwrap(), None);
    // A witness knows the tree from before.
    let question = Question {
        witnesses: vec![("witness".to_owned(), witness)],
        threads: 2,
        ..Question::default()
    };
    let verdict = verify(&shelf.path(), &question).unwrap();
    assert!(verdict.is_right() && verdict.witnessed == 2, "{verdict:?}");
}

#[test]
fn a_ledger_goes_on_behind_what_was_removed_whatever_becomes_of_its_tiles() {
    for removals in [1, 3, 9, 12] {
        for broken in ["", "tile/1", "tile/0/002.p", "tile/entries/002.p"] {
            let shelf = shelf();
            let horizon = (0..removals).fold(0, |_, _| remove(&shelf));
            if !broken.is_empty() {
                // A crash may take away what can be made anew, and nothing else.
                let path = shelf.path().join(broken);
                let gone = fs::remove_dir_all(&path);
                assert!(gone.is_ok(), "{}", path.display());
            }
            let mut ledger = shelf.open();
            assert_eq!(ledger.horizon(), horizon);
            let size = ledger.size();
            let more: Vec<_> = (size..size + 300).map(entry).collect();
            ledger.append(&more).unwrap();
            ledger.checkpoint().unwrap();
            drop(ledger);
            let told = shelf.wrongs();
            assert_eq!(told, [], "{removals} {broken}");
        }
    }
}

#[test]
fn all_old_entries_may_go_and_what_says_so_stays() {
    let shelf = shelf();
    let mut removed = 0;
    while expired(&shelf.reader(), LATER).unwrap().is_some() {
        removed += 1;
        assert!(removed < 100);
        remove(&shelf);
    }
    // What is left has something younger.
    assert_eq!(shelf.wrongs(), []);
    let mut horizon = 0;
    while expired(&shelf.reader(), u64::MAX).unwrap().is_some() {
        removed += 1;
        assert!(removed < 100);
        horizon = remove_before(&shelf, u64::MAX);
        assert_eq!(shelf.wrongs(), []);
    }
    assert_eq!(shelf.segments().len(), 1);
    assert!(shelf.entries().iter().all(|one| one.kind == Kind::EVENT));
    assert_eq!(shelf.reader().horizon().unwrap(), horizon);
    // In a ledger that nobody writes to, it would say that of itself for ever.
    assert_eq!(expired(&shelf.reader(), u64::MAX).unwrap(), None);
    let mut ledger = shelf.open();
    ledger.append(&[entry(1000)]).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    assert_eq!(shelf.wrongs(), []);
}

#[test]
fn young_and_unsigned_segments_stay() {
    let shelf = shelf();
    assert_eq!(expired(&shelf.reader(), 1_700_000_000_000).unwrap(), None);
    assert_eq!(expired(&shelf.reader(), 1_700_000_000_002).unwrap(), None);
    let one = expired(&shelf.reader(), LATER).unwrap().unwrap();
    assert_eq!((one.from, one.keys.len(), one.is_followed), (0, 1, true));
    let short = Shelf::with(3, 1, 1 << 20);
    let mut ledger = short.open();
    ledger.append(&[entry(4)]).unwrap();
    assert_eq!(
        expired(&short.reader(), LATER).unwrap(),
        None,
        "not signed for"
    );
    ledger.checkpoint().unwrap();
    let one = expired(&short.reader(), LATER).unwrap().unwrap();
    assert_eq!((one.from, one.to, one.is_followed), (0, 5, false));
    ledger.remove(5).unwrap_err();
    assert_eq!(short.segments().len(), 1);
}

#[test]
fn what_doesn_t_stand_in_the_tree_is_not_removed() {
    let shelf = shelf();
    let tile = shelf.path().join("tile/0/000");
    let whole = fs::read(&tile).unwrap();
    for (file, at) in [("tile/0/000", 40), ("tile/entries/000", 80)] {
        let file = shelf.path().join(file);
        let whole = fs::read(&file).unwrap();
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&file, bytes).unwrap();
        let error = expired(&shelf.reader(), LATER).unwrap_err();
        assert!(matches!(error, LedgerError::Damaged(_)), "{error}");
        fs::write(&file, whole).unwrap();
    }
    assert_eq!(fs::read(&tile).unwrap(), whole);
    expired(&shelf.reader(), LATER).unwrap().unwrap();
}

#[test]
fn segments_that_nothing_says_were_removed_are_named() {
    let shelf = shelf();
    let segments = shelf.segments();
    let first = |at: usize| -> u64 {
        let name = segments[at].file_stem().unwrap().to_str().unwrap();
        name.parse().unwrap()
    };
    fs::remove_file(&segments[0]).unwrap();
    let told = shelf.wrongs();
    assert!(
        told.contains(&(Wrong::Dropped, Some((0, first(1))))),
        "{told:?}"
    );

    // One more than what was said.
    let shelf = self::shelf();
    let horizon = remove(&shelf);
    assert_eq!(horizon, first(1));
    fs::remove_file(&shelf.segments()[0]).unwrap();
    let told = shelf.wrongs();
    assert_eq!(told, [(Wrong::Dropped, Some((first(1), first(2))))]);

    // One in the middle.
    let shelf = self::shelf();
    remove(&shelf);
    fs::remove_file(&shelf.segments()[3]).unwrap();
    let told = shelf.wrongs();
    assert_eq!(
        told[0],
        (Wrong::Dropped, Some((first(4), first(5)))),
        "{told:?}"
    );
}

#[test]
fn a_forged_retention_entry_removes_nothing() {
    let shelf = shelf();
    let found = expired(&shelf.reader(), LATER).unwrap().unwrap();
    // Behind the last checkpoint: nobody has signed for it.
    shelf
        .open()
        .append(&[said(0, found.to, &found.keys)])
        .unwrap();
    assert_eq!(shelf.wrongs(), []);
    fs::remove_file(&shelf.segments()[0]).unwrap();
    let told = shelf.wrongs();
    assert!(
        told.contains(&(Wrong::Dropped, Some((0, found.to)))),
        "{told:?}"
    );

    // In place of an entry that was signed for.
    let shelf = self::shelf();
    shelf.rewrite(4, |all| all[2] = said(0, found.to, &found.keys));
    fs::remove_file(&shelf.segments()[0]).unwrap();
    let verdict = shelf.verify();
    let changed = verdict.problems.list.iter();
    assert!(
        changed.clone().any(|one| one.wrong == Wrong::Changed),
        "{verdict:?}"
    );

    // One that was signed for, and changed to say more.
    let shelf = self::shelf();
    let horizon = remove(&shelf);
    let last = shelf.segments().len() - 1;
    let beyond = expired(&shelf.reader(), LATER).unwrap().unwrap().to;
    shelf.rewrite(last, |all| {
        let end = all.len() - 1;
        all[end] = said(0, beyond, &found.keys);
    });
    fs::remove_file(&shelf.segments()[0]).unwrap();
    assert!(beyond > horizon);
    let verdict = shelf.verify();
    assert!(
        verdict
            .problems
            .list
            .iter()
            .any(|one| one.wrong == Wrong::Changed),
        "{verdict:?}"
    );
}

#[test]
fn keys_that_were_removed_are_believed_only_where_the_tree_has_them() {
    let shelf = shelf();
    let stranger = crate::ledger::PrivateKey::new("other", &[7; 32]).unwrap();
    let note = stranger.sign(&format!("portcullis/key\nother\n{}\n", stranger.public()));
    let mut ledger = shelf.open();
    let mut found = expired(&shelf.reader(), LATER).unwrap().unwrap();
    found.keys[0].text = note;
    ledger.append(&[said(0, found.to, &found.keys)]).unwrap();
    ledger.checkpoint().unwrap();
    ledger.remove(found.to).unwrap();
    let told = shelf.wrongs();
    assert!(told.contains(&(Wrong::Key, None)), "{told:?}");
}

#[test]
fn entries_behind_what_was_removed_are_guarded_as_before() {
    type Change = fn(&mut Vec<Entry>);
    let changes: [(Wrong, Change); 5] = [
        (Wrong::Changed, |all| all[3].bytes[3] ^= 1),
        (Wrong::Dropped, |all| drop(all.remove(3))),
        (Wrong::Doubled, |all| all.insert(5, all[3].clone())),
        (Wrong::Reordered, |all| all.swap(3, 4)),
        (Wrong::Inserted, |all| all.insert(3, entry(9999))),
    ];
    for (wrong, change) in changes {
        let shelf = shelf();
        let horizon = remove(&shelf);
        shelf.rewrite(1, change);
        let told = shelf.wrongs();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0].0, wrong);
        assert!(told[0].1.unwrap().0 > horizon);
    }
}

#[test]
fn changed_hashes_of_removed_entries_are_named() {
    let shelf = shelf();
    remove(&shelf);
    for (name, at) in [("tile/0/000", 40), ("tile/entries/000", 80)] {
        let file = shelf.path().join(name);
        let whole = fs::read(&file).unwrap();
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&file, bytes).unwrap();
        let told = shelf.wrongs();
        assert!(
            told.first().is_some_and(|(wrong, _)| *wrong == Wrong::Tile),
            "{name}: {told:?}"
        );
        fs::write(&file, whole).unwrap();
        assert_eq!(shelf.wrongs(), []);
    }
}

#[test]
fn a_segment_ends_after_its_time() {
    let shelf = Shelf::new();
    let mut options = shelf.options();
    options.segment_millis = 1000;
    let at = |time: u64| Entry {
        time,
        ..entry(time)
    };
    let (mut ledger, _) = Ledger::open(&options, 5).unwrap();
    for time in [900, 1004, 1005, 1100, 2004] {
        ledger.append(&[at(time)]).unwrap();
    }
    assert_eq!(shelf.segments().len(), 2);
    ledger.checkpoint().unwrap();
    drop(ledger);
    // Its time goes on when it is opened again.
    let (mut ledger, _) = Ledger::open(&options, 5).unwrap();
    ledger.append(&[at(2004)]).unwrap();
    assert_eq!(shelf.segments().len(), 2);
    ledger.append(&[at(2005)]).unwrap();
    assert_eq!(shelf.segments().len(), 3);
    ledger.seal();
    ledger.append(&[at(2005)]).unwrap();
    ledger.append(&[at(2005)]).unwrap();
    assert_eq!(shelf.segments().len(), 4);
}

#[test]
fn a_copy_with_a_part_of_the_removal_goes_on() {
    let shelf = shelf();
    let found = expired(&shelf.reader(), LATER).unwrap().unwrap();
    let mut ledger = shelf.open();
    ledger.append(&[said(0, found.to, &found.keys)]).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    // It ended before anything was removed.
    assert_eq!(shelf.wrongs(), []);
    let before = Shelf::new();
    copy(&shelf.path(), &before.path());
    copy(&shelf.keys(), &before.keys());
    let mut ledger = before.open();
    ledger.remove(found.to).unwrap();
    ledger.remove(found.to).unwrap();
    drop(ledger);
    assert_eq!(before.wrongs(), []);
}
