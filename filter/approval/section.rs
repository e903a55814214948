//! `/approvals` of the policy: how the desk is reached.

use core::time::Duration;

use super::kept::{Answers, MAX_KEPT_BYTES, read_key};
use base::policy::{CLUSTER, FLAG, Form, Key, Node, SECRET, Usual, header_token};

/// The most headers that an approval is bound to besides the usual ones.
const MAX_HEADERS: usize = 16;

/// `/approvals`.
#[derive(Clone, PartialEq, Eq)]
pub struct Approvals {
    /// The Envoy cluster of the desk.
    pub cluster: String,
    /// The `authorization` that the desk knows this filter by.
    pub credential: Option<String>,
    /// How long a request is held for a person's decision.
    pub wait: Duration,
    /// How long the desk may take to answer a question (beyond the time it was asked to wait).
    pub timeout: Duration,
    /// Headers that an approval is bound to besides those that say what the body is, in lower case.
    pub headers: Vec<String>,
    /// Whether the desk is asked for what stands: grants that last, and who is blocked.
    pub standing: bool,
    /// Whether nobody passes while it can't be told who is blocked.
    pub needs_blocks: bool,
    /// How answers that wait for a person are kept, if they are.
    pub answers: Option<Answers>,
}

impl core::fmt::Debug for Approvals {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Approvals")
            .field("cluster", &self.cluster)
            .field("wait", &self.wait)
            .field("timeout", &self.timeout)
            .field("headers", &self.headers)
            .field("standing", &self.standing)
            .field("needs_blocks", &self.needs_blocks)
            .finish_non_exhaustive()
    }
}

/// `/approvals`.
pub static APPROVALS: Form = Form::object(&[
    Key::required("cluster", "The Envoy cluster of the desk.", &CLUSTER),
    Key::optional(
        "credential",
        "The `authorization` that the desk knows this filter by.",
        &SECRET,
    ),
    Key::usually(
        "wait",
        Usual::Text("25s"),
        "How long a request is held for a person's decision. After that its client is told to come back.",
        &WAIT,
    ),
    Key::usually(
        "timeout",
        Usual::Text("2s"),
        "How long the desk may take to answer, beyond the time it was asked to wait.",
        &TIMEOUT,
    ),
    Key::usually(
        "on_failure",
        Usual::Text("deny"),
        "What happens while the desk is away. Nothing else can be chosen: a request that a person must see never passes because nobody could be asked.",
        &ON_FAILURE,
    ),
    Key::usually(
        "headers",
        Usual::Words("`content-type`"),
        "More headers that an approval is bound to, such as one by which the model server chooses what it does. Another value is another request.",
        &HEADERS,
    ),
    Key::usually(
        "standing",
        Usual::Flag(true),
        "Whether each worker keeps itself told of what stands at the desk: grants that last, which let requests pass without a question, and who is blocked. Without it, each request is asked about, and blocks have no effect here.",
        &FLAG,
    ),
    Key::usually(
        "blocks",
        Usual::Empty,
        "What becomes of all requests, also those that nobody is asked about, while the desk can't be asked who is blocked. Beside `standing`.",
        &BLOCKS,
    ),
    Key::optional(
        "answers",
        "Answers that wait for a person are kept at the desk, sealed, so that the same request gets the very answer that was approved. Without it, each try is a new answer, about which a person is asked anew.",
        &ANSWERS,
    ),
]);

static ANSWERS: Form = Form::object(&[
    Key::required(
        "key",
        "32 random bytes in base64, the same in every Envoy that knows the desk by the same key. The desk never has it. With another key, what was kept before is not found any more.",
        &SECRET,
    ),
    Key::usually(
        "keep",
        Usual::Text("1h"),
        "How long an answer is kept, from when it began to wait. Its question stays open no longer than that.",
        &KEEP,
    ),
    Key::usually(
        "max_bytes",
        Usual::Text("1MiB"),
        "The largest answer that is kept, once it is decoded and masked. With a larger one, the next try is a new answer.",
        &KEPT_BYTES,
    ),
]);
static KEEP: Form = Form::duration(Duration::from_secs(60), Duration::from_secs(24 * 60 * 60));
static KEPT_BYTES: Form = Form::size(1, MAX_KEPT_BYTES);

static HEADERS: Form = Form::list_or_none(&HEADER);
static HEADER: Form = Form::text_like(
    "the name of a header that holds no secret, since reviewers are shown it",
    "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
);
/// Headers that usually hold secrets.
const SECRETS: &[&str] = &[
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
];
static BLOCKS: Form = Form::object(&[Key::usually(
    "on_failure",
    Usual::Text("allow"),
    "`allow`: who was blocked when the desk was last heard stays blocked, and a block that is made meanwhile, or before a worker has first heard from the desk, has no effect until it is heard. `deny`: once the desk has not been heard for 10 seconds, and until it is first heard, every request is refused.",
    &UNHEARD,
)]);
/// In the order in which [`read`] tells them apart.
static UNHEARD: Form = Form::names(&["allow", "deny"]);

static WAIT: Form = Form::duration(Duration::from_millis(1), Duration::from_secs(600));
// Zero would be no timeout at all for Envoy.
static TIMEOUT: Form = Form::duration(Duration::from_millis(1), Duration::from_secs(60));
static ON_FAILURE: Form = Form::names(&["deny"]);

/// Reads `/approvals`.
#[must_use]
pub fn read(node: &Node<'_>) -> Option<Approvals> {
    let object = node.object()?;
    let cluster = object.text("cluster");
    let credential = object.get("credential").map(|node| node.secret());
    let wait = object.duration("wait");
    let timeout = object.duration("timeout");
    let headers = object.get("headers").map(|node| read_headers(&node));
    let standing = object.flag("standing");
    let unheard = object
        .object("blocks")
        .and_then(|blocks| blocks.name("on_failure"));
    if let (Some(false), Some(1), Some(blocks)) = (standing, unheard, object.get("blocks")) {
        blocks.problem(
            "requests that wait for the list of blocks in a policy that doesn't ask for it",
            "\"standing\": true, or \"on_failure\": \"allow\"",
        );
    }
    let answers = object.get("answers").map(|node| read_answers(&node));
    object.name("on_failure")?;
    Some(Approvals {
        cluster: cluster?,
        credential: match credential {
            None => None,
            Some(read) => Some(read?),
        },
        wait: wait?,
        timeout: timeout?,
        headers: headers.unwrap_or_default(),
        standing: standing?,
        needs_blocks: unheard? == 1,
        answers: match answers {
            None => None,
            Some(read) => Some(read?),
        },
    })
}

fn read_answers(node: &Node<'_>) -> Option<Answers> {
    let object = node.object()?;
    let key = object.get("key").and_then(|node| {
        let key = read_key(&node.secret()?);
        key.map_err(|found| {
            let expected = "at least 32 bytes in base64, as `openssl rand -base64 32` prints them";
            node.problem(found, expected);
        })
        .ok()
    });
    let keep = object.duration("keep");
    let max_bytes = object.size("max_bytes");
    Some(Answers {
        key: key?,
        keep: keep?,
        max_bytes: usize::try_from(max_bytes?).ok()?,
    })
}

fn read_headers(node: &Node<'_>) -> Vec<String> {
    let items = node.items();
    if items.len() > MAX_HEADERS {
        node.problem(
            format!("{} headers", items.len()),
            "at most 16, since each is a part of every question",
        );
    }
    let named = |text| header_token(text).filter(|name| !SECRETS.contains(&name.as_str()));
    let names = items.iter().filter_map(|item| item.parsed(named));
    names.collect()
}
