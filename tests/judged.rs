//! What must hold of every path, body and message that is judged, tried on the dialects' samples and on
//! changes to them that chance made: what the fuzzers try for hours, for a moment.
//!
//! With `PORTCULLIS_EXHAUSTIVE` in the environment, it is more than a moment.
#![cfg(not(target_arch = "wasm32"))]
// clippy.toml excuses tests, but not the functions that they share.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used
)]

#[path = "fuzz/judged/mod.rs"]
mod judged;

use std::path::Path;
use std::{env, fs};

use judged::{catalog, facts, messages, path, samples};
use serde_json::{Map, Value};
use testbed::prose::Prose;
use testbed::vectors::FOLDER;

/// How often each is changed.
fn turns(usual: usize) -> usize {
    match env::var_os("PORTCULLIS_EXHAUSTIVE") {
        Some(_) => usual * 20,
        None => usual,
    }
}

/// Changes some bytes behind the first ones, or takes some away.
fn change(data: &mut Vec<u8>, from: usize, chance: &mut Prose) {
    for _ in 0..=chance.below(3) {
        if data.len() <= from {
            return;
        }
        let at = from + chance.below(data.len() - from);
        match chance.below(4) {
            0 => data[at] ^= 1 << chance.below(8),
            1 => data[at] = u8::try_from(chance.below(256)).unwrap(),
            2 => {
                data.remove(at);
            }
            _ => data.truncate(at),
        }
    }
}

fn try_changes(seeds: &[Vec<u8>], from: usize, usual: usize, check: fn(&[u8])) {
    assert!(!seeds.is_empty());
    let mut chance = Prose::new(7);
    for seed in seeds {
        check(seed);
        for _ in 0..turns(usual) {
            let mut data = seed.clone();
            change(&mut data, from, &mut chance);
            check(&data);
        }
    }
}

#[test]
fn a_path_leads_where_it_was_judged_to_lead() {
    try_changes(&path::seeds(), 1, 10, path::check);
}

#[test]
fn what_is_told_of_a_message_is_what_its_reader_finds() {
    try_changes(&messages::seeds(), 2, 60, messages::check);
}

#[test]
fn what_is_told_of_a_body_is_what_a_server_reads() {
    try_changes(&facts::seeds(), facts::HEAD, 8, facts::check);
}

#[test]
fn every_method_can_be_given_the_messages_of_another() {
    let cases = &catalog::all().messages;
    let mut chance = Prose::new(5);
    for seed in messages::seeds() {
        for _ in 0..turns(4) {
            let case = &cases[chance.below(cases.len())];
            messages::check_case(case, &seed[2..]);
        }
    }
}

/// What becomes of a member of an object.
#[derive(Clone, Copy)]
enum Change {
    /// It is there twice.
    Repeat,
    /// It is there twice, once with an escape in its name.
    RepeatEscaped,
    /// Its name is in upper case.
    UpperCase,
    /// It has another value.
    Number,
    Text,
    List,
    Object,
}

const CHANGES: [Change; 7] = [
    Change::Repeat,
    Change::RepeatEscaped,
    Change::UpperCase,
    Change::Number,
    Change::Text,
    Change::List,
    Change::Object,
];

/// Writes a value with a change to a member of the object that is reached once so many were passed.
struct Writer<'c> {
    passed: usize,
    change: Change,
    chance: &'c mut Prose,
    out: String,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Array(items) => {
                self.out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        self.out.push(',');
                    }
                    self.value(item);
                }
                self.out.push(']');
            }
            Value::Object(members) => self.object(members),
            other => self.out.push_str(&other.to_string()),
        }
    }

    fn object(&mut self, members: &Map<String, Value>) {
        let here = self.passed == 0 && !members.is_empty();
        self.passed = self.passed.wrapping_sub(1);
        let changed = here.then(|| self.chance.below(members.len()));
        self.out.push('{');
        for (at, (name, value)) in members.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            if changed == Some(at) {
                self.change(name, value);
            } else {
                self.member(name, value);
            }
        }
        self.out.push('}');
    }

    fn member(&mut self, name: &str, value: &Value) {
        self.out.push_str(&Value::from(name).to_string());
        self.out.push(':');
        self.value(value);
    }

    fn change(&mut self, name: &str, value: &Value) {
        match self.change {
            Change::Repeat => {
                self.member(name, value);
                self.out.push(',');
                self.member(name, &Value::Null);
            }
            Change::RepeatEscaped => {
                self.member(name, value);
                let units = name.encode_utf16();
                let escaped: String = units.map(|unit| format!("\\u{unit:04x}")).collect();
                self.out.push_str(&format!(",\"{escaped}\":1"));
            }
            Change::UpperCase => {
                self.member(name, value);
                self.out.push(',');
                self.member(&name.to_ascii_uppercase(), value);
            }
            Change::Number => {
                let number = self.chance.below(1000);
                self.member(name, &Value::from(number));
            }
            Change::Text => self.member(name, &Value::from("another")),
            Change::List => self.member(name, &Value::from(vec![value.clone(), value.clone()])),
            Change::Object => {
                let mut inside = Map::new();
                inside.insert(name.to_owned(), value.clone());
                self.member(name, &Value::Object(inside));
            }
        }
    }
}

fn objects(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(objects).sum(),
        Value::Object(members) => 1 + members.values().map(objects).sum::<usize>(),
        _ => 0,
    }
}

#[test]
fn a_member_that_is_changed_or_repeated_is_read_as_a_server_does() {
    let cases = &catalog::all().bodies;
    let mut chance = Prose::new(3);
    let mut tried = 0;
    for sample in samples::all() {
        let (Some(json), Some(case)) = (&sample.json, sample.case(cases)) else {
            continue;
        };
        let objects = objects(json);
        for _ in 0..turns(10) {
            // What is at the top says most.
            let passed = match chance.below(2) {
                0 => 0,
                _ => chance.below(objects),
            };
            let change = CHANGES[chance.below(CHANGES.len())];
            let mut writer = Writer {
                passed,
                change,
                chance: &mut chance,
                out: String::new(),
            };
            writer.value(json);
            let text = writer.out;
            let head = u8::try_from(chance.below(facts::HEADS.len())).unwrap();
            facts::check(&facts::seed(case, head, 0, text.as_bytes()));
            tried += 1;
        }
    }
    assert!(tried > 1000, "{tried} were tried");
}

/// Of the suite's texts, as bodies and inside one.
#[test]
fn what_is_told_of_the_json_test_suite_is_what_serde_json_reads() {
    let Some(folder) = env::var_os(FOLDER).filter(|folder| !folder.is_empty()) else {
        println!("skipped: {FOLDER} does not name the folder that holds json-test-suite");
        return;
    };
    let cases = &catalog::all().bodies;
    let named = ["openai chat", "openai unknown", "mcp rpc"];
    let tensors = cases
        .iter()
        .position(|case| case.kind == catalog::Kind::Tensors);
    let position = |name: &str| cases.iter().position(|case| case.name == name);
    let mut tried: Vec<usize> = named
        .map(|name| position(name).expect("it is there"))
        .to_vec();
    tried.extend(tensors);
    let mut judged = 0;
    for entry in fs::read_dir(Path::new(&folder).join("json-test-suite")).unwrap() {
        let text = fs::read(entry.unwrap().path()).unwrap();
        let inside = [
            br#"{"model":"m","messages":[{"role":"user","content":"#.as_slice(),
            &text,
            b"}]}",
        ];
        for case in &tried {
            for head in [0, 4] {
                facts::check(&facts::seed(*case, head, 0, &text));
                facts::check(&facts::seed(*case, head, 0, &inside.concat()));
            }
        }
        judged += 1;
    }
    assert!(judged > 300, "{judged} texts");
}
