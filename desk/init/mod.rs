//! `portcullis init`: from an empty folder to a guarded model server, for who has no identity
//! provider at hand.

mod envoy;
mod files;
mod find;
mod kind;
mod module;
mod policy;
mod says;
mod server;
mod trust;

#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use portcullis::exchange::CompiledPolicy;

use crate::check::Report;
use crate::development::{Issuer, KEY_FILE};

use files::Files;
use find::Found;
pub use kind::Kind;
use server::{Address, Server};

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
    /// Where the model server's gRPC is, if not where it usually is.
    pub grpc: Option<String>,
    /// The environment variable with the model server's key, where it wants one.
    pub credential: Option<String>,
    /// A file with the authorities that the model server's certificate must lead to (PEM), instead of
    /// the system's.
    pub ca: Option<PathBuf>,
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

/// Writes the files and says what to do with them. The status is 0, 1 when there is nothing to guard,
/// no module or no port, 2 when something can't be read or written.
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
    let authorities = authorities(options).map_err(unable)?;
    let module = module::find(options.wasm.as_deref()).map_err(missing)?;
    let key = options.credential.as_deref();
    let key = key.and_then(|name| std::env::var(name).ok());
    let has_key = key.is_some();
    let roots = authorities.as_deref().map(trust::roots).transpose();
    let Found {
        server,
        others,
        note,
    } = find::find(find::Said {
        model: options.model.as_deref(),
        kind: options.kind,
        credential: options.credential.as_deref(),
        key,
        roots: roots.map_err(unable)?,
    })
    .map_err(missing)?;
    let grpc = server.grpc(options.grpc.as_deref()).map_err(unable)?;
    let is_new = !options.force && !options.envoy_only;
    let mut files = Files::at(&options.folder, is_new);
    if is_new {
        files
            .must_not_be(&[POLICY_FILE, KEY_FILE, ENVOY_FILE])
            .map_err(unable)?;
        // An Envoy that serves what was written before may go on while it is written again.
        ports(options).map_err(missing)?;
    }
    let folder = files.make_folder().map_err(unable)?;
    let issuer = match options.envoy_only {
        true => None,
        false => Some(Issuer::new().map_err(unable)?),
    };
    let policy = match &issuer {
        None => kept_policy(&folder.join(POLICY_FILE)).map_err(unable)?,
        Some(issuer) => {
            let policy = policy::text(issuer, &server, options.credential.as_deref());
            // What is wrong here is a mistake of this program's, and must not be left in a folder.
            right(&policy).map_err(unable)?;
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
        grpc: options.grpc.as_deref(),
        authorities: authorities.as_deref(),
    })
    .map_err(unable)?;
    if let Some(issuer) = &issuer {
        files
            .write(KEY_FILE, |file| issuer.write(file, options.force))
            .map_err(unable)?;
        files.write_text(POLICY_FILE, &policy).map_err(unable)?;
    }
    files.write_text(ENVOY_FILE, &written).map_err(unable)?;
    files.keep();
    Ok(says::text(&says::Told {
        folder: &folder,
        server: &server,
        others: &others,
        note: note.as_deref(),
        grpc: grpc.as_ref(),
        has_key,
        options,
    }))
}

/// The file with the authorities to trust, where something is reached by TLS.
fn authorities(options: &Options) -> Result<Option<PathBuf>, String> {
    let mut by_tls = false;
    for (option, text) in [("--model", &options.model), ("--grpc", &options.grpc)] {
        if let Some(text) = text {
            by_tls |= Address::read(option, text)?.tls;
        }
    }
    match (by_tls, &options.ca) {
        (true, named) => trust::find(named.as_deref()).map(Some),
        (false, Some(_)) => Err(
            "--ca: found no https:// address by --model, expected one: only there are certificates"
                .to_owned(),
        ),
        (false, None) => Ok(None),
    }
}

/// Whether Envoy will have its ports. It would share one with another Envoy of the same user's, which
/// then gets some of the requests.
fn ports(options: &Options) -> Result<(), String> {
    for (option, port) in [
        ("--port", options.port),
        ("--admin-port", options.admin_port),
    ] {
        if let Err(error) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            return Err(format!(
                "{option} {port}: found something at 127.0.0.1:{port} ({error}), expected a port that is free: \
                 say another by {option}"
            ));
        }
    }
    Ok(())
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

/// Where a server's own address is put together.
fn at(server: &Server, path: &str) -> String {
    format!("{}{path}", server.url)
}
