//! `portcullis init`: from an empty folder to a guarded Ollama, by the commands that it prints.

mod servers;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use serde_json::{Value, json};
use testbed::model::{Answer, Model};
use testbed::process::{self, Process};
use testbed::{desk, envoy, http, port, wasm};

use crate::versions::in_each_envoy;

in_each_envoy!(an_empty_folder_becomes_a_guarded_ollama);

/// A double of Ollama, with what the real one sends.
fn ollama() -> Model {
    let model = Model::start().unwrap();
    let text = |text: &str| {
        Answer::new(200)
            .header("content-type", "text/plain; charset=utf-8")
            .body(text)
    };
    model.answer("/", text("Ollama is running"));
    model.answer("/api/version", Answer::json(&json!({"version": "0.12.6"})));
    model.answer(
        "/api/tags",
        Answer::json(&json!({"models": [{
            "name": "llama3.2:latest", "model": "llama3.2:latest",
            "modified_at": "2026-11-02T10:21:07.123456789Z", "size": 2_019_393_189_u64,
            "digest": "a80c4f17acd55265feec403c7aef86be0c25983ab279d83f3bcd3abbcb5b8b72",
            "details": {"parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"],
                        "parameter_size": "3.2B", "quantization_level": "Q4_K_M"},
        }]})),
    );
    model.answer(
        "/api/chat",
        Answer::new(200).header("content-type", "application/json; charset=utf-8").body(json!({
            "model": "llama3.2:latest", "created_at": "2026-11-02T10:22:45.499127Z",
            "message": {"role": "assistant", "content": "Write to ana@example.com."},
            "done_reason": "stop", "done": true,
            "total_duration": 4_883_583_458_u64, "load_duration": 1_334_875, "prompt_eval_count": 26,
            "prompt_eval_duration": 342_546_000, "eval_count": 282, "eval_duration": 4_535_599_000_u64,
        }).to_string()),
    );
    model
}

fn portcullis(arguments: &[&str], folder: &Path) -> Output {
    with_variables(arguments, folder, &[])
}

fn with_variables(arguments: &[&str], folder: &Path, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(desk::build().unwrap());
    command
        .args(arguments)
        .current_dir(folder)
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    let all = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8(all).unwrap()
}

/// The commands that are printed: what can be copied begins with two blanks.
fn commands(said: &str) -> Vec<&str> {
    said.lines()
        .filter_map(|line| line.strip_prefix("  "))
        .collect()
}

fn sh(command: &str) -> String {
    let output = Command::new("sh")
        .args(["-euc", command])
        .env("no_proxy", "127.0.0.1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{command}: {}",
        self::said(&output)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// An Envoy with this configuration, once it is ready.
fn started(version: &str, config: &Path, admin: u16, variables: &[(&str, &str)]) -> Process {
    let mut command = Command::new(envoy::find(Some(version)).unwrap().path);
    command
        .args([
            "--disable-hot-restart",
            "--concurrency",
            "1",
            "--file-flush-interval-msec",
            "50",
        ])
        .envs(variables.iter().copied())
        .arg("--config-path")
        .arg(config);
    let mut running = Process::spawn_in("Envoy", process::folder().unwrap(), command).unwrap();
    running
        .until("Envoy to be ready", Duration::from_secs(60), || {
            http::get(admin, "/ready").is_ok_and(|answer| answer.status == 200)
        })
        .unwrap();
    running
}

fn an_empty_folder_becomes_a_guarded_ollama(version: &str) {
    let model = ollama();
    let own = process::folder().unwrap();
    // Shells must not trip over it.
    let folder = own.path().join("it's here");
    let (port, admin) = (port::free().unwrap(), port::free().unwrap());
    let module = wasm::build().unwrap();
    let url = format!("http://127.0.0.1:{}", model.port());
    let (ports, admins) = (port.to_string(), admin.to_string());
    let arguments = [
        "init",
        "it's here",
        "--model",
        &url,
        "--wasm",
        module.to_str().unwrap(),
        "--port",
        &ports,
        "--admin-port",
        &admins,
    ];
    let output = portcullis(&arguments, own.path());
    let printed = said(&output);
    assert_eq!(output.status.code(), Some(0), "{printed}");
    assert!(printed.contains("Guarding Ollama at "), "{printed}");
    let commands = commands(&printed);
    let [envoy, token, chat, without, probe, doctor] = *commands else {
        panic!("{printed}");
    };

    // With func-e, the version and the file; here, an Envoy that is at hand.
    let config = folder.join("envoy.yaml");
    let quoted = format!("'{}'", config.to_str().unwrap().replace('\'', r"'\''"));
    let expected = format!(
        "ENVOY_VERSION={} func-e run --config-path {quoted}",
        envoy::CURRENT
    );
    assert_eq!(envoy, expected);
    let mut running = started(version, &config, admin, &[]);

    let run = |command: &str| {
        let printed = sh(&format!("{token}\n{command}"));
        let (body, status) = printed.trim_end().rsplit_once('\n').unwrap();
        (status.to_owned(), body.to_owned())
    };
    model.forget();
    let (status, body) = run(chat);
    assert_eq!(status, "200", "{body}");
    let answer: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(
        answer["message"]["content"], "Write to [EMAIL].",
        "{answer}"
    );
    assert_eq!(answer["total_duration"], 4_883_583_458_u64);
    let asked = model.received();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].json()["model"], "llama3.2:latest");
    assert_eq!(asked[0].header("authorization"), None);
    assert_eq!(run(without).0, "401");
    let (status, body) = run(probe);
    assert_eq!(status, "403", "{body}");
    assert!(body.contains("This prompt is not allowed."), "{body}");
    assert_eq!(model.received().len(), 1);

    // Each leaves a record.
    let log = folder.join("sessions.log");
    running
        .until("three records", Duration::from_secs(30), || {
            fs::read_to_string(&log).unwrap_or_default().lines().count() == 3
        })
        .unwrap();
    let records = fs::read_to_string(&log).unwrap();
    assert!(records.contains("probing-prompts"), "{records}");

    let printed = sh(doctor);
    assert!(
        printed.contains("0 errors, 0 warnings, 1 note"),
        "{printed}"
    );
    assert!(printed.contains("development_issuer"), "{printed}");
    files(&folder, &arguments, own.path());
}

/// What is written, by whom it may be read, and when it is written again.
fn files(folder: &Path, arguments: &[&str], own: &Path) {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let key = folder.join("development-issuer.key.json");
    let mode = fs::metadata(&key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (policy, secret) = (read("policy.json"), read("development-issuer.key.json"));
    let secret: Value = serde_json::from_str(&secret).unwrap();
    let secret = secret["d"].as_str().unwrap();
    assert!(!policy.contains(secret) && !read("envoy.yaml").contains(secret));

    let checked = portcullis(&["check", "policy.json"], folder);
    assert_eq!(checked.status.code(), Some(0), "{}", said(&checked));
    let checked = portcullis(&["check", "--strict", "policy.json"], folder);
    assert_eq!(checked.status.code(), Some(1));
    assert!(said(&checked).contains("/identity/providers/0: found an issuer for development"));

    let again = portcullis(arguments, own);
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    assert_eq!(read("policy.json"), policy);

    // After an edit, Envoy's file alone is made anew, and no key.
    let edited = policy.replace("This prompt is not allowed.", "Not this.");
    fs::write(folder.join("policy.json"), &edited).unwrap();
    let only = portcullis(&[arguments, &["--envoy-only"]].concat(), own);
    assert_eq!(only.status.code(), Some(0), "{}", said(&only));
    assert!(read("envoy.yaml").contains("Not this."));
    assert_eq!(read("policy.json"), edited);
    assert!(read("development-issuer.key.json").contains(secret));

    let all = portcullis(&[arguments, &["--force"]].concat(), own);
    assert_eq!(all.status.code(), Some(0), "{}", said(&all));
    assert!(!read("development-issuer.key.json").contains(secret));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let minted = portcullis(&["token", "mint", "--dev", ".", "--subject", "ana"], folder);
    assert_eq!(minted.status.code(), Some(2));
    assert!(
        said(&minted).contains("found mode 644, expected 600"),
        "{}",
        said(&minted)
    );
}
