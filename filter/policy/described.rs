//! The policy's form for others: as JSON Schema, and as a page for people.

use serde_json::Value;

use super::POLICY;

/// What stands in front of the reference.
const FRONT: &str = "\
# The policy

Every part of the policy and every key, as the filter reads them. This page is printed by
`portcullis reference`, and [schema/policy.schema.json](../schema/policy.schema.json) by
`portcullis schema`; both come from the descriptions that the filter reads a policy by. The
[README](../README.md#the-policy) explains what the parts are for, and
[examples/policies](../examples/policies) has whole policies.

A part's heading is its place, with `NAME` for names that the policy chooses and `0` for each item of
a list. Sizes are written as `8MiB` (units B, KiB, MiB, GiB), durations as `30s` (ms, s, m, h, d).

";

/// The policy's form as JSON Schema (draft 2020-12). A policy that the filter accepts is one that the
/// schema accepts; what names refer to, and whether expressions compile, only the filter tells.
#[must_use]
pub fn schema() -> Value {
    base::policy::schema("A policy of Portcullis", &POLICY)
}

/// The policy's form as a page in Markdown.
#[must_use]
pub fn reference() -> String {
    let page = base::policy::reference(&POLICY);
    format!("{FRONT}{}\n", page.trim_end())
}
