//! Where things are kept: the workspace, its target directory, the caches in it.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The workspace's root.
pub(crate) fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    match here.ancestors().nth(2) {
        Some(root) => root.to_path_buf(),
        None => here.to_path_buf(),
    }
}

/// Cargo's target directory, where the caches of the testbed are kept too.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(chosen) if !chosen.is_empty() => workspace().join(chosen),
        _ => workspace().join("target"),
    }
}

/// Runs `work` while no other process runs work of the same name, so that tests
/// that start together install or build once.
pub(crate) fn exclusively<T>(
    name: &str,
    work: impl FnOnce() -> Result<T, String>,
) -> Result<T, String> {
    let folder = target().join("testbed");
    let said = |what: &str, error: std::io::Error| format!("{what} {}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(|e| said("cannot make the folder", e))?;
    let file = File::create(folder.join(format!("{name}.lock")))
        .map_err(|e| said("cannot make a lock file in", e))?;
    file.lock()
        .map_err(|e| said("cannot take the lock in", e))?;
    work()
}
