//! What this VM's exchanges hold of quotas, as other workers are told again and again: what isn't renewed
//! is taken for that of a VM that is gone.

use core::time::Duration;
use std::rc::Rc;

use super::event::World;
use crate::exchange::CompiledPolicy;

/// When to renew what is held.
#[derive(Debug)]
pub(super) struct Slots {
    compiled: Rc<CompiledPolicy>,
    /// Since 1970; `None` while nothing is known to be held.
    due: Option<Duration>,
}

impl Slots {
    pub(super) fn new(compiled: Rc<CompiledPolicy>) -> Self {
        let due = None;
        Self { compiled, due }
    }

    /// Whether something is held and no renewal is scheduled.
    pub(super) fn is_unwatched(&self) -> bool {
        self.due.is_none() && self.compiled.slots_pause().is_some()
    }

    /// Schedules a renewal, and gives the time until then.
    pub(super) fn watch(&mut self, now: Duration) -> Duration {
        let pause = self.compiled.slots_pause().unwrap_or_default();
        self.due = Some(now.saturating_add(pause));
        pause
    }

    /// The clock has been put back by so much.
    pub(super) fn put_back(&mut self, by: Duration) {
        self.due = self.due.map(|due| due.saturating_sub(by));
    }

    /// When the next is due, since 1970.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Renews what is held, if it is time.
    pub(super) fn renew(&mut self, world: World<'_>) {
        if self.due.is_some_and(|due| due <= world.now) {
            self.compiled.renew_slots(world.now, world.shared);
            let pause = self.compiled.slots_pause();
            self.due = pause.map(|pause| world.now.saturating_add(pause));
        }
    }
}
