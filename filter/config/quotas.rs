//! `/quotas` of the policy.

use core::time::Duration;

use super::reader::Node;
use super::units;

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Requests.
    Requests,
    /// Predictions: the inputs of an embedding call, `n` of a completion, a tensor's rows.
    Items,
}

/// What a quota is kept apart by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// The verified subject, together with its provider.
    Subject,
    /// The identity provider.
    Provider,
    /// The model that is asked for.
    Model,
    /// The operation.
    Operation,
    /// A claim named under a provider's `claims`.
    Claim(String),
}

/// One quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Its name in rules, answers and records.
    pub name: String,
    /// What keeps one count apart from another.
    pub by: Vec<Dimension>,
    /// What is counted.
    pub count: Measure,
    /// How much is allowed in one window.
    pub limit: u64,
    /// The window's length; windows begin at whole multiples of it since 1970.
    pub per: Duration,
}

pub(super) fn read(node: &Node<'_>) -> Vec<Quota> {
    let Some(object) = node.object() else {
        return Vec::new();
    };
    object
        .entries()
        .into_iter()
        .filter_map(|(name, node)| read_one(name, &node))
        .collect()
}

fn read_one(name: &str, node: &Node<'_>) -> Option<Quota> {
    let object = node.object()?;
    let by = object
        .required("by")
        .map(|list| {
            list.non_empty_array()
                .iter()
                .filter_map(read_dimension)
                .collect()
        })
        .unwrap_or_default();
    let count = object.required("count").and_then(|node| {
        match node.value().as_str() {
            Some("tokens") => {
                node.not_in_this_version("a quota of tokens");
                return None;
            }
            Some("response_bytes") => {
                node.not_in_this_version("a quota of response bytes");
                return None;
            }
            _ => {}
        }
        match node.one_of(&["requests", "items"])? {
            0 => Some(Measure::Requests),
            _ => Some(Measure::Items),
        }
    });
    let limit = object.required("limit").and_then(|node| node.uint());
    let per = object.required("per").and_then(|node| {
        units::duration(
            &node,
            Duration::from_secs(1),
            Duration::from_secs(31 * 86_400),
        )
    });
    object.later("over", "what happens over a quota (\"over\")");
    object.later("store", "a quota of the whole mesh (\"store\")");
    object.close();
    Some(Quota {
        name: name.to_owned(),
        by,
        count: count?,
        limit: limit?,
        per: per?,
    })
}

fn read_dimension(node: &Node<'_>) -> Option<Dimension> {
    let text = node.string()?;
    if let Some(claim) = text.strip_prefix("claim:")
        && !claim.is_empty()
    {
        return Some(Dimension::Claim(claim.to_owned()));
    }
    match text {
        "subject" => Some(Dimension::Subject),
        "provider" => Some(Dimension::Provider),
        "model" => Some(Dimension::Model),
        "operation" => Some(Dimension::Operation),
        "group" | "address" => {
            node.not_in_this_version(&format!("a quota by {text}"));
            None
        }
        _ => {
            node.expected("\"subject\", \"provider\", \"model\", \"operation\" or \"claim:NAME\"");
            None
        }
    }
}
