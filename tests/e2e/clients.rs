//! The official client of OpenAI's API, with nothing changed but its base URL and its key.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::{Guarded, ana, idp, in_each_envoy, policy};

in_each_envoy!(openais_client_works_and_raises_its_own_errors);

/// The package on PyPI that is installed.
const PACKAGE: &str = "openai==3.54.0";

/// With this variable in the environment, a client that can't be installed fails the test.
pub const REQUIRED: &str = "PORTCULLIS_REQUIRE_CLIENTS";

fn openais_client_works_and_raises_its_own_errors(version: &str) {
    static PYTHON: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let python = match PYTHON.get_or_init(|| installed(PACKAGE)) {
        Ok(python) => python,
        Err(why) if env::var_os(REQUIRED).is_some() => panic!("{why}"),
        Err(why) => {
            eprintln!("skipped, since {PACKAGE} can't be installed: {why}");
            return;
        }
    };
    let guarded = Guarded::start(
        version,
        &policy(&json!({
            "masks": {"pii": {"detect": ["email", "credit_card"]}},
            "quotas": {
                "one": {"by": ["subject"], "count": "requests", "limit": 1, "per": "1h"},
            },
            "rules": [
                {
                    "name": "engineers",
                    "when": {"group": ["engineers"]},
                    "then": "allow",
                    "mask": ["pii"],
                },
                {
                    "name": "guests",
                    "when": {"group": ["guests"]},
                    "then": "allow",
                    "quota": ["one"],
                    "mask": ["pii"],
                },
            ],
        })),
    );
    guarded.model.say_tokens(&[
        "Write to an",
        "a@corp",
        ".com about ",
        "4111 1111 1111 1111",
        ".",
    ]);
    let asked = json!({
        "base_url": format!("{}/v1", guarded.mesh.url()),
        "good": ana(),
        "expired": idp().expired("ana", &["engineers"]),
        "denied": idp().good("sam", &["sales"]),
        "scarce": idp().good("gus", &["guests"]),
    });
    let got = run(python, "openai_client.py", &asked);

    let masked = "Write to [EMAIL] about [CREDIT_CARD].";
    assert_eq!(got["chat"], masked);
    assert_eq!(got["finish_reason"], "stop");
    let pieces: Vec<&str> = got["stream"].as_array().unwrap().iter().map(text).collect();
    assert_eq!(pieces.concat(), masked);
    assert!(pieces.len() > 2, "{pieces:?}");
    let vector = json!([0.25, -0.5, 0.125]);
    assert_eq!(got["embeddings"], json!([vector, vector]));
    assert_eq!(got["models"], json!(["small-1", "large-1"]));
    assert!(got["tokens"].as_u64().unwrap() > 0);

    for (name, kind, status, code) in [
        ("expired", "AuthenticationError", 401, "token_expired"),
        ("stranger", "AuthenticationError", 401, "token_malformed"),
        ("denied", "PermissionDeniedError", 403, "denied"),
        ("over_quota", "RateLimitError", 429, "quota_exceeded"),
        (
            "streamed_over_quota",
            "RateLimitError",
            429,
            "quota_exceeded",
        ),
    ] {
        let error = &got[name];
        assert_eq!(error["type"], kind, "{name}: {error}");
        assert_eq!(error["status"], status, "{name}: {error}");
        assert_eq!(error["code"], code, "{name}: {error}");
        assert!(!text(&error["message"]).is_empty());
        let wait = error["retry_after"].as_str();
        assert_eq!(wait.is_some(), status == 429, "{name}: {error}");
    }
    // Ana's four requests and the one that the guest had.
    assert_eq!(guarded.model.received().len(), 5);
}

fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a text: {value}"))
}

/// What a script beside this file prints when it is asked this.
pub fn run(python: &Path, script: &str, asked: &Value) -> Value {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e");
    let script = scripts.join(script);
    let mut child = Command::new(python)
        .arg(script)
        // A proxy that this machine may need is not for a server on it.
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Dropped at once, which ends the script's input.
    child
        .stdin
        .take()
        .unwrap()
        .write_all(asked.to_string().as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the script failed:\n{errors}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A Python that has the package, in a folder below the target directory; made if it isn't there.
pub fn installed(package: &str) -> Result<PathBuf, String> {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let said = |error: std::io::Error| format!("{}: {error}", cache.display());
    fs::create_dir_all(cache).map_err(said)?;
    // Another run of the tests may be at it.
    let lock = File::create(cache.join(format!("{package}.lock"))).map_err(said)?;
    lock.lock().map_err(said)?;
    let folder = cache.join(package);
    let python = folder.join("bin/python");
    let done = folder.join("installed");
    if !done.is_file() {
        eprintln!("installing {package} (once) ...");
        succeeds(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )?;
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        succeeds(Command::new(&python).args(pip).arg(package))?;
        File::create(&done).map_err(said)?;
    }
    Ok(python)
}

fn succeeds(command: &mut Command) -> Result<(), String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("{command:?} failed: {errors}"))
}
