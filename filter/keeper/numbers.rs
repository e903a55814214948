//! The recorder hears the highest number that was given, so that a record that never comes is missed even
//! when it was the last one of an Envoy that died.

use core::time::Duration;
use std::rc::Rc;

use super::event::{Call, Purpose};
use crate::call::{Answer, Message};
use crate::exchange::CompiledPolicy;

/// The time between two posts while numbers are given, and between two attempts.
pub(super) const PERIOD: Duration = Duration::from_secs(1);

/// How long a post may take at least: the desk waits for the record a while before it answers.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where a recorder takes a number.
const PATH: &str = "/v1/numbers";

/// The recorder's answers are small; larger ones are failures.
const MAX_ANSWER_BYTES: usize = 4 << 10;

/// What the recorder has been told.
#[derive(Debug)]
pub(super) struct Numbers {
    compiled: Rc<CompiledPolicy>,
    /// The VM's id.
    worker: Rc<str>,
    /// The highest number that was given.
    given: u64,
    /// The highest that the recorder has said it knows.
    known: u64,
    /// The one that is under way.
    under_way: Option<u64>,
    /// When to post, since 1970.
    due: Option<Duration>,
}

impl Numbers {
    pub(super) fn new(compiled: Rc<CompiledPolicy>, worker: Rc<str>) -> Self {
        Self {
            compiled,
            worker,
            given: 0,
            known: 0,
            under_way: None,
            due: None,
        }
    }

    /// The next number, from 1.
    pub(super) fn give(&mut self) -> u64 {
        self.given = self.given.saturating_add(1);
        self.given
    }

    /// Whether there is something to tell, and no post is scheduled.
    pub(super) fn is_untold(&self) -> bool {
        let recorder = &self.compiled.policy().sessions.desk;
        let idle = self.due.is_none() && self.under_way.is_none();
        idle && self.known < self.given && recorder.is_some()
    }

    /// Schedules a post.
    pub(super) fn schedule(&mut self, now: Duration) {
        if self.is_untold() {
            self.due = Some(now.saturating_add(PERIOD));
        }
    }

    /// The clock was put back by so much.
    pub(super) fn put_back(&mut self, by: Duration) {
        self.due = self.due.map(|due| due.saturating_sub(by));
    }

    /// When to post, since 1970.
    pub(super) fn due(&self) -> Option<Duration> {
        self.due
    }

    /// What is to be posted now.
    pub(super) fn take(&mut self, now: Duration) -> Option<Call> {
        self.due().filter(|due| *due <= now)?;
        self.due = None;
        let recorder = self.compiled.policy().sessions.desk.as_ref()?;
        self.under_way = Some(self.given);
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if let Some(credential) = &recorder.credential {
            headers.push(("authorization", credential.clone()));
        }
        // A worker's id is hex.
        let body = format!(
            "{{\"worker\":\"{}\",\"number\":{}}}",
            self.worker, self.given
        );
        Some(Call {
            purpose: Purpose::Numbers,
            number: 0,
            cluster: recorder.cluster.clone(),
            authority: None,
            message: Message::Http {
                method: "POST",
                scheme: None,
                path: PATH.to_owned(),
                headers,
                body: body.into_bytes(),
            },
            timeout: recorder.timeout.max(PATIENCE),
            max_answer_bytes: MAX_ANSWER_BYTES,
        })
    }

    /// Takes what came of a post. One that failed is made again, with the highest number of then.
    pub(super) fn answered(&mut self, answer: &Answer<'_>, now: Duration) {
        let sent = self.under_way.take();
        if matches!(answer.http(), Some((200..=299, _))) {
            self.known = self.known.max(sent.unwrap_or_default());
        }
        self.schedule(now);
    }
}
