//! What Portcullis promises, in real Envoys with two workers each: the current version, the oldest
//! that is supported, and some between.
#![cfg(not(target_arch = "wasm32"))]
// clippy.toml excuses tests, but not the functions that they share.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod approvals;
mod bodies;
mod clients;
mod conformance;
mod crude;
mod dashboards;
mod delivery;
mod doctor;
mod hostile;
mod identity;
mod init;
mod installed;
mod kept_answers;
mod keys;
mod manifests;
mod masking;
mod masks_actions;
mod masks_approvals;
mod masks_fields;
mod masks_own;
mod masks_requests;
mod memory;
mod metrics;
mod modules;
mod own_secrets;
mod policies;
mod quotas;
mod real;
mod records;
mod reload;
mod rollouts;
mod rules;
mod spellings;
mod stop_iteration;
mod streams;
mod support;
mod tokens;
mod traps;
mod versions;
mod vms;
