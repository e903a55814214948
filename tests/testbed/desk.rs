//! The desk's binary.

use std::env;
use std::path::PathBuf;
use std::sync::OnceLock;

use crate::{dirs, nested};

/// Builds the desk, once for all tests of a process, and gives the path of its
/// binary. The environment variable `PORTCULLIS_DESK` names one to take instead.
///
/// # Errors
/// When the build fails, with the end of cargo's output.
pub fn build() -> Result<PathBuf, String> {
    static BUILT: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    BUILT.get_or_init(ready_or_built).clone()
}

fn ready_or_built() -> Result<PathBuf, String> {
    if let Some(ready) = env::var_os("PORTCULLIS_DESK") {
        let ready = PathBuf::from(ready);
        return match ready.is_file() {
            true => Ok(ready),
            false => Err(format!(
                "PORTCULLIS_DESK names {}, which is not a file",
                ready.display()
            )),
        };
    }
    let output = dirs::target();
    eprintln!("building the desk ...");
    let mut cargo = nested::command("cargo");
    cargo.args([
        "build",
        "--package",
        "portcullis-desk",
        "--bin",
        "portcullis",
    ]);
    nested::run(cargo.arg("--target-dir").arg(&output))?;
    let binary = output.join("debug").join("portcullis");
    match binary.is_file() {
        true => Ok(binary),
        false => Err(format!("cargo built no {}", binary.display())),
    }
}
