//! `portcullis init`: from an empty folder to a guarded model server, for who has no identity
//! provider at hand.

mod envoy;
mod module;
mod policy;
mod says;
mod server;

#[cfg(test)]
mod tests;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use portcullis::exchange::CompiledPolicy;

use crate::check::Report;
use crate::development::{Issuer, KEY_FILE};

pub use server::Kind;
use server::{Found, Server};

/// The policy's file.
const POLICY_FILE: &str = "policy.json";

/// Envoy's configuration.
const ENVOY_FILE: &str = "envoy.yaml";

/// Where Envoy keeps records.
const RECORDS_FILE: &str = "sessions.log";

/// The arguments of the command.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder; it is made if it is missing.
    pub folder: PathBuf,
    /// The model server's address; looked for on this machine if there is none.
    pub model: Option<String>,
    /// What kind of server it is; asked if it isn't said.
    pub kind: Option<Kind>,
    /// The filter's module; looked for if there is none.
    pub wasm: Option<PathBuf>,
    /// The environment variable with the model server's key, where it wants one.
    pub credential: Option<String>,
    /// Where Envoy listens, on loopback.
    pub port: u16,
    /// Envoy's admin port, on loopback.
    pub admin_port: u16,
    /// Whether what is there is written anew, the key too.
    pub force: bool,
    /// Whether Envoy's configuration alone is written, with the policy that is there.
    pub envoy_only: bool,
    /// How the command was called, for the commands that are shown.
    pub called: String,
}

/// Writes the files and says what to do with them. The status is 0, 1 when there is nothing to guard
/// or no module, 2 when something can't be read or written.
#[must_use]
pub fn init(options: &Options) -> Report {
    match make(options) {
        Ok(output) => Report {
            output,
            error: String::new(),
            status: 0,
        },
        Err(Failed { why, status }) => Report {
            output: String::new(),
            error: format!("portcullis: {why}\n"),
            status,
        },
    }
}

struct Failed {
    why: String,
    status: u8,
}

fn missing(why: String) -> Failed {
    Failed { why, status: 1 }
}

fn unable(why: String) -> Failed {
    Failed { why, status: 2 }
}

fn make(options: &Options) -> Result<String, Failed> {
    check_names(options).map_err(unable)?;
    let module = module::find(options.wasm.as_deref()).map_err(missing)?;
    let Found { server, others } = server::find(options.model.as_deref(), options.kind)
        .map_err(|why| missing(format!("{why}\n{}", server::HOW)))?;
    let folder = &options.folder;
    let place = |name: &str| folder.join(name);
    let written: &[&str] = match options.envoy_only {
        true => &[],
        false => &[POLICY_FILE, KEY_FILE, ENVOY_FILE],
    };
    if !options.force
        && let Some(there) = written
            .iter()
            .map(|name| place(name))
            .find(|it| it.exists())
    {
        return Err(unable(format!(
            "{} is there already. --force writes all anew, the issuer's key too; --envoy-only \
             writes {ENVOY_FILE} alone, with the policy that is there",
            there.display()
        )));
    }
    fs::create_dir_all(folder)
        .map_err(|error| unable(format!("{} can't be made: {error}", folder.display())))?;
    let folder = folder
        .canonicalize()
        .map_err(|error| unable(format!("{}: {error}", folder.display())))?;
    let said = |name: &str, error: &dyn std::fmt::Display| {
        unable(format!(
            "{} can't be written: {error}",
            folder.join(name).display()
        ))
    };
    let policy = match options.envoy_only {
        true => kept_policy(&folder.join(POLICY_FILE)).map_err(unable)?,
        false => {
            let issuer = Issuer::new().map_err(unable)?;
            let policy = policy::text(&issuer, &server, options.credential.as_deref());
            // What is wrong here is a mistake of this program's, and must not be left in a folder.
            right(&policy).map_err(unable)?;
            issuer
                .write(&folder.join(KEY_FILE), options.force)
                .map_err(|error| said(KEY_FILE, &error))?;
            write(&folder.join(POLICY_FILE), &policy, options.force)
                .map_err(|error| said(POLICY_FILE, &error))?;
            policy
        }
    };
    let written = envoy::text(&envoy::Parts {
        port: options.port,
        admin_port: options.admin_port,
        records: &folder.join(RECORDS_FILE),
        module: &module,
        policy: &policy,
        server: &server,
    })
    .map_err(unable)?;
    let again = options.force || options.envoy_only;
    write(&folder.join(ENVOY_FILE), &written, again).map_err(|error| said(ENVOY_FILE, &error))?;
    Ok(says::text(&says::Told {
        folder: &folder,
        server: &server,
        others: &others,
        port: options.port,
        admin_port: options.admin_port,
        credential: options.credential.as_deref(),
        called: &options.called,
    }))
}

fn check_names(options: &Options) -> Result<(), String> {
    let name = options.credential.as_deref();
    let sound = |name: &str| {
        let mut letters = name.bytes();
        let first = letters.next();
        first.is_some_and(|one| one.is_ascii_alphabetic() || one == b'_')
            && letters.all(|one| one.is_ascii_alphanumeric() || one == b'_')
    };
    if name.is_some_and(|name| !sound(name)) {
        // It may be the key itself that was given.
        return Err(
            "--credential: expected the name of an environment variable that has the key, not the key"
                .to_owned(),
        );
    }
    if options.port == options.admin_port {
        return Err("--port and --admin-port: found the same port twice".to_owned());
    }
    Ok(())
}

/// The policy that stands in a file, if Envoy will take it.
fn kept_policy(file: &Path) -> Result<String, String> {
    let text = crate::policy::read(file)
        .map_err(|error| format!("{} can't be read: {error}", file.display()))?;
    right(&text).map_err(|why| format!("{}: {why}", file.display()))?;
    Ok(text)
}

fn right(policy: &str) -> Result<(), String> {
    let variable = |name: &str| crate::policy::variable(name, false);
    match CompiledPolicy::load(policy, &variable) {
        Ok(_) => Ok(()),
        Err(problems) => Err(crate::policy::problems("the policy is wrong", &problems)
            .trim_end()
            .to_owned()),
    }
}

fn write(file: &Path, text: &str, replace: bool) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true);
    match replace {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    options.open(file)?.write_all(text.as_bytes())
}

/// Where a server's own address is put together.
fn at(server: &Server, path: &str) -> String {
    format!("{}{path}", server.url)
}
