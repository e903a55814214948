//! How an exchange ends, and what is known of it then.

use super::counts;
use super::effect::{Effect, Flow, Outcome};
use super::passage::Passage;
use super::request::RequestState;
use super::response::ResponseState;
use super::world::World;
use super::{Closing, Exchange};
use crate::approval::Why;
use crate::record::Own;

impl Exchange {
    /// What the filter itself did to the exchange's end.
    pub(super) fn own_end(&self) -> Option<Own> {
        match self.response {
            ResponseState::Cut | ResponseState::Told(_) => Some(Own::Cut),
            ResponseState::Refused => Some(Own::Refused),
            _ => self.context.record.verdict.status.map(|_| Own::Refused),
        }
    }

    /// What stands for the record, whose number is this, until the exchange is closed.
    #[must_use]
    pub fn open_record(&mut self, number: u64) -> String {
        self.context.record.open_form(number)
    }

    pub(super) fn closed(
        &mut self,
        number: u64,
        closing: &Closing<'_>,
        world: World<'_>,
    ) -> Outcome {
        let own = self.own_end();
        let context = &mut self.context;
        context.settle_charges(world);
        context.charges.end(&context.compiled, world);
        self.request = RequestState::Closed;
        let response = core::mem::replace(&mut self.response, ResponseState::Closed);
        response.close(context);
        self.inbound = Passage::Over;
        self.outbound = Passage::Over;
        let mut effects = context.give_back(Why::Unanswered);
        effects.extend(counts::retries(context.compiled.quota_retries()));
        let record = context.write_record(number, closing, own, world);
        effects.extend(counts::of(
            &context.record,
            &context.compiled.policy().models,
        ));
        effects.push(Effect::Record(record));
        Outcome {
            effects,
            flow: Flow::Continue,
        }
    }
}
