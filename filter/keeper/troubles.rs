//! What goes wrong between the filter and an approval service, in the log and in the metrics.

use core::time::Duration;
use std::collections::BTreeMap;

use super::event::{Effect, Level};
use crate::approval::Trouble;

/// No cause is logged more often.
const QUIET: Duration = Duration::from_secs(10);

/// When each cause was logged.
#[derive(Debug, Default)]
pub(super) struct Troubles(BTreeMap<Trouble, Duration>);

impl Troubles {
    /// The clock was put back by so much.
    pub(super) fn put_back(&mut self, by: Duration) {
        for at in self.0.values_mut() {
            *at = at.saturating_sub(by);
        }
    }

    /// The line for a cause, unless there was one lately.
    pub(super) fn log(&mut self, trouble: Trouble, now: Duration) -> Option<Effect> {
        let last = self.0.get(&trouble);
        if last.is_some_and(|last| now < last.saturating_add(QUIET)) {
            return None;
        }
        self.0.insert(trouble, now);
        let code = trouble.code();
        let line = trouble.line();
        Some(Effect::Log {
            level: Level::Warn,
            line: format!("{code}: the approval service {line}"),
        })
    }
}
