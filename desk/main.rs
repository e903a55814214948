//! The desk: approvals, session records and policy checks in one binary.
fn main() {}
