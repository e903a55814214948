//! An Envoy with the configuration that is shipped, changed only in what a test
//! must change: ports, file names, the policy, clusters.

mod builder;
mod config;
mod running;
mod shared;
mod view;

pub use builder::Builder;
pub use running::Mesh;
pub use view::Stats;
