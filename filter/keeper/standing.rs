//! Asks the desk what stands: one question at a time, the next one as soon as the last was answered.

use core::time::Duration;
use std::rc::Rc;

use super::event::{Call, Effect, Level, Purpose, World};
use crate::approval::{Approvals, MAX_STANDING_BYTES, Poll};
use crate::call::{Answer, Message};
use crate::exchange::CompiledPolicy;
use crate::metric::Metric;

/// The shortest time from one question to the next, and the pause behind the first failure.
const MIN_PAUSE: Duration = Duration::from_millis(250);

/// The longest pause, while the desk is away.
pub(super) const MAX_PAUSE: Duration = Duration::from_secs(5);

/// Who asks, and when.
#[derive(Debug)]
pub(super) struct StandingDuties {
    compiled: Rc<CompiledPolicy>,
    /// When to ask next, since 1970; `None` while there is a question under way, and where nobody asks.
    due: Option<Duration>,
    under_way: Option<Poll>,
    /// The pause behind the last failure; none behind an answer.
    pause: Duration,
}

impl StandingDuties {
    pub(super) fn new(compiled: Rc<CompiledPolicy>) -> Self {
        let mut this = Self {
            compiled,
            due: None,
            under_way: None,
            pause: Duration::ZERO,
        };
        this.due = this.asks().map(|_| Duration::ZERO);
        this
    }

    /// The desk, where it is asked.
    fn asks(&self) -> Option<&Approvals> {
        let approvals = self.compiled.policy().approvals.as_ref();
        approvals.filter(|approvals| approvals.standing)
    }

    /// When to ask next, since 1970.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// Nobody asks any more.
    pub(super) fn end(&mut self) {
        self.due = None;
        self.under_way = None;
    }

    /// The question, if one is due.
    pub(super) fn take(&mut self, now: Duration) -> Option<Call> {
        // No pause is as long: the clock was put back.
        let latest = now.saturating_add(MAX_PAUSE);
        self.due.filter(|due| *due <= now || latest < *due)?;
        let approvals = self.asks()?;
        let (poll, path) = self.compiled.poll_standing(now);
        let credential = approvals.credential.clone();
        let headers = credential.map(|value| ("authorization", value));
        let call = Call {
            purpose: Purpose::Standing,
            number: 0,
            cluster: approvals.cluster.clone(),
            authority: None,
            message: Message::Http {
                method: "GET",
                scheme: None,
                path,
                headers: headers.into_iter().collect(),
                body: Vec::new(),
            },
            timeout: approvals.timeout.saturating_add(poll.wait),
            max_answer_bytes: MAX_STANDING_BYTES,
        };
        self.due = None;
        self.under_way = Some(poll);
        Some(call)
    }

    /// Takes what came of it.
    pub(super) fn answered(&mut self, answer: &Answer<'_>, world: World<'_>) -> Vec<Effect> {
        let Some(poll) = self.under_way.take() else {
            return Vec::new();
        };
        // Where the host can't tell the time, it is that of the question.
        let now = world.now.max(poll.sent);
        let taken = match answer {
            Answer::Http {
                status: 200, body, ..
            } => {
                let taken = self.compiled.take_standing(body, poll, now);
                taken.map_err(str::to_owned)
            }
            Answer::Http {
                status: 401 | 403, ..
            } => Err("it doesn't take the credential".to_owned()),
            Answer::Http { status: 404, .. } => Err("it has no /v1/standing".to_owned()),
            // Where Envoy reaches nobody, it answers itself.
            Answer::Http { status, .. } => Err(format!(
                "it, or Envoy in its place, answers with status {status}"
            )),
            Answer::Grpc(_) => Err("it answers with an error".to_owned()),
            Answer::NotSent => Err("it can't be called".to_owned()),
            Answer::Failed => Err("it gives no answer in time".to_owned()),
        };
        let failed = !self.pause.is_zero();
        self.pause = match taken {
            Ok(()) => Duration::ZERO,
            Err(_) if failed => self.pause.saturating_mul(2).min(MAX_PAUSE),
            Err(_) => MIN_PAUSE,
        };
        self.due = Some(poll.sent.saturating_add(self.pause.max(MIN_PAUSE)).max(now));
        let mut effects = Vec::new();
        if taken.is_ok() {
            let emptied = self.compiled.reset_counts(now, world.shared);
            for (quota, reset) in emptied {
                effects.push(log([
                    "a count of the quota ",
                    &quota,
                    " was reset, as the desk says (",
                    &reset,
                    ")",
                ]
                .concat()));
            }
        }
        match taken {
            Ok(()) if failed => {
                effects.push(log("the desk says again what stands".to_owned()));
            }
            Ok(()) => {}
            Err(why) => {
                effects.push(Effect::Change(Metric::StandingFailed, 1));
                // One line for a time in which it fails, however long that is.
                if !failed {
                    effects.push(log(format!(
                        "the desk does not say what stands: {why}. Until it does, grants are asked \
                         for, and blocks that are made have no effect here"
                    )));
                }
            }
        }
        effects
    }
}

fn log(line: String) -> Effect {
    let level = Level::Warn;
    Effect::Log { level, line }
}
