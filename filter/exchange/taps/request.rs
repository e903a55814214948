//! The way of a request's body: what decisions rest on is taken from it as the caller sent it, and
//! behind the verdict it is masked.

use super::facts;
use super::request_mask::{Sent, mask_request};
use crate::exchange::asked::Asked;
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::context::Context;
use crate::exchange::media::RequestForm;
use crate::exchange::reply::Refusal;
use crate::exchange::seen::Seen;
use crate::record::Record;
use crate::rules::RequestMask;
use mask::Masks;

/// What is open for a request's body, which is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exchange) struct RequestTaps {
    facts: bool,
    mask: Option<RequestMask>,
}

impl RequestTaps {
    /// Before a verdict: rules or quotas want the body.
    pub(in crate::exchange) fn before_verdict() -> Self {
        Self {
            facts: true,
            mask: None,
        }
    }

    /// Behind a verdict with this mask. It doesn't want the body where there is nothing to mask, nor
    /// where it could only count, and can't.
    pub(in crate::exchange) fn behind_verdict(
        mask: Option<RequestMask>,
        form: &RequestForm,
        seen: Seen<'_>,
        compiled: &CompiledPolicy,
    ) -> Self {
        let wants = |mask: &RequestMask| {
            let counts = compiled
                .masks(Some(mask.plan))
                .is_some_and(Masks::only_count);
            let passes = form.has_no_text() || (counts && form.readable().is_err());
            matches!(seen, Seen::Here(_)) || !passes
        };
        Self {
            facts: false,
            mask: mask.filter(wants),
        }
    }

    /// Whether nothing of the body is wanted.
    pub(in crate::exchange) fn are_closed(self) -> bool {
        !self.facts && self.mask.is_none()
    }

    /// Looks at a body without its coding.
    pub(in crate::exchange) fn look(
        self,
        asked: &mut Asked,
        body: &[u8],
        context: &mut Context,
    ) -> Result<(), Refusal> {
        if self.facts {
            facts::take(asked, body, context)?;
        }
        Ok(())
    }

    /// Makes of a body what is sent of it.
    pub(in crate::exchange) fn change(
        self,
        form: &RequestForm,
        body: &[u8],
        compiled: &CompiledPolicy,
        record: &mut Record,
    ) -> Result<Sent, Refusal> {
        match self.mask {
            None => Ok(Sent::default()),
            Some(mask) => mask_request(compiled, record, mask, form, body),
        }
    }
}
