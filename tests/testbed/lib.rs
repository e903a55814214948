//! What tests and demos stand on: a real Envoy, the built filter, the desk,
//! doubles of a model server and of an identity provider, and an OpenID provider
//! that is none.
//!
//! Everything here is synchronous, so that a test is a plain `#[test]` function;
//! the doubles run on threads of their own. Whatever is started is stopped when
//! its value is dropped, also while a test panics. Errors are texts that a
//! person can act on.

pub mod amazon;
pub mod authority;
pub mod body;
pub mod cable;
pub mod collector;
pub mod cpu;
pub mod cuts;
pub mod desk;
pub mod envoy;
pub mod grpc;
pub mod http;
pub mod idp;
pub mod kserve;
pub mod manifest;
pub mod mesh;
pub mod model;
pub mod oidc;
pub mod port;
pub mod postgres;
pub mod process;
pub mod prose;
pub mod spellings;
pub mod spread;
pub mod streams;
pub mod tools;
pub mod vectors;
pub mod wait;
pub mod wasm;

mod dirs;
mod nested;
mod serve;

#[cfg(test)]
mod selftests;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after another thread panicked: a test that failed must not hide
/// its own message behind a poisoned lock.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
