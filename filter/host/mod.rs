//! The adapter to Envoy: callbacks become events, effects become host calls. It decides nothing
//! but this: when the host refuses a call that a decision rests on, the request ends.
//!
//! The SDK's convenience methods panic on any status that they don't expect, and a panic takes
//! down every request of the worker. So the SDK is used to receive callbacks, and to send calls
//! whose tokens it must know; everything else goes through [`calls`].

mod body_access;
mod calls;
mod delivery;
mod environment;
mod handle;
mod keys;
mod memory;
mod native;
mod probe;
mod random;
mod root;
mod shared;
mod store;
mod stream;
mod waiting;

use proxy_wasm::types::LogLevel;

pub use native::HostNative;

/// Makes a VM a filter. A module's entry point calls it, once for each VM.
pub fn start() {
    // Also installs a hook that logs a panic's message before the VM ends.
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::new(root::Root::new()));
}

#[cfg(feature = "module")]
mod entry {
    proxy_wasm::main! {{ super::start(); }}
}
