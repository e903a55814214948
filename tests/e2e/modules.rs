//! Other modules, made of the one that was built.

use std::fs;
use std::ops::Range;
use std::path::Path;

use wasmparser::{ExternalKind, Parser, Payload, TypeRef};

/// The module with one exported function that traps at once. The function keeps its length, so
/// everything else stays where it is.
pub fn trapping(module: &Path, export: &str) -> Vec<u8> {
    const UNREACHABLE: u8 = 0x00;
    const NOP: u8 = 0x01;
    const END: u8 = 0x0b;
    let mut bytes = fs::read(module).unwrap();
    let (mut imported, mut index, mut bodies) = (0, None, Vec::new());
    for payload in Parser::new(0).parse_all(&bytes) {
        match payload.unwrap() {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += usize::from(matches!(import.unwrap().ty, TypeRef::Func(_)));
                }
            }
            Payload::ExportSection(exports) => {
                for one in exports {
                    let one = one.unwrap();
                    if one.name == export && one.kind == ExternalKind::Func {
                        index = Some(usize::try_from(one.index).unwrap());
                    }
                }
            }
            Payload::CodeSectionEntry(body) => {
                let Range { start, end } = body.range();
                bodies.push(usize::try_from(start).unwrap()..usize::try_from(end).unwrap());
            }
            _ => {}
        }
    }
    let index = index.unwrap_or_else(|| panic!("the module does not export {export}"));
    let body = &mut bytes[bodies[index - imported].clone()];
    let (last, rest) = body.split_last_mut().unwrap();
    rest.fill(NOP);
    // No local variables, then the trap.
    rest[0] = 0;
    rest[1] = UNREACHABLE;
    *last = END;
    bytes
}

/// What a module says in `www-authenticate`, and what the one that [`renamed`] makes says.
pub const REALM: &str = "realm=\"portcullis\"";
pub const OTHER_REALM: &str = "realm=\"Portcullis\"";

/// The module as another build of it is: with another digest, and a text of its own by which clients
/// can tell it.
pub fn renamed(module: &Path) -> Vec<u8> {
    let mut bytes = fs::read(module).unwrap();
    let (from, to) = (REALM.as_bytes(), OTHER_REALM.as_bytes());
    let mut at = 0;
    let mut found = 0;
    while let Some(next) = bytes[at..].windows(from.len()).position(|one| one == from) {
        bytes[at + next..at + next + to.len()].copy_from_slice(to);
        at += next + to.len();
        found += 1;
    }
    assert!(found > 0, "the module says no {REALM}");
    bytes
}

/// The module with no more memory than so many pages of 64 KiB beyond what it starts with.
pub fn with_little_memory(module: &Path, pages: u64) -> Vec<u8> {
    const MEMORY_SECTION: u8 = 5;
    const HAS_A_MAXIMUM: u8 = 1;
    let bytes = fs::read(module).unwrap();
    let (mut section, mut least) = (None, 0);
    for payload in Parser::new(0).parse_all(&bytes) {
        if let Payload::MemorySection(memories) = payload.unwrap() {
            let Range { start, end } = memories.range();
            section = Some(usize::try_from(start).unwrap()..usize::try_from(end).unwrap());
            least = memories.into_iter().next().unwrap().unwrap().initial;
        }
    }
    let section = section.expect("a module with a memory of its own");
    let mut content = vec![1, HAS_A_MAXIMUM];
    content.extend(leb128(least));
    content.extend(leb128(least + pages));
    // The section's number and its length stand in front of it, the length in as many bytes as it takes.
    let length = leb128(u64::try_from(section.len()).unwrap()).len();
    let front = section.start - length - 1;
    assert_eq!(
        bytes[front], MEMORY_SECTION,
        "the length's form is not known"
    );
    let mut out = bytes[..=front].to_vec();
    out.extend(leb128(u64::try_from(content.len()).unwrap()));
    out.extend(content);
    out.extend(&bytes[section.end..]);
    out
}

fn leb128(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while number > 0x7f {
        out.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap());
    out
}
