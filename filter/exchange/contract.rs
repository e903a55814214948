//! Checks in debug builds that effects are valid where they come (see [`super::effect`]).
//!
//! Only what the exchange itself says is checked. A host may send anything at any time, and is
//! answered; what it does with its own mistakes is no matter of this.

use super::effect::{Effect, Flow, Outcome};
use super::event::{Direction, Event, Purpose};

/// What has been said so far.
#[derive(Debug, Default)]
pub(super) struct Contract {
    request: Head,
    response: Head,
    /// Whether a reply or a cut was wanted.
    answered: bool,
    closed: bool,
}

/// Where a direction's head is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Head {
    #[default]
    Expected,
    Held,
    Gone,
}

impl Contract {
    /// Checks an outcome against its event.
    pub(super) fn check(&mut self, event: &Event<'_>, outcome: &Outcome) {
        if let Event::RequestHead { .. } = event
            && self.request == Head::Expected
        {
            self.request = Head::Held;
        }
        if let Event::ResponseHead { .. } = event
            && self.response == Head::Expected
        {
            self.response = Head::Held;
        }
        let own = own_direction(event);
        for effect in &outcome.effects {
            debug_assert!(
                self.is_valid(event, own, effect),
                "{effect:?} after {event:?} in {self:?}"
            );
            match effect {
                Effect::Reply(_) | Effect::CutResponse => self.answered = true,
                Effect::Resume(direction) => self.goes(*direction),
                _ => {}
            }
        }
        debug_assert!(
            !outcome.is_answer() || outcome.flow == Flow::Hold,
            "something goes on behind an answer: {outcome:?}"
        );
        if let (Some(direction), Flow::Continue) = (own, outcome.flow) {
            self.goes(direction);
        }
        self.closed |= matches!(event, Event::Closed { .. });
    }

    fn goes(&mut self, direction: Direction) {
        match direction {
            Direction::Request => self.request = Head::Gone,
            Direction::Response => self.response = Head::Gone,
        }
    }

    fn is_valid(&self, event: &Event<'_>, own: Option<Direction>, effect: &Effect) -> bool {
        if self.closed || matches!(event, Event::Closed { .. }) {
            return !self.closed
                && matches!(
                    effect,
                    Effect::Record(_) | Effect::Post(_) | Effect::Count(..)
                );
        }
        match effect {
            Effect::SetRequestHeader { .. } | Effect::RemoveRequestHeader(_) => {
                self.request == Head::Held
            }
            Effect::SetResponseHeader { .. } | Effect::RemoveResponseHeader(_) => {
                self.response == Head::Held
            }
            Effect::SetResponseTrailer { .. } | Effect::RemoveResponseTrailer(_) => {
                matches!(event, Event::ResponseTrailers { .. })
            }
            Effect::RemoveRequestTrailer(_) => matches!(event, Event::RequestTrailers { .. }),
            Effect::ReadRequestBody => self.request == Head::Held && !self.answered,
            Effect::ReadRequestBytes { .. } => own == Some(Direction::Request) && !self.answered,
            Effect::ReplaceRequestBody(_) => match event {
                Event::RequestWhole { .. } => self.request == Head::Held,
                event => matches!(event, Event::RequestBytes { .. }),
            },
            Effect::ReplaceResponseBody(_) => match own {
                Some(Direction::Response) => !matches!(event, Event::ResponseHead { .. }),
                Some(Direction::Request) => false,
                None => self.response == Head::Held || ends_late(event),
            },
            Effect::Resume(_) => own.is_none() && !self.answered,
            Effect::Reply(_) => {
                let late = own == Some(Direction::Response) && self.response == Head::Gone;
                !self.answered && !late
            }
            Effect::CutResponse => !self.answered && self.response == Head::Gone,
            Effect::Call(call) => !call.timeout.is_zero() && !self.answered,
            Effect::Ask(_) => !self.answered,
            Effect::Post(call) => !call.timeout.is_zero(),
            Effect::ReadClosing => own != Some(Direction::Request) && !self.answered,
            Effect::WantKeys
            | Effect::WakeAt(_)
            | Effect::Bodies(_)
            | Effect::MarkRequest
            | Effect::Trouble(_)
            | Effect::Count(..) => true,
            Effect::Record(_) => false,
        }
    }
}

/// Whether the end of an answer may be held when this comes, though its head has gone.
fn ends_late(event: &Event<'_>) -> bool {
    let commit = Purpose::Commit;
    matches!(event, Event::Closing { .. })
        || matches!(event, Event::CallAnswered { purpose, .. } if *purpose == commit)
}

/// The direction that an event brings something of.
fn own_direction(event: &Event<'_>) -> Option<Direction> {
    match event {
        Event::RequestHead { .. } | Event::RequestPiece { .. } | Event::RequestTrailers { .. } => {
            Some(Direction::Request)
        }
        Event::ResponseHead { .. }
        | Event::ResponseBody { .. }
        | Event::ResponseUnseen { .. }
        | Event::ResponseTrailers { .. } => Some(Direction::Response),
        Event::RequestWhole { .. }
        | Event::RequestBytes { .. }
        | Event::CallAnswered { .. }
        | Event::Decided { .. }
        | Event::KeysRenewed
        | Event::Tick
        | Event::Closing { .. }
        | Event::Closed { .. } => None,
    }
}
