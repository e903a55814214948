//! What Portcullis promises, in real Envoys with two workers each: the current version, and the
//! oldest that is supported.
#![cfg(not(target_arch = "wasm32"))]

mod approvals;
mod masking;
mod quotas;
mod records;
mod rules;
mod support;
mod tokens;
