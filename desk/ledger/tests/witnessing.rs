//! Being a witness, with a second implementation that checks the cosignatures.

use std::collections::BTreeMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, VerifyingKey};
use signed_note::{Verifier, VerifierList};

use super::support::{Shelf, entry};
use crate::ledger::{Cosigner, Ledger, PublicKey, Submission, Unwitnessed, Watch, Wrong, name_of};

const NAME: &str = "witness.example/w1";

/// The specification's cosignatures, as a verifier of the other implementation of notes.
struct Theirs {
    id: u32,
    key: VerifyingKey,
}

impl Theirs {
    fn new(vkey: &str) -> Self {
        let bytes = STANDARD
            .decode(vkey.splitn(3, '+').nth(2).unwrap())
            .unwrap();
        assert_eq!(bytes[0], 4);
        Self {
            id: signed_note::key_id(NAME, &bytes),
            key: VerifyingKey::from_bytes(bytes[1..].try_into().unwrap()).unwrap(),
        }
    }
}

impl Verifier for Theirs {
    fn name(&self) -> &str {
        NAME
    }

    fn key_id(&self) -> u32 {
        self.id
    }

    fn verify(&self, text: &[u8], bytes: &[u8]) -> bool {
        let (time, signature) = bytes.split_at(8);
        let time = u64::from_be_bytes(time.try_into().unwrap());
        let text = [format!("cosignature/v1\ntime {time}\n").as_bytes(), text].concat();
        let signature = Signature::from_slice(signature).unwrap();
        self.key.verify_strict(&text, &signature).is_ok()
    }
}

fn watch(shelf: &Shelf, keys: &[String]) -> Watch {
    let key = Cosigner::new(NAME, &[3; 32]).unwrap();
    let keys = keys.iter().map(|key| PublicKey::parse(key).unwrap());
    Watch::new(&shelf.path().with_extension("seen"), key, keys).unwrap()
}

fn note(shelf: &Shelf) -> String {
    fs::read_to_string(shelf.checkpoint()).unwrap()
}

/// The request for the ledger's latest checkpoint.
fn request(shelf: &Shelf, old: u64) -> String {
    Submission::new(&shelf.reader().tiles(), old, &note(shelf))
        .unwrap()
        .to_string()
}

fn add(ledger: &mut Ledger, count: u64) {
    let first = ledger.size();
    let entries: Vec<_> = (first..first + count).map(entry).collect();
    ledger.append(&entries).unwrap();
    ledger.checkpoint().unwrap();
}

/// The status of the specification.
fn status(result: Result<String, Unwitnessed>) -> u16 {
    match result {
        Ok(_) => 200,
        Err(Unwitnessed::Malformed(_)) => 400,
        Err(Unwitnessed::Unsigned) => 403,
        Err(Unwitnessed::UnknownLog) => 404,
        Err(Unwitnessed::Conflict(_)) => 409,
        Err(Unwitnessed::Inconsistent) => 422,
        Err(Unwitnessed::Failed(error)) => panic!("{error}"),
    }
}

#[test]
fn a_log_that_grows_is_cosigned_and_others_can_check_it() {
    let shelf = Shelf::with(300, 100, 1 << 20);
    let mut ledger = shelf.open();
    let keys = [ledger.key().to_string()];
    let mut old = 0;
    for more in [1, 500, 0, 70_000] {
        add(&mut ledger, more);
        // A witness that starts anew knows what it has seen.
        let watch = watch(&shelf, &keys);
        let time = 1_700_000_000 + old;
        let line = watch.add(&request(&shelf, old), time).unwrap();
        let verifier = Theirs::new(&watch.key().to_string());
        let list = VerifierList::new(vec![Box::new(verifier)]);
        let cosigned = format!("{}{line}", note(&shelf));
        let theirs = signed_note::Note::from_bytes(cosigned.as_bytes()).unwrap();
        let (verified, unverified) = theirs.verify(&list).unwrap();
        assert_eq!((verified.len(), unverified.len()), (1, 1));
        let ours = crate::ledger::Note::parse(&cosigned).unwrap();
        assert_eq!(watch.key().has_seen(&ours), Some(time));
        if more > 0 {
            let kept = watch.latest(&name_of(ledger.key().name())).unwrap();
            assert_eq!(kept, Some(cosigned));
        }
        old = ledger.size();
    }
}

#[test]
fn each_request_that_is_not_right_gets_the_status_of_the_specification() {
    let shelf = Shelf::with(10, 100, 1 << 20);
    let mut ledger = shelf.open();
    let keys = [ledger.key().to_string()];
    let watch = watch(&shelf, &keys);
    let first = request(&shelf, 0);
    assert_eq!(status(watch.add(&first, 1)), 200);
    let seen = ledger.size();
    assert_eq!(
        status(watch.add(&request(&shelf, seen), 2)),
        200,
        "once more"
    );

    assert_eq!(status(watch.add("old 1", 1)), 400);
    let smaller = request(&shelf, seen).replacen(&format!("old {seen}"), "old 12", 1);
    assert_eq!(
        status(watch.add(&smaller, 1)),
        400,
        "more than the checkpoint"
    );
    match watch.add(&first, 1) {
        Err(Unwitnessed::Conflict(size)) => assert_eq!(size, seen),
        other => panic!("{other:?}"),
    }
    add(&mut ledger, 20);
    let right = request(&shelf, seen);
    match watch.add(&request(&shelf, seen - 1), 1) {
        Err(Unwitnessed::Conflict(size)) => assert_eq!(size, seen),
        other => panic!("{other:?}"),
    }
    let head = format!("old {seen}\n");
    let proof: Vec<_> = right
        .lines()
        .skip(1)
        .take_while(|line| !line.is_empty())
        .collect();
    for wrong in [
        right.replacen(&format!("{}\n", proof[0]), "", 1),
        right.replacen(proof[0], proof[1], 1),
        right.replacen(&head, &format!("{head}{}\n", proof[0]), 1),
    ] {
        assert_eq!(status(watch.add(&wrong, 1)), 422, "{wrong}");
    }
    assert_eq!(
        status(watch.add(&right.replace("\n31\n", "\n32\n"), 1)),
        403
    );
    assert_eq!(
        status(watch.add(&right.replace("\n\nportcullis/", "\n\nother/"), 1)),
        404
    );
    assert_eq!(
        status(watch.add(&right, 1)),
        200,
        "nothing of that was taken"
    );

    // Of nothing everything is the continuation, without a proof.
    let other = Shelf::with(10, 100, 1 << 20);
    let fresh = self::watch(&other, &[other.open().key().to_string()]);
    let proved = request(&other, 0).replacen("old 0\n", &format!("old 0\n{}\n", proof[0]), 1);
    assert_eq!(status(fresh.add(&proved, 1)), 422);
    assert_eq!(status(fresh.add(&request(&other, 0), 1)), 200);
}

#[test]
fn another_ledger_of_the_same_key_is_not_cosigned() {
    let shelf = Shelf::with(10, 100, 1 << 20);
    let keys = [shelf.open().key().to_string()];
    let watch = watch(&shelf, &keys);
    let begin = shelf.path().with_extension("begin");
    super::support::copy(&shelf.path(), &begin);
    add(&mut shelf.open(), 5);
    assert_eq!(status(watch.add(&request(&shelf, 0), 1)), 200);
    // Who has the key takes the ledger back, and goes on in another way.
    fs::remove_dir_all(shelf.path()).unwrap();
    super::support::copy(&begin, &shelf.path());
    let mut ledger = shelf.open();
    for (count, expected) in [(4, 400), (1, 409), (7, 422)] {
        let first = ledger.size() + 1000;
        let entries: Vec<_> = (first..first + count).map(entry).collect();
        ledger.append(&entries).unwrap();
        ledger.checkpoint().unwrap();
        let body = Submission::new(
            &shelf.reader().tiles(),
            ledger.size().min(16),
            &note(&shelf),
        );
        let old = body
            .unwrap()
            .to_string()
            .replacen("old 15\n", "old 16\n", 1);
        assert_eq!(status(watch.add(&old, 1)), expected, "{count}");
    }
}

#[test]
fn a_key_that_follows_must_be_made_known_to_the_witness() {
    let shelf = Shelf::with(10, 100, 1 << 20);
    let mut ledger = shelf.open();
    let old = ledger.key().to_string();
    let before = watch(&shelf, std::slice::from_ref(&old));
    assert_eq!(status(before.add(&request(&shelf, 0), 1)), 200);
    let seen = ledger.size();
    ledger.rotate(9).unwrap();
    assert_eq!(status(before.add(&request(&shelf, seen), 1)), 403);
    let both = watch(&shelf, &[old, ledger.key().to_string()]);
    assert_eq!(status(both.add(&request(&shelf, seen), 1)), 200);
}

#[test]
fn a_state_that_can_t_be_read_is_not_taken_for_none() {
    let shelf = Shelf::with(10, 100, 1 << 20);
    let key = shelf.open().key().clone();
    let watch = watch(&shelf, &[key.to_string()]);
    let file = shelf
        .path()
        .with_extension("seen")
        .join(name_of(key.name()));
    assert_eq!(watch.latest(&name_of(key.name())).unwrap(), None);
    fs::write(&file, "garbage").unwrap();
    let said = watch.add(&request(&shelf, 0), 1).unwrap_err();
    assert!(matches!(said, Unwitnessed::Failed(_)), "{said:?}");
    assert!(watch.latest(&name_of(key.name())).is_err());
    assert_eq!(watch.latest("../../etc/passwd").unwrap(), None);
}

#[test]
fn requests_at_once_are_taken_one_after_the_other() {
    let shelf = Shelf::with(10, 100, 1 << 20);
    let mut ledger = shelf.open();
    let watch = watch(&shelf, &[ledger.key().to_string()]);
    assert_eq!(status(watch.add(&request(&shelf, 0), 1)), 200);
    let seen = ledger.size();
    let mut requests = Vec::new();
    for _ in 0..8 {
        add(&mut ledger, 3);
        requests.push(request(&shelf, seen));
    }
    let mut counts: BTreeMap<u16, usize> = BTreeMap::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = requests
            .iter()
            .map(|body| scope.spawn(|| status(watch.add(body, 1))))
            .collect();
        for thread in threads {
            *counts.entry(thread.join().unwrap()).or_default() += 1;
        }
    });
    assert_eq!(counts, BTreeMap::from([(200, 1), (409, 7)]));
}

#[test]
fn verify_asks_for_the_cosignatures_of_known_witnesses() {
    let shelf = Shelf::with(10, 100, 1 << 20);
    let keys = [shelf.open().key().to_string()];
    let watch = watch(&shelf, &keys);
    let key = watch.key().clone();
    let file = crate::ledger::Cosigned::new(&shelf.path(), &key);
    let wrongs = || {
        let question = crate::ledger::Question {
            threads: 1,
            cosigners: vec![key.clone()],
            ..crate::ledger::Question::default()
        };
        let verdict = crate::ledger::verify(&shelf.path(), &question).unwrap();
        let list = verdict.problems.list.iter().map(|one| one.wrong);
        (list.collect::<Vec<_>>(), verdict.witnessed)
    };
    assert_eq!(wrongs(), (vec![Wrong::Forged], 0), "there is none");
    let line = watch.add(&request(&shelf, 0), 1).unwrap();
    file.write(&note(&shelf)).unwrap();
    assert_eq!(wrongs(), (vec![Wrong::Forged], 0), "it is not cosigned");
    file.write("garbage").unwrap();
    assert_eq!(wrongs(), (vec![Wrong::Forged], 0), "it is no checkpoint");
    file.write(&format!("{}{line}", note(&shelf))).unwrap();
    assert_eq!(wrongs(), (vec![], 1));
    let begin = shelf.path().with_extension("begin");
    super::support::copy(&shelf.path(), &begin);
    add(&mut shelf.open(), 5);
    let line = watch.add(&request(&shelf, 11), 1).unwrap();
    let later = format!("{}{line}", note(&shelf));
    fs::remove_dir_all(shelf.path()).unwrap();
    super::support::copy(&begin, &shelf.path());
    file.write(&later).unwrap();
    assert!(wrongs().0.contains(&Wrong::RolledBack), "{:?}", wrongs());
}
