//! What it costs to judge bodies where V8 runs the filter: `cargo bench --bench facts`.
//!
//! For each kind of body it prints Envoy's processor time for a request of 4 MB under three policies:
//! one that asks for nothing of a body, one that counts what is asked for, and one that looks for a
//! phrase in every text. What the last two add to the first is said in MB a second, the way of the
//! bytes into the module's memory among it. Nothing is asserted about time; an answer other than 200
//! ends the run with an error.
//!
//! Words behind `--` choose bodies by a part of their name.

#[path = "common/cpu.rs"]
mod cpu;

use std::env;
use std::process::ExitCode;

use cpu::Used;
use serde_json::{Value, json};
use testbed::http::{Client, Request};
use testbed::idp::{AUDIENCE, Idp};
use testbed::mesh::Mesh;
use testbed::model::{Answer, Model};

/// How large a body is, more or less.
const BODY_BYTES: usize = 4_000_000;

/// How often each is sent; the fastest tenth counts.
const REQUESTS: usize = 60;

fn main() -> ExitCode {
    // `cargo test --benches` runs this too, without the word that `cargo bench` gives.
    let (flags, words): (Vec<_>, Vec<_>) =
        env::args().skip(1).partition(|word| word.starts_with('-'));
    if !flags.iter().any(|flag| flag == "--bench") {
        println!("nothing measured: run `cargo bench --bench facts`");
        return ExitCode::SUCCESS;
    }
    match measure(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("facts: {why}");
            ExitCode::FAILURE
        }
    }
}

/// As many of an element as make a body of the usual size.
fn filled(front: &str, element: &str, end: &str) -> Vec<u8> {
    let count = BODY_BYTES / (element.len() + 1);
    let elements = vec![element; count].join(",");
    [front, &elements, end].concat().into_bytes()
}

/// Bodies by name, with their paths.
fn bodies() -> [(&'static str, &'static str, Vec<u8>); 4] {
    let turn = json!({"role": "user", "content": "Say in a few sentences, please, what \"rain\" is.\n".repeat(20)});
    [
        (
            "chat",
            "/v1/chat/completions",
            filled(r#"{"model":"m","messages":["#, &turn.to_string(), "]}"),
        ),
        (
            "embeddings' inputs",
            "/v1/embeddings",
            filled(
                r#"{"model":"m","input":["#,
                "\"a sentence of some words\"",
                "]}",
            ),
        ),
        (
            "token ids",
            "/v1/completions",
            filled(r#"{"model":"m","prompt":["#, "15496", "]}"),
        ),
        (
            "tensors",
            "/v2/models/m/infer",
            filled(
                r#"{"inputs":[{"name":"x","datatype":"FP32","shape":[1],"data":["#,
                "0.0123456",
                "]}]}",
            ),
        ),
    ]
}

fn policy(idp: &Idp, rule: Option<Value>) -> Value {
    let all = json!({"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"});
    let rules: Vec<Value> = rule.into_iter().chain([all]).collect();
    json!({
        "version": 1,
        "identity": {"providers": [{
            "name": "corp",
            "issuer": idp.issuer(),
            "audiences": [AUDIENCE],
            "keys": {"jwks": idp.jwks()},
        }]},
        "patterns": {"phrase": {"any_of": ["(?i)ignore all previous instructions"]}},
        "rules": rules,
        "otherwise": "deny",
    })
}

fn measure(words: &[String]) -> Result<(), String> {
    let idp = Idp::start()?;
    let model = Model::start()?;
    let token = idp.good("ana", &[]);
    let count = json!({"name": "many", "when": {"items": {"over": 1_000_000_000}}, "then": "deny"});
    // Token ids can't be read, which alone would deny: the second condition never holds.
    let phrase = json!({
        "name": "phrase",
        "when": {"prompt": ["phrase"], "items": {"over": 1_000_000_000}},
        "then": "deny",
    });
    let meshes = [None, Some(count), Some(phrase)].map(|rule| {
        Mesh::builder()
            .policy(policy(&idp, rule))
            .model(model.port())
            .concurrency(1)
            .without_access_logs()
            .alone()
            .start()
    });
    let [plain, counted, read] = meshes;
    let meshes = [plain?, counted?, read?];
    println!(
        "{:22}{:>12}{:>12}{:>12}{:>12}{:>12}",
        "Envoy's CPU time, ms", "unread", "counted", "MB/s", "read", "MB/s"
    );
    for (name, path, body) in bodies() {
        if !words.is_empty() && !words.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let answer = Answer::new(200).header("content-type", "application/json");
        model.answer(path, answer.body("{}"));
        let request = || {
            Request::post(path)
                .bearer(&token)
                .header("content-type", "application/json")
                .body(body.clone())
        };
        let [plain, counted, read] = &meshes;
        let unread = cost(plain, &request)?;
        let counted = cost(counted, &request)?;
        let read = cost(read, &request)?;
        let kilobytes = f64::from(u32::try_from(body.len() / 1000).unwrap_or(u32::MAX));
        let speed = |cost: f64| kilobytes / (cost - unread);
        println!(
            "{name:22}{unread:>12.2}{counted:>12.2}{:>12.0}{read:>12.2}{:>12.0}",
            speed(counted),
            speed(read),
        );
    }
    Ok(())
}

/// Envoy's processor time for a request, in milliseconds.
fn cost(mesh: &Mesh, request: &dyn Fn() -> Request) -> Result<f64, String> {
    let client = Client::http1(mesh.port())?;
    let mut costs = Vec::new();
    // V8 compiles what is used often once more.
    for _ in 0..REQUESTS {
        let before = Used::now(mesh.id())?;
        let answer = client.send(request())?;
        if answer.status != 200 {
            return Err(format!(
                "an answer with the status {}: {}",
                answer.status,
                answer.text()
            ));
        }
        let used = Used::now(mesh.id())?.since(&before)?;
        costs.push(used.as_secs_f64() * 1e3);
    }
    costs.sort_by(f64::total_cmp);
    Ok(costs.get(REQUESTS / 10).copied().unwrap_or(f64::NAN))
}
