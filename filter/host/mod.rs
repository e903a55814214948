//! The adapter to Envoy: callbacks become events, effects become host calls. It decides nothing
//! but this: when the host refuses a call that a decision rests on, the request ends.
//!
//! Everything but [`envoy`] is written over [`api::Host`], and runs natively in tests under a host
//! that plays Envoy's part.

mod api;
mod arrived;
mod calls;
mod closing;
#[cfg(all(feature = "host", target_arch = "wasm32"))]
mod envoy;
mod metrics;
mod place;
mod random;
mod seldom;
mod store;
mod stream;
mod vm;

#[cfg(test)]
mod tests;

#[cfg(all(feature = "host", target_arch = "wasm32"))]
pub use envoy::{HostNative, start};
