//! `portcullis sessions`, as an auditor runs it.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::access_log::{entry, message, record, stream};
use crate::gaps::access_log;
use crate::harness::{Desk, Folder, command};
use crate::ledger::log;

/// Runs a command; returns its status, its output and what it says on standard error.
pub fn sessions(arguments: &[&str]) -> (i32, String, String) {
    let output = command().arg("sessions").args(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

pub fn right(arguments: &[&str]) -> String {
    let (status, out, error) = sessions(arguments);
    assert_eq!((status, error.as_str()), (0, ""), "{arguments:?}: {out}");
    out
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A ledger with the records 1 to 30 of one worker, some of them of dave.
pub fn filled() -> (Folder, PathBuf, String) {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    log(&desk, 1..=20);
    let daves = (21..=30).map(|number| {
        let denied = json!({ "identity": { "subject": "dave" }, "time": "2026-11-22T00:00:00Z",
            "verdict": { "action": "deny", "rule": null, "code": "no_rule" } });
        entry(record(number, denied).to_string().as_bytes())
    });
    stream(desk.grpc, vec![message(daves.collect())]).unwrap();
    let (status, log) = desk.stop();
    assert!(status.success(), "{log}");
    let ledger = folder.ledger();
    let key = public_key(&folder);
    (folder, ledger, key)
}

/// The public key of a ledger that has one.
pub fn public_key(folder: &Folder) -> String {
    let key = fs::read_dir(folder.file("desk.keys"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "pub"))
        .unwrap();
    fs::read_to_string(key).unwrap().trim().to_owned()
}

pub fn id(number: u64) -> String {
    format!("{number:032x}")
}

#[test]
fn records_are_listed_shown_and_exported() {
    let (folder, ledger, _) = filled();
    let ledger = text(&ledger);
    let all = right(&["list", ledger]);
    assert_eq!(all.lines().count(), 30);
    let first: Vec<_> = all.lines().next().unwrap().split('\t').collect();
    assert_eq!(
        first,
        [
            "2",
            "2026-11-21T12:00:00.123Z",
            "allow",
            "carol",
            "inference.chat",
            "m",
            "r",
            "-",
            &id(1)
        ]
    );
    for (arguments, count) in [
        (&["--subject", "dave"][..], 10),
        (&["--subject", "dave", "--action", "allow"], 0),
        (&["--code", "no_rule"], 10),
        (&["--operation", "inference.chat"], 30),
        (&["--since", "2026-11-21T18:00:00Z"], 10),
        (&["--until", "2026-11-21T18:00:00Z"], 20),
    ] {
        let listed = right(&[&["list", ledger], arguments].concat());
        assert_eq!(listed.lines().count(), count, "{arguments:?}");
    }
    let expected = record(7, json!({})).to_string();
    assert_eq!(right(&["show", ledger, &id(7)]), format!("{expected}\n"));
    let exported = right(&["export", ledger]);
    assert_eq!(exported.lines().nth(6), Some(expected.as_str()));
    let csv = right(&["export", ledger, "--form", "csv", "--subject", "dave"]);
    assert_eq!(csv.lines().count(), 11);
    assert!(csv.starts_with("entry,time,id,subject,"), "{csv}");
    let file = folder.file("out.csv");
    right(&[
        "export",
        ledger,
        "--form",
        "csv",
        "--subject",
        "dave",
        "--out",
        text(&file),
    ]);
    assert_eq!(fs::read_to_string(&file).unwrap(), csv);
    // An index that points elsewhere misleads nobody.
    fs::remove_file(Path::new(ledger).join("index.sqlite")).unwrap();
    assert_eq!(right(&["show", ledger, &id(7)]), format!("{expected}\n"));
}

#[test]
fn what_is_not_there_and_what_can_t_be_read_have_statuses_of_their_own() {
    let (folder, ledger, key) = filled();
    let ledger = text(&ledger);
    for command in ["show", "prove"] {
        let (status, out, error) = sessions(&[command, ledger, "ffff"]);
        assert_eq!((status, out.as_str()), (1, ""));
        assert!(error.contains("found no record"), "{error}");
    }
    let nowhere = text(&folder.file("nowhere")).to_owned();
    let text_file = folder.write("text", "no proof");
    let text_file = text(&text_file);
    for arguments in [
        &["list", &nowhere][..],
        &["show", &nowhere, "a"],
        &["verify", &nowhere],
        &["gaps", &nowhere],
        &["export", &nowhere],
        &["prove", &nowhere, "a"],
        &["import", &nowhere, text_file],
        &["import", ledger, &nowhere],
        &["rotate", &nowhere],
        &["verify", ledger, "--key", "no key"],
        &["verify", ledger, "--witness", &nowhere],
        &["verify", "--proof", text_file, "--key", &key],
        &["verify", "--proof", &nowhere, "--key", &key],
        &["verify", "--evidence", text_file],
        &["verify", "--evidence", &nowhere],
        &["list", ledger, "--since", "yesterday"],
        &["verify"],
    ] {
        let (status, out, error) = sessions(arguments);
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}: {error}");
        assert!(
            error.contains("expected")
                || error.contains("No such file")
                || error.contains("required"),
            "{arguments:?}: {error}"
        );
    }
    assert!(
        !folder.file("nowhere").exists(),
        "nothing is made by reading"
    );
}

#[test]
fn a_changed_record_is_named_by_verify() {
    let (_folder, ledger, key) = filled();
    let said = right(&["verify", text(&ledger), "--key", &key]);
    assert!(
        said.contains("right: 32 entries") && said.contains("32 signed for"),
        "{said}"
    );
    let segment = ledger.join(format!("segments/{:020}.seg", 0));
    let mut bytes = fs::read(&segment).unwrap();
    let end = bytes.len() - 20;
    bytes[end] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let (status, said, _) = sessions(&["verify", text(&ledger)]);
    assert_eq!(status, 1, "{said}");
    assert!(said.contains("wrong: "), "{said}");
}

#[test]
fn a_proof_is_checked_with_the_public_key_alone() {
    let (folder, ledger, key) = filled();
    let proof = right(&["prove", text(&ledger), &id(7)]);
    let other = filled();
    // Whoever checks has neither the ledger nor its keys.
    fs::remove_dir_all(&ledger).unwrap();
    let file = folder.write("proof", &proof);
    let said = right(&["verify", "--proof", text(&file), "--key", &key]);
    assert!(
        said.contains(&id(7)) && said.contains("right: entry 8 of 32"),
        "{said}"
    );
    let key_file = folder.write("log.pub", &format!("{key}\n"));
    right(&["verify", "--proof", text(&file), "--key", text(&key_file)]);

    let wrong = |proof: &str, key: &str, word: &str| {
        let file = folder.write("wrong", proof);
        let (status, said, _) = sessions(&["verify", "--proof", text(&file), "--key", key]);
        assert_eq!(status, 1, "{said}");
        assert!(said.starts_with(word), "{said}");
    };
    wrong(&proof, &other.2, "forged");
    wrong(&proof.replace("\n32\n", "\n30\n"), &key, "forged");
    wrong(&proof.replace("index 8", "index 9"), &key, "changed");
    let mut lines: Vec<_> = proof.lines().map(ToOwned::to_owned).collect();
    let extra = lines[1].clone();
    lines[1] = extra.replacen("YWxsb3ci", "ZGVueSIg", 1);
    if lines[1] == extra {
        lines[1].replace_range(
            40..41,
            if extra.as_bytes()[40] == b'A' {
                "B"
            } else {
                "A"
            },
        );
    }
    wrong(&format!("{}\n", lines.join("\n")), &key, "changed");
    let (status, _, error) = sessions(&["verify", "--proof", text(&file)]);
    assert!(status == 2 && error.contains("--key"), "{error}");
}

#[test]
fn evidence_is_checked_down_to_the_record_that_was_changed() {
    let (folder, ledger, key) = filled();
    let whole = right(&["export", text(&ledger), "--form", "evidence"]);
    let part = right(&[
        "export",
        text(&ledger),
        "--form",
        "evidence",
        "--subject",
        "dave",
    ]);
    fs::remove_dir_all(&ledger).unwrap();
    let check = |evidence: &str| {
        let file = folder.write("evidence", evidence);
        sessions(&["verify", "--evidence", text(&file), "--key", &key])
    };
    let (status, said, _) = check(&whole);
    assert!(
        status == 0
            && said.contains("right: 30 records and 1 events of 32 entries")
            && said.contains("all that the log had"),
        "{said}"
    );
    let (status, said, _) = check(&part);
    assert!(
        status == 0
            && said.contains("right: 10 records and 0 events of 32 entries")
            && said.contains("a part of"),
        "{said}"
    );

    let lines: Vec<_> = whole.lines().collect();
    let (status, said, _) = check(&whole.replacen(
        &lines[9].to_string(),
        &lines[9].replace("carol", "mallory"),
        1,
    ));
    assert_eq!(status, 1, "{said}");
    assert!(
        said.starts_with("changed: ") && said.contains("entry 8") && said.contains(&id(7)),
        "{said}"
    );
    assert_eq!(said.lines().count(), 2, "and nothing else: {said}");
    for (evidence, word) in [
        ([&lines[..5], &lines[6..]].concat(), "dropped"),
        ([&lines[..6], &lines[5..]].concat(), "reordered"),
        (
            [&lines[..3], &[lines[4], lines[3]], &lines[5..]].concat(),
            "reordered",
        ),
        (lines[..lines.len() - 1].to_vec(), "truncated"),
        ([&lines[..], &lines[5..6]].concat(), "inserted"),
    ] {
        let (status, said, _) = check(&format!("{}\n", evidence.join("\n")));
        assert_eq!(status, 1, "{said}");
        assert!(said.contains(&format!("{word}: ")), "{word}: {said}");
    }
    let mut head: Value = serde_json::from_str(lines[0]).unwrap();
    let note = head["checkpoint"]
        .as_str()
        .unwrap()
        .replace("\n32\n", "\n33\n");
    head["checkpoint"] = json!(note);
    let (status, said, _) = check(&whole.replacen(lines[0], &head.to_string(), 1));
    assert!(status == 1 && said.contains("forged: "), "{said}");
}

#[test]
fn a_running_desk_rotates_its_key() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let ledger = folder.ledger();
    let ledger = text(&ledger);
    log(&desk, 1..=10);
    let old = public_key(&folder);
    let new = right(&["rotate", ledger]);
    log(&desk, 11..=20);
    let newer = right(&["rotate", ledger]);
    assert!(new != newer && !old.contains(&new));
    let (status, said) = desk.stop();
    assert!(
        status.success() && said.contains("the signing key was rotated"),
        "{said}"
    );
    for key in [old.as_str(), new.trim(), newer.trim()] {
        let said = right(&["verify", ledger, "--key", key]);
        assert!(
            said.contains("24 entries") && said.contains("24 signed for"),
            "{said}"
        );
    }
    let desk = Desk::start(&folder);
    log(&desk, 21..=30);
    desk.stop();
    right(&["verify", ledger, "--key", newer.trim()]);
}

#[cfg(unix)]
#[test]
fn orders_are_for_the_owner_and_whoever_is_deaf_is_named() {
    use std::io::{Read as _, Write as _};
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::net::UnixStream;

    let folder = Folder::new();
    // A desk that was killed leaves its socket behind.
    let desk = Desk::start(&folder);
    desk.kill();
    let socket = folder.ledger().join("orders");
    assert!(socket.exists());
    let desk = Desk::start(&folder);
    let mode = fs::metadata(&socket).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    log(&desk, 1..=3);
    // What is no order breaks nothing but its own connection.
    for wrong in [
        &b"\xff\xff\xff\xff"[..],
        b"\0\0\0\x03foo",
        b"\0\0\0\x08\"import\"\0\0\0\x02{}",
    ] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(wrong).unwrap();
        let mut answer = Vec::new();
        // It may be closed before all that was sent is read.
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(answer, b"", "{wrong:?}");
    }
    let ledger = folder.ledger();
    let ledger = text(&ledger);
    let file = access_log(&folder, 1..=5);
    let said = right(&["import", ledger, text(&file)]);
    assert!(said.starts_with("2 records stored, 3 known"), "{said}");
    fs::remove_file(&socket).unwrap();
    for arguments in [&["import", ledger, text(&file)][..], &["rotate", ledger]] {
        let (status, _, error) = sessions(arguments);
        assert!(
            status == 2
                && error.contains("another process writes to this ledger")
                && error.contains("stop it first"),
            "{error}"
        );
    }
    desk.stop();
    assert!(!socket.exists());
}

#[test]
fn commands_run_beside_a_desk_that_writes() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let ledger = folder.ledger();
    let ledger = text(&ledger);
    let to = desk.grpc;
    let writing = std::thread::spawn(move || {
        for round in 0..40u64 {
            let messages = (1..=10).map(|number| {
                let text = record(round * 10 + number, json!({})).to_string();
                message(vec![entry(text.as_bytes())])
            });
            stream(to, messages.collect()).unwrap();
        }
    });
    while !writing.is_finished() {
        right(&["verify", ledger]);
        right(&["list", ledger]);
        right(&["gaps", ledger]);
        right(&["export", ledger, "--form", "evidence"]);
        right(&["list", ledger]);
    }
    writing.join().unwrap();
    assert_eq!(right(&["list", ledger]).lines().count(), 400);
    let (status, log) = desk.stop();
    assert!(status.success(), "{log}");
    right(&["verify", ledger]);
}

#[test]
fn keys_are_rotated_and_old_keys_still_lead_to_new_ones() {
    let (folder, ledger, old) = filled();
    let new = right(&["rotate", text(&ledger)]);
    assert_ne!(new.trim(), old);
    let desk = Desk::start(&folder);
    log(&desk, 31..=40);
    desk.stop();
    let evidence = folder.file("evidence");
    right(&[
        "export",
        text(&ledger),
        "--form",
        "evidence",
        "--out",
        text(&evidence),
    ]);
    for key in [old.as_str(), new.trim()] {
        right(&["verify", text(&ledger), "--key", key]);
        right(&["verify", "--evidence", text(&evidence), "--key", key]);
    }
    let proof = folder.write("proof", &right(&["prove", text(&ledger), &id(40)]));
    right(&["verify", "--proof", text(&proof), "--key", new.trim()]);
}

#[test]
fn a_witness_tells_that_a_ledger_was_rolled_back() {
    let folder = Folder::new();
    let (config, store) = (folder.config(), folder.store());
    let witness = folder.file("witness");
    let start = || Desk::start_witnessed(&config, &store, &witness);
    let desk = start();
    log(&desk, 1..=10);
    desk.stop();
    let copy = folder.file("copy");
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .arg(folder.ledger())
        .arg(&copy)
        .status();
    assert!(copied.unwrap().success());
    let desk = start();
    log(&desk, 11..=20);
    desk.stop();
    let said = right(&[
        "verify",
        text(&folder.ledger()),
        "--witness",
        text(&witness),
    ]);
    assert!(!said.contains(" 0 checkpoints of witnesses"), "{said}");
    right(&["verify", text(&copy)]);
    let (status, said, _) = sessions(&["verify", text(&copy), "--witness", text(&witness)]);
    assert_eq!(status, 1);
    assert!(
        said.contains("rolled back: ") && said.contains("seen 22 entries, found 12"),
        "{said}"
    );
}
