//! Portcullis: an identity-aware guard for AI inference traffic, as one Envoy filter.
//!
//! The filter's core does no I/O: [`exchange`] is fed events with the time they
//! happened at and gives back effects. Everything it composes lives in a folder
//! of its own, and only `host` (compiled for wasm32) knows the proxy-wasm ABI.

pub mod config;
pub mod identity;
mod json;
pub mod mask;
pub mod operation;
pub mod quota;
pub mod rules;
mod wire;
