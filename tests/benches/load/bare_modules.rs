//! Modules that are filters by their exports, and do next to nothing: what Envoy asks for having
//! one at all.

use std::fs;
use std::path::PathBuf;

/// Has no callback for headers or bodies: Envoy only tells it that a stream has begun.
const EMPTY: &str = r#"(module
    (memory (export "memory") 1)
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "proxy_on_context_create") (param i32 i32))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024))"#;

/// Reads the headers of a request and takes the one with the token out, and nothing else.
const TAKING: &str = r#"(module
    (import "env" "proxy_get_header_map_pairs"
        (func $headers (param i32 i32 i32) (result i32)))
    (import "env" "proxy_remove_header_map_value"
        (func $remove (param i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 32) "authorization")
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "proxy_on_context_create") (param i32 i32))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024)
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (drop (call $headers (i32.const 0) (i32.const 16) (i32.const 20)))
        (drop (call $remove (i32.const 0) (i32.const 32) (i32.const 13)))
        i32.const 0))"#;

/// A module of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Module {
    /// Does nothing.
    Empty,
    /// Reads the headers, and takes the token out.
    Taking,
}

impl Module {
    /// Writes it, and gives its path: in Cargo's folder for what benches write.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(self) -> std::io::Result<PathBuf> {
        let (name, text) = match self {
            Self::Empty => ("empty.wasm", EMPTY),
            Self::Taking => ("taking.wasm", TAKING),
        };
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&file, wat::parse_str(text).map_err(std::io::Error::other)?)?;
        Ok(file)
    }
}
