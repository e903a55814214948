//! How many records a second the recorder stores, with each group of batches on the disk before
//! the next begins, and how many bytes a second `verify` reads.
//!
//! `cargo run --release -p portcullis-desk --example ledger FOLDER`, with a folder on the disk in
//! question. It is no benchmark of Cargo's: those would build the filter's library twice, once
//! without unwinding for the desk's binary, and both builds have one name.

#![allow(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a program that measures"
)]

use std::path::{Path, PathBuf};
use std::time::Instant;

use portcullis_desk::ledger::{Options, Question, verify};
use portcullis_desk::sessions::{Books, Entry, Sender};

/// A record of about `bytes` bytes, as varied as they are.
fn record(number: u64, bytes: usize) -> Entry {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let words = [
        "the", "model", "answers", "a", "question", "about", "prices", "of", "houses",
    ];
    let mut body = String::new();
    while body.len() + 520 < bytes {
        let word = usize::try_from(random() % 9).unwrap();
        body.push_str(words.get(word).unwrap());
        body.push(' ');
    }
    let text = format!(
        r#"{{"version":1,"id":"{:032x}","worker":"00000000000000aa","number":{number},"time":"2026-11-21T12:00:00.123Z","identity":{{"provider":"corp","issuer":"https://idp.example","subject":"user{}","groups":["ml"]}},"request":{{"method":"POST","path":"/v1/chat/completions","operation":"inference.chat","model":"small-{}","items":1,"bytes":{}}},"verdict":{{"action":"allow","rule":"everybody","code":null,"status":null}},"body":"{body}","digest":"{:016x}{:016x}{:016x}{:016x}"}}"#,
        u128::from(random()) << 64 | u128::from(number),
        random() % 500,
        random() % 9,
        random() % 100_000,
        random(),
        random(),
        random(),
        random()
    );
    Entry::read(text.as_bytes()).unwrap()
}

/// For how many seconds this thread has been able to run, and something else ran (Linux).
fn waited() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().nth(1);
    nanoseconds.map_or(0.0, |text| text.parse::<f64>().unwrap() / 1e9)
}

fn measure(folder: &Path, name: &str, records: u64, bytes: usize, batch: usize) {
    let place = folder.join(name);
    let options = Options {
        witnesses: vec![place.join("witness")],
        ..Options::new(&place.join("ledger"), &place.join("keys"))
    };
    let all: Vec<_> = (1..=records).map(|number| record(number, bytes)).collect();
    let length: usize = all.iter().map(|record| record.text.len()).sum();
    let (mut books, _, _) = Books::open(&options).unwrap();
    let sender = Sender::Stream(Some("edge".into()));
    let (start, before) = (Instant::now(), waited());
    let mut signed = Instant::now();
    for part in all.chunks(batch) {
        let records = part.iter().map(|record| (&sender, record));
        books.take(records, &[]).unwrap();
        if signed.elapsed().as_secs() >= 1 {
            books.checkpoint().unwrap();
            signed = Instant::now();
        }
    }
    books.settle().unwrap();
    books.checkpoint().unwrap();
    let took = start.elapsed().as_secs_f64();
    let waited = waited() - before;
    println!(
        "{name}: {records} records of {} bytes, {batch} a commit: {:.0} records/s, {:.0} MB/s; {:.0} records/s but for {waited:.1} s in which others had the CPU",
        length / all.len(),
        records as f64 / took,
        length as f64 / took / 1e6,
        records as f64 / (took - waited)
    );
    drop(books);
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let question = Question {
        threads,
        ..Question::default()
    };
    for round in 1..=3 {
        let start = Instant::now();
        let verdict = verify(&options.folder, &question).unwrap();
        let took = start.elapsed().as_secs_f64();
        assert!(verdict.is_right(), "{verdict:?}");
        println!(
            "{name}: verify {round}: {} entries, {:.0} MB/s on {threads} threads",
            verdict.entries,
            verdict.bytes as f64 / took / 1e6
        );
    }
}

fn main() {
    let folder = std::env::args_os().nth(1);
    let folder = folder.map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = folder.join(format!("ledger-{}", std::process::id()));
    measure(&folder, "small, few", 30_000, 600, 64);
    measure(&folder, "small, many", 300_000, 600, 1024);
    measure(&folder, "bodies", 100_000, 4096, 256);
    measure(&folder, "large", 4000, 100_000, 32);
    std::fs::remove_dir_all(&folder).unwrap();
}
