//! What becomes of a match: how it is written, and what else happens.

use super::super::reader::{Node, Object};

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

/// `"style"` of an object; `None` where it has none, or a wrong one.
pub(super) fn read_style(object: &Object<'_>) -> Option<Style> {
    let index =
        object
            .optional("style")?
            .one_of(&["label", "stars", "partial", "pseudonym", "remove"])?;
    Some(match index {
        0 => Style::Label,
        1 => Style::Stars,
        2 => Style::Partial,
        3 => Style::Pseudonym,
        _ => Style::Remove,
    })
}

/// `"action"` of an object; `None` where it has none, or a wrong one.
pub(super) fn read_action(object: &Object<'_>, desk: bool) -> Option<Action> {
    let node = object.optional("action")?;
    match node.value().as_str() {
        Some("mask") => Some(Action::Mask),
        Some("alert") => Some(Action::Alert),
        Some("cut") => Some(Action::Cut),
        _ => read_approve(&node, desk),
    }
}

fn read_approve(node: &Node<'_>, desk: bool) -> Option<Action> {
    let Some(outer) = node.value().as_object().and_then(|_| node.object()) else {
        node.expected("\"mask\", \"alert\", \"cut\" or {\"approve\": {\"reviewers\": [...]}}");
        return None;
    };
    let approve = outer.required("approve").and_then(|node| node.object());
    outer.close();
    let object = approve?;
    let reviewers = object.required("reviewers").map(|node| node.strings());
    object.close();
    if !desk {
        node.problem(
            "a match that asks for approval in a policy without \"approvals\"",
            "the section /approvals, which says where the desk is",
        );
    }
    Some(Action::Approve {
        reviewers: reviewers?,
    })
}
