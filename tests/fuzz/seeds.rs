//! Where a fuzzer begins.

use std::path::Path;
use std::sync::Once;
use std::{env, fs};

static SEEDS: Once = Once::new();

/// Writes inputs into the folder that `PORTCULLIS_SEEDS` names, if it names one.
pub fn write(seeds: fn() -> Vec<Vec<u8>>) {
    SEEDS.call_once(|| {
        let Some(folder) = env::var_os("PORTCULLIS_SEEDS") else {
            return;
        };
        let folder = Path::new(&folder);
        fs::create_dir_all(folder).expect("a folder for the seeds");
        for (number, seed) in seeds().iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed).expect("a seed is written");
        }
    });
}
