//! `/sessions/bodies` of the policy: what is kept of bodies, and in which form.

use base::policy::{Form, Key, Node, TEXT, TEXTS, Usual};

use crate::record::age::Recipient;

/// What is kept of bodies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bodies {
    /// How much of a request's, in bytes.
    pub request: u64,
    /// How much of a response's, in bytes.
    pub response: u64,
    /// In which form.
    pub how: BodyForm,
}

/// The form in which bodies are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyForm {
    /// Under masks of the record's own, whatever masks the exchange itself has.
    Masked,
    /// As they went, sealed to who may read them.
    Raw(Recipient),
    /// Not at all: they are read for their digests.
    Digests,
}

impl BodyForm {
    /// Its name in a record.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Masked => "masked",
            Self::Raw(_) => "raw",
            Self::Digests => "digests",
        }
    }
}

/// `/sessions/bodies`.
pub static BODIES: Form = Form::object(&[
    Key::usually(
        "request",
        Usual::Text("64KiB"),
        "How much of a request's body is kept.",
        &REQUEST,
    ),
    Key::usually(
        "response",
        Usual::Text("256KiB"),
        "How much of a response's body is kept.",
        &RESPONSE,
    ),
    Key::usually(
        "as",
        Usual::Text("masked"),
        "In which form. `masked`: under the masks of \"mask\". `raw`: as they went, encrypted to \"to\" (age). `digests`: only SHA-256 of them.",
        &AS,
    ),
    Key::optional(
        "mask",
        "The masks of bodies that are kept masked: all of `/masks` unless said.",
        &TEXTS,
    ),
    Key::optional(
        "to",
        "Who can read bodies that are kept raw: a recipient of age, `age1...`.",
        &TEXT,
    ),
]);

static REQUEST: Form = Form::size(0, 4 << 20);
static RESPONSE: Form = Form::size(0, 8 << 20);
/// In the order in which [`read`] tells them apart.
static AS: Form = Form::names(&["masked", "raw", "digests"]);

/// Reads `/sessions/bodies`. `plan` takes a list of masks, or all of them, and says whether they hide
/// anything.
pub fn read(node: &Node<'_>, plan: &mut dyn FnMut(Option<&Node<'_>>) -> bool) -> Option<Bodies> {
    let object = node.object()?;
    let request = object.size("request");
    let response = object.size("response");
    let (mask, to) = (object.get("mask"), object.get("to"));
    let form = object.name("as")?;
    if let Some(mask) = &mask
        && form != 0
    {
        mask.problem("masks beside bodies that are not masked", "no \"mask\"");
    }
    if let Some(to) = &to
        && form != 1
    {
        to.problem("a recipient of bodies that are not raw", "no \"to\"");
    }
    let how = match form {
        0 => read_masks(node, mask.as_ref(), plan)?,
        1 => BodyForm::Raw(read_recipient(node, to.as_ref())?),
        _ => BodyForm::Digests,
    };
    Some(Bodies {
        request: request?,
        response: response?,
        how,
    })
}

fn read_masks(
    node: &Node<'_>,
    mask: Option<&Node<'_>>,
    plan: &mut dyn FnMut(Option<&Node<'_>>) -> bool,
) -> Option<BodyForm> {
    if plan(mask) {
        return Some(BodyForm::Masked);
    }
    mask.unwrap_or(node).problem(
        "bodies that are kept masked, and no mask that hides anything",
        "masks that do (\"mask\", or the section /masks), or another \"as\"",
    );
    None
}

fn read_recipient(node: &Node<'_>, to: Option<&Node<'_>>) -> Option<Recipient> {
    let Some(to) = to else {
        node.problem(
            "bodies that are kept raw, and nobody who can read them",
            "\"to\" beside it: a recipient of age, age1...",
        );
        return None;
    };
    let recipient = Recipient::read(to.text()?);
    if recipient.is_none() {
        to.problem(
            "a text that is no recipient",
            "a recipient of age as age-keygen prints it, age1...",
        );
    }
    recipient
}
