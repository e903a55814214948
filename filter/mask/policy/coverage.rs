//! `"places"` and `"reasoning"` of a mask: which parts of a body it covers.

use base::policy::{Form, Object};

use super::class::Class;

/// Which parts of a body a mask covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coverage {
    /// What was asked for, and everything that is nothing else.
    pub text: bool,
    /// The arguments of tools' calls, and what tools gave.
    pub arguments: bool,
    /// Sources that the answer names.
    pub citations: bool,
    /// What becomes of a model's reasoning. `None`: it is masked, but for what its provider has
    /// signed, which passes.
    pub reasoning: Option<Reasoning>,
}

/// What becomes of a model's reasoning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reasoning {
    /// It passes.
    Pass,
    /// It is masked, like any text.
    Mask,
    /// It is left out: its strings are empty.
    Drop,
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    Mask,
    Pass,
    Drop,
}

impl Default for Coverage {
    fn default() -> Self {
        Self {
            text: true,
            arguments: true,
            citations: true,
            reasoning: None,
        }
    }
}

impl Coverage {
    /// What becomes of a value of this class.
    pub(crate) fn of(&self, class: Class) -> Treatment {
        let masked = match class {
            Class::Text | Class::Numbers => self.text,
            Class::Arguments => self.arguments,
            Class::Citations => self.citations,
            Class::Data | Class::File => false,
            Class::Reasoning | Class::Signed => match self.reasoning {
                None => class == Class::Reasoning,
                Some(Reasoning::Mask) => true,
                Some(Reasoning::Pass) => false,
                Some(Reasoning::Drop) => return Treatment::Drop,
            },
        };
        if masked {
            Treatment::Mask
        } else {
            Treatment::Pass
        }
    }

    /// What two masks of one rule cover together: of each part, the stricter has its way. What says
    /// nothing of reasoning is stricter than what lets it pass.
    pub(super) fn with(self, other: Self) -> Self {
        let reasoning = match (self.reasoning, other.reasoning) {
            (None, Some(Reasoning::Pass)) | (Some(Reasoning::Pass), None) => None,
            (one, other) => one.max(other),
        };
        Self {
            text: self.text || other.text,
            arguments: self.arguments || other.arguments,
            citations: self.citations || other.citations,
            reasoning,
        }
    }
}

/// Names of [`PLACES`], in its order.
const NAMES: [&str; 4] = ["text", "tool_arguments", "citations", "names"];
/// Names of [`REASONING`], in its order.
const WAYS: [Reasoning; 3] = [Reasoning::Mask, Reasoning::Drop, Reasoning::Pass];

/// `"places"` of a mask.
pub(super) static PLACES: Form = Form::list(&PLACE);
static PLACE: Form = Form::names(&NAMES);
/// `"reasoning"` of a mask.
pub(super) static REASONING: Form = Form::names(&["mask", "drop", "pass"]);

/// Reads both; the second is whether the names of members are texts, too.
pub(super) fn read_coverage(object: &Object<'_>) -> (Coverage, bool) {
    let reasoning = object.name("reasoning");
    let reasoning = reasoning.and_then(|way| WAYS.get(way).copied());
    let Some(list) = object.get("places") else {
        let coverage = Coverage {
            reasoning,
            ..Coverage::default()
        };
        return (coverage, false);
    };
    let named: Vec<usize> = list.items().iter().filter_map(|item| item.name()).collect();
    let has = |name: &str| named.iter().any(|at| NAMES.get(*at) == Some(&name));
    let coverage = Coverage {
        text: has("text"),
        arguments: has("tool_arguments"),
        citations: has("citations"),
        reasoning,
    };
    (coverage, has("names"))
}
