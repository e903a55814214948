//! Where the filter's module is.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What the file is called.
const NAME: &str = "portcullis.wasm";

/// Where cargo puts it, below its target directory.
const BUILT: &str = "wasm32-unknown-unknown/release";

/// How it is built.
const HOW: &str = "Build it with\n  cargo rustc --release --lib -p portcullis --crate-type cdylib \
                   --target wasm32-unknown-unknown\nor say where it is: --wasm FILE";

/// The file that is named, or the first that is there: beside this program, where cargo puts it, or
/// in the folder in which this is called.
pub(super) fn find(named: Option<&Path>) -> Result<PathBuf, String> {
    if let Some(named) = named {
        return whole(named)
            .ok_or_else(|| format!("--wasm {}: found no WebAssembly module", named.display()));
    }
    places()
        .iter()
        .find_map(|place| whole(place))
        .ok_or_else(|| format!("no {NAME} is beside this program or in target. {HOW}"))
}

fn places() -> Vec<PathBuf> {
    let mut places = Vec::new();
    let program = std::env::current_exe().ok();
    if let Some(beside) = program.as_deref().and_then(Path::parent) {
        places.push(beside.join(NAME));
        // Of target/debug/portcullis, target.
        if let Some(target) = beside.parent() {
            places.push(target.join(BUILT).join(NAME));
            places.push(target.join("wasm").join(BUILT).join(NAME));
        }
    }
    places.push(PathBuf::from(NAME));
    places.push(Path::new("target").join(BUILT).join(NAME));
    places.push(Path::new("target/wasm").join(BUILT).join(NAME));
    places
}

/// The whole path of a file, if it is a module.
fn whole(file: &Path) -> Option<PathBuf> {
    let mut magic = [0; 4];
    File::open(file).ok()?.read_exact(&mut magic).ok()?;
    (&magic == b"\0asm").then(|| file.canonicalize().ok())?
}
