//! What the ledger says of what happened.

use super::machine::{Approval, Happened};
use super::protocol::{self, About, Block, Delegation, Reset, State, WhyBack};
use crate::sessions::deeds::{self, Ahead, Change, Claim, Concerned, Decision, Question};
use crate::sessions::{What, cut_text, time_text};

/// As an event.
pub(super) fn what(approval: &Approval, happened: &Happened) -> What {
    match happened {
        Happened::Asked => What::Question(Box::new(question(approval))),
        Happened::Decided => What::Decision(Box::new(decision(approval))),
        Happened::BrokeGlass => What::BreakGlass(Box::new(decision(approval))),
        Happened::Revoked => What::Revocation(Box::new(decision(approval))),
        Happened::Claimed {
            claim,
            exchange,
            binding,
        } => What::Claim(Claim {
            concerned: concerned(approval, Some(exchange)),
            claim: claim.clone(),
            digest: Some(binding.clone()),
            why: None,
            returned: None,
        }),
        Happened::GivenBack {
            claim,
            exchange,
            why,
            returned,
        } => What::GiveBack(Claim {
            concerned: concerned(approval, Some(exchange)),
            claim: claim.clone(),
            digest: None,
            why: Some(
                match why {
                    WhyBack::Unanswered => "unanswered",
                    WhyBack::Status5xx => "status_5xx",
                }
                .to_owned(),
            ),
            returned: Some(*returned),
        }),
        Happened::Cancelled { asker } => What::Cancel(Change {
            asker: Some(asker.clone()),
            ..change(approval)
        }),
        Happened::Expired { was } => What::Expiry(Change {
            was: Some(was.name().to_owned()),
            ..change(approval)
        }),
    }
}

/// A reviewer opened an approval.
pub(super) fn look(approval: &Approval) -> What {
    What::Look(change(approval))
}

/// A block.
pub(super) fn block(block: &Block) -> deeds::Block {
    deeds::Block {
        block: block.id.clone(),
        issuer: block.issuer.as_deref().map(cut_text),
        subject: block.subject.as_deref().map(cut_text),
        token_id: block.token_id.as_deref().map(cut_text),
        until: block.expires.clone(),
        reason: cut_text(&block.reason),
    }
}

/// A count that is to be emptied.
pub(super) fn reset(reset: &Reset) -> deeds::Reset {
    deeds::Reset {
        reset: reset.id.clone(),
        quota: cut_text(&reset.quota),
        key: reset.key.iter().map(|text| cut_text(text)).collect(),
        until: reset.expires.clone(),
        reason: cut_text(&reset.reason),
    }
}

/// A delegation.
pub(super) fn delegation(delegation: &Delegation) -> deeds::Delegation {
    deeds::Delegation {
        delegation: delegation.id.clone(),
        from: delegation.from.clone(),
        to: delegation.to.clone(),
        groups: delegation.groups.clone(),
        until: delegation.expires.clone(),
    }
}

fn question(approval: &Approval) -> Question {
    let (asked, matter) = (&approval.question, &approval.question.matter);
    let about = match matter.about {
        About::Request => "request",
        About::Answer => "answer",
        About::Access => "access",
    };
    Question {
        concerned: concerned(approval, matter.exchange.as_ref()),
        about: about.to_owned(),
        digest: asked.binding.clone(),
        rule_digest: matter.rule_digest.clone(),
        policy: matter.policy.clone(),
        operation: cut_text(&matter.operation),
        model: matter.model.as_deref().map(cut_text),
        reviewers: matter
            .reviewers
            .iter()
            .map(|group| cut_text(group))
            .collect(),
        approvals: asked.approvals,
        ahead: ahead(approval),
    }
}

fn ahead(approval: &Approval) -> Ahead {
    let protocol::Ahead {
        group,
        models,
        calendar,
    } = &approval.ahead;
    Ahead {
        group: group.as_deref().map(cut_text),
        models: models.map(|protocol::Models::Any| "any".to_owned()),
        calendar: calendar
            .as_ref()
            .map(|calendar| cut_text(&calendar.to_string())),
    }
}

fn decision(approval: &Approval) -> Decision {
    let last = approval.decisions.last();
    Decision {
        concerned: concerned(approval, approval.question.matter.exchange.as_ref()),
        state: approval.state.name().to_owned(),
        reason: last.and_then(|one| one.reason.as_deref().map(cut_text)),
        on_behalf_of: last.and_then(|one| one.on_behalf_of.clone()),
        break_glass: last.is_some_and(|one| one.break_glass),
        digest: approval.question.binding.clone(),
        policy: approval.question.matter.policy.clone(),
        asked: time_text(approval.created),
        ahead: ahead(approval),
    }
}

fn change(approval: &Approval) -> Change {
    Change {
        concerned: concerned(approval, approval.question.matter.exchange.as_ref()),
        asker: None,
        was: None,
    }
}

fn concerned(approval: &Approval, exchange: Option<&String>) -> Concerned {
    let matter = &approval.question.matter;
    Concerned {
        approval: approval.id.clone(),
        exchange: exchange.cloned(),
        filter: approval.filter.clone(),
        rule: cut_text(&matter.rule),
        subject: cut_text(&matter.subject),
        issuer: cut_text(&matter.issuer),
    }
}

/// Tells the log what people should hear of without asking for it.
pub(super) fn log(what: &What, who: &str) {
    match what {
        What::Question(asked) => tracing::info!(
            id = asked.concerned.approval,
            rule = asked.concerned.rule,
            "a question waits for reviewers"
        ),
        What::Decision(decision) => tracing::info!(
            id = decision.concerned.approval,
            state = decision.state,
            reviewer = who,
            "an approval was decided"
        ),
        What::Revocation(decision) => tracing::info!(
            id = decision.concerned.approval,
            reviewer = who,
            "an approval was taken back"
        ),
        What::BreakGlass(decision) => tracing::warn!(
            id = decision.concerned.approval,
            reviewer = who,
            subject = decision.concerned.subject,
            rule = decision.concerned.rule,
            reason = decision.reason,
            "glass was broken: an approval without the rules for reviewers"
        ),
        What::Expiry(change) if change.was.as_deref() == Some(State::Pending.name()) => {
            tracing::info!(
                id = change.concerned.approval,
                "nobody decided on a question in time"
            );
        }
        What::Block(block) => {
            tracing::warn!(id = block.block, reviewer = who, "something is blocked");
        }
        What::Unblock(block) => {
            tracing::info!(id = block.block, by = who, "a block has ended");
        }
        What::Reset(reset) => {
            tracing::info!(
                id = reset.reset,
                reviewer = who,
                quota = reset.quota,
                "a count is reset"
            );
        }
        _ => {}
    }
}
