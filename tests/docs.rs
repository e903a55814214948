//! What the documents name exists: files, operations, detectors, codes and flags.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "what the tests share may fail them"
)]

use core::time::Duration;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use portcullis::base::code::Code;
use portcullis::base::operation::OPERATIONS;
use portcullis::exchange::CompiledPolicy;
use portcullis::identity::Verifier;
use portcullis::mask::policy::BUILT_IN_DETECTORS;
use regex_lite::Regex;

const DOCUMENTS: &[&str] = &[
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/architecture.md",
    "docs/glossary.md",
    "docs/logs.md",
    "docs/answers.md",
    "docs/approvals.md",
    "docs/desk.md",
    "docs/doctor.md",
    "docs/media-types.md",
    "docs/mesh.md",
    "docs/operations.md",
    "docs/policy.md",
    "docs/quotas.md",
    "docs/sessions.md",
    "envoy/README.md",
    "envoy/func-e/README.md",
    "envoy/image/README.md",
    "examples/policies/README.md",
    "filter/mask/detectors/README.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The names of all documents, a page for each decision among them.
fn documents() -> Vec<String> {
    let decisions = fs::read_dir(root().join("docs/decisions")).unwrap();
    let decisions = decisions.map(|entry| {
        let name = entry.unwrap().file_name();
        format!("docs/decisions/{}", name.to_string_lossy())
    });
    let others = DOCUMENTS.iter().map(|name| (*name).to_owned());
    others.chain(decisions).collect()
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn found<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
    let pattern = Regex::new(pattern).unwrap();
    pattern
        .captures_iter(text)
        .filter_map(|found| found.get(1).map(|group| group.as_str()))
        .collect()
}

/// The text of every Rust file under a folder.
fn sources(folder: &str) -> String {
    let mut text = String::new();
    let mut folders: Vec<PathBuf> = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text.push_str(&fs::read_to_string(path).unwrap());
            }
        }
    }
    text
}

#[test]
fn files_that_are_named_exist() {
    for document in documents() {
        let text = read(&document);
        let folder = root().join(&document);
        let folder = folder.parent().unwrap();
        let links = found(r"\]\(([^)#:]+)\)", &text);
        for link in &links {
            assert!(folder.join(link).exists(), "{document} links to {link}");
        }
        for path in found(
            r"`((?:filter|desk|docs|envoy|examples|tests|\.ci|\.github)/[a-zA-Z0-9_./-]+)`",
            &text,
        ) {
            assert!(root().join(path).exists(), "{document} names {path}");
        }
    }
    assert!(!found(r"\]\(([^)#:]+)\)", &read("README.md")).is_empty());
}

#[test]
fn the_readme_lists_every_operation_and_detector() {
    let readme = read("README.md");
    for operation in OPERATIONS {
        assert!(readme.contains(&format!("`{operation}`")), "{operation}");
    }
    for detector in BUILT_IN_DETECTORS.iter() {
        let family = detector
            .split_once('.')
            .map_or(*detector, |(family, _)| family);
        let glob = readme.contains(&format!("`{family}.*`"));
        assert!(
            glob || readme.contains(&format!("`{detector}`")),
            "{detector}"
        );
    }
}

#[test]
fn the_table_of_detectors_has_each_in_its_order() {
    let table = read("filter/mask/detectors/README.md");
    let table = table.split("## ").next().unwrap();
    assert_eq!(
        found("(?m)^\\| `([a-z0-9_.]+)` \\|", table),
        *BUILT_IN_DETECTORS
    );
}

#[test]
fn the_readme_lists_every_code_of_a_refusal_and_no_other() {
    let readme = read("README.md");
    let table = readme
        .split("| status | codes |")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next())
        .unwrap();
    let listed: BTreeSet<&str> = found("`([a-z_]+)`", table).into_iter().collect();
    let codes: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(listed, codes);
    let names = Code::ALL.len();
    assert_eq!(codes.len(), names, "two codes have one name");
}

#[test]
fn the_flags_that_the_readme_shows_are_the_desk_s() {
    let readme = read("README.md");
    let source = sources("desk");
    for line in readme.lines().filter(|line| {
        let commands = [
            "portcullis desk ",
            "portcullis doctor ",
            "portcullis token explain ",
            "token=$(target/debug/portcullis token mint ",
        ];
        commands.iter().any(|command| line.starts_with(command))
    }) {
        let flags = found("--([a-z]+)", line);
        assert!(!flags.is_empty());
        for flag in flags {
            let named = format!("{flag}: ");
            let renamed = format!("long = \"{flag}\"");
            assert!(
                source.contains(&named) || source.contains(&renamed),
                "the desk has no --{flag}"
            );
        }
    }
}

#[test]
fn the_doctor_s_page_has_every_code_of_a_finding_and_no_other() {
    let page = read("docs/doctor.md");
    let table = page.split("## What it finds").nth(1);
    let table = table.and_then(|rest| rest.split("## ").next()).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    let cells: Vec<&str> = rows.filter_map(|row| row.split(" | ").next()).collect();
    let cells = cells.join(" ");
    let listed: BTreeSet<&str> = found("`([a-z_]+)`", &cells).into_iter().collect();
    let source = sources("desk/doctor/checks");
    // The last arguments of what makes a finding, and the codes of what the filter counts.
    let pattern = concat!(
        r#"(?m)\.(?:error|warning|note)\("([a-z_]+)"\)"#,
        r#"|\.at\([a-z.]+, "([a-z_]+)"\)"#,
        r#"|^ *(?:"([a-z_]+)",|code: "([a-z_]+)",)$"#,
    );
    let pattern = Regex::new(pattern).unwrap();
    let codes: BTreeSet<&str> = pattern
        .captures_iter(&source)
        .filter_map(|one| {
            one.iter()
                .skip(1)
                .flatten()
                .next()
                .map(|code| code.as_str())
        })
        .collect();
    assert_eq!(listed, codes);
}

#[test]
fn the_checks_of_a_token_that_the_readme_shows_are_made() {
    let policy = read("examples/policies/providers.json");
    let compiled = CompiledPolicy::load(&policy, &|_| Some("secret".to_owned())).unwrap();
    let verifier = Verifier::new(&compiled.policy().identity, None).unwrap();
    let explained = verifier.explain("", Duration::ZERO);
    let mut made = explained.steps.iter().map(|step| step.name);
    let readme = read("README.md");
    let shown = found(r"(?m)^(?:ok|no|skipped) +([a-z]+)  ", &readme);
    assert!(shown.len() > 5, "{shown:?}");
    for name in shown {
        assert!(made.any(|one| one == name), "no check {name} at this place");
    }
    for rule in &compiled.policy().rules {
        let shown = readme.lines().any(|line| {
            line.strip_prefix(&rule.name)
                .is_some_and(|rest| rest.trim_start().starts_with("allow  "))
        });
        assert!(shown, "the rule {}", rule.name);
    }
}

#[test]
fn variables_that_the_documents_name_are_read() {
    let source = [sources("tests/testbed"), sources("desk")].concat();
    for document in documents() {
        for name in found("`(PORTCULLIS_[A-Z]+)`", &read(&document)) {
            assert!(
                source.contains(&format!("\"{name}\"")),
                "{document}: {name}"
            );
        }
    }
}

#[test]
fn every_decision_is_in_the_list_of_decisions() {
    let list = read("docs/decisions/README.md");
    for document in documents() {
        if let Some(page) = document.strip_prefix("docs/decisions/")
            && page != "README.md"
        {
            assert!(list.contains(&format!("({page})")), "{page}");
        }
    }
}

#[test]
fn what_the_glossary_names_is_in_the_file_that_it_names() {
    let glossary = read("docs/glossary.md");
    let place = Regex::new(r"(?m)\| `([A-Za-z_]+)` in `([a-zA-Z0-9_./-]+)` \|$").unwrap();
    let mut places = 0;
    for captures in place.captures_iter(&glossary) {
        let (name, file) = (&captures[1], &captures[2]);
        let word = Regex::new(&format!(r"\b{name}\b")).unwrap();
        assert!(word.is_match(&read(file)), "{file} has no {name}");
        places += 1;
    }
    let rows = glossary.lines().filter(|line| line.starts_with("| "));
    let words = rows.filter(|row| !row.starts_with("| word |")).count();
    assert!(words > 80, "{words} words");
    assert_eq!(places, words, "each word has a place");
}
