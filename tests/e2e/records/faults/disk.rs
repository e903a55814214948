//! The desk's disk is full for a while.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use testbed::http::Request;
use testbed::{process, wait};

use super::{Load, PATIENCE, committed, delivered, exported};
use crate::support::{Desk, Guarded, Place, ana, code, sessions};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(a_full_disk_loses_nothing_and_lets_no_answer_pass);

/// A file system of its own in a folder, and then the command.
const MOUNT: &str = r#"mount -t tmpfs -o size=24m none "$0" && exec "$@""#;

/// A command behind that.
fn on_a_small_disk(folder: &Path, command: &Command) -> Command {
    let mut unshare = Command::new("unshare");
    unshare.args(["-rm", "sh", "-c", MOUNT]).arg(folder);
    unshare.arg(command.get_program()).args(command.get_args());
    unshare
}

/// Writes until nothing more fits.
fn fill(file: &Path) {
    let mut file = fs::File::create(file).unwrap();
    let zeros = vec![0; 4096];
    while file.write_all(&zeros).is_ok() {}
}

fn a_full_disk_loses_nothing_and_lets_no_answer_pass(version: &str) {
    let own = process::folder().unwrap();
    let folder: PathBuf = own.path().join("disk");
    fs::create_dir(&folder).unwrap();
    let probe = on_a_small_disk(&folder, &Command::new("true")).output();
    if !probe.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped, since no file system can be mounted here: {probe:?}");
        return;
    }
    let place = Arc::new(Place::over(folder.clone(), own));
    let command = on_a_small_disk(&folder, &place.command());
    let mut desk = Desk::start_by(&place, command);
    // As the desk sees it.
    let disk = PathBuf::from(format!("/proc/{}/root", desk.process.id()));
    let disk = disk.join(folder.strip_prefix("/").unwrap());
    let guarded = Guarded::start_with(version, &delivered("stream", "5s"), |builder| {
        builder
            .cluster_http2("desk", place.port)
            .cluster_http2("desk_log", place.log_port)
            .listener("committed", delivered("committed", "1s"))
    });
    let load = Load::start(guarded.mesh.port());
    let strict = Load::start(guarded.mesh.port_of("committed").unwrap());
    load.until_more(100);
    strict.until_more(50);

    fill(&disk.join("ballast"));
    let health = || {
        let answer = desk.send(Request::get("/healthz"));
        (answer.status, answer.text())
    };
    wait::until("the desk to say that it can't store", PATIENCE, || {
        health().0 == 503
    })
    .unwrap();
    assert!(health().1.contains("recorder_failing"), "{:?}", health());
    load.until_more(300);
    let answer = guarded.send_to("committed", Request::get("/v1/models").bearer(&ana()));
    let refused = answer.status == 503 && code(&answer) == "record_not_kept";
    assert!(refused || answer.broken.is_some(), "{answer:?}");

    fs::remove_file(disk.join("ballast")).unwrap();
    wait::until("the desk to store again", PATIENCE, || health().0 == 200).unwrap();
    let made = load.end();
    assert!(made.iter().all(|one| one.whole), "clients notice nothing");
    let strict = strict.end();
    let ledger = disk.join("desk.ledger");
    let logged = guarded.mesh.sessions(made.len() + strict.len()).unwrap();
    wait::until("every record", PATIENCE, || {
        exported(&ledger).len() >= logged.len()
    })
    .unwrap();
    assert_eq!(sessions(&ledger, "gaps", &[]), (0, String::new()));
    let whole = committed(&strict, &exported(&ledger));
    assert!(whole >= 50 && whole < strict.len());
    let (status, said) = sessions(&ledger, "verify", &[]);
    assert_eq!(status, 0, "{said}");
    desk.process.stop();
    assert!(
        desk.process.exited().is_some_and(|status| status.success()),
        "{}",
        desk.process.log_tail()
    );
}
