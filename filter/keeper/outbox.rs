//! What exchanges want sent for whose answer nobody waits.
//!
//! A call of a stream's own ends with the stream, and one that has ended can't call any more. So
//! these go with the next tick, which belongs to no stream.

use std::collections::VecDeque;

use super::event::{Call, Effect, Level, Purpose};
use crate::call;

/// The most calls that wait to be sent; more are dropped. As many as leave at once when a thousand who
/// wait for a person are cut off.
const MAX_QUEUED: usize = 1024;

/// The most calls that are under way at once.
const MAX_UNDER_WAY: usize = 64;

/// Calls that wait, and how many are under way.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queued: VecDeque<call::Call<()>>,
    under_way: usize,
    /// Whether something has been dropped since there last was room.
    drops: bool,
}

impl Outbox {
    /// Takes a call; says so when it begins to drop them.
    pub(super) fn add(&mut self, call: call::Call<()>) -> Option<Effect> {
        if self.queued.len() < MAX_QUEUED {
            self.queued.push_back(call);
            return None;
        }
        let first = !core::mem::replace(&mut self.drops, true);
        first.then(|| Effect::Log {
            level: Level::Warn,
            line: format!(
                "messages to cluster {:?} are dropped: {MAX_QUEUED} wait to be sent",
                call.cluster
            ),
        })
    }

    /// Whether something can be sent.
    pub(super) fn has_something(&self) -> bool {
        !self.queued.is_empty() && self.under_way < MAX_UNDER_WAY
    }

    /// Takes out what can be sent now.
    pub(super) fn send(&mut self) -> Vec<Call> {
        let room = MAX_UNDER_WAY.saturating_sub(self.under_way);
        let sent: Vec<Call> = self
            .queued
            .drain(..room.min(self.queued.len()))
            .map(post)
            .collect();
        self.under_way = self.under_way.saturating_add(sent.len());
        self.drops &= !self.queued.is_empty();
        sent
    }

    /// One that was under way has been answered, or has failed.
    pub(super) fn answered(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }
}

fn post(call: call::Call<()>) -> Call {
    Call {
        purpose: Purpose::Post,
        number: call.number,
        cluster: call.cluster,
        authority: call.authority,
        message: call.message,
        timeout: call.timeout,
        max_answer_bytes: call.max_answer_bytes,
    }
}
