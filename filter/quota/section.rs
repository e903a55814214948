//! `/quotas` of the policy.

use core::time::Duration;

use base::identity::Identity;
use base::policy::{FLAG, Form, GLOBS, Key, Node, Object, Presence, TEXTS, Usual, parse_duration};
use serde_json::Value;

use super::calendar::Period;
use super::limit::{Special, Weight};
use super::window::Window;

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Requests.
    Requests,
    /// Predictions: the inputs of an embedding call, `n` of a completion, a tensor's rows.
    Items,
    /// Bytes of requests' bodies, as they are sent to the model server.
    RequestBytes,
    /// Bytes of answers' bodies, as the model server sends them.
    ResponseBytes,
    /// Requests whose answers have not ended.
    InFlight,
}

/// What a quota is counted per.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// The verified subject, together with its provider.
    Subject,
    /// The identity provider.
    Provider,
    /// The first of the quota's groups that the caller is in.
    Group,
    /// The model that is asked for, by its one name.
    Model,
    /// The operation.
    Operation,
    /// The client's address: an IPv4 address whole, an IPv6 address by its first 64 bits.
    Address,
    /// A claim named under a provider's `claims`.
    Claim(String),
    /// The same for all; quotas with other constants count apart.
    Constant(String),
}

/// In which time a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// In a window.
    Window(Window),
    /// What is under way now.
    Now {
        /// How long it is free after its VM is gone.
        lease: Duration,
    },
}

/// One quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Its name in rules, answers and records.
    pub name: String,
    /// Its name in the table: another span makes other counts of it.
    pub id: String,
    /// What it is counted per; each combination has a count of its own.
    pub by: Vec<Dimension>,
    /// The groups that are counted apart.
    pub groups: Vec<String>,
    /// What is counted.
    pub count: Measure,
    /// How much is allowed.
    pub limit: u64,
    /// Callers who are allowed more, or less.
    pub limits: Vec<Special>,
    /// Models that count for more.
    pub weights: Vec<Weight>,
    /// In which time.
    pub span: Span,
    /// Whether answers tell callers how much of it they have.
    pub fields: bool,
}

impl Quota {
    /// How much a caller is allowed, and the place of the special limit that says so, if one does.
    #[must_use]
    pub fn limit_of(&self, identity: &Identity) -> (Option<usize>, u64) {
        let mut specials = self.limits.iter().enumerate();
        let special = specials.find(|(_, special)| special.is_for(identity));
        special.map_or((None, self.limit), |(place, special)| {
            (Some(place), special.limit)
        })
    }

    /// What one of a model counts for; of a request that names none, what one of the model whose name
    /// is empty does.
    #[must_use]
    pub fn weight_of(&self, model: Option<&str>) -> u64 {
        let model = model.unwrap_or_default();
        let weight = self.weights.iter().find(|weight| weight.is_for(model));
        weight.map_or(1, |weight| weight.weight)
    }

    /// The group under which a caller is counted, if it is in one of the quota's.
    #[must_use]
    pub fn group_of(&self, identity: &Identity) -> Option<&str> {
        let is_in = |group: &&String| identity.groups.contains(group);
        self.groups.iter().find(is_in).map(String::as_str)
    }
}

/// `/quotas`.
pub static QUOTAS: Form = Form::map("the name of a quota", &QUOTA);

static QUOTA: Form = Form::object(&[
    Key::required(
        "by",
        "What is counted apart; with several, each combination has a count of its own. Requests that lack a claim, a model or an address share one. `group` is the first of `groups` that the caller is in; `address` an IPv4 address, or the first 64 bits of an IPv6 address; `constant:TEXT` the same for all.",
        &DIMENSIONS,
    ),
    Key::required(
        "count",
        "What is counted: requests, predictions (the inputs of an embedding call, `n` of a completion, a tensor's rows), bytes of requests' or of answers' bodies, or what is under way at once.",
        &MEASURE,
    ),
    Key::required(
        "limit",
        "How much is allowed in a window, or at once; 0 refuses everything.",
        &LIMIT,
    ),
    Key::optional(
        "limits",
        "Other limits for some callers: the first that fits takes the place of `limit`.",
        &SPECIALS,
    ),
    Key::optional(
        "per",
        "The window: a duration, in any span of which no more than the limit passes, or the hour, day, week (from Monday) or month of the calendar, in UTC. Everything but `in_flight` has one.",
        &WINDOW,
    ),
    Key::optional(
        "burst",
        "How much can be taken at once, where what was taken comes back evenly, as much as the limit in each `per`: at most the limit and the burst pass in any span of it.",
        &BURST,
    ),
    Key::optional(
        "groups",
        "The groups that `group` counts apart, the first that a caller is in; all others are counted together.",
        &TEXTS,
    ),
    Key::optional(
        "weights",
        "Models of which each request counts for several: the first that fits multiplies what is counted.",
        &WEIGHTS,
    ),
    Key::usually(
        "lease",
        Usual::Text("30s"),
        "Of `in_flight`: how long what a worker held stays taken when the worker has crashed.",
        &LEASE,
    ),
    Key::usually(
        "fields",
        Usual::Flag(true),
        "Whether answers tell callers, in `RateLimit` and its like, how much of it they have.",
        &FLAG,
    ),
    Key::later("over", "what happens over a quota (\"over\")"),
    Key::later("store", "a quota of the whole mesh (\"store\")"),
]);

static DIMENSIONS: Form = Form::list(&DIMENSION);
static DIMENSION: Form = Form::text_like(
    "\"subject\", \"provider\", \"group\", \"model\", \"operation\", \"address\", \"claim:NAME\" or \"constant:TEXT\"",
    "^(subject|provider|group|model|operation|address|(claim|constant):[\\s\\S]+)$",
);
/// In the order of [`Measure::ALL`].
static MEASURE: Form = Form::names(&[
    "requests",
    "items",
    "request_bytes",
    "response_bytes",
    "in_flight",
]);
static LIMIT: Form = Form::whole(0, u64::MAX);
static WINDOW: Form = Form::text_like(
    "a duration such as 30s, from 1s to 31d, or \"hour\", \"day\", \"week\" or \"month\"",
    "^(hour|day|week|month|[0-9]+(ms|s|m|h|d))$",
);
/// So that a bucket's level is a number of 64 bits ([`Window::Bucket`]).
static BURST: Form = Form::whole(1, 1 << 32);
static LEASE: Form = Form::duration(Duration::from_secs(3), Duration::from_secs(600));
static SPECIALS: Form = Form::list(&SPECIAL);
static SPECIAL: Form = Form::object_with(
    Presence::Some(&["group", "claim"]),
    &[
        Key::optional("group", "Verified groups, any of which will do.", &GLOBS),
        Key::optional(
            "claim",
            "Claims that providers define; of each that is named, a value must fit.",
            &CLAIMS,
        ),
        Key::required(
            "limit",
            "What takes the place of the quota's limit.",
            &LIMIT,
        ),
    ],
);
static CLAIMS: Form = Form::map_of_some("the name of a claim under a provider's `claims`", &GLOBS);
static WEIGHTS: Form = Form::list(&WEIGHT);
static WEIGHT: Form = Form::object(&[
    Key::required(
        "model",
        "The models, by the names that `models` gives them.",
        &GLOBS,
    ),
    Key::required("weight", "How many each counts for.", &FACTOR),
]);
static FACTOR: Form = Form::whole(1, 1_000_000);

const MIN_WINDOW: u64 = 1000;
const MAX_WINDOW: u64 = 31 * 86_400_000;

impl Measure {
    const ALL: [Self; 5] = [
        Self::Requests,
        Self::Items,
        Self::RequestBytes,
        Self::ResponseBytes,
        Self::InFlight,
    ];
}

/// Reads `/quotas`, of a policy whose providers define these claims.
#[must_use]
pub fn read(node: &Node<'_>, claims: &[String]) -> Vec<Quota> {
    node.each_named(|name, node| read_one(name, node, claims))
}

fn read_one(name: &str, node: &Node<'_>, claims: &[String]) -> Option<Quota> {
    let object = node.object()?;
    let by = object.get("by").map(|list| {
        let items = list.items();
        let items = items.iter();
        items
            .filter_map(|item| read_dimension(item, claims))
            .collect()
    });
    let by: Option<Vec<Dimension>> = by;
    let count = object.get("count").and_then(|node| read_measure(&node));
    let limit = object.whole("limit");
    let limits = read_list(&object, "limits", |node| read_special(node, claims));
    let groups = object.texts("groups");
    let grouped = by.as_ref().is_none_or(|by| by.contains(&Dimension::Group));
    if grouped && !object.has("groups") && by.is_some() {
        let expected = "\"groups\", for \"by\" has \"group\"";
        object.node().problem("no \"groups\"", expected);
    } else if let Some(node) = object.get("groups").filter(|_| !grouped) {
        node.problem("groups", "\"group\" in \"by\", or no groups");
    }
    let weights = read_list(&object, "weights", read_weight);
    let most = limits.iter().map(|special| special.limit);
    let most = most.fold(limit.unwrap_or_default(), u64::max);
    let span = read_span(&object, count?, most)?;
    let mut id = name.to_owned();
    for part in span.shape() {
        id.push('\n');
        id.push_str(&part.to_string());
    }
    Some(Quota {
        name: name.to_owned(),
        id,
        by: by?,
        groups,
        count: count?,
        limit: limit?,
        limits,
        weights,
        span,
        fields: object.flag("fields")?,
    })
}

fn read_list<T>(object: &Object<'_>, key: &str, read: impl Fn(&Node<'_>) -> Option<T>) -> Vec<T> {
    let items = object.get(key).map(|list| list.items());
    let items = items.unwrap_or_default();
    items.iter().filter_map(read).collect()
}

impl Span {
    /// Numbers that are others for a span whose counts would say something else.
    fn shape(self) -> [u64; 2] {
        match self {
            Self::Window(Window::Sliding { per, .. }) => [1, per],
            Self::Window(Window::Calendar(period)) => [
                2,
                match period {
                    Period::Hour => 0,
                    Period::Day => 1,
                    Period::Week => 2,
                    Period::Month => 3,
                },
            ],
            Self::Window(Window::Bucket { per, .. }) => [3, per],
            Self::Now { .. } => [4, 0],
        }
    }
}

fn read_span(object: &Object<'_>, count: Measure, most: u64) -> Option<Span> {
    let lease = object.duration("lease");
    if count == Measure::InFlight {
        for key in ["per", "burst"] {
            if let Some(node) = object.get(key) {
                let expected = "nothing: what is in flight is counted at once";
                node.problem(format!("{key:?}"), expected);
            }
        }
        return Some(Span::Now { lease: lease? });
    }
    if object.has("lease")
        && let Some(node) = object.get("lease")
    {
        node.problem("a lease", "none: only what is in flight has one");
    }
    let burst = object.whole("burst");
    let Some(per) = object.get("per") else {
        let expected = "\"per\", as only what is in flight has none";
        object.node().problem("no \"per\"", expected);
        return None;
    };
    let window = per.parsed(|text| {
        let period = match text {
            "hour" => Period::Hour,
            "day" => Period::Day,
            "week" => Period::Week,
            "month" => Period::Month,
            _ => {
                let per = parse_duration(text)?;
                let per = Some(per).filter(|per| (MIN_WINDOW..=MAX_WINDOW).contains(per))?;
                let sliding = Window::sliding(Duration::from_millis(per), most);
                return Some(burst.map_or(sliding, |burst| Window::Bucket { per, burst }));
            }
        };
        Some(Window::Calendar(period))
    });
    if let (Some(Window::Calendar(_)), Some(node)) = (window, object.get("burst")) {
        node.problem("a burst", "none: what the calendar gives, it gives at once");
    }
    window.map(Span::Window)
}

fn read_special(node: &Node<'_>, claims: &[String]) -> Option<Special> {
    let object = node.object()?;
    let named = object.object("claim").map(|claims| claims.entries());
    let mut wanted = Vec::new();
    for (name, node) in named.unwrap_or_default() {
        check_claim(name, &node, claims);
        wanted.push((name.to_owned(), node.globs()));
    }
    Some(Special {
        groups: object.globs("group"),
        claims: wanted,
        limit: object.whole("limit")?,
    })
}

fn read_weight(node: &Node<'_>) -> Option<Weight> {
    let object = node.object()?;
    let models = object.globs("model");
    let weight = object.whole("weight")?;
    Some(Weight { models, weight })
}

fn read_measure(node: &Node<'_>) -> Option<Measure> {
    let later = match node.value().and_then(Value::as_str) {
        Some("tokens") => "a quota of tokens",
        Some("cost") => "a quota of cost",
        _ => return Measure::ALL.get(node.name()?).copied(),
    };
    node.not_in_this_version(later);
    None
}

/// A claim that nobody defines would put everybody into one count.
fn check_claim(name: &str, node: &Node<'_>, claims: &[String]) {
    if !claims.iter().any(|claim| claim == name) {
        node.problem(
            format!("the claim {name:?}, which no provider defines"),
            "a name under a provider's \"claims\"",
        );
    }
}

fn read_dimension(node: &Node<'_>, claims: &[String]) -> Option<Dimension> {
    let dimension = node.parsed(|text| {
        Some(match text {
            "subject" => Dimension::Subject,
            "provider" => Dimension::Provider,
            "group" => Dimension::Group,
            "model" => Dimension::Model,
            "operation" => Dimension::Operation,
            "address" => Dimension::Address,
            _ => match text.split_once(':')? {
                (_, "") => return None,
                ("claim", name) => Dimension::Claim(name.to_owned()),
                ("constant", text) => Dimension::Constant(text.to_owned()),
                _ => return None,
            },
        })
    });
    if let Some(Dimension::Claim(name)) = &dimension {
        check_claim(name, node, claims);
    }
    dimension
}
