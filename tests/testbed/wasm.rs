//! The filter, built as Envoy loads it, and another module for tests.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::{dirs, nested};

const TARGET: &str = "wasm32-unknown-unknown";

/// Builds `portcullis.wasm` (a minute the first time), once for all tests of a
/// process, and gives its path. The environment variable `PORTCULLIS_WASM` names
/// a module to take instead.
///
/// # Errors
/// When no toolchain on this machine can build for wasm32 (the message says what
/// to install) or the build fails (with the end of cargo's output).
pub fn build() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(ready_or_built).clone()
}

fn ready_or_built() -> Result<PathBuf, String> {
    if let Some(ready) = env::var_os("PORTCULLIS_WASM") {
        let ready = PathBuf::from(ready);
        return match ready.is_file() {
            true => Ok(ready),
            false => Err(format!(
                "PORTCULLIS_WASM names {}, which is not a file",
                ready.display()
            )),
        };
    }
    built("portcullis", "release")
}

/// As [`build`], for the module that judges signatures instead of requests (`tests/signature_module`).
///
/// # Errors
/// As for [`build`].
pub fn signature_module() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT
        .get_or_init(|| built("signature_module", "signature_module"))
        .clone()
}

/// Builds the module of a package.
fn built(package: &str, profile: &str) -> Result<PathBuf, String> {
    // A target directory of its own: the build neither waits for the cargo that
    // may be running now, nor throws away what that one built.
    let output = dirs::target().join("wasm");
    dirs::exclusively("wasm", || {
        let mut cargo = Toolchain::choose()?.cargo();
        // As a library of two kinds, a module gets no optimization across crates.
        cargo.args(["rustc", "--package", package, "--lib"]);
        cargo.args(["--crate-type", "cdylib"]);
        cargo.args(["--profile", profile, "--target", TARGET]);
        cargo.arg("--target-dir").arg(&output);
        eprintln!("building {package}.wasm (a minute the first time) ...");
        nested::run(&mut cargo)
    })?;
    let module = output.join(TARGET).join(profile);
    let module = module.join(format!("{package}.wasm"));
    match module.is_file() {
        true => Ok(module),
        false => Err(format!("cargo built no {}", module.display())),
    }
}

/// Who builds.
enum Toolchain {
    /// The one on PATH, which has the target's standard library.
    Own,
    /// Debian's, which builds the standard library from source.
    Debian { linker: PathBuf },
}

impl Toolchain {
    fn choose() -> Result<Self, String> {
        if nested::on_path("rustc").is_some() {
            if has_target()? {
                return Ok(Self::Own);
            }
            if nested::on_path("rustup").is_some() {
                eprintln!("installing the standard library for {TARGET} ...");
                let added = nested::run(nested::command("rustup").args(["target", "add", TARGET]));
                if added.is_ok() && has_target()? {
                    return Ok(Self::Own);
                }
            }
        }
        debian().ok_or_else(|| {
            format!(
                "nothing here can build for {TARGET}. Run `rustup target add {TARGET}`, or on \
                 Debian `apt-get install rustc-web cargo-web rust-web-src lld-22`"
            )
        })
    }

    /// A cargo whose command is still to be said.
    fn cargo(&self) -> Command {
        match self {
            Self::Own => nested::command("cargo"),
            Self::Debian { linker } => {
                let mut cargo = nested::command("/usr/bin/cargo");
                cargo
                    .env_remove("RUSTUP_TOOLCHAIN")
                    .env("RUSTC", "/usr/bin/rustc")
                    // The standard library from source needs a flag that only a
                    // nightly compiler takes, or one that is told to be one.
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker)
                    .arg("-Zbuild-std=std,panic_abort");
                cargo
            }
        }
    }
}

/// Whether rustc on PATH comes with the target's standard library.
fn has_target() -> Result<bool, String> {
    let output = nested::run(nested::command("rustc").args(["--print", "sysroot"]))?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let library = sysroot.join("lib/rustlib").join(TARGET).join("lib");
    Ok(library.is_dir())
}

/// Debian's toolchain for the web, if all its packages are there.
fn debian() -> Option<Toolchain> {
    let linker = PathBuf::from("/usr/bin/lld-22");
    let needed = [
        Path::new("/usr/bin/cargo"),
        Path::new("/usr/bin/rustc"),
        Path::new("/usr/lib/rustlib/src/rust/library"),
        linker.as_path(),
    ];
    let whole = needed.iter().all(|path| path.exists());
    whole.then_some(Toolchain::Debian { linker })
}
