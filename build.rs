//! What is made at build time: every dialect's routes without what is for people, to be read once when
//! the filter starts.

use std::error::Error;
use std::fs;
use std::path::Path;

const DIALECTS: &str = "filter/dialect";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={DIALECTS}");
    let out = std::env::var("OUT_DIR")?;
    for entry in fs::read_dir(DIALECTS)? {
        let entry = entry?;
        for (file, kind) in [("routes.txt", "txt"), ("layout.txt", "layout")] {
            let file = entry.path().join(file);
            if file.exists() {
                let name = entry.file_name();
                let to = Path::new(&out).join(name).with_extension(kind);
                fs::write(to, packed(&fs::read_to_string(file)?))?;
            }
        }
    }
    Ok(())
}

/// The text without comments and empty lines, with one blank where there are several.
fn packed(text: &str) -> String {
    let mut packed = String::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.first().is_none_or(|word| word.starts_with('#')) {
            continue;
        }
        // What belongs to the line above is told by the blank in front of it.
        if line.starts_with([' ', '\t']) {
            packed.push(' ');
        }
        packed.push_str(&words.join(" "));
        packed.push('\n');
    }
    packed
}
