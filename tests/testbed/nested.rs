//! Commands that must not inherit what cargo set for the test that runs them.

use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What cargo or a wrapper sets for its children and what would steer a build
/// inside a build: the outer toolchain, its flags, the outer package.
const SET_BY_CARGO: [&str; 16] = [
    "CARGO",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "CARGO_TARGET_TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "LLVM_PROFILE_FILE",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOC",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "OUT_DIR",
];

/// The names of one crate's build: CARGO_PKG_NAME, CARGO_MANIFEST_DIR and so on.
const OF_ONE_CRATE: [&str; 6] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_",
    "CARGO_PRIMARY_",
    "CARGO_CFG_",
];

/// A command in the workspace's root, without the environment of the cargo that
/// started this process. What belongs to the person (proxies, CARGO_HOME,
/// registry settings) stays.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(crate::dirs::workspace());
    for name in SET_BY_CARGO {
        command.env_remove(name);
    }
    for (name, _) in env::vars_os() {
        let of_one_crate = name
            .to_str()
            .is_some_and(|name| OF_ONE_CRATE.iter().any(|start| name.starts_with(start)));
        if of_one_crate {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end; an exit status other than zero is an error with
/// the last lines of what it printed.
pub(crate) fn run(command: &mut Command) -> Result<Output, String> {
    let shown = shown(command);
    let output = command
        .output()
        .map_err(|error| format!("`{shown}` cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.push_str(&String::from_utf8_lossy(&output.stderr));
    let status = output.status;
    Err(format!("`{shown}` failed ({status}):\n{}", tail(&text, 40)))
}

/// The last `lines` lines of a text.
pub(crate) fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    let from = all.len().saturating_sub(lines);
    all.get(from..).unwrap_or_default().join("\n")
}

/// The first executable of that name on PATH.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    file.metadata()
        .is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

fn shown(command: &Command) -> String {
    let mut text = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}
