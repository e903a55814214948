//! The VM's environment variables, which `std::env` does not see on this target.

use core::ptr::null_mut;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn environ_sizes_get(count: *mut usize, size: *mut usize) -> u32;
    fn environ_get(pointers: *mut *mut u8, bytes: *mut u8) -> u32;
}

/// A variable's value, if it is set and is text.
pub(super) fn variable(name: &str) -> Option<String> {
    all()?
        .split(|byte| *byte == 0)
        .filter_map(|entry| core::str::from_utf8(entry).ok()?.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.to_owned())
}

/// `NAME=value` for each variable, each with a NUL behind it.
fn all() -> Option<Vec<u8>> {
    let (mut count, mut size) = (0, 0);
    // SAFETY: both out-pointers outlive the call.
    if unsafe { environ_sizes_get(&raw mut count, &raw mut size) } != 0 {
        return None;
    }
    let mut pointers = vec![null_mut(); count];
    let mut bytes = vec![0; size];
    // SAFETY: the host writes `count` pointers and `size` bytes, which is what it asked for.
    (unsafe { environ_get(pointers.as_mut_ptr(), bytes.as_mut_ptr()) } == 0).then_some(bytes)
}
