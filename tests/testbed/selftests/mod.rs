//! The testbed against itself: the doubles alone, then behind a real Envoy.

mod doubles;
mod mesh;
mod processes;
mod ways;
