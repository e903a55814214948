//! `/sessions` of the policy: what is kept of an exchange.

use core::time::Duration;

use base::policy::{CLUSTER, FLAG, Form, Key, Node, SECRET, Usual};

use super::bodies::{self, BODIES, Bodies, BodyForm};

/// `/sessions`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    /// Whether answers wait until their records are kept, where a rule says nothing else.
    pub committed: bool,
    /// Who keeps records before answers go.
    pub desk: Option<Recorder>,
    /// Whether records have digests of what passed.
    pub digests: bool,
    /// What is kept of bodies, where something is.
    pub keeps: Option<Bodies>,
}

/// Who keeps a record when asked.
#[derive(Clone, PartialEq, Eq)]
pub struct Recorder {
    /// Its Envoy cluster.
    pub cluster: String,
    /// The `authorization` that it knows this filter by.
    pub credential: Option<String>,
    /// How long it may take.
    pub timeout: Duration,
}

impl core::fmt::Debug for Recorder {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter
            .debug_struct("Recorder")
            .field("cluster", &self.cluster)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// `/sessions`.
pub static SESSIONS: Form = Form::object(&[
    Key::usually(
        "record",
        Usual::Text("metadata"),
        "What a record holds. `metadata`: everything about an exchange but its bodies. `full`: its bodies, too, as \"bodies\" says. All bodies are read for that, requests whole before they go on.",
        &RECORD,
    ),
    Key::usually(
        "bodies",
        Usual::Empty,
        "What is kept of bodies, and in which form. Beside `full`.",
        &BODIES,
    ),
    Key::usually(
        "digests",
        Usual::Flag(false),
        "Whether a record has SHA-256 over the request's body as it went to the model server and over the response's as it went to the client, where the filter sees them. A digest costs time with each byte (docs/sessions.md).",
        &FLAG,
    ),
    Key::usually(
        "delivery",
        Usual::Text("stream"),
        "How records leave. `stream`: through Envoy's access log, once the exchange is over. `committed`: the answer's end waits until the desk has the record on its disk, and goes no further if that fails (docs/sessions.md).",
        &DELIVERY,
    ),
    Key::later("labels", "labels in session records (\"labels\")"),
    Key::optional(
        "desk",
        "How the desk is reached that keeps records before answers go, and that is told each second which numbers records have, so that those of an Envoy that died are missed. Beside `committed`.",
        &DESK,
    ),
]);

/// In the order in which [`read`] tells them apart.
static RECORD: Form = Form::names(&["metadata", "full"]);
/// In the order in which [`read`] tells them apart.
static DELIVERY: Form = Form::names(&["stream", "committed"]);
static DESK: Form = Form::object(&[
    Key::required("cluster", "The Envoy cluster of the desk.", &CLUSTER),
    Key::optional(
        "credential",
        "The `authorization` that the desk knows this filter by.",
        &SECRET,
    ),
    Key::usually(
        "timeout",
        Usual::Text("5s"),
        "How long the desk may take to keep a record.",
        &TIMEOUT,
    ),
]);
// Zero would be no timeout at all for Envoy.
static TIMEOUT: Form = Form::duration(Duration::from_millis(1), Duration::from_secs(60));

/// Reads `/sessions`. `mask` takes a list of masks for bodies, or all of them, and says whether they
/// hide anything.
pub fn read(node: &Node<'_>, mask: &mut dyn FnMut(Option<&Node<'_>>) -> bool) -> Option<Sessions> {
    let object = node.object()?;
    let full = object.name("record")? == 1;
    if !full
        && object.has("bodies")
        && let Some(node) = object.get("bodies")
    {
        node.problem(
            "what is kept of bodies, in records that have none",
            "\"record\": \"full\" beside it",
        );
    }
    let keeps = match full {
        true => Some(bodies::read(&object.get("bodies")?, mask)),
        false => None,
    };
    let committed = object.name("delivery")? == 1;
    let desk = object.get("desk").map(|node| read_desk(&node));
    if committed && desk.is_none() {
        node.problem(
            "\"committed\" without a desk",
            "\"desk\" beside it, which says where records are kept",
        );
    }
    let keeps = match keeps {
        None => None,
        Some(read) => Some(read?),
    };
    let only_digests = matches!(&keeps, Some(keeps) if keeps.how == BodyForm::Digests);
    Some(Sessions {
        committed,
        desk: match desk {
            None => None,
            Some(read) => Some(read?),
        },
        digests: object.flag("digests").unwrap_or_default() || only_digests,
        keeps,
    })
}

fn read_desk(node: &Node<'_>) -> Option<Recorder> {
    let object = node.object()?;
    let cluster = object.text("cluster");
    let credential = object.get("credential").map(|node| node.secret());
    let timeout = object.duration("timeout");
    Some(Recorder {
        cluster: cluster?,
        credential: match credential {
            None => None,
            Some(read) => Some(read?),
        },
        timeout: timeout?,
    })
}
