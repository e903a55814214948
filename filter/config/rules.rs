//! `/rules` of the policy.

use super::mask::{Detection, Mask};
use super::reader::Node;
use super::when::{self, Names, When, known};

/// What a rule does with a request that it applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Then {
    /// The request goes on; later rules are not tried.
    Allow {
        /// Indices into the policy's quotas, charged in this order.
        quotas: Vec<usize>,
        /// Index into the policy's mask plans.
        mask: Option<usize>,
    },
    /// The request ends here.
    Deny,
    /// A gate: once a person has approved, the rules that follow are tried.
    Approve {
        /// Groups of reviewers, any of whom may decide.
        reviewers: Vec<String>,
    },
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
}

/// What rules refer to, and the mask plans that they need.
pub(super) struct Context<'a> {
    pub(super) names: Names<'a>,
    /// Names as the policy writes them, those of quotas that are wrong among them: a rule that
    /// uses one is not wrong for it.
    pub(super) quotas: &'a [String],
    pub(super) masks: &'a [Mask],
    pub(super) approvals: bool,
    /// One plan for each combination of masks that some rule uses.
    pub(super) plans: Vec<Vec<Detection>>,
}

pub(super) fn read(node: &Node<'_>, context: &mut Context<'_>) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for item in node.non_empty_array() {
        let Some(rule) = read_rule(&item, context) else {
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

fn read_rule(node: &Node<'_>, context: &mut Context<'_>) -> Option<Rule> {
    let object = node.object()?;
    let name = object
        .required("name")
        .and_then(|node| node.string().map(str::to_owned));
    let when = object
        .optional("when")
        .map(|node| when::read(&node, &context.names));
    let then = object.required("then");
    let quota = object.optional("quota");
    let mask = object.optional("mask");
    let message = object.optional("message");
    object.later("flag", "flags in the record (\"flag\")");
    object.close();

    let then = then?;
    let then = match then.value().as_str() {
        Some("allow") => {
            let quotas = quota
                .as_ref()
                .map_or_else(Vec::new, |list| known(list, context.quotas));
            let plan = mask.as_ref().map(|list| mask_plan(list, context));
            if let Some(node) = &message {
                node.problem(
                    "a message on a rule that allows",
                    "\"message\" on rules that deny",
                );
            }
            Some(Then::Allow { quotas, mask: plan })
        }
        other => {
            for (node, key) in [(&quota, "quota"), (&mask, "mask")] {
                if let Some(node) = node {
                    node.problem(
                        format!("{key:?} on a rule that does not allow"),
                        format!("{key:?} on rules that allow"),
                    );
                }
            }
            if other == Some("deny") {
                Some(Then::Deny)
            } else {
                read_approve(&then, context)
            }
        }
    };
    let message = message.and_then(|node| node.string().map(str::to_owned));
    Some(Rule {
        name: name?,
        when: match when {
            None => None,
            Some(read) => Some(read?),
        },
        then: then?,
        message,
    })
}

fn read_approve(node: &Node<'_>, context: &Context<'_>) -> Option<Then> {
    let Some(outer) = node.value().as_object().and_then(|_| node.object()) else {
        node.expected("\"allow\", \"deny\" or {\"approve\": {\"reviewers\": [...]}}");
        return None;
    };
    let approve = outer.required("approve").and_then(|node| node.object());
    outer.close();
    let object = approve?;
    let reviewers = object
        .required("reviewers")
        .map(|node| node.strings())
        .unwrap_or_default();
    if let Some(count) = object.optional("approvals")
        && count.uint().is_some_and(|number| number != 1)
    {
        count.not_in_this_version("approval by more than one person (\"approvals\")");
    }
    object.later("grant", "an approval that lasts (\"grant\")");
    object.close();
    if !context.approvals {
        node.problem(
            "a rule that asks for approval in a policy without \"approvals\"",
            "the section /approvals, which says where the desk is",
        );
    }
    Some(Then::Approve { reviewers })
}

/// Finds or makes the plan for a list of masks: where two name the same detector, the first
/// one's style holds.
fn mask_plan(list: &Node<'_>, context: &mut Context<'_>) -> usize {
    let names: Vec<String> = context.masks.iter().map(|one| one.name.clone()).collect();
    let mut plan: Vec<Detection> = Vec::new();
    for mask in known(list, &names)
        .into_iter()
        .filter_map(|index| context.masks.get(index))
    {
        for detection in &mask.detections {
            if !plan.iter().any(|one| one.detector == detection.detector) {
                plan.push(detection.clone());
            }
        }
    }
    context
        .plans
        .iter()
        .position(|other| *other == plan)
        .unwrap_or_else(|| {
            context.plans.push(plan);
            context.plans.len() - 1
        })
}
