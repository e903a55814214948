//! `/quotas` of the policy.

use core::time::Duration;

use base::policy::{Form, Key, Node};
use serde_json::Value;

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Requests.
    Requests,
    /// Predictions: the inputs of an embedding call, `n` of a completion, a tensor's rows.
    Items,
}

/// What a quota is counted per.
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
    /// What it is counted per; each combination has a count of its own.
    pub by: Vec<Dimension>,
    /// What is counted.
    pub count: Measure,
    /// How much is allowed in one window.
    pub limit: u64,
    /// The window's length; windows begin at whole multiples of it since 1970.
    pub per: Duration,
}

/// `/quotas`.
pub static QUOTAS: Form = Form::map("the name of a quota", &QUOTA);

static QUOTA: Form = Form::object(&[
    Key::required(
        "by",
        "What is counted apart; with several, each combination has a count of its own. Requests that lack a claim or a model share one.",
        &DIMENSIONS,
    ),
    Key::required(
        "count",
        "What is counted: requests, or predictions (the inputs of an embedding call, `n` of a completion, a tensor's rows).",
        &MEASURE,
    ),
    Key::required(
        "limit",
        "How much is allowed in one window; 0 refuses everything.",
        &LIMIT,
    ),
    Key::required(
        "per",
        "The window's length. Windows begin at whole multiples of it since 1970.",
        &WINDOW,
    ),
    Key::later("over", "what happens over a quota (\"over\")"),
    Key::later("store", "a quota of the whole mesh (\"store\")"),
]);

static DIMENSIONS: Form = Form::list(&DIMENSION);
static DIMENSION: Form = Form::text_like(
    "\"subject\", \"provider\", \"model\", \"operation\" or \"claim:NAME\"",
    "^(subject|provider|model|operation|claim:[\\s\\S]+)$",
);
/// In the order of [`Measure::ALL`].
static MEASURE: Form = Form::names(&["requests", "items"]);
static LIMIT: Form = Form::whole(0, u64::MAX);
static WINDOW: Form = Form::duration(Duration::from_secs(1), Duration::from_secs(31 * 86_400));

impl Measure {
    const ALL: [Self; 2] = [Self::Requests, Self::Items];
}

/// Reads `/quotas`.
#[must_use]
pub fn read(node: &Node<'_>) -> Vec<Quota> {
    node.each_named(read_one)
}

fn read_one(name: &str, node: &Node<'_>) -> Option<Quota> {
    let object = node.object()?;
    let by = object.get("by").map(|list| {
        let items = list.items();
        items.iter().filter_map(read_dimension).collect()
    });
    let count = object.get("count").and_then(|node| read_measure(&node));
    let limit = object.whole("limit");
    let per = object.duration("per");
    Some(Quota {
        name: name.to_owned(),
        by: by?,
        count: count?,
        limit: limit?,
        per: per?,
    })
}

fn read_measure(node: &Node<'_>) -> Option<Measure> {
    let later = match node.value().and_then(Value::as_str) {
        Some("tokens") => "a quota of tokens",
        Some("response_bytes") => "a quota of response bytes",
        _ => return Measure::ALL.get(node.name()?).copied(),
    };
    node.not_in_this_version(later);
    None
}

fn read_dimension(node: &Node<'_>) -> Option<Dimension> {
    if let Some(text @ ("group" | "address")) = node.value().and_then(Value::as_str) {
        node.not_in_this_version(&format!("a quota by {text}"));
        return None;
    }
    node.parsed(|text| match text {
        "subject" => Some(Dimension::Subject),
        "provider" => Some(Dimension::Provider),
        "model" => Some(Dimension::Model),
        "operation" => Some(Dimension::Operation),
        _ => {
            let claim = text.strip_prefix("claim:")?;
            (!claim.is_empty()).then(|| Dimension::Claim(claim.to_owned()))
        }
    })
}
