//! What becomes of a match: how it is written, and what else happens.

use base::policy::{Form, Key, Node, Object, TEXTS};

/// How a match is written in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Style {
    /// `[EMAIL]`: the detector's label in brackets.
    Label,
    /// As many asterisks as the match has characters.
    Stars,
    /// Asterisks, but for the last four characters.
    Partial,
    /// Nothing at all.
    Remove,
    /// `[EMAIL_7kfdqbrsvh]`: the label with a code of the value, which is the same wherever the
    /// key is the same.
    Pseudonym,
}

/// What a match leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// It is written in its style.
    #[default]
    Mask,
    /// It is counted, and stays as it is.
    Alert,
    /// The response ends before it; a request with it is refused.
    Cut,
    /// The whole response waits until a person has seen to it, and then goes on with the match as
    /// it is.
    Approve {
        /// Groups of reviewers, any of whom may decide.
        reviewers: Vec<String>,
    },
}

impl Style {
    const ALL: [Self; 5] = [
        Self::Label,
        Self::Stars,
        Self::Partial,
        Self::Pseudonym,
        Self::Remove,
    ];
}

/// How a match is written, by its name in the policy; in the order of [`Style::ALL`].
pub(super) static STYLE: Form =
    Form::names(&["label", "stars", "partial", "pseudonym", "remove"]).named("style");

/// What a match leads to.
pub(super) static ACTION: Form = Form::either(&[&SIMPLE_ACTION, &APPROVE]).named("mask_action");

/// In the order in which [`read_action`] tells them apart.
static SIMPLE_ACTION: Form = Form::names(&["mask", "alert", "cut"]);

static APPROVE: Form = Form::object(&[Key::required(
    "approve",
    "The whole answer waits until a person has approved it, and then goes on as it is.",
    &REVIEWERS,
)]);

static REVIEWERS: Form = Form::object(&[Key::required(
    "reviewers",
    "Groups of people at the desk, any of whom may decide.",
    &TEXTS,
)]);

/// `"style"` of an object; `None` where it has none, or a wrong one.
pub(super) fn read_style(object: &Object<'_>) -> Option<Style> {
    Style::ALL.get(object.name("style")?).copied()
}

/// `"action"` of an object; `None` where it has none, or a wrong one.
pub(super) fn read_action(object: &Object<'_>, desk: bool) -> Option<Action> {
    let (form, node) = object.get("action")?.pick()?;
    if form != 0 {
        return read_approve(&node, desk);
    }
    match node.name()? {
        0 => Some(Action::Mask),
        1 => Some(Action::Alert),
        _ => Some(Action::Cut),
    }
}

fn read_approve(node: &Node<'_>, desk: bool) -> Option<Action> {
    let reviewers = node.object()?.object("approve")?.texts("reviewers");
    if !desk {
        node.problem(
            "a match that asks for approval in a policy without \"approvals\"",
            "the section /approvals, which says where the desk is",
        );
    }
    Some(Action::Approve { reviewers })
}
