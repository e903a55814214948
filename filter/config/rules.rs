//! `/rules` of the policy.

use super::mask::{Mask, Plan};
use super::reader::Node;
use super::when::{self, Names, When, known};

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
    },
    /// The request ends here.
    Deny,
    /// A gate: once a person has approved, the rules that follow are tried.
    Approve {
        /// Groups of reviewers, any of whom may decide.
        reviewers: Vec<String>,
    },
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
    pub(super) plans: Vec<Plan>,
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
    let mask_request = object.optional("mask_request");
    let restore = object.optional("restore");
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
            let request = read_request(mask_request.as_ref(), restore.as_ref(), context);
            if let Some(node) = &message {
                node.problem(
                    "a message on a rule that allows",
                    "\"message\" on rules that deny",
                );
            }
            Some(Then::Allow {
                quotas,
                mask: plan,
                request,
            })
        }
        other => {
            for (node, key) in [
                (&quota, "quota"),
                (&mask, "mask"),
                (&mask_request, "mask_request"),
                (&restore, "restore"),
            ] {
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

/// `"mask_request"` and `"restore"` of a rule.
fn read_request(
    masks: Option<&Node<'_>>,
    restore: Option<&Node<'_>>,
    context: &mut Context<'_>,
) -> Option<RequestMask> {
    let wanted = restore.and_then(Node::boolean).unwrap_or_default();
    let Some(list) = masks else {
        if let Some(node) = restore.filter(|_| wanted) {
            node.problem(
                "\"restore\" on a rule that masks no requests",
                "\"mask_request\" beside it",
            );
        }
        return None;
    };
    let index = mask_plan(list, context);
    let plan = context.plans.get(index)?;
    if !plan.gate.detections.is_empty() {
        list.problem(
            "a mask whose matches ask for approval, on requests",
            "another action, or a rule that asks for approval of requests with such a \"prompt\"",
        );
    }
    if let Some(node) = restore.filter(|_| wanted && !plan.has_pseudonyms()) {
        node.problem(
            "\"restore\" where nothing in a request becomes a pseudonym",
            "the style \"pseudonym\" in a mask of \"mask_request\"",
        );
    }
    Some(RequestMask {
        plan: index,
        restore: wanted,
    })
}

/// Finds or makes the plan for a list of masks.
fn mask_plan(list: &Node<'_>, context: &mut Context<'_>) -> usize {
    let names: Vec<String> = context.masks.iter().map(|one| one.name.clone()).collect();
    let masks = known(list, &names);
    let plan = Plan::of(masks.iter().filter_map(|index| context.masks.get(*index)));
    context
        .plans
        .iter()
        .position(|other| *other == plan)
        .unwrap_or_else(|| {
            context.plans.push(plan);
            context.plans.len() - 1
        })
}
