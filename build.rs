//! What is made at build time.
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}
