//! Who may import whom in the filter, and that no files import each other in a circle.
//!
//! docs/architecture.md says why; here it is held.
#![cfg(not(target_arch = "wasm32"))]
#![allow(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what the tests share may fail them"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;

/// What each module of the filter's crate may import of the others. Tests may import more.
const LAYERS: &[(&str, &[&str])] = &[
    ("approval", &["call", "shared"]),
    ("call", &[]),
    ("dialect", &[]),
    ("limits", &[]),
    ("metric", &[]),
    ("record", &[]),
    ("rules", &[]),
    ("shared", &[]),
    ("upstream", &[]),
    ("identity", &["shared"]),
    ("operation", &["dialect"]),
    ("quota", &["shared"]),
    (
        "policy",
        &[
            "approval",
            "dialect",
            "identity",
            "limits",
            "operation",
            "quota",
            "record",
            "rules",
            "shared",
            "upstream",
        ],
    ),
    (
        "exchange",
        &[
            "approval",
            "call",
            "dialect",
            "identity",
            "limits",
            "metric",
            "operation",
            "policy",
            "quota",
            "record",
            "rules",
            "shared",
            "upstream",
        ],
    ),
    (
        "keeper",
        &[
            "approval", "call", "exchange", "identity", "metric", "shared",
        ],
    ),
    ("host", &["call", "exchange", "keeper", "metric", "shared"]),
];

/// What each crate below may import of the others.
const CRATES: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("coding", &[]),
    ("mask", &["base", "coding"]),
];

fn filter() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("filter")
}

/// A file of source: where it is, which module it is, and its text without comments and tests.
struct File {
    path: PathBuf,
    /// `exchange::request::head`; empty for the crate's root.
    module: String,
    text: String,
}

/// The files of a crate, those of tests left out.
fn files(root: &Path, crates_inside: &[&str]) -> Vec<File> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let inside = path.strip_prefix(root).unwrap();
            if path.is_dir() {
                let other = inside.components().count() == 1 && crates_inside.contains(&&*name);
                if name != "tests" && !other {
                    folders.push(path);
                }
            } else if name.ends_with(".rs") && !["tests.rs", "testing.rs"].contains(&&*name) {
                let module = inside.with_extension("");
                let names = module.iter().map(|name| name.to_str().unwrap());
                let names = names.filter(|name| !["mod", "lib"].contains(name));
                let module = names.collect::<Vec<_>>().join("::");
                let text = without_tests(&fs::read_to_string(&path).unwrap());
                found.push(File { path, module, text });
            }
        }
    }
    found.sort_by(|one, other| one.module.cmp(&other.module));
    found
}

/// Code without comments and without the tests at its end.
fn without_tests(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// All paths that `use` and plain paths name, braces unfolded: `crate::a::{b, c::D}` is two.
fn paths(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let start = Regex::new(r"\b(?:crate|super|self)(?:::[A-Za-z_]+)*::(?:[A-Za-z_]+)?").unwrap();
    for place in start.find_iter(text) {
        let path = place.as_str();
        match path.strip_suffix("::") {
            Some(front) if text[place.end()..].starts_with('{') => {
                unfold(front, &text[place.end()..], &mut found);
            }
            _ => found.push(path.trim_end_matches("::").to_owned()),
        }
    }
    found
}

/// The paths in braces behind a path.
fn unfold(front: &str, braces: &str, found: &mut Vec<String>) {
    let (mut depth, mut item) = (0, String::new());
    for letter in braces.chars() {
        match letter {
            '{' => {
                depth += 1;
                if depth > 1 {
                    item.push(letter);
                }
                continue;
            }
            '}' => depth -= 1,
            ',' if depth == 1 => {}
            _ => {
                item.push(letter);
                continue;
            }
        }
        if depth >= 1 && letter == '}' {
            item.push(letter);
            continue;
        }
        let whole = item.trim().to_owned();
        item.clear();
        match whole.split_once("::{") {
            Some((inner, rest)) => {
                unfold(
                    &format!("{front}::{}", inner.trim()),
                    &format!("{{{rest}"),
                    found,
                );
            }
            None if whole == "self" => found.push(front.to_owned()),
            None => found.push(format!("{front}::{whole}")),
        }
        if depth == 0 {
            return;
        }
    }
}

/// The file that a path in a file leads to, by its module: the longest that there is.
fn target(from: &str, path: &str, modules: &BTreeSet<&str>) -> Option<String> {
    let mut at: Vec<&str> = from.split("::").filter(|name| !name.is_empty()).collect();
    for name in path.split("::") {
        match name {
            "crate" => at.clear(),
            "self" => {}
            "super" => {
                at.pop();
            }
            _ => at.push(name),
        }
    }
    while !at.is_empty() {
        let module = at.join("::");
        if modules.contains(&*module) {
            return Some(module);
        }
        at.pop();
    }
    None
}

#[test]
fn a_concern_imports_what_lies_below_it_and_never_another() {
    let known: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let files = files(&filter(), &["base", "coding", "mask"]);
    assert!(files.len() > 80, "{} files", files.len());
    let modules: BTreeSet<&str> = files.iter().map(|file| &*file.module).collect();
    for file in &files {
        let own = file.module.split("::").next().unwrap();
        if own.is_empty() {
            continue;
        }
        let allowed = known.get(own);
        let allowed = allowed.unwrap_or_else(|| panic!("{own} has no place in LAYERS"));
        for path in paths(&file.text) {
            let Some(target) = target(&file.module, &path, &modules) else {
                continue;
            };
            let other = target.split("::").next().unwrap().to_owned();
            assert!(
                other == own || allowed.contains(&&*other),
                "{} imports {path}: {own} may not import {other}",
                file.path.display()
            );
        }
    }
}

#[test]
fn a_crate_below_knows_nothing_of_what_is_above() {
    for (name, allowed) in CRATES {
        let manifest = fs::read_to_string(filter().join(name).join("Cargo.toml")).unwrap();
        let ours = ["base", "coding", "mask", "portcullis"];
        for other in ours.iter().filter(|other| *other != name) {
            let imports = manifest
                .lines()
                .any(|line| line.starts_with(&format!("{other} =")));
            assert!(
                !imports || allowed.contains(other),
                "{name} may not depend on {other}"
            );
        }
    }
}

#[test]
fn only_the_adapter_knows_the_host() {
    for file in files(&filter(), &[]) {
        assert!(
            file.module.starts_with("host") || !file.text.contains("proxy_wasm"),
            "{} knows proxy-wasm",
            file.path.display()
        );
    }
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let inside = ["base", "coding", "mask"];
    let roots = [
        (filter(), &inside[..]),
        (filter().join("base"), &[][..]),
        (filter().join("coding"), &[][..]),
        (filter().join("mask"), &[][..]),
    ];
    for (root, others) in roots {
        let files = files(&root, others);
        let modules: BTreeSet<&str> = files.iter().map(|file| &*file.module).collect();
        let mut imports: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for file in &files {
            let to = imports.entry(&file.module).or_default();
            for path in paths(&file.text) {
                if let Some(target) = target(&file.module, &path, &modules)
                    // A module may use what it is made of, and a part what its module offers.
                    && !is_within(&target, &file.module)
                    && !is_within(&file.module, &target)
                {
                    to.insert(target);
                }
            }
        }
        if let Some(circle) = circle(&imports) {
            panic!("{}: {}", root.display(), circle.join(" -> "));
        }
    }
}

fn is_within(inner: &str, outer: &str) -> bool {
    inner == outer
        || inner
            .strip_prefix(outer)
            .is_some_and(|rest| outer.is_empty() || rest.starts_with("::"))
}

/// Files that import each other, the first again at the end.
fn circle(imports: &BTreeMap<&str, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut done = BTreeSet::new();
    for start in imports.keys() {
        let mut way = vec![(*start).to_owned()];
        if let Some(found) = walk(imports, &mut way, &mut done) {
            return Some(found);
        }
    }
    None
}

fn walk(
    imports: &BTreeMap<&str, BTreeSet<String>>,
    way: &mut Vec<String>,
    done: &mut BTreeSet<String>,
) -> Option<Vec<String>> {
    let at = way.last().unwrap().clone();
    for next in imports.get(&*at).into_iter().flatten() {
        if let Some(place) = way.iter().position(|one| one == next) {
            let mut found = way[place..].to_vec();
            found.push(next.clone());
            return Some(found);
        }
        if !done.contains(next) {
            way.push(next.clone());
            let found = walk(imports, way, done);
            if found.is_some() {
                return found;
            }
            way.pop();
        }
    }
    done.insert(at);
    None
}

#[test]
fn what_this_looks_for_is_found() {
    let text = "use crate::a::{b::{C, d}, self, e::F};\nuse super::g;\nlet x = crate::h::i();";
    assert_eq!(
        paths(text),
        [
            "crate::a::b::C",
            "crate::a::b::d",
            "crate::a",
            "crate::a::e::F",
            "super::g",
            "crate::h::i"
        ]
    );
    let modules = BTreeSet::from(["a", "a::b", "a::g", "h"]);
    assert_eq!(target("a::b", "super::g", &modules).unwrap(), "a::g");
    assert_eq!(target("a::b", "crate::h::i", &modules).unwrap(), "h");
    let imports = BTreeMap::from([
        ("a", BTreeSet::from(["b".to_owned()])),
        ("b", BTreeSet::from(["c".to_owned()])),
        ("c", BTreeSet::from(["b".to_owned()])),
    ]);
    assert_eq!(circle(&imports).unwrap(), ["b", "c", "b"]);
}
