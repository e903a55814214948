//! An OpenID provider that nobody here wrote: `oidc-provider` from npm, which
//! runs in Node.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::http::{self, Request};
use crate::port::Reserved;
use crate::process::{self, Process};
use crate::{dirs, nested, wait};

/// Which version of it.
const PACKAGE: &str = include_str!("package.json");

const CLIENT: &str = "batch";
const SECRET: &str = "batch-secret-2f71c9";

/// How long the provider may take to listen.
const STARTING: Duration = Duration::from_secs(60);

/// The provider, with one client that gets tokens of its own (RFC 6749, section
/// 4.4): JWTs for [`crate::idp::AUDIENCE`], signed with RS256. Dropping it stops
/// it.
#[derive(Debug)]
pub struct Oidc {
    port: Reserved,
    issuer: String,
    folder: TempDir,
    process: Option<Process>,
}

impl Oidc {
    /// Installs the package below the target directory, if it is not there yet,
    /// and says where. Tests that start together install once.
    ///
    /// # Errors
    /// When there is no Node or no npm, or npm fails.
    pub fn installed() -> Result<&'static Path, String> {
        static INSTALLED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let installed = INSTALLED.get_or_init(install);
        installed.as_deref().map_err(Clone::clone)
    }

    /// Starts it on a free port of the loopback interface.
    ///
    /// # Errors
    /// When it can't be installed or does not start.
    pub fn start() -> Result<Self, String> {
        Self::start_as(|port| format!("http://127.0.0.1:{port}"))
    }

    /// As [`Oidc::start`], under the issuer that is made of its port: its
    /// discovery document and its tokens say so, wherever they were asked for.
    ///
    /// # Errors
    /// As [`Oidc::start`].
    pub fn start_as(issuer: impl FnOnce(u16) -> String) -> Result<Self, String> {
        let port = Reserved::take()?;
        let mut provider = Self {
            issuer: issuer(port.number()),
            port,
            folder: process::folder()?,
            process: None,
        };
        provider.come_back()?;
        Ok(provider)
    }

    /// What it calls itself.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// A new access token, as the client gets it.
    ///
    /// # Errors
    /// When the provider gives none.
    pub fn token(&self) -> Result<String, String> {
        let credential = base64::Engine::encode(
            &base64::engine::general_purpose::STANDARD,
            format!("{CLIENT}:{SECRET}"),
        );
        let request = Request::post("/token")
            .header("authorization", format!("Basic {credential}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials&scope=infer");
        let answer = http::send(self.port(), request)?;
        let token = answer.json();
        let token = token.get("access_token").and_then(Value::as_str);
        token
            .map(str::to_owned)
            .ok_or_else(|| format!("no token: {} {}", answer.status, answer.text()))
    }

    /// Makes a new key, which signs from now on. Older keys stay published.
    ///
    /// # Errors
    /// When the provider does not do it.
    pub fn rotate(&self) -> Result<(), String> {
        self.control("/testbed/rotate")
    }

    /// No longer publishes any key but the one that signs.
    ///
    /// # Errors
    /// When the provider does not do it.
    pub fn retire(&self) -> Result<(), String> {
        self.control("/testbed/retire")
    }

    /// Stops it. Its keys are kept.
    pub fn go_away(&mut self) {
        self.process = None;
    }

    /// Starts it again where it was, with the same keys.
    ///
    /// # Errors
    /// When it does not start.
    pub fn come_back(&mut self) -> Result<(), String> {
        if self.process.is_some() {
            return Ok(());
        }
        let node = nested::on_path("node").ok_or("node is not on PATH")?;
        let installed = Self::installed()?;
        let port = self.port();
        let mut command = nested::command(node);
        command
            .arg(script("provider.mjs"))
            .arg(installed)
            .arg(port.to_string())
            .arg(&self.issuer)
            .arg(self.folder.path().join("keys.json"))
            .arg(SECRET);
        let mut process = Process::spawn("oidc-provider", command)?;
        process.until("oidc-provider to listen", STARTING, || {
            wait::port(port, Duration::ZERO).is_ok()
        })?;
        self.process = Some(process);
        Ok(())
    }

    fn control(&self, path: &str) -> Result<(), String> {
        match http::send(self.port(), Request::post(path))?.status {
            200 => Ok(()),
            status => Err(format!("{path}: {status}")),
        }
    }
}

fn install() -> Result<PathBuf, String> {
    for program in ["node", "npm"] {
        nested::on_path(program).ok_or_else(|| format!("{program} is not on PATH"))?;
    }
    let version = version()?;
    let name = format!("oidc-provider-{version}");
    let folder = dirs::target().join("testbed").join(&name);
    let done = folder.join("installed");
    dirs::exclusively(&name, || {
        if done.is_file() {
            return Ok(());
        }
        eprintln!("installing oidc-provider {version} (once) ...");
        let said = |error: std::io::Error| format!("{}: {error}", folder.display());
        fs::create_dir_all(&folder).map_err(said)?;
        fs::write(folder.join("package.json"), PACKAGE).map_err(said)?;
        let mut npm = nested::command(OsStr::new("npm"));
        npm.current_dir(&folder).args(["install", "--no-fund"]);
        // A lock file would name the registry that this machine uses.
        npm.args(["--no-package-lock", "--no-audit", "--ignore-scripts"]);
        nested::run(&mut npm)?;
        fs::write(&done, version.as_bytes()).map_err(said)
    })?;
    Ok(folder)
}

fn version() -> Result<String, String> {
    let package: Value = serde_json::from_str(PACKAGE).map_err(|error| error.to_string())?;
    let version = package.pointer("/dependencies/oidc-provider");
    let version = version.and_then(Value::as_str);
    Ok(version
        .ok_or("package.json names no oidc-provider")?
        .to_owned())
}

fn script(name: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join("oidc").join(name)
}

#[cfg(test)]
mod tests;
