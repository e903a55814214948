//! Events for people: a line each.

use super::plain;
use crate::sessions::{Event, Outline, What, Who};

/// The cells of an event: its entry, time, what it is, who did it, what it is about, and its id.
pub(super) fn cells(number: u64, event: &Outline, bytes: &[u8]) -> [String; 6] {
    [
        number.to_string(),
        event.time.clone(),
        event.event.clone(),
        event.who.text(),
        Event::read(bytes).map_or_else(|| "-".to_owned(), |event| about(&event.what)),
        event.id.clone(),
    ]
}

/// An event in one line, with tabs between its cells.
pub(super) fn row(number: u64, event: &Outline, bytes: &[u8]) -> String {
    cells(number, event, bytes)
        .map(|cell| plain(&cell))
        .join("\t")
}

fn about(what: &What) -> String {
    let or = |text: &Option<String>, none: &str| text.clone().unwrap_or_else(|| none.to_owned());
    match what {
        What::Question(asked) => {
            let concerned = &asked.concerned;
            format!(
                "{} of {} for {} by the rule {}",
                concerned.approval, concerned.subject, asked.operation, concerned.rule
            )
        }
        What::Decision(decision) | What::BreakGlass(decision) | What::Revocation(decision) => {
            let concerned = &decision.concerned;
            let by = decision.on_behalf_of.as_ref();
            let by = by.map_or_else(String::new, |name| format!(", for {name}"));
            format!(
                "{} {} of {} by the rule {}{by}",
                decision.state, concerned.approval, concerned.subject, concerned.rule
            )
        }
        What::Claim(claim) | What::GiveBack(claim) => {
            let concerned = &claim.concerned;
            let why = claim.why.as_ref();
            let why = why.map_or_else(String::new, |why| format!(", {why}"));
            format!(
                "{} by exchange {}{why}",
                concerned.approval,
                or(&concerned.exchange, "-")
            )
        }
        What::Look(change) | What::Cancel(change) | What::Expiry(change) => {
            let concerned = &change.concerned;
            let was = change.was.as_ref();
            let was = was.map_or_else(String::new, |was| format!(", was {was}"));
            format!("{} of {}{was}", concerned.approval, concerned.subject)
        }
        What::Block(block) | What::Unblock(block) => {
            let subject = block.subject.as_ref();
            let subject = subject.map(|subject| format!("subject {subject}"));
            let token = || format!("token {}", or(&block.token_id, "-"));
            format!("{} of {}", block.block, subject.unwrap_or_else(token))
        }
        What::Reset(reset) => format!(
            "{} of {}: {}",
            reset.reset,
            reset.quota,
            reset.key.join(" ")
        ),
        What::Delegation(delegation) | What::DelegationEnd(delegation) => format!(
            "{} to {} in {}",
            delegation.from,
            delegation.to,
            delegation.groups.join(", ")
        ),
        What::Read {
            record: Some(id),
            shown,
            ..
        } => format!("record {id}: {shown} shown"),
        What::Read { list, shown, .. } => {
            let asked = list.clone().unwrap_or_default();
            let (subject, action) = (or(&asked.subject, "any"), or(&asked.action, "any"));
            format!("list of subject {subject}, action {action}: {shown} shown")
        }
        What::Policy {
            node,
            policy,
            before,
            ..
        } => format!(
            "policy {policy} on node {}, before {}",
            or(node, "-"),
            or(before, "-")
        ),
        What::Worker { worker, before, .. } => {
            let before = before
                .as_ref()
                .map_or_else(|| "nobody".to_owned(), Who::text);
            format!("worker {worker}, before {before}")
        }
        What::Retention {
            from, to, until, ..
        } => format!(
            "entries {from} to {} removed, from before {until}",
            to.saturating_sub(1)
        ),
    }
}
