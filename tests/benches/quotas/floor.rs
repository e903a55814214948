//! Modules that do nothing, or no more than anything must that counts exactly over all workers: read a
//! value of Envoy's shared data, and write it by compare-and-set.

use std::fs;
use std::path::PathBuf;

/// A module of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Floor {
    /// Is called with the request's head, and does nothing.
    Nothing,
    /// Reads and writes a value of so many bytes.
    Value(usize),
}

impl Floor {
    /// Writes it, and gives its path: in Cargo's folder for what benches write.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(self) -> std::io::Result<PathBuf> {
        let (name, size, call) = match self {
            Self::Nothing => ("nothing.wasm".to_owned(), 0, ""),
            Self::Value(size) => (
                format!("value-{size}.wasm"),
                size,
                "(drop (call $get (i32.const 32) (i32.const 5) (i32.const 16) (i32.const 20) (i32.const 24)))
                 (drop (call $set (i32.const 32) (i32.const 5) (i32.load (i32.const 16))
                     (i32.load (i32.const 20)) (i32.load (i32.const 24))))",
            ),
        };
        let text = format!(
            r#"(module
    (import "env" "proxy_get_shared_data" (func $get (param i32 i32 i32 i32 i32) (result i32)))
    (import "env" "proxy_set_shared_data" (func $set (param i32 i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 32) "floor")
    (func (export "proxy_abi_version_0_2_1"))
    (func (export "proxy_on_context_create") (param i32 i32))
    (func (export "proxy_on_memory_allocate") (param i32) (result i32) i32.const 1024)
    (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
        (drop (call $set (i32.const 32) (i32.const 5) (i32.const 4096) (i32.const {size}) (i32.const 0)))
        i32.const 1)
    (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        {call}
        i32.const 0))"#
        );
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&file, wat::parse_str(text).map_err(std::io::Error::other)?)?;
        Ok(file)
    }
}
