//! What a keeper is told, and what it wants done.

use core::time::Duration;

use crate::approval::{Decision, Subject, Trouble};
use crate::call::{self, Answer};
use crate::exchange::{Ask, Bodies};
use crate::metric::Metric;
use crate::shared::Shared;

/// What a keeper may use of the world besides its events.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The time since 1970.
    pub now: Duration,
    /// What all workers share.
    pub shared: &'a dyn Shared,
}

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// The configuration is in use from now on.
    Started,
    /// A tick. Once its effects are performed, the host calls [`super::Keeper::pace`].
    Tick,
    /// A call was answered, or failed.
    CallAnswered {
        /// What the call was for.
        purpose: Purpose,
        /// What came of it.
        answer: Answer<'a>,
    },
    /// An exchange wants to be woken.
    WakeAt {
        /// The exchange.
        exchange: u32,
        /// The time since 1970.
        at: Duration,
    },
    /// An exchange waits for keys.
    KeysWanted {
        /// The exchange.
        exchange: u32,
    },
    /// An exchange found out whether bodies come.
    Bodies(Bodies),
    /// Something happened that is counted.
    Counted(Metric, u64),
    /// Bytes of bodies are held, and the gauge is not being updated.
    Buffered,
    /// Something is held of quotas, and is not about to be renewed.
    Held,
    /// Records have got numbers, and the recorder is not about to be told.
    Numbered,
    /// The configuration is out of use. Once [`super::Keeper::is_done`], there are no more ticks.
    Ended,
    /// An exchange asks a person.
    Ask {
        /// The exchange.
        exchange: u32,
        /// What it asks.
        ask: Box<Ask>,
    },
    /// An exchange's own call to an approval service came to nothing.
    Trouble(Trouble),
    /// An exchange wants something sent for whose answer nobody waits.
    Post(call::Call<call::Post>),
}

/// What a keeper calls another cluster for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To fetch a provider's keys.
    Keys {
        /// The provider's place in the policy.
        provider: usize,
    },
    /// To ask a person, or to wait for a decision.
    Question {
        /// The question's number.
        question: u64,
    },
    /// Because an exchange wanted it.
    Post {
        /// The outbox's number for it, if it must arrive.
        letter: Option<u64>,
    },
    /// To tell the recorder which numbers records have.
    Numbers,
    /// To ask the desk what stands.
    Standing,
}

/// A request to another cluster, on behalf of nobody in particular.
pub type Call = call::Call<Purpose>;

impl Call {
    pub(super) fn number(self, number: u64) -> Self {
        Self { number, ..self }
    }
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Send a request to another cluster, and tell of its answer. It belongs to no stream.
    Call(Call),
    /// Tell an exchange something, if it is still there.
    Tell {
        /// The exchange.
        exchange: u32,
        /// What it is told.
        what: Told,
    },
    /// Set the time between ticks; `None` stops them.
    TickEvery(Option<Duration>),
    /// Raise a counter, or change a gauge in either direction.
    Change(Metric, i64),
    /// Write a line to the log.
    Log {
        /// How bad it is.
        level: Level,
        /// Names nothing that is secret.
        line: String,
    },
}

/// What exchanges are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// [`crate::exchange::Event::Tick`].
    Tick,
    /// [`crate::exchange::Event::Decided`].
    Decided {
        /// What was asked about.
        about: Subject,
        /// The exchange's number for the question.
        number: u64,
        /// What has come of it.
        decision: Decision,
    },
    /// [`crate::exchange::Event::KeysRenewed`].
    KeysRenewed,
}

/// How bad a line of the log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Something went wrong that may go right later.
    Warn,
    /// Somebody has to do something.
    Error,
}
