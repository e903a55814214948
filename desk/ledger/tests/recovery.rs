use std::fs;
use std::io::Write as _;

use super::support::{Shelf, copy, entry};
use crate::ledger::verify::Wrong;
use crate::ledger::{Ledger, LedgerError};

/// A ledger whose last append, of three entries, is not signed for.
fn with_tail() -> (Shelf, u64) {
    let shelf = Shelf::with(20, 4, 1 << 20);
    let signed = fs::metadata(&shelf.segments()[0]).unwrap().len();
    let mut ledger = shelf.open();
    ledger.append(&[entry(21), entry(22), entry(23)]).unwrap();
    (shelf, signed)
}

#[test]
fn a_write_that_was_cut_off_anywhere_is_cut_away() {
    let (shelf, signed) = with_tail();
    let whole = fs::read(&shelf.segments()[0]).unwrap();
    let signed = usize::try_from(signed).unwrap();
    assert!(whole.len() > signed + 100);
    for cut in signed..=whole.len() {
        let other = Shelf::new();
        copy(&shelf.path(), &other.path());
        copy(&shelf.keys(), &other.keys());
        fs::write(&other.segments()[0], &whole[..cut]).unwrap();
        assert!(
            other.verify().is_right(),
            "{cut}: what is torn is not wrong"
        );
        let (mut ledger, opened) = other.opened();
        let expected = if cut == whole.len() { 24 } else { 21 };
        assert_eq!(ledger.size(), expected, "{cut}");
        let bytes = opened.cut.map(|cut| (cut.offset, cut.bytes));
        let torn = cut > signed && cut < whole.len();
        let expected_cut = (signed as u64, (cut - signed) as u64);
        assert_eq!(bytes, torn.then_some(expected_cut), "{cut}");
        ledger.append(&[entry(30)]).unwrap();
        ledger.checkpoint().unwrap();
        drop(ledger);
        assert_eq!(other.entries().last(), Some(&entry(30)));
        assert!(other.verify().is_right(), "{cut}");
    }
}

#[test]
fn a_write_whose_pages_came_in_another_order_is_cut_away() {
    let (shelf, signed) = with_tail();
    let whole = fs::read(&shelf.segments()[0]).unwrap();
    for at in usize::try_from(signed).unwrap()..whole.len() {
        let other = Shelf::new();
        copy(&shelf.path(), &other.path());
        copy(&shelf.keys(), &other.keys());
        let mut bytes = whole.clone();
        bytes[at] ^= 0x55;
        fs::write(&other.segments()[0], bytes).unwrap();
        let (ledger, opened) = other.opened();
        assert_eq!((ledger.size(), opened.cut.is_some()), (21, true), "{at}");
    }
}

#[test]
fn what_was_signed_for_is_never_cut_away() {
    let shelf = Shelf::with(20, 4, 1 << 20);
    let file = shelf.segments()[0].clone();
    let whole = fs::read(&file).unwrap();
    for cut in [whole.len() - 1, whole.len() / 2, 17, 16, 3, 0] {
        fs::write(&file, &whole[..cut]).unwrap();
        let error = Ledger::open(&shelf.options(), 1).map(drop).unwrap_err();
        assert!(matches!(error, LedgerError::Damaged(_)), "{cut}: {error}");
        assert_eq!(fs::read(&file).unwrap().len(), cut, "nothing is changed");
        assert!(
            shelf
                .wrongs()
                .iter()
                .any(|(wrong, _)| *wrong == Wrong::Truncated),
            "{cut}"
        );
    }
    fs::write(&file, whole).unwrap();
    shelf.open();
}

#[test]
fn a_segment_that_was_begun_only_is_begun_again() {
    let shelf = Shelf::with(20, 4, 100);
    let last = shelf.path().join(format!("segments/{:020}.seg", 21));
    for begun in [&b""[..], b"PSEGM", &[0; 16]] {
        fs::write(&last, begun).unwrap();
        assert!(shelf.verify().is_right());
        let (ledger, _) = shelf.opened();
        assert_eq!(ledger.size(), 21);
    }
    let mut ledger = shelf.open();
    ledger.append(&[entry(21)]).unwrap();
    assert_eq!(shelf.entries().len(), 22);
}

#[test]
fn a_first_start_that_was_cut_off_is_started_over() {
    let whole = Shelf::with(0, 1, 1 << 20);
    let bytes = fs::read(&whole.segments()[0]).unwrap();
    for cut in 0..=bytes.len() {
        let shelf = Shelf::new();
        fs::create_dir_all(shelf.path().join("segments")).unwrap();
        let file = shelf.path().join(format!("segments/{:020}.seg", 0));
        fs::write(file, &bytes[..cut]).unwrap();
        let (ledger, opened) = shelf.opened();
        assert_eq!((ledger.size(), opened.is_new), (1, true));
        assert!(shelf.verify().is_right());
    }
}

#[test]
fn entries_without_a_checkpoint_are_not_signed_again() {
    let shelf = Shelf::with(20, 4, 1 << 20);
    fs::remove_file(shelf.checkpoint()).unwrap();
    let error = Ledger::open(&shelf.options(), 1).map(drop).unwrap_err();
    assert!(matches!(error, LedgerError::Damaged(_)), "{error}");
    assert_eq!(shelf.wrongs()[0].0, Wrong::Forged);
}

#[test]
fn tiles_are_made_anew() {
    let shelf = Shelf::with(1000, 10, 4000);
    let tiles = shelf.path().join("tile");
    let tile = |name: &str| fs::read(tiles.join(name)).unwrap();
    let (first, bundle) = (tile("0/000"), tile("entries/003.p/233"));
    fs::remove_dir_all(&tiles).unwrap();
    let (mut ledger, opened) = shelf.opened();
    assert!(opened.tiles_made);
    ledger.append(&[entry(1001)]).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    assert!(shelf.verify().is_right());
    assert_eq!(
        (
            tile("0/000"),
            tile("entries/003.p/234")[..bundle.len()].to_vec()
        ),
        (first, bundle)
    );
}

#[test]
fn tiles_that_a_crash_emptied_are_made_anew_at_the_end_of_the_ledger() {
    let shelf = Shelf::with(3000, 10, 40_000);
    let full = shelf.path().join("tile/0/010");
    fs::write(&full, b"").unwrap();
    assert_eq!(shelf.wrongs()[0].0, Wrong::Tile);
    let (mut ledger, opened) = shelf.opened();
    assert!(!opened.tiles_made);
    ledger.append(&[entry(3001)]).unwrap();
    ledger.checkpoint().unwrap();
    assert!(shelf.verify().is_right());
}

#[test]
fn what_a_failed_write_has_left_is_written_over() {
    let shelf = Shelf::with(20, 4, 1 << 20);
    let mut ledger = shelf.open();
    let segment = shelf.segments()[0].clone();
    let mut file = fs::OpenOptions::new().append(true).open(&segment).unwrap();
    file.write_all(b"PGRP, and no more").unwrap();
    ledger.append(&[entry(21)]).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    assert_eq!(shelf.entries().len(), 22);
    assert!(shelf.verify().is_right());
}

#[test]
fn tiles_of_a_ledger_that_was_changed_stay_as_evidence() {
    let shelf = Shelf::with(600, 50, 1 << 20);
    shelf.rewrite(0, |all| all[17].bytes[3] = b'X');
    let tile = shelf.path().join("tile/0/000");
    let before = fs::read(&tile).unwrap();
    let mut tail = fs::OpenOptions::new()
        .append(true)
        .open(&shelf.segments()[0])
        .unwrap();
    tail.write_all(b"a torn end").unwrap();
    let length = fs::metadata(&shelf.segments()[0]).unwrap().len();
    let error = Ledger::open(&shelf.options(), 1).map(drop).unwrap_err();
    assert!(matches!(error, LedgerError::Damaged(_)), "{error}");
    assert_eq!(fs::read(&tile).unwrap(), before);
    assert_eq!(fs::metadata(&shelf.segments()[0]).unwrap().len(), length);
    assert_eq!(shelf.wrongs(), [(Wrong::Changed, Some((17, 18)))]);
}

#[test]
fn a_rotation_that_was_cut_off_outlives_missing_tiles() {
    let shelf = Shelf::with(1000, 10, 4000);
    let before = fs::read(shelf.checkpoint()).unwrap();
    shelf.open().rotate(7).unwrap();
    fs::write(shelf.checkpoint(), before).unwrap();
    fs::remove_dir_all(shelf.path().join("tile")).unwrap();
    let (mut ledger, opened) = shelf.opened();
    assert!(opened.tiles_made);
    ledger.append(&[entry(1001)]).unwrap();
    ledger.checkpoint().unwrap();
    assert!(shelf.verify().is_right());
}
