//! `"approve"` of a rule: who is asked, for how long, and what an approval is good for.

use core::time::Duration;

use base::policy::{Form, Key, Node, Object, Presence, TEXTS, Usual};

/// What stands before the rules behind it: a person, or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Groups of reviewers, any of whom may decide.
    pub reviewers: Vec<String>,
    /// How many people must approve.
    pub approvals: u64,
    /// Whether who decides must say why.
    pub needs_reason: bool,
    /// How long a question stays open.
    pub expires: Duration,
    /// Who else is asked when nobody has decided.
    pub escalate: Option<Escalation>,
    /// What an approval is good for, where that isn't the one request.
    pub grant: Option<Grant>,
    /// When an approval comes back; as the operation has it, if the rule says nothing.
    pub give_back: Option<GiveBack>,
}

/// Who else is asked after a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// The time, from the question on.
    pub after: Duration,
    /// Groups of reviewers who may decide from then on, too.
    pub reviewers: Vec<String>,
}

/// What an approval is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// How long, from the moment of approval.
    pub lasts: Duration,
    /// How often; as often as one likes, if nothing is said.
    pub uses: Option<u64>,
}

/// When an approval that was used comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveBack {
    /// Never.
    Never,
    /// When the model server didn't answer, or with a status of 500 or more.
    OnFailure,
}

impl Gate {
    /// Whether an approval lasts for a time, however often it is used: the desk lists such grants, and
    /// nobody is asked while one is listed.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.grant.is_some_and(|grant| grant.uses.is_none())
    }
}

/// How long an approval is good for where only its uses are counted.
const USUAL_GRANT: Duration = Duration::from_secs(30 * 60);

const MONTH: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const SECOND: Duration = Duration::from_secs(1);

pub(super) static APPROVE: Form = Form::object(&[
    Key::required(
        "reviewers",
        "Groups of people at the desk, any of whom may decide.",
        &TEXTS,
    ),
    Key::usually(
        "approvals",
        Usual::Whole(1),
        "How many people must approve.",
        &PEOPLE,
    ),
    Key::usually(
        "reason",
        Usual::Text("optional"),
        "Whether who decides must say why.",
        &REASON,
    ),
    Key::usually(
        "expires",
        Usual::Text("24h"),
        "How long a question stays open.",
        &OPEN,
    ),
    Key::optional(
        "escalate",
        "Who else is asked when nobody has decided.",
        &ESCALATE,
    ),
    Key::usually(
        "grant",
        Usual::Words("it is good for this very request, once, within 30 minutes"),
        "What an approval is good for. With one use, it is for this very request. With more, or with any number, it is for all requests of the same caller that this rule stops, for the same operation and model.",
        &GRANT,
    ),
    Key::usually(
        "give_back",
        Usual::Words("`never` for operations that change something, else `on_failure`"),
        "When an approval that was used comes back: `on_failure`, when the model server didn't answer, or with a status of 500 or more.",
        &GIVE_BACK,
    ),
]);

static PEOPLE: Form = Form::whole(1, 10);
/// In the order in which [`read`] tells them apart.
static REASON: Form = Form::names(&["optional", "required"]);
static OPEN: Form = Form::duration(Duration::from_secs(60), MONTH);
static ESCALATE: Form = Form::object(&[
    Key::required(
        "after",
        "How long after the question; shorter than `expires`.",
        &AFTER,
    ),
    Key::required(
        "reviewers",
        "Groups who may decide from then on, beside those who were asked first.",
        &TEXTS,
    ),
]);
static AFTER: Form = Form::duration(SECOND, MONTH);
static GRANT: Form = Form::object_with(
    Presence::Some(&["for", "uses"]),
    &[
        Key::usually(
            "for",
            Usual::Words("30 minutes, where `uses` is said"),
            "How long it is good for, from the moment of approval.",
            &LASTS,
        ),
        Key::usually(
            "uses",
            Usual::Words("any number"),
            "How often it is good for.",
            &USES,
        ),
    ],
);
static LASTS: Form = Form::duration(SECOND, MONTH);
static USES: Form = Form::whole(1, 10_000);
/// In the order in which [`read`] tells them apart.
static GIVE_BACK: Form = Form::names(&["never", "on_failure"]);

/// Reads `"approve"`. What is wrong has been noted.
pub(super) fn read(object: &Object<'_>) -> Option<Gate> {
    let reviewers = object.texts("reviewers");
    let approvals = object.whole("approvals");
    let reason = object.name("reason");
    let expires = object.duration("expires");
    let escalate = object
        .get("escalate")
        .map(|node| read_escalation(&node, expires));
    let grant = object.get("grant").map(|node| read_grant(&node));
    let give_back = object.get("give_back").map(|node| node.name());
    Some(Gate {
        reviewers,
        approvals: approvals?,
        needs_reason: reason? == 1,
        expires: expires?,
        escalate: match escalate {
            None => None,
            Some(read) => Some(read?),
        },
        grant: match grant {
            None => None,
            Some(read) => Some(read?),
        },
        give_back: match give_back {
            None => None,
            Some(read) => Some(match read? {
                0 => GiveBack::Never,
                _ => GiveBack::OnFailure,
            }),
        },
    })
}

fn read_escalation(node: &Node<'_>, expires: Option<Duration>) -> Option<Escalation> {
    let object = node.object()?;
    let after = object.get("after");
    let time = after.as_ref().and_then(Node::duration);
    if let (Some(node), Some(time), Some(expires)) = (after, time, expires)
        && time >= expires
    {
        node.expected("a time shorter than \"expires\", since nobody is asked after that");
    }
    Some(Escalation {
        reviewers: object.texts("reviewers"),
        after: time?,
    })
}

fn read_grant(node: &Node<'_>) -> Option<Grant> {
    let object = node.object()?;
    let lasts = object.get("for").map(|node| node.duration());
    let uses = object.get("uses").map(|node| node.whole());
    Some(Grant {
        lasts: match lasts {
            None => USUAL_GRANT,
            Some(read) => read?,
        },
        uses: match uses {
            None => None,
            Some(read) => Some(read?),
        },
    })
}
