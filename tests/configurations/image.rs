//! The desk's image, made of a small static program and read back.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use testbed::process;

use super::{printed, root, text_of};

fn made(binary: &Path, folder: &Path) -> Output {
    let mut python = Command::new("python3");
    python
        .arg(root().join("envoy/image/oci.py"))
        .arg(binary)
        .arg(folder.join("image"));
    python.arg("--tar").arg(folder.join("image.tar"));
    python.args(["--name", "registry.example.com/portcullis-desk:1.2.3"]);
    python.output().unwrap()
}

fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// What a descriptor names, which is what it says.
fn blob(image: &Path, descriptor: &Value) -> (PathBuf, Vec<u8>) {
    let named = text_of(&descriptor["digest"]);
    let path = image.join("blobs").join(named.replace(':', "/"));
    let bytes = fs::read(&path).unwrap();
    assert_eq!(digest(&bytes), named);
    assert_eq!(json!(bytes.len()), descriptor["size"]);
    (path, bytes)
}

fn read(image: &Path, descriptor: &Value) -> Value {
    serde_json::from_slice(&blob(image, descriptor).1).unwrap()
}

#[test]
fn the_desk_s_image_is_what_its_digests_say_and_runs() {
    let folder = process::folder().unwrap();
    let source = folder.path().join("hello.rs");
    fs::write(&source, "fn main() { println!(\"hello from the image\"); }").unwrap();
    let binary = folder.path().join("hello");
    let mut rustc = Command::new("rustc");
    rustc.args([
        "-C",
        "target-feature=+crt-static",
        "-C",
        "strip=symbols",
        "-o",
    ]);
    printed(rustc.arg(&binary).arg(&source));

    let output = made(&binary, folder.path());
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8(output.stdout).unwrap();
    let image = folder.path().join("image");
    let layout = fs::read_to_string(image.join("oci-layout")).unwrap();
    assert_eq!(layout, r#"{"imageLayoutVersion":"1.0.0"}"#);
    let index: Value =
        serde_json::from_slice(&fs::read(image.join("index.json")).unwrap()).unwrap();
    let listed = &index["manifests"][0];
    assert_eq!(
        said.trim(),
        format!(
            "registry.example.com/portcullis-desk:1.2.3 {}",
            text_of(&listed["digest"])
        )
    );
    assert_eq!(
        listed["annotations"]["org.opencontainers.image.ref.name"],
        "1.2.3"
    );
    let manifest = read(&image, listed);
    let config = read(&image, &manifest["config"]);
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(
        config["config"]["Entrypoint"],
        json!(["/usr/bin/portcullis"])
    );
    assert_eq!(config["architecture"], listed["platform"]["architecture"]);
    let (layer, _) = blob(&image, &manifest["layers"][0]);
    let unpacked = Command::new("gzip")
        .arg("-dc")
        .arg(&layer)
        .output()
        .unwrap()
        .stdout;
    assert_eq!(config["rootfs"]["diff_ids"], json!([digest(&unpacked)]));

    // What a container has: the binary, two files that name its user, and a folder of that user's.
    let listing = printed(
        Command::new("tar")
            .args(["--numeric-owner", "-tvzf"])
            .arg(&layer),
    );
    let data = listing
        .lines()
        .find(|line| line.ends_with("var/lib/portcullis/"))
        .unwrap();
    assert!(data.starts_with("drwx------ 65532/65532"), "{data}");
    let count = listing.lines().filter(|line| line.starts_with('-')).count();
    assert_eq!(count, 3, "{listing}");
    let files = folder.path().join("files");
    fs::create_dir(&files).unwrap();
    printed(
        Command::new("tar")
            .arg("-C")
            .arg(&files)
            .args(["--no-same-owner", "-xzf"])
            .arg(&layer),
    );
    let inside = printed(&mut Command::new(files.join("usr/bin/portcullis")));
    assert_eq!(inside, "hello from the image\n");
    assert_eq!(
        fs::read(files.join("usr/bin/portcullis")).unwrap(),
        fs::read(&binary).unwrap()
    );

    // One file with the same, and the same again from the same binary.
    let listing = printed(
        Command::new("tar")
            .arg("-tf")
            .arg(folder.path().join("image.tar")),
    );
    for name in ["index.json", "oci-layout", "manifest.json"] {
        assert!(listing.lines().any(|line| line == name), "{listing}");
    }
    let again = process::folder().unwrap();
    assert_eq!(
        String::from_utf8(made(&binary, again.path()).stdout).unwrap(),
        said
    );
    let tars = [folder.path(), again.path()].map(|one| fs::read(one.join("image.tar")).unwrap());
    assert!(tars[0] == tars[1]);
}

#[test]
fn a_program_that_needs_libraries_makes_no_image() {
    let folder = process::folder().unwrap();
    let output = made(&std::env::current_exe().unwrap(), folder.path());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("expected a static one"), "{said}");
    assert!(!folder.path().join("image").exists());
    let output = made(&root().join("Cargo.toml"), folder.path());
    assert!(String::from_utf8_lossy(&output.stderr).contains("found no ELF"));
}
