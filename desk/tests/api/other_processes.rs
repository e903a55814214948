//! Other processes that use the desk's file while the desk runs: a person's look, a backup.

use std::process::Command;
use std::thread;

use serde_json::json;

use crate::access_log::{entry, message, record, records, stream};
use crate::harness::{ANA, Desk, Folder, id, question};

/// Runs a Python script, with SQLite as `db` on the store and as `index` on the ledger's index, and
/// the folder as `folder`; returns what it prints. It is a process of its own with an SQLite of its own.
fn python(folder: &Folder, script: &str) -> String {
    let output = Command::new("python3")
        .arg("-c")
        .arg(format!(
            "import sqlite3, sys\nfolder = sys.argv[1]\n\
             db = sqlite3.connect(folder + '/desk.sqlite', isolation_level=None)\n\
             index = sqlite3.connect(folder + '/desk.ledger/index.sqlite', isolation_level=None)\n\
             {script}\ndb.close()\nindex.close()"
        ))
        .arg(folder.path())
        .output()
        .expect("python3 is needed to run the tests");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Streams records with these numbers, and waits until they are stored.
fn log(desk: &Desk, numbers: std::ops::RangeInclusive<u64>) {
    let last = *numbers.end();
    let messages = numbers
        .map(|number| {
            let text = record(number, json!({})).to_string();
            message(vec![entry(text.as_bytes())])
        })
        .collect();
    stream(desk.grpc, messages).unwrap();
    records(desk, last);
}

/// What the desk answered and stored outlives a crash, though another process used the file.
fn nothing_is_lost_after(visit: &str, prints: &str) {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    log(&desk, 1..=10);
    let given = desk.ask(&question(1));
    desk.decide(&id(&given), "approve", ANA).ok();

    assert_eq!(python(&folder, visit), prints);

    log(&desk, 11..=60);
    assert_eq!(desk.ask(&question(1))["state"], "approved");
    assert_eq!(
        desk.claim(&id(&given), &question(1), 1).ok()["state"],
        "claimed"
    );
    let waiting = desk.ask(&question(2));
    let denied = id(&desk.ask(&question(3)));
    desk.decide(&denied, "deny", ANA).ok();
    let listed = desk.get("/v1/approvals", ANA).ok();
    let logged = desk.get("/v1/sessions?limit=200", ANA).body;
    desk.kill();

    let desk = Desk::start(&folder);
    assert_eq!(desk.get("/v1/approvals", ANA).ok(), listed);
    assert_eq!(desk.get("/v1/sessions?limit=200", ANA).body, logged);
    assert_eq!(
        python(
            &folder,
            "print(*index.execute('select count(*) from sessions').fetchone())"
        ),
        "60"
    );
    let anew = desk.ask(&question(1));
    assert_eq!(anew["state"], "pending", "it was used before the crash");
    assert_ne!(anew["id"], given["id"]);
    assert_eq!(desk.ask(&question(2)), waiting);
    assert_eq!(desk.ask(&question(3))["state"], "denied");
    assert_eq!(
        python(
            &folder,
            "print(*db.execute('pragma integrity_check').fetchone())"
        ),
        "ok"
    );
}

#[test]
fn a_look_at_the_store_takes_nothing_from_it() {
    nothing_is_lost_after(
        "db.execute('select count(*) from approvals').fetchone()\n\
         print(*index.execute('select count(*) from sessions').fetchone())",
        "10",
    );
}

#[test]
fn a_backup_takes_nothing_from_the_store_and_is_whole() {
    nothing_is_lost_after(
        "copy = sqlite3.connect(folder + '/copy.sqlite')\n\
         db.backup(copy)\n\
         print(*index.execute('select count(*) from sessions').fetchone(), \
         *copy.execute('select state from approvals').fetchone(), \
         *copy.execute('pragma integrity_check').fetchone())\n\
         copy.close()",
        "10 approved ok",
    );
}

#[test]
fn another_process_that_empties_the_log_and_writes_takes_nothing_from_the_store() {
    nothing_is_lost_after(
        "print(*db.execute('pragma wal_checkpoint(truncate)').fetchone())\n\
         print(*index.execute('pragma wal_checkpoint(truncate)').fetchone())\n\
         db.execute('vacuum')\nindex.execute('vacuum')",
        "0 0 0\n0 0 0",
    );
}

#[test]
fn desks_that_start_at_once_share_a_new_store() {
    for _ in 0..5 {
        let folder = Folder::new();
        let (config, store) = (folder.config(), folder.store());
        let desks: Vec<Desk> = thread::scope(|scope| {
            let starting: Vec<_> = (0..4)
                .map(|number| {
                    // A ledger has one writer.
                    let ledger = folder.file(&format!("{number}.ledger"));
                    let (config, store) = (&config, &store);
                    scope.spawn(move || Desk::start_apart(config, store, &ledger))
                })
                .collect();
            starting
                .into_iter()
                .map(|one| one.join().unwrap())
                .collect()
        });
        let asked = desks[0].ask(&question(1));
        for desk in &desks {
            assert_eq!(desk.ask(&question(1)), asked);
        }
    }
}
