//! Portcullis: an identity-aware guard for AI inference traffic, as one Envoy filter.
//!
//! The filter's core does no I/O: [`exchange::Exchange`] is fed events with the time they
//! happened at and gives back effects. Each concern has a folder of its own, which can be read
//! alone; [`exchange`], [`keeper`] and [`policy`] compose them, and only `host/envoy`, which is
//! compiled for wasm32 alone, knows the proxy-wasm ABI.

pub use {base, coding, mask};

pub mod approval;
pub mod call;
pub mod dialect;
pub mod exchange;
#[cfg(any(
    all(feature = "host", target_arch = "wasm32"),
    all(test, not(target_arch = "wasm32"))
))]
pub mod host;
pub mod identity;
pub mod keeper;
pub mod limits;
pub mod metric;
pub mod operation;
pub mod policy;
pub mod quota;
pub mod record;
pub mod rules;
pub mod shared;
#[cfg(test)]
mod testing;
pub mod upstream;
