use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use crate::harness::{Folder, command};

fn policy() -> Value {
    json!({
        "version": 1,
        "identity": { "providers": [{
            "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
            "keys": { "jwks": { "keys": [] } },
        }] },
        "approvals": { "cluster": "desk", "credential": "Bearer ${PORTCULLIS_TEST_UNSET}" },
        "rules": [{ "name": "all", "then": "allow" }],
    })
}

fn check(arguments: &[&str], policy: &Path) -> Output {
    command()
        .arg("check")
        .args(arguments)
        .arg(policy)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).unwrap()
}

#[test]
fn a_right_policy_is_summed_up() {
    let folder = Folder::new();
    let path = folder.write("policy.json", &policy().to_string());
    let output = check(&[], &path);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    let line = text(&output.stdout);
    assert!(line.starts_with(&format!("{}: ", path.display())), "{line}");
    assert!(line.contains("1 rules"), "{line}");
    assert_eq!(line.lines().count(), 1);
    assert!(output.stderr.is_empty());
}

#[test]
fn strictly_a_warning_is_an_error() {
    let folder = Folder::new();
    let mut warned = policy();
    warned["identity"]["providers"][0]["keys"] = json!({"jwks": {"keys": [
        {
            "kty": "EC", "crv": "P-256", "kid": "good",
            "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
            "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
        },
        {"kty": "AKP", "alg": "ML-DSA-65", "pub": "AA"},
    ]}});
    let path = folder.write("policy.json", &warned.to_string());
    assert_eq!(check(&[], &path).status.code(), Some(0));
    let output = check(&["--strict"], &path);
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stdout);
    assert!(
        said.contains("/identity/providers/0/keys/jwks/keys/1"),
        "{said}"
    );
    let path = folder.write("sound.json", &policy().to_string());
    assert_eq!(check(&["--strict"], &path).status.code(), Some(0));
}

#[test]
fn a_key_that_is_ignored_is_a_warning_on_standard_error() {
    let key = json!({
        "kty": "EC", "crv": "P-256", "kid": "good",
        // The generator of the curve, a point like any other.
        "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
        "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
    });
    let folder = Folder::new();
    let mut pasted = policy();
    let keys = &mut pasted["identity"]["providers"][0]["keys"]["jwks"]["keys"];
    *keys = json!([key, {"kty": "AKP", "alg": "ML-DSA-65", "pub": "AA"}, null]);
    let path = folder.write("policy.json", &pasted.to_string());
    let output = check(&[], &path);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text(&output.stdout).contains(": right: "), "{output:?}");
    let lines: Vec<&str> = text(&output.stderr).lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (line, place) in lines.iter().zip([1, 2]) {
        let place = format!("/identity/providers/0/keys/jwks/keys/{place}");
        let start = format!("{}: warning: {place}: found ", path.display());
        assert!(line.starts_with(&start), "{line}");
        assert!(line.contains(", which is ignored, "), "{line}");
    }

    pasted["identity"]["providers"][0]["keys"]["jwks"]["keys"] = json!([{"kty": "AKP"}, null]);
    let path = folder.write("policy.json", &pasted.to_string());
    let output = check(&[], &path);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text(&output.stdout).lines().count(), 2, "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn every_problem_has_a_line_with_its_path() {
    let folder = Folder::new();
    let mut wrong = policy();
    wrong["rules"][0]["then"] = json!("perhaps");
    wrong["surprise"] = json!(1);
    let path = folder.write("policy.json", &wrong.to_string());
    let output = check(&[], &path);
    assert_eq!(output.status.code(), Some(1));
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    for place in ["/rules/0/then", "/surprise"] {
        let start = format!("{}: {place}: found ", path.display());
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(&start) && line.contains(", expected ")),
            "{place}: {lines:?}"
        );
    }
}

#[test]
fn text_that_is_not_json_is_wrong_not_unreadable() {
    let folder = Folder::new();
    let path = folder.write("policy.json", "{\n  \"version\": 1,,\n}");
    let output = check(&[], &path);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("line 2"),
        "{}",
        text(&output.stdout)
    );
}

#[test]
fn variables_are_looked_up_only_when_asked_for() {
    let folder = Folder::new();
    let path = folder.write("policy.json", &policy().to_string());
    let output = check(&["--env"], &path);
    assert_eq!(output.status.code(), Some(1));
    let line = text(&output.stdout);
    assert!(
        line.contains("/approvals/credential: ") && line.contains("PORTCULLIS_TEST_UNSET"),
        "{line}"
    );
    let output = command()
        .args(["check", "--env"])
        .arg(&path)
        .env("PORTCULLIS_TEST_UNSET", "set-now")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
}

#[test]
fn a_dash_is_standard_input() {
    let mut child = command()
        .args(["check", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"{}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let lines = text(&output.stdout);
    assert!(
        lines
            .lines()
            .all(|line| line.starts_with("standard input: /")),
        "{lines}"
    );
    assert!(lines.contains("\"rules\""), "{lines}");
}

#[test]
fn what_cannot_be_read_is_told_apart() {
    let folder = Folder::new();
    let binary = folder.file("binary.json");
    std::fs::write(&binary, [0xff, 0xfe]).unwrap();
    for path in [folder.file("missing.json"), binary, std::env::temp_dir()] {
        let output = check(&[], &path);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        let line = text(&output.stderr);
        assert!(
            line.contains(&path.display().to_string()) && line.contains("can't be read"),
            "{line}"
        );
    }
}
