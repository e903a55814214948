//! What is wanted of a response.

use std::rc::Rc;

use crate::exchange::buffers::Share;
use crate::exchange::compiled_policy::CompiledPolicy;
use mask::{Masks, Originals};

/// What is wanted of a response, as its request's verdict has it.
#[derive(Clone, Debug, Default)]
pub(in crate::exchange) struct Wanted {
    /// Index of the mask plan.
    mask: Option<usize>,
    /// Whether the guard has secrets of its own, which must not be in it.
    guarded: bool,
    /// Whether the record keeps something of its body.
    kept: bool,
    /// What is put back; never empty.
    originals: Option<Rc<Originals>>,
    /// The room that they take.
    _share: Option<Rc<Share>>,
}

impl Wanted {
    pub(in crate::exchange) fn new(
        mask: Option<usize>,
        originals: Option<(Originals, Share)>,
        kept: bool,
        compiled: &CompiledPolicy,
    ) -> Self {
        let (originals, share) = originals
            .filter(|(originals, _)| !originals.is_empty())
            .unzip();
        Self {
            mask,
            kept,
            guarded: compiled.own_secrets.is_some(),
            originals: originals.map(Rc::new),
            _share: share.map(Rc::new),
        }
    }

    /// Whether nothing of the response has to be looked at.
    pub(in crate::exchange) fn is_nothing(&self) -> bool {
        !self.is_mask() && !self.guarded && !self.kept
    }

    /// Whether the record keeps something of its body.
    pub(in crate::exchange) fn is_kept(&self) -> bool {
        self.kept
    }

    /// Whether the mask's tap is open.
    pub(super) fn is_mask(&self) -> bool {
        self.mask.is_some() || self.originals.is_some()
    }

    /// Whether something of the response may change. If not, it goes as it comes, and nothing is
    /// refused for what can't be read.
    pub(in crate::exchange) fn is_change(&self, masks: &Masks) -> bool {
        !masks.only_count() || self.originals.is_some()
    }

    /// What the mask plan comes to; `None` if there is no such plan.
    pub(in crate::exchange) fn masks<'g>(&self, compiled: &'g CompiledPolicy) -> Option<&'g Masks> {
        compiled.masks(self.mask)
    }

    pub(in crate::exchange) fn originals(&self) -> Option<&Rc<Originals>> {
        self.originals.as_ref()
    }

    /// Who may decide on a response that waits for a person.
    pub(in crate::exchange) fn reviewers<'g>(&self, compiled: &'g CompiledPolicy) -> &'g [String] {
        let plan = self.mask.and_then(|plan| compiled.policy.masks.get(plan));
        plan.map_or(&[], |plan| &plan.gate.reviewers)
    }
}
