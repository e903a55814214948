//! The masks of one rule, combined.

use super::coverage::{Coverage, Reasoning};
use super::masks::{Detection, Mask};
use super::options::{Options, PartialContent, Upgrades};
use super::pass::Passing;
use super::style::{Action, Style};

/// What waits for a person: which matches, and who may decide.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gate {
    /// What is looked for.
    pub detections: Vec<Detection>,
    /// Groups of reviewers, any of whom may decide.
    pub reviewers: Vec<String>,
}

/// The masks of one rule, combined.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// What is replaced or removed.
    pub detections: Vec<Detection>,
    /// Which of these end the body, by their index.
    pub cuts: Vec<usize>,
    /// What is counted but left as it is.
    pub alerts: Vec<Detection>,
    /// What waits for a person.
    pub gate: Gate,
    /// Everything else that the masks say.
    pub options: Options,
}

impl Plan {
    /// Combines masks. Where two name the same detector, the first one's style and action
    /// hold.
    #[must_use]
    pub fn of<'m>(masks: impl IntoIterator<Item = &'m Mask>) -> Self {
        let mut plan = Self::default();
        let mut named = Vec::new();
        let mut coverage: Option<Coverage> = None;
        let mut passing = Vec::new();
        let mut parts_pass = true;
        let mut upgrades_pass = true;
        for mask in masks {
            let of_mask = mask.options.coverage;
            coverage = Some(coverage.map_or(of_mask, |known| known.with(of_mask)));
            for chosen in &mask.chosen {
                let detection = &chosen.detection;
                if named.contains(&&detection.detector) {
                    continue;
                }
                named.push(&detection.detector);
                plan.add(detection, &chosen.action);
            }
            let options = &mask.options;
            plan.options.fields.extend(&options.fields);
            plan.options.base64 |= options.base64;
            plan.options.keys |= options.keys;
            for name in &options.headers {
                if !plan.options.headers.contains(name) {
                    plan.options.headers.push(name.clone());
                }
            }
            passing.push(&options.pass);
            parts_pass &= options.partial_content == PartialContent::Pass;
            upgrades_pass &= options.upgrades == Upgrades::Pass;
        }
        plan.options.coverage = coverage.unwrap_or_default();
        plan.options.pass = Passing::all(passing);
        if parts_pass {
            plan.options.partial_content = PartialContent::Pass;
        }
        if upgrades_pass {
            plan.options.upgrades = Upgrades::Pass;
        }
        plan
    }

    /// What becomes of a body that is only kept: whatever is looked for is hidden, also what an exchange
    /// would only count, end with, or ask about, and in all places. Nobody checks a signature over what is
    /// kept, so that signed reasoning is masked as well; and nothing passes unread.
    #[must_use]
    pub fn of_records<'m>(masks: impl IntoIterator<Item = &'m Mask>) -> Self {
        let mut plan = Self::of(masks);
        plan.cuts.clear();
        plan.detections.append(&mut plan.alerts);
        plan.detections
            .append(&mut core::mem::take(&mut plan.gate).detections);
        let reasoning = plan.options.coverage.reasoning;
        plan.options.coverage = Coverage {
            reasoning: reasoning.max(Some(Reasoning::Mask)),
            ..Coverage::default()
        };
        plan.options.keys = true;
        plan.options.base64 = true;
        plan.options.pass = Passing::nothing();
        plan
    }

    fn add(&mut self, detection: &Detection, action: &Action) {
        match action {
            Action::Alert => self.alerts.push(detection.clone()),
            Action::Mask => self.detections.push(detection.clone()),
            Action::Cut => {
                self.cuts.push(self.detections.len());
                self.detections.push(detection.clone());
            }
            Action::Approve { reviewers } => {
                self.gate.detections.push(detection.clone());
                for reviewer in reviewers {
                    if !self.gate.reviewers.contains(reviewer) {
                        self.gate.reviewers.push(reviewer.clone());
                    }
                }
            }
        }
    }

    /// Whether some match becomes a pseudonym.
    #[must_use]
    pub fn has_pseudonyms(&self) -> bool {
        self.detections
            .iter()
            .any(|one| one.style == Style::Pseudonym)
    }
}
