//! What exchanges want sent for whose answer nobody waits.
//!
//! A call of a stream's own ends with the stream, and one that has ended can't call any more. So
//! these go with the next tick, which belongs to no stream. What must arrive is sent again while it can't
//! be delivered: an approval that was claimed for nothing is lost otherwise.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use super::event::{Call, Effect, Level, Purpose};
use crate::call::{self, Answer, Post};

/// The most calls that wait to be sent; more are dropped. As many as leave at once when a thousand who
/// wait for a person are cut off.
const MAX_QUEUED: usize = 1024;

/// The most bytes that calls have together which need not arrive, and wait to be sent.
const MAX_QUEUED_BYTES: usize = 16 << 20;

/// The most calls that are under way at once.
const MAX_UNDER_WAY: usize = 64;

/// How often a call is sent that must arrive: with these pauses, for some ten minutes.
const MAX_TRIES: u32 = 24;

/// The longest pause between two of them.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// Calls that wait, and those that are under way.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    queued: VecDeque<Letter>,
    under_way: usize,
    /// Of those that are under way, the ones that must arrive.
    sent: BTreeMap<u64, Letter>,
    /// Those that didn't, until they are due.
    again: VecDeque<(Duration, Letter)>,
    numbers: u64,
    /// Whether something has been dropped since there last was room.
    drops: bool,
}

#[derive(Debug)]
struct Letter {
    call: call::Call<Post>,
    /// How often it has been sent.
    tries: u32,
}

impl Outbox {
    /// Takes a call; says so when it begins to drop them. Those that need not arrive go first.
    pub(super) fn add(&mut self, call: call::Call<Post>) -> Option<Effect> {
        let must_arrive = call.purpose == Post::UntilTaken;
        let cluster = call.cluster.clone();
        let is_full = self.queued.len() >= MAX_QUEUED;
        let less = |letter: &Letter| letter.call.purpose == Post::Once;
        let bytes = |call: &call::Call<Post>| call.message.body_bytes();
        let queued = self.queued.iter().map(|letter| bytes(&letter.call));
        let all = queued.fold(bytes(&call), usize::saturating_add);
        let is_full = is_full || (!must_arrive && all > MAX_QUEUED_BYTES);
        let room = match self.queued.iter().position(less) {
            _ if !is_full => true,
            Some(place) if must_arrive => self.queued.remove(place).is_some(),
            _ => false,
        };
        if room {
            self.queued.push_back(Letter { call, tries: 0 });
        }
        if !is_full {
            return None;
        }
        let first = !core::mem::replace(&mut self.drops, true);
        first.then(|| Effect::Log {
            level: Level::Warn,
            line: format!(
                "messages to cluster {cluster:?} are dropped: {MAX_QUEUED} wait to be sent"
            ),
        })
    }

    /// Whether all that there was has arrived, or was given up.
    pub(super) fn is_empty(&self) -> bool {
        self.queued.is_empty() && self.under_way == 0 && self.again.is_empty()
    }

    /// Whether something can be sent.
    pub(super) fn has_something(&self) -> bool {
        !self.queued.is_empty() && self.under_way < MAX_UNDER_WAY
    }

    /// The clock was put back by so much.
    pub(super) fn put_back(&mut self, by: Duration) {
        for (at, _) in &mut self.again {
            *at = at.saturating_sub(by);
        }
    }

    /// When something is sent again, since 1970.
    pub(super) fn due(&self) -> Option<Duration> {
        self.again.iter().map(|(at, _)| *at).min()
    }

    /// Takes out what can be sent now.
    pub(super) fn send(&mut self, now: Duration) -> Vec<Call> {
        for (at, letter) in core::mem::take(&mut self.again) {
            if at <= now && self.queued.len() < MAX_QUEUED {
                self.queued.push_back(letter);
            } else {
                self.again.push_back((at, letter));
            }
        }
        let room = MAX_UNDER_WAY.saturating_sub(self.under_way);
        let letters: Vec<Letter> = self.queued.drain(..room.min(self.queued.len())).collect();
        self.under_way = self.under_way.saturating_add(letters.len());
        self.drops &= !self.queued.is_empty();
        let sent = letters.into_iter().map(|letter| self.post(letter));
        sent.collect()
    }

    fn post(&mut self, mut letter: Letter) -> Call {
        let call = letter.call.clone();
        let mut letter_number = None;
        if call.purpose == Post::UntilTaken {
            self.numbers = self.numbers.saturating_add(1);
            letter.tries = letter.tries.saturating_add(1);
            letter_number = Some(self.numbers);
            self.sent.insert(self.numbers, letter);
        }
        Call {
            purpose: Purpose::Post {
                letter: letter_number,
            },
            number: call.number,
            cluster: call.cluster,
            authority: call.authority,
            message: call.message,
            timeout: call.timeout,
            max_answer_bytes: call.max_answer_bytes,
        }
    }

    /// One that was under way has been answered, or has failed.
    pub(super) fn answered(&mut self, letter: Option<u64>, answer: &Answer<'_>, now: Duration) {
        self.under_way = self.under_way.saturating_sub(1);
        // What is wrong with it stays wrong; what is wrong with the other side may not.
        let taken = answer.http().is_some_and(|(status, _)| status < 500);
        let letter = letter.and_then(|number| self.sent.remove(&number));
        if let Some(letter) = letter
            && !taken
            && letter.tries < MAX_TRIES
            && self.again.len() < MAX_QUEUED
        {
            let doubled = Duration::from_secs(1 << letter.tries.saturating_sub(1).min(5));
            let at = now.saturating_add(doubled.min(MAX_PAUSE));
            self.again.push_back((at, letter));
        }
    }
}
