use std::fs;

use super::support::{Shelf, copy, entry};
use crate::ledger::verify::{Question, Wrong, verify};
use crate::ledger::{
    Checkpoint, Kind, Ledger, LedgerError, Options, Reader, consistency, inclusion, is_consistent,
    root_by_inclusion,
};

#[test]
fn what_was_appended_is_read_back_in_order_and_by_number() {
    let shelf = Shelf::with(600, 7, 4000);
    assert!(
        shelf.segments().len() > 5,
        "segments end when they are long enough"
    );
    let entries = shelf.entries();
    assert_eq!(entries.len(), 601);
    assert_eq!(entries[0].kind, Kind::KEY);
    for number in [1u64, 7, 8, 255, 256, 599, 600] {
        assert_eq!(entries[usize::try_from(number).unwrap()], entry(number));
        assert_eq!(shelf.reader().entry(number).unwrap(), Some(entry(number)));
    }
    assert_eq!(shelf.reader().entry(601).unwrap(), None);
    let mut from = Vec::new();
    shelf
        .reader()
        .each::<LedgerError>(590, &mut |number, place, part| {
            assert_eq!(
                shelf.reader().at(number, place).unwrap(),
                Some(part.to_entry())
            );
            from.push(number);
            Ok(())
        })
        .unwrap();
    assert_eq!(from, (590..601).collect::<Vec<_>>());
}

#[test]
fn places_of_appended_entries_are_where_they_are_found() {
    let shelf = Shelf::new();
    let mut ledger = shelf.open();
    let mut long = entry(1);
    long.bytes = vec![b'x'; 300 << 10];
    let entries = [entry(1), long.clone(), entry(2), long, entry(3)];
    let places = ledger.append(&entries).unwrap();
    for (index, (place, entry)) in places.iter().zip(&entries).enumerate() {
        let number = 1 + u64::try_from(index).unwrap();
        assert_eq!(
            shelf.reader().at(number, *place).unwrap().as_ref(),
            Some(entry)
        );
    }
    assert_ne!(places[0], places[4]);
    assert_eq!(shelf.reader().at(7, places[0]).unwrap(), None);
}

#[test]
fn an_open_ledger_goes_on_where_it_was_closed() {
    let shelf = Shelf::with(300, 300, 9000);
    for round in 0..5u64 {
        let (mut ledger, opened) = shelf.opened();
        assert!(!opened.is_new && opened.cut.is_none() && !opened.tiles_made);
        assert_eq!(ledger.size(), 301 + round * 100);
        let more: Vec<_> = (0..100)
            .map(|number| entry(301 + round * 100 + number))
            .collect();
        ledger.append(&more).unwrap();
        ledger.checkpoint().unwrap();
        assert!(!ledger.checkpoint().unwrap(), "nothing is signed twice");
    }
    assert_eq!(shelf.wrongs_by_witness(), []);
    let verdict = shelf.verify();
    assert_eq!(
        (verdict.entries, verdict.signed, verdict.keys.len()),
        (801, 801, 1)
    );
}

#[test]
fn entries_that_are_not_signed_for_yet_are_said_to_be() {
    let shelf = Shelf::with(10, 10, 9000);
    let mut ledger = shelf.open();
    ledger.append(&[entry(11), entry(12)]).unwrap();
    let verdict = shelf.verify();
    assert!(verdict.is_right());
    assert_eq!(
        verdict.remarks,
        ["the last 2 entries are not signed for yet"]
    );
    drop(ledger);
    let mut ledger = shelf.open();
    assert_eq!((ledger.size(), ledger.signed()), (13, 11));
    ledger.checkpoint().unwrap();
    assert_eq!(shelf.verify().remarks, [""; 0]);
}

#[test]
fn one_process_writes() {
    let shelf = Shelf::with(1, 1, 9000);
    let _ledger = shelf.open();
    let error = Ledger::open(&shelf.options(), 1).map(drop).unwrap_err();
    assert!(matches!(error, LedgerError::Busy(_)), "{error}");
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let shelf = Shelf::with(300, 300, 9000);
    let mut folders = vec![shelf.path(), shelf.keys()];
    let mut files = 0;
    while let Some(folder) = folders.pop() {
        let mode =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
        for file in fs::read_dir(&folder).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert_eq!(mode(&path), 0o600, "{}", path.display());
                files += 1;
            }
        }
    }
    assert!(files > 6);
}

#[test]
fn proofs_from_tiles_hold_at_every_size_that_was_signed() {
    let shelf = Shelf::new();
    let mut ledger = shelf.open();
    let mut signed: Vec<Checkpoint> = Vec::new();
    let mut number = 1;
    for count in [1u64, 2, 250, 1, 1, 1, 300, 500, 7] {
        let entries: Vec<_> = (number..number + count).map(entry).collect();
        number += count;
        ledger.append(&entries).unwrap();
        ledger.checkpoint().unwrap();
        signed.push(shelf.reader().latest().unwrap().unwrap().checkpoint);
    }
    let (leaves, tiles) = (shelf.entries(), shelf.reader().tiles());
    for new in &signed {
        for entry in (0..new.size).step_by(13).chain([new.size - 1]) {
            let proof = inclusion(&tiles, entry, new.size).unwrap();
            let leaf = leaves[usize::try_from(entry).unwrap()].leaf().hash();
            assert_eq!(
                root_by_inclusion(leaf, entry, new.size, &proof),
                Some(new.root)
            );
        }
        for old in signed.iter().filter(|old| old.size <= new.size) {
            let proof = consistency(&tiles, old.size, new.size).unwrap();
            assert!(is_consistent(
                old.size, old.root, new.size, new.root, &proof
            ));
        }
    }
}

#[test]
fn keys_follow_each_other() {
    let shelf = Shelf::with(5, 5, 9000);
    let first = shelf.open().key().clone();
    for round in 0..3u64 {
        let mut ledger = shelf.open();
        ledger.rotate(7).unwrap();
        ledger.append(&[entry(10 + round)]).unwrap();
        ledger.checkpoint().unwrap();
    }
    let ledger = shelf.open();
    assert_ne!(ledger.key(), &first);
    assert_eq!(shelf.wrongs_by_witness(), []);
    assert_eq!(shelf.verify().keys.len(), 4);
    for trusted in [first, ledger.key().clone()] {
        let question = Question {
            trusted: Some(trusted),
            ..Question::default()
        };
        assert!(verify(&shelf.path(), &question).unwrap().is_right());
    }
    let stranger = Shelf::with(1, 1, 9000);
    let question = Question {
        trusted: Some(stranger.open().key().clone()),
        ..Question::default()
    };
    let verdict = verify(&shelf.path(), &question).unwrap();
    assert_eq!(verdict.problems.list[0].wrong, Wrong::Key);
}

#[test]
fn a_rotation_that_is_cut_off_is_gone_on_with() {
    let shelf = Shelf::with(5, 5, 9000);
    let before = fs::read(shelf.checkpoint()).unwrap();
    let old = shelf.open().key().clone();
    shelf.open().rotate(7).unwrap();
    // The entry of the new key was stored, its checkpoint was not.
    fs::write(shelf.checkpoint(), before).unwrap();
    let mut ledger = shelf.open();
    assert_ne!(ledger.key(), &old);
    ledger.append(&[entry(9)]).unwrap();
    ledger.checkpoint().unwrap();
    assert_eq!(shelf.wrongs_by_witness(), []);
}

#[test]
fn a_ledger_without_its_key_is_not_written_to() {
    let shelf = Shelf::with(5, 5, 9000);
    fs::remove_dir_all(shelf.keys()).unwrap();
    let error = Ledger::open(&shelf.options(), 1).map(drop).unwrap_err();
    assert!(matches!(error, LedgerError::Key(_)), "{error}");
    assert_eq!(shelf.wrongs(), [], "it can be verified all the same");
}

#[test]
fn what_can_not_be_written_is_not_stored_and_can_be_tried_again() {
    let shelf = Shelf::with(5, 5, 9000);
    let mut ledger = shelf.open();
    // A witness that is a folder can't be appended to.
    fs::remove_file(shelf.witness()).unwrap();
    fs::create_dir(shelf.witness()).unwrap();
    ledger.append(&[entry(6)]).unwrap();
    assert!(ledger.checkpoint().is_err());
    assert_eq!(ledger.signed(), 6, "what no witness has is not published");
    fs::remove_dir(shelf.witness()).unwrap();
    ledger.checkpoint().unwrap();
    assert_eq!(ledger.signed(), 7);
    assert_eq!(shelf.wrongs_by_witness(), []);

    let mut long = entry(1);
    long.bytes = vec![0; (32 << 20) + 1];
    assert!(matches!(
        ledger.append(&[entry(7), long]),
        Err(LedgerError::TooLong(_))
    ));
    ledger.append(&[entry(7)]).unwrap();
    assert_eq!(shelf.entries().len(), 8);
}

#[test]
fn a_copy_is_as_good_as_the_ledger() {
    let shelf = Shelf::with(500, 50, 4000);
    let other = tempfile::tempdir().unwrap();
    copy(&shelf.path(), other.path());
    assert!(
        verify(other.path(), &Question::default())
            .unwrap()
            .is_right()
    );
    let keys = Options::new(other.path(), &shelf.keys());
    let mut ledger = Ledger::open(&keys, 1).unwrap().0;
    ledger.append(&[entry(501)]).unwrap();
    ledger.checkpoint().unwrap();
    assert!(Reader::new(other.path()).entry(501).unwrap().is_some());
}
