use std::fs;

use super::support::{Shelf, copy, entry};
use crate::ledger::verify::{Question, Wrong, verify};
use crate::ledger::{Checkpoint, Entry, Keys, Kind};

/// 600 entries in one segment: more than two tiles.
fn shelf() -> Shelf {
    Shelf::with(600, 50, 1 << 20)
}

/// What `verify` says of entries that somebody changed who knows the form.
fn changed(change: impl FnOnce(&mut Vec<Entry>)) -> Vec<(Wrong, Option<(u64, u64)>)> {
    let shelf = shelf();
    shelf.rewrite(0, change);
    let told = shelf.wrongs();
    assert_eq!(
        told,
        shelf
            .wrongs_by_witness()
            .into_iter()
            .filter(|(wrong, _)| !matches!(wrong, Wrong::Rewritten | Wrong::RolledBack))
            .collect::<Vec<_>>()
    );
    told
}

#[test]
fn an_untouched_ledger_is_right() {
    assert_eq!(changed(|_| ()), []);
}

#[test]
fn a_changed_byte_is_named() {
    for number in [1usize, 255, 256, 300, 600] {
        let at = number as u64;
        let expected = [(Wrong::Changed, Some((at, at + 1)))];
        assert_eq!(changed(|all| all[number].bytes[12] ^= 1), expected);
        assert_eq!(changed(|all| all[number].time += 1), expected);
        assert_eq!(changed(|all| all[number].kind = Kind(9)), expected);
        assert_eq!(changed(|all| all[number].bytes.truncate(20)), expected);
    }
}

#[test]
fn two_changes_are_two_problems() {
    let told = changed(|all| {
        all[17].bytes[3] = b'X';
        all[400].bytes[3] = b'X';
    });
    assert_eq!(
        told,
        [
            (Wrong::Changed, Some((17, 18))),
            (Wrong::Changed, Some((400, 401)))
        ]
    );
}

#[test]
fn a_dropped_entry_is_named() {
    for number in [1u64, 256, 300, 599] {
        let told = changed(|all| drop(all.remove(number.try_into().unwrap())));
        assert_eq!(told, [(Wrong::Dropped, Some((number, number + 1)))]);
    }
    let told = changed(|all| drop(all.drain(100..110)));
    assert_eq!(told, [(Wrong::Dropped, Some((100, 110)))]);
}

#[test]
fn a_doubled_entry_is_named() {
    for at in [18usize, 300, 600] {
        let told = changed(|all| all.insert(at, all[17].clone()));
        assert_eq!(told, [(Wrong::Doubled, Some((17, 18)))], "{at}");
    }
    // Behind all that was signed for: nobody has said that it is right.
    assert_eq!(changed(|all| all.push(all[17].clone())), []);
}

#[test]
fn entries_in_another_order_are_named() {
    let told = changed(|all| all.swap(17, 18));
    assert_eq!(told, [(Wrong::Reordered, Some((17, 18)))]);
    let told = changed(|all| {
        let one = all.remove(400);
        all.insert(100, one);
    });
    assert_eq!(told, [(Wrong::Reordered, Some((400, 401)))]);
    let told = changed(|all| {
        let one = all.remove(100);
        all.insert(400, one);
    });
    assert_eq!(told, [(Wrong::Reordered, Some((100, 101)))]);
}

#[test]
fn an_inserted_entry_is_named() {
    for at in [1usize, 256, 300, 600] {
        let told = changed(|all| all.insert(at, entry(9999)));
        assert_eq!(told, [(Wrong::Inserted, Some((at as u64, at as u64)))]);
    }
}

#[test]
fn a_truncated_segment_is_named() {
    let told = changed(|all| all.truncate(590));
    assert_eq!(told, [(Wrong::Truncated, Some((590, 601)))]);

    // In the middle of the ledger, its end gone or the whole of it.
    let shelf = Shelf::with(600, 50, 2000);
    let segments = shelf.segments();
    assert!(segments.len() > 3);
    let whole = fs::read(&segments[1]).unwrap();
    let first: u64 = segments[1]
        .file_stem()
        .unwrap()
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    let end: u64 = segments[2]
        .file_stem()
        .unwrap()
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    fs::write(&segments[1], &whole[..whole.len() - 1]).unwrap();
    let told = shelf.wrongs();
    assert!(matches!(told[..], [(Wrong::Unreadable, _)]), "{told:?}");
    fs::remove_file(&segments[1]).unwrap();
    let told = shelf.wrongs();
    assert_eq!(told[0], (Wrong::Dropped, Some((first, end))));
}

#[test]
fn a_byte_that_is_changed_anywhere_in_a_segment_is_seen() {
    let shelf = Shelf::with(40, 10, 1 << 20);
    let file = shelf.segments()[0].clone();
    let whole = fs::read(&file).unwrap();
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x11;
        fs::write(&file, bytes).unwrap();
        let verdict = shelf.verify();
        // A checksum alone may be wrong over entries that are right: nothing was lost.
        let in_checksum = verdict.is_right() && verdict.entries == 41;
        assert!(!verdict.is_right() || in_checksum, "{at}");
        if at >= 16 + 32 && verdict.is_right() {
            let text = verdict.remarks.join(" ");
            assert!(text.contains("checksum"), "{at}: {text}");
        }
    }
}

#[test]
fn a_ledger_that_was_rolled_back_is_told_by_its_witness() {
    let shelf = Shelf::with(300, 50, 1 << 20);
    let old = tempfile::tempdir().unwrap();
    copy(&shelf.path(), old.path());
    let mut ledger = shelf.open();
    ledger
        .append(&(301..400).map(entry).collect::<Vec<_>>())
        .unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    fs::remove_dir_all(shelf.path()).unwrap();
    copy(old.path(), &shelf.path());
    assert_eq!(shelf.wrongs(), [], "in itself it is right");
    let told = shelf.wrongs_by_witness();
    assert!(
        told.contains(&(Wrong::RolledBack, Some((301, 400)))),
        "{told:?}"
    );
}

#[test]
fn a_ledger_that_was_written_anew_is_told_by_its_witness() {
    let shelf = Shelf::with(300, 50, 1 << 20);
    let witness = fs::read(shelf.witness()).unwrap();
    // Somebody who has the key makes another history with the same beginning.
    let mut entries = shelf.entries();
    entries[17].bytes[3] = b'X';
    let origin = shelf.reader().latest().unwrap().unwrap().checkpoint.origin;
    fs::remove_dir_all(shelf.path()).unwrap();
    let id = fs::read_dir(shelf.keys())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let key = Keys::new(&shelf.keys())
        .load(id.file_stem().unwrap().to_str().unwrap())
        .unwrap();
    let mut edge = crate::ledger::Edge::default();
    for entry in &entries {
        edge.push(entry.leaf().hash(), &mut Vec::new());
    }
    let forged = Checkpoint {
        origin,
        size: edge.size(),
        root: edge.root(),
    };
    fs::create_dir_all(shelf.path().join("segments")).unwrap();
    fs::write(
        shelf.path().join(format!("segments/{:020}.seg", 0)),
        crate::ledger::segments::start(0),
    )
    .unwrap();
    shelf.rewrite(0, |all| *all = entries);
    fs::write(shelf.checkpoint(), forged.sign(&key)).unwrap();
    // The tiles follow.
    let tiles = fs::canonicalize(shelf.path()).unwrap();
    assert!(!tiles.join("tile").exists());
    drop(shelf.open());
    fs::write(shelf.witness(), witness).unwrap();
    let told = shelf.wrongs_by_witness();
    assert!(told.contains(&(Wrong::Rewritten, None)), "{told:?}");
}

#[test]
fn a_forged_checkpoint_is_named() {
    let shelf = shelf();
    let latest = shelf.reader().latest().unwrap().unwrap();
    let stranger = Shelf::with(1, 1, 1 << 20);
    let id = stranger.open().key().id();
    let key = Keys::new(&stranger.keys()).load(&id).unwrap();
    let same_name = crate::ledger::PrivateKey::new(&latest.checkpoint.origin, &[7; 32]).unwrap();
    let mut smaller = latest.checkpoint.clone();
    smaller.size = 500;
    for text in [
        latest.checkpoint.sign(&key),
        latest.checkpoint.sign(&same_name),
        smaller.sign(&same_name),
        latest.text.replace("\n601\n", "\n600\n"),
        latest.text.replace("\u{2014}", "-"),
        String::new(),
    ] {
        fs::write(shelf.checkpoint(), &text).unwrap();
        assert_eq!(
            shelf.wrongs().first().map(|(wrong, _)| *wrong),
            Some(Wrong::Forged),
            "{text}"
        );
    }
    fs::remove_file(shelf.checkpoint()).unwrap();
    assert_eq!(
        shelf.wrongs().first().map(|(wrong, _)| *wrong),
        Some(Wrong::Forged)
    );
}

#[test]
fn a_key_that_nobody_vouches_for_is_named() {
    let told = changed(|all| {
        let stranger = crate::ledger::PrivateKey::new("other", &[7; 32]).unwrap();
        all[9] = Entry {
            kind: Kind::KEY,
            time: 0,
            bytes: stranger
                .sign(&format!("portcullis/key\nother\n{}\n", stranger.public()))
                .into_bytes(),
        };
    });
    assert!(told.contains(&(Wrong::Key, None)), "{told:?}");
    assert!(told.contains(&(Wrong::Changed, Some((9, 10)))), "{told:?}");
}

#[test]
fn a_changed_tile_is_named_and_not_taken_for_a_changed_entry() {
    let shelf = Shelf::with(1000, 50, 1 << 20);
    for (name, expected) in [
        ("tile/0/001", Some((256, 257))),
        ("tile/entries/002", None),
        ("tile/0/003.p/233", None),
        ("tile/1/000.p/3", None),
    ] {
        let file = shelf.path().join(name);
        let whole = fs::read(&file).unwrap();
        let mut bytes = whole.clone();
        bytes[1] ^= 1;
        fs::write(&file, bytes).unwrap();
        let told = shelf.wrongs();
        assert!(
            !told.is_empty() && told.iter().all(|(wrong, _)| *wrong == Wrong::Tile),
            "{name}: {told:?}"
        );
        if expected.is_some() {
            assert_eq!(told[0].1, expected, "{name}");
        }
        fs::remove_file(&file).unwrap();
        assert_eq!(
            shelf.wrongs().first().map(|(wrong, _)| *wrong),
            Some(Wrong::Tile),
            "{name}"
        );
        fs::write(&file, whole).unwrap();
        assert_eq!(shelf.wrongs(), []);
    }
}

#[test]
fn entries_and_tiles_that_were_changed_together_don_t_have_the_root() {
    let shelf = shelf();
    shelf.rewrite(0, |all| all[300].bytes[3] = b'X');
    let hash = shelf.entries()[300].leaf().hash();
    let file = shelf.path().join("tile/0/001");
    let mut tile = fs::read(&file).unwrap();
    let at = (300 - 256) * 32;
    tile[at..at + 32].copy_from_slice(hash.as_bytes());
    fs::write(&file, tile).unwrap();
    let told = shelf.wrongs();
    assert_eq!(told[0].0, Wrong::Tile);
    assert!(
        !verify(&shelf.path(), &Question::default())
            .unwrap()
            .is_right()
    );
}
