//! A module that is a filter by its exports and does nothing, written byte by byte: it has no
//! callback for headers or bodies, so Envoy only tells it that a stream has begun.

use std::fs;
use std::path::PathBuf;

/// Of each function: its exported name, how many numbers it takes and gives, and its code.
const FUNCTIONS: [(&str, u8, u8, &[u8]); 3] = [
    ("proxy_abi_version_0_2_1", 0, 0, &[]),
    ("proxy_on_context_create", 2, 0, &[]),
    // The address 1024, far from what anybody else uses.
    ("proxy_on_memory_allocate", 1, 1, &[0x41, 0x80, 0x08]),
];

const I32: u8 = 0x7f;

/// Writes the module, and gives its path: in Cargo's folder for what benches write.
///
/// # Errors
/// When it can't be written.
pub fn module() -> std::io::Result<PathBuf> {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("empty.wasm");
    fs::write(&file, bytes())?;
    Ok(file)
}

fn bytes() -> Vec<u8> {
    let mut types = Vec::new();
    let mut functions = Vec::new();
    let mut exports = vec![named("memory", [0x02, 0])];
    let mut codes = Vec::new();
    for (index, (name, takes, gives, code)) in (0..).zip(FUNCTIONS) {
        let values = |count| list(vec![vec![I32]; usize::from(count)]);
        types.push([vec![0x60], values(takes), values(gives)].concat());
        functions.push(vec![index]);
        exports.push(named(name, [0x00, index]));
        codes.push(sized(&[&[0], code, &[0x0b]].concat()));
    }
    let memory = list(vec![vec![0x00, 1]]);
    [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, list(types)),
        section(3, list(functions)),
        section(5, memory),
        section(7, list(exports)),
        section(10, list(codes)),
    ]
    .concat()
}

fn named(name: &str, what: [u8; 2]) -> Vec<u8> {
    [sized(name.as_bytes()), what.to_vec()].concat()
}

fn section(kind: u8, content: Vec<u8>) -> Vec<u8> {
    [vec![kind], sized(&content)].concat()
}

fn list(items: Vec<Vec<u8>>) -> Vec<u8> {
    [number(items.len()), items.concat()].concat()
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [number(bytes.len()), bytes.to_vec()].concat()
}

/// Lengths are below 128 here, which one byte holds.
fn number(length: usize) -> Vec<u8> {
    vec![u8::try_from(length).unwrap_or(u8::MAX)]
}
