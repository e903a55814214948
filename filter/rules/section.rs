//! `/rules` of the policy.

use base::bytes::hex;
use base::operation::UNKNOWN;
use base::policy::{FLAG, Form, Key, Node, Object, TEXT, TEXTS, Usual};
use sha2::{Digest, Sha256};

use super::conditions::Names;
use super::gate::{self, APPROVE, Gate};
use super::when::{self, WHEN, When};

/// What a rule does with a request that it applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// The request goes on; later rules are not tried.
    Allow {
        /// Indices into the policy's quotas, charged in this order.
        quotas: Vec<usize>,
        /// Index into the policy's mask plans, for the response.
        mask: Option<usize>,
        /// What happens to the request's body.
        request: Option<RequestMask>,
        /// Whether the answer waits for its record; as the policy says, if it says nothing.
        committed: Option<bool>,
        /// Whether records have bodies, where that isn't as the policy says.
        full: Option<bool>,
    },
    /// The request ends here.
    Deny,
    /// A gate: once a person has approved, the rules that follow are tried.
    Approve(Gate),
}

/// What happens to a request's body before the model sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestMask {
    /// Index into the policy's mask plans.
    pub plan: usize,
    /// Whether what became pseudonyms is put back where they stand in the answer.
    pub restore: bool,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name in answers and records.
    pub name: String,
    /// When it applies; always, if there is none.
    pub when: Option<When>,
    /// What it does.
    pub then: Then,
    /// What the caller of a denied request is told.
    pub message: Option<String>,
    /// SHA-256 of what it says, in hex: of its JSON without spaces and with the members of objects in
    /// the order of their names. An edit of the policy elsewhere leaves it as it is.
    pub digest: String,
}

/// The patterns that the conditions of rules from `first` on ask for, by their places in the policy.
pub fn patterns_of(rules: &[Rule], first: usize) -> impl Iterator<Item = usize> {
    let later = rules.iter().skip(first);
    later
        .filter_map(|rule| rule.when.as_ref())
        .flat_map(When::patterns)
}

impl Rule {
    /// Whether an operation may be allowed by it: what nobody has a name for, only by that name.
    #[must_use]
    pub(super) fn may_allow(&self, operation: Option<&str>) -> bool {
        operation != Some(UNKNOWN) || self.when.as_ref().is_some_and(When::names_unknown)
    }
}

/// The headers that the conditions of rules ask for, in lower case, each once.
#[must_use]
pub fn headers_of(rules: &[Rule]) -> Vec<String> {
    let conditions = rules.iter().filter_map(|rule| rule.when.as_ref());
    let mut names: Vec<String> = conditions.flat_map(When::headers).collect();
    base::sort::sort(&mut names);
    names.dedup();
    names
}

/// The masks of a policy, and the plans that its rules make of them.
pub trait MaskPlans {
    /// The masks' names, as the policy writes them.
    fn names(&self) -> &[String];

    /// The plan for some masks, by their places among the names; the same ones have the same plan.
    fn plan(&mut self, masks: &[usize]) -> usize;

    /// Whether a plan has matches that wait for a person.
    fn asks(&self, plan: usize) -> bool;

    /// Whether a plan makes pseudonyms.
    fn has_pseudonyms(&self, plan: usize) -> bool;
}

/// What rules refer to.
pub struct References<'a> {
    /// What conditions refer to.
    pub names: Names<'a>,
    /// Names of quotas as the policy writes them, those of quotas that are wrong among them: a rule
    /// that uses one is not wrong for it.
    pub quotas: &'a [String],
    /// Masks.
    pub masks: &'a mut dyn MaskPlans,
    /// Whether there is a desk to ask.
    pub desk: bool,
    /// Whether records have bodies.
    pub bodies: bool,
    /// Whether there is one that keeps records.
    pub recorder: bool,
}

/// `/rules`.
pub static RULES: Form = Form::list(&RULE);

static RULE: Form = Form::object(&[
    Key::required("name", "Its name in answers and records.", &TEXT),
    Key::usually(
        "when",
        Usual::Words("it always applies"),
        "When it applies: all the keys must hold, and of a list any value will do.",
        &WHEN,
    ),
    Key::required(
        "then",
        "What it does. `allow` lets the request go on, `deny` ends it, and `approve` is a gate: once a person has approved, the rules that follow are tried.",
        &THEN,
    ),
    Key::optional(
        "quota",
        "Quotas that are charged, in this order. For rules that allow.",
        &TEXTS,
    ),
    Key::optional(
        "mask",
        "Masks for the answer. For rules that allow.",
        &TEXTS,
    ),
    Key::optional(
        "mask_request",
        "Masks for the request's body, before the model sees it. For rules that allow.",
        &TEXTS,
    ),
    Key::usually(
        "restore",
        Usual::Flag(false),
        "Whether what became pseudonyms in the request is put back where they stand in the answer. Beside `mask_request`.",
        &FLAG,
    ),
    Key::optional(
        "message",
        "What the caller of a denied request is told. For rules that deny.",
        &TEXT,
    ),
    Key::optional(
        "sessions",
        "How the records of its requests leave, where it isn't as `/sessions` says. For rules that allow.",
        &SESSIONS,
    ),
    Key::later("flag", "flags in the record (\"flag\")"),
]);

static SESSIONS: Form = Form::object(&[
    Key::optional("delivery", "`stream` or `committed`.", &DELIVERY),
    Key::optional(
        "record",
        "`metadata` or `full`; `full` where `/sessions` says so, too.",
        &RECORD,
    ),
]);
/// In the order in which [`read_delivery`] and [`read_record`] tell them apart.
static DELIVERY: Form = Form::names(&["stream", "committed"]);
static RECORD: Form = Form::names(&["metadata", "full"]);

static THEN: Form = Form::either(&[&DECIDED, &GATE]);
/// In the order in which [`read_rule`] tells them apart.
static DECIDED: Form = Form::names(&["allow", "deny"]);
static GATE: Form = Form::object(&[Key::required(
    "approve",
    "Who is asked; nobody else can let the request go on.",
    &APPROVE,
)]);

/// Reads `/rules`.
#[must_use]
pub fn read(node: &Node<'_>, references: &mut References<'_>) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for item in node.items() {
        let Some(rule) = read_rule(&item, references) else {
            continue;
        };
        if rules.iter().any(|other| other.name == rule.name) {
            item.problem(
                format!("a second rule named {:?}", rule.name),
                "a name of its own",
            );
        }
        rules.push(rule);
    }
    rules
}

fn read_rule(node: &Node<'_>, references: &mut References<'_>) -> Option<Rule> {
    let object = node.object()?;
    let name = object.text("name");
    let when = object
        .get("when")
        .map(|node| when::read(&node, &references.names));
    let message = object.get("message");
    let then = object.get("then").and_then(|node| node.pick());
    let then = then.and_then(|(form, node)| match form {
        0 => match node.name()? {
            0 => Some(read_allow(&object, references)),
            _ => Some(Then::Deny),
        },
        _ => read_approve(&node, references),
    });
    if let Some(then) = &then {
        check_keys(&object, then);
    }
    Some(Rule {
        name: name?,
        when: match when {
            None => None,
            Some(read) => Some(read?),
        },
        then: then?,
        message: message.and_then(|node| node.text().map(str::to_owned)),
        digest: digest(node),
    })
}

/// What one kind of rule has no use for is a mistake: somebody counts on it.
fn check_keys(object: &Object<'_>, then: &Then) {
    if !matches!(then, Then::Deny)
        && let Some(node) = object.get("message")
    {
        node.problem(
            "a message on a rule that does not deny",
            "\"message\" on rules that deny",
        );
    }
    if matches!(then, Then::Allow { .. }) {
        return;
    }
    for key in ["quota", "mask", "mask_request", "restore", "sessions"] {
        if object.has(key)
            && let Some(node) = object.get(key)
        {
            node.problem(
                format!("{key:?} on a rule that does not allow"),
                format!("{key:?} on rules that allow"),
            );
        }
    }
}

fn read_allow(object: &Object<'_>, references: &mut References<'_>) -> Then {
    let quotas = object.get("quota");
    let mask = object.get("mask");
    Then::Allow {
        quotas: quotas.map_or_else(Vec::new, |list| list.all_known(references.quotas)),
        mask: mask.map(|list| mask_plan(&list, references)),
        request: read_request(object, references),
        committed: read_delivery(object, references),
        full: read_record(object, references),
    }
}

fn read_approve(node: &Node<'_>, references: &References<'_>) -> Option<Then> {
    let gate = gate::read(&node.object()?.object("approve")?);
    if !references.desk {
        node.problem(
            "a rule that asks for approval in a policy without \"approvals\"",
            "the section /approvals, which says where the desk is",
        );
    }
    gate.map(Then::Approve)
}

/// The digest of what a rule says. Maps of [`serde_json`] have their members in order.
fn digest(node: &Node<'_>) -> String {
    let text = node.value().map(ToString::to_string);
    hex(&Sha256::digest(text.unwrap_or_default()))
}

/// `"record"` in `"sessions"` of a rule.
fn read_record(object: &Object<'_>, references: &References<'_>) -> Option<bool> {
    let sessions = object.get("sessions")?.object()?;
    if !sessions.has("record") {
        return None;
    }
    let node = sessions.get("record")?;
    let full = node.name()? == 1;
    if full && !references.bodies {
        node.problem(
            "\"full\" in a policy whose records have no bodies",
            "\"record\": \"full\" in the section /sessions, which says what is kept of them",
        );
    }
    Some(full)
}

/// `"delivery"` in `"sessions"` of a rule.
fn read_delivery(object: &Object<'_>, references: &References<'_>) -> Option<bool> {
    let node = object.get("sessions")?;
    if !node.object()?.has("delivery") {
        return None;
    }
    let committed = node.object()?.name("delivery")? == 1;
    if committed && !references.recorder {
        node.problem(
            "\"committed\" in a policy without a recorder",
            "the section /sessions/desk, which says where records are kept",
        );
    }
    Some(committed)
}

/// `"mask_request"` and `"restore"` of a rule.
fn read_request(object: &Object<'_>, references: &mut References<'_>) -> Option<RequestMask> {
    let restore = object.get("restore")?;
    let wanted = restore.flag().unwrap_or_default();
    let Some(list) = object.get("mask_request") else {
        if wanted {
            restore.problem(
                "\"restore\" on a rule that masks no requests",
                "\"mask_request\" beside it",
            );
        }
        return None;
    };
    let plan = mask_plan(&list, references);
    if references.masks.asks(plan) {
        list.problem(
            "a mask whose matches ask for approval, on requests",
            "another action, or a rule that asks for approval of requests with such a \"prompt\"",
        );
    }
    if wanted && !references.masks.has_pseudonyms(plan) {
        restore.problem(
            "\"restore\" where nothing in a request becomes a pseudonym",
            "the style \"pseudonym\" in a mask of \"mask_request\"",
        );
    }
    Some(RequestMask {
        plan,
        restore: wanted,
    })
}

/// Finds or makes the plan for a list of masks.
fn mask_plan(list: &Node<'_>, references: &mut References<'_>) -> usize {
    let masks = list.all_known(references.masks.names());
    references.masks.plan(&masks)
}
