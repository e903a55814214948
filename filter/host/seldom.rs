//! What may happen with each request, and is logged seldom.

use core::cell::Cell;
use core::time::Duration;

use super::api::{Host, Level};

/// The least time between two lines of one kind, in one worker.
const PAUSE: Duration = Duration::from_secs(10);

/// One kind of line.
#[derive(Debug)]
pub(super) struct Seldom {
    last: Cell<Option<Duration>>,
    /// How often it has happened since.
    since: Cell<u64>,
}

thread_local! {
    /// Streams that end since the host refused a call, or there is no policy.
    pub(super) static FAILURES: Seldom = const { Seldom::new() };
    /// Replies that could not be sent.
    pub(super) static REPLIES: Seldom = const { Seldom::new() };
    /// Ends of responses that could not be written.
    pub(super) static ENDS: Seldom = const { Seldom::new() };
}

impl Seldom {
    const fn new() -> Self {
        Self {
            last: Cell::new(None),
            since: Cell::new(0),
        }
    }

    /// Counts one more time, and says it if that was not done lately, with how often it has happened since.
    pub(super) fn log(&self, host: &impl Host, level: Level, line: &str) {
        let times = self.since.get().saturating_add(1);
        self.since.set(times);
        let now = host.now().unwrap_or_default();
        // A clock that was put back is no reason to be silent.
        let lately = |last: Duration| last <= now && now < last.saturating_add(PAUSE);
        if self.last.get().is_some_and(lately) {
            return;
        }
        self.last.set(Some(now));
        self.since.set(0);
        let mut text = "portcullis: ".to_owned();
        text.push_str(line);
        if times > 1 {
            text.push_str(" (");
            text.push_str(&times.to_string());
            text.push_str(" times since this was said last)");
        }
        host.log(level, &text);
    }
}
