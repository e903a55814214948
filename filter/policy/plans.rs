//! The masks of a policy, and what its rules make of them.

use base::policy::Node;
use mask::policy::{Mask, Plan};

use crate::rules::MaskPlans;

/// Masks by their names, and one plan for each combination that some rule uses.
pub(super) struct Plans {
    masks: Vec<Mask>,
    names: Vec<String>,
    plans: Vec<Plan>,
}

impl Plans {
    pub(super) fn new(masks: Vec<Mask>) -> Self {
        let names = masks.iter().map(|mask| mask.name.clone()).collect();
        Self {
            masks,
            names,
            plans: Vec::new(),
        }
    }

    /// The plan for bodies in records under some masks, or under all of them; `None` if it hides nothing.
    pub(super) fn of_records(&self, masks: Option<&Node<'_>>) -> Option<Plan> {
        let plan = match masks {
            None => Plan::of_records(&self.masks),
            Some(list) => {
                let places = list.all_known(&self.names);
                // A name that is wrong has been told of.
                if places.len() < list.items().len() {
                    return Some(Plan::default());
                }
                let masks = places.iter().filter_map(|place| self.masks.get(*place));
                Plan::of_records(masks)
            }
        };
        // A mask that looks for nothing is wrong, and has been told of.
        let wrong = self.masks.iter().any(|mask| mask.chosen.is_empty());
        (wrong || !plan.detections.is_empty()).then_some(plan)
    }

    /// The plans that rules refer to.
    pub(super) fn in_use(self) -> Vec<Plan> {
        self.plans
    }
}

impl MaskPlans for Plans {
    fn names(&self) -> &[String] {
        &self.names
    }

    fn plan(&mut self, masks: &[usize]) -> usize {
        let masks = masks.iter().filter_map(|place| self.masks.get(*place));
        let plan = Plan::of(masks);
        let known = self.plans.iter().position(|other| *other == plan);
        known.unwrap_or_else(|| {
            self.plans.push(plan);
            self.plans.len().saturating_sub(1)
        })
    }

    fn asks(&self, plan: usize) -> bool {
        let plan = self.plans.get(plan);
        plan.is_some_and(|plan| !plan.gate.detections.is_empty())
    }

    fn has_pseudonyms(&self, plan: usize) -> bool {
        self.plans.get(plan).is_some_and(Plan::has_pseudonyms)
    }
}
