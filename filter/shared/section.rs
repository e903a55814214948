//! `/store` of the policy.

use base::policy::{Form, Key, Node, Usual};

/// `/store`: what the workers of an Envoy count in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Store {
    /// The most bytes that it takes up, from 64 KiB to 256 MiB.
    pub size: u64,
}

const MIN_SIZE: u64 = 64 << 10;

/// Envoy makes all of it before it serves, and gives none of it back.
const MAX_SIZE: u64 = 256 << 20;

/// `/store`.
pub static STORE: Form = Form::object(&[Key::usually(
    "size",
    Usual::Text("8MiB"),
    "The most bytes that it takes up. Filters with one vm_id share it, and keep its first size until Envoy ends.",
    &SIZE,
)]);

static SIZE: Form = Form::size(MIN_SIZE, MAX_SIZE);

/// Reads `/store`.
#[must_use]
pub fn read(node: &Node<'_>) -> Option<Store> {
    let size = node.object()?.size("size")?;
    Some(Store { size })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::policy::load;

    fn size(store: &serde_json::Value) -> Result<u64, String> {
        let policy = json!({
            "version": 1,
            "identity": {"providers": [{
                "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
                "keys": {"jwks": {"keys": []}},
            }]},
            "store": store,
            "rules": [{"name": "all", "then": "allow"}],
        });
        match load(&policy.to_string(), &|_| None) {
            Ok(policy) => Ok(policy.store.size),
            Err(problems) => Err(problems.iter().map(ToString::to_string).collect()),
        }
    }

    #[test]
    fn the_size_has_a_default_and_bounds() {
        assert_eq!(size(&json!({})), Ok(8 << 20));
        assert_eq!(size(&json!({"size": "64KiB"})), Ok(64 << 10));
        assert_eq!(size(&json!({"size": "256MiB"})), Ok(256 << 20));
        for wrong in ["63KiB", "65535B", "257MiB", "8MB", "lots"] {
            let problem = size(&json!({ "size": wrong })).unwrap_err();
            assert!(
                problem.starts_with("/store/size: found ")
                    && problem.contains(wrong)
                    && problem.ends_with("from 64KiB to 256MiB"),
                "{problem}"
            );
        }
        let unknown = size(&json!({"cells": 4096})).unwrap_err();
        assert!(unknown.starts_with("/store/cells: "), "{unknown}");
    }
}
