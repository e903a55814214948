use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::process::Process;
use crate::{port, wait};

fn shell(script: &str) -> Process {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    Process::spawn("sh", command).unwrap()
}

fn runs(id: u32) -> bool {
    Path::new(&format!("/proc/{id}")).exists()
}

#[test]
fn a_process_ends_with_its_value() {
    let process = shell("sleep 1000");
    let (id, file) = (process.id(), process.file("log"));
    assert!(runs(id) && file.exists());
    drop(process);
    assert!(!runs(id) && !file.exists());
}

#[test]
fn a_process_ends_with_a_test_that_panics() {
    let mut left: Option<(u32, PathBuf)> = None;
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        let process = shell("sleep 1000");
        left = Some((process.id(), process.file("log")));
        panic!("on purpose");
    }));
    assert!(outcome.is_err());
    let (id, file) = left.unwrap();
    assert!(!runs(id) && !file.exists());
}

#[test]
fn a_process_that_ignores_sigterm_ends_too() {
    let mut process = shell("trap '' TERM; echo ready; while :; do sleep 0.1; done");
    let mut log = PathBuf::new();
    log.push(process.file("log"));
    let ready = || std::fs::read_to_string(&log).is_ok_and(|text| text == "ready\n");
    process
        .until("the trap", Duration::from_secs(10), ready)
        .unwrap();
    let id = process.id();
    drop(process);
    assert!(!runs(id));
}

#[test]
fn an_early_end_is_told_with_the_log() {
    let mut process = shell("echo out; echo err >&2; exit 3");
    let error = process
        .until("something", Duration::from_secs(10), || false)
        .unwrap_err();
    for part in ["before something", "exit status: 3", "out", "err"] {
        assert!(error.contains(part), "{error}");
    }
    let status = process.wait_exit(Duration::from_secs(10)).unwrap();
    assert_eq!(status.code(), Some(3));
}

#[test]
fn a_wait_in_vain_says_for_what() {
    let error = wait::port(port::free().unwrap(), Duration::from_millis(30)).unwrap_err();
    assert!(error.contains("to listen"), "{error}");
    let asked = wait::value("it", Duration::ZERO, || Some(7)).unwrap();
    assert_eq!(asked, 7);
}
