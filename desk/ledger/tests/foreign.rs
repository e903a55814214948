//! Cloudflare's `tlog_tiles` and `signed_note`, of which nothing is used elsewhere here, read what
//! the ledger writes and agree with its proofs.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::{Tile, TileHashReader, TileReader};

use super::support::{Shelf, entry};
use crate::ledger::{Hash, consistency, inclusion};

struct Folder(PathBuf);

impl TileReader for Folder {
    fn height(&self) -> u8 {
        8
    }

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        // Its paths begin with the height, as Go's do: `tile/8/0/000`.
        let file = |tile: &Tile| self.0.join(tile.path().replacen("tile/8/", "tile/", 1));
        Ok(tiles
            .iter()
            .map(|tile| fs::read(file(tile)).unwrap())
            .collect())
    }

    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

fn theirs(hash: Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(*hash.as_bytes())
}

#[test]
fn checkpoints_are_opened_with_the_public_key() {
    let shelf = Shelf::with(700, 100, 1 << 20);
    let key = shelf.open().key().to_string();
    let text = fs::read(shelf.checkpoint()).unwrap();
    let list = VerifierList::new(vec![Box::new(StandardVerifier::new(&key).unwrap())]);
    let note = Note::from_bytes(&text).unwrap();
    let (verified, unverified) = note.verify(&list).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 0));
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(note.text()).unwrap();
    let latest = shelf.reader().latest().unwrap().unwrap().checkpoint;
    assert_eq!(
        (checkpoint.size(), *checkpoint.hash()),
        (701, theirs(latest.root))
    );
    assert_eq!(checkpoint.origin(), latest.origin);
}

#[test]
fn a_note_of_theirs_is_ours_too() {
    let key = crate::ledger::PrivateKey::new("example.com/log", &[5; 32]).unwrap();
    let signer = signed_note::StandardSigner::new(&key.to_text()).unwrap();
    let mut note = Note::new(b"example.com/log\n1\nx\n", &[]).unwrap();
    note.add_sigs(&[&signer]).unwrap();
    let text = String::from_utf8(note.to_bytes()).unwrap();
    assert_eq!(text, key.sign("example.com/log\n1\nx\n"));
    assert!(
        key.public()
            .has_signed(&crate::ledger::Note::parse(&text).unwrap())
    );
}

#[test]
fn bundles_hold_the_leaves_of_the_tiles() {
    let shelf = Shelf::with(700, 100, 1 << 20);
    for (bundle, tile, count) in [
        ("000", "000", 256),
        ("001", "001", 256),
        ("002.p/189", "002.p/189", 189),
    ] {
        let bytes = fs::read(shelf.path().join("tile/entries").join(bundle)).unwrap();
        let hashes = fs::read(shelf.path().join("tile/0").join(tile)).unwrap();
        let mut rest = &bytes[..];
        let mut found = 0;
        while let Some((length, after)) = rest.split_first_chunk::<2>() {
            let (leaf, after) = after.split_at(u16::from_be_bytes(*length).into());
            assert_eq!(
                tlog_tiles::record_hash(leaf).0,
                hashes[found * 32..found * 32 + 32]
            );
            found += 1;
            rest = after;
        }
        assert_eq!(found, count);
    }
}

#[test]
fn proofs_are_the_same_and_tiles_are_authentic() {
    let shelf = Shelf::new();
    let mut ledger = shelf.open();
    let mut number = 1;
    let mut signed = Vec::new();
    // The last is more than a tile of tiles.
    for count in [300u64, 500, 65_000] {
        ledger
            .append(&(number..number + count).map(entry).collect::<Vec<_>>())
            .unwrap();
        ledger.checkpoint().unwrap();
        number += count;
        signed.push(shelf.reader().latest().unwrap().unwrap().checkpoint);
    }
    let tiles = shelf.reader().tiles();
    let folder = Folder(shelf.path());
    let entries = shelf.entries();
    let last = &signed[2];
    // It checks each tile that it reads against the root.
    let reader = TileHashReader::new(last.size, theirs(last.root), &folder);
    for number in [0u64, 1, 255, 256, 700, 65_535, 65_536, last.size - 1] {
        let ours: Vec<_> = inclusion(&tiles, number, last.size)
            .unwrap()
            .into_iter()
            .map(theirs)
            .collect();
        assert_eq!(
            tlog_tiles::prove_record(last.size, number, &reader).unwrap(),
            ours
        );
        let leaf =
            tlog_tiles::record_hash(&entries[usize::try_from(number).unwrap()].leaf().to_bytes());
        tlog_tiles::check_record(&ours, last.size, theirs(last.root), number, leaf).unwrap();
    }
    for old in &signed {
        let ours: Vec<_> = consistency(&tiles, old.size, last.size)
            .unwrap()
            .into_iter()
            .map(theirs)
            .collect();
        assert_eq!(
            tlog_tiles::prove_tree(last.size, old.size, &reader).unwrap(),
            ours
        );
        tlog_tiles::check_tree(
            &ours,
            last.size,
            theirs(last.root),
            old.size,
            theirs(old.root),
        )
        .unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn they_agree_at_any_size(first in 1u64..600, more in 1u64..600, at in any::<prop::sample::Index>()) {
        let shelf = Shelf::with(first - 1, 256, 1 << 20);
        let old = shelf.reader().latest().unwrap().unwrap().checkpoint;
        let mut ledger = shelf.open();
        ledger.append(&(first..first + more).map(entry).collect::<Vec<_>>()).unwrap();
        ledger.checkpoint().unwrap();
        let new = shelf.reader().latest().unwrap().unwrap().checkpoint;
        let tiles = shelf.reader().tiles();
        let number = u64::try_from(at.index(new.size.try_into().unwrap())).unwrap();
        let proof: Vec<_> = inclusion(&tiles, number, new.size).unwrap().into_iter().map(theirs).collect();
        let leaf = shelf.reader().entry(number).unwrap().unwrap().leaf().to_bytes();
        let leaf = tlog_tiles::record_hash(&leaf);
        tlog_tiles::check_record(&proof, new.size, theirs(new.root), number, leaf).unwrap();
        let proof: Vec<_> = consistency(&tiles, old.size, new.size).unwrap().into_iter().map(theirs).collect();
        tlog_tiles::check_tree(&proof, new.size, theirs(new.root), old.size, theirs(old.root)).unwrap();
    }
}
