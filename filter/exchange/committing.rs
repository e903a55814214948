//! How an answer's end waits for its record, in the order of its events.

use super::commit::Commit;
use super::effect::{Call, Effect, Flow, Outcome};
use super::event::{Direction, Event, Headers, Purpose};
use super::reply::Refusal;
use super::response::ResponseState;
use super::world::World;
use super::{Closing, Exchange};
use crate::call::{Answer, Message};
use base::code::Code;

/// Where a recorder takes a record.
const KEEP_PATH: &str = "/v1/records";

/// The desk's answers are small; larger ones are rejected.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// What of an answer the host holds or has let go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Gone {
    /// Nothing has gone, and there is no body.
    #[default]
    NoBody,
    /// Nothing has gone.
    Nothing,
    /// The head.
    Head,
}

impl Exchange {
    /// The head of a model server's answer led to this.
    pub(super) fn commit_head(&mut self, headers: &Headers<'_>, end: bool, outcome: &mut Outcome) {
        if !self.context.committed || outcome.is_answer() {
            return;
        }
        self.commit = Commit::begin(headers);
        if end {
            self.commit.end();
            self.wait_for_record(outcome);
        } else {
            self.gone = Gone::Nothing;
        }
    }

    /// A piece of the answer led to this.
    pub(super) fn commit_piece(&mut self, piece: &[u8], end: bool, outcome: &mut Outcome) {
        if outcome.is_answer() {
            self.commit = Commit::Off;
        }
        if self.response.is_held() {
            self.commit.note_held(piece.len());
            return;
        }
        let awaited = self.commit.awaits_end();
        if !awaited && !self.commit.waits() {
            return;
        }
        let out = outcome
            .take_response_body()
            .unwrap_or_else(|| piece.to_vec());
        let piece = self.commit.piece(piece.len(), end, out);
        if piece.ends {
            self.withheld = self.withheld.saturating_add(piece.out.len());
        }
        outcome.effects.push(Effect::ReplaceResponseBody(piece.out));
        if piece.held {
            outcome.flow = Flow::Hold;
        }
        if piece.ends && awaited {
            self.wait_for_record(outcome);
        }
    }

    /// The trailers of the answer led to this.
    pub(super) fn commit_trailers(&mut self, outcome: &mut Outcome) {
        if outcome.is_answer() {
            self.commit = Commit::Off;
        }
        if self.response.is_held() {
            return;
        }
        if self.commit.awaits_end() {
            if let Some(last) = self.commit.end() {
                let mut out = vec![last];
                out.extend(outcome.take_response_body().unwrap_or_default());
                self.withheld = out.len();
                outcome.effects.push(Effect::ReplaceResponseBody(out));
            }
            self.wait_for_record(outcome);
        } else if self.commit.waits() {
            outcome.flow = Flow::Hold;
        }
    }

    /// All that is left of the answer waits for its record.
    pub(super) fn wait_for_record(&mut self, outcome: &mut Outcome) {
        outcome.effects.push(Effect::ReadClosing);
        outcome.flow = Flow::Hold;
    }

    /// Sends the record, as it will be if the answer goes to its end.
    pub(super) fn send_record(
        &mut self,
        number: u64,
        closing: &Closing<'_>,
        world: World<'_>,
    ) -> Outcome {
        let compiled = std::rc::Rc::clone(&self.context.compiled);
        let mut outcome = Outcome {
            effects: Vec::new(),
            flow: Flow::Hold,
        };
        if self.commit != Commit::Ending {
            return outcome;
        }
        let Some(recorder) = &compiled.policy.sessions.desk else {
            return self.not_kept();
        };
        self.context.settle_charges(world);
        let before = self.context.record.clone();
        self.response.note(&mut self.context);
        let closing = Closing {
            answered: true,
            ..*closing
        };
        let own = self.own_end();
        let record = self.context.write_record(number, &closing, own, world);
        self.context.record = before;
        let call = self.context.number_call();
        self.commit = Commit::Asked(call);
        let mut headers = vec![("content-type", "application/json".to_owned())];
        if let Some(credential) = &recorder.credential {
            headers.push(("authorization", credential.clone()));
        }
        outcome.effects.push(Effect::Call(Box::new(Call {
            purpose: Purpose::Commit,
            number: call,
            cluster: recorder.cluster.clone(),
            authority: None,
            message: Message::Http {
                method: "POST",
                scheme: None,
                path: KEEP_PATH.to_owned(),
                headers,
                body: record.into_bytes(),
            },
            timeout: recorder.timeout,
            max_answer_bytes: MAX_ANSWER_BYTES,
        })));
        outcome
    }

    /// Takes what the recorder says.
    pub(super) fn record_answered(&mut self, number: u64, answer: Answer<'_>) -> Outcome {
        if self.commit != Commit::Asked(number) {
            return Outcome {
                effects: Vec::new(),
                flow: Flow::Hold,
            };
        }
        if !matches!(answer.http(), Some((200..=299, _))) {
            return self.not_kept();
        }
        self.commit = Commit::Kept;
        self.outbound.decided();
        Outcome {
            effects: vec![Effect::Resume(Direction::Response)],
            flow: Flow::Hold,
        }
    }

    /// The answer doesn't go to its end.
    fn not_kept(&mut self) -> Outcome {
        self.commit = Commit::Failed;
        let state = match self.gone {
            Gone::Head => ResponseState::Cut,
            Gone::Nothing | Gone::NoBody => ResponseState::Refused,
        };
        let response = core::mem::replace(&mut self.response, state);
        response.close(&mut self.context);
        match self.gone {
            Gone::Head => {
                self.context.end_not_sent(self.withheld);
                self.context.cut_response(Code::RecordNotKept)
            }
            gone => {
                self.context.nothing_sent();
                let refusal = Refusal::recorder_away();
                self.context.refuse_response(refusal, gone == Gone::Nothing)
            }
        }
    }

    /// What goes on with this outcome has gone.
    pub(super) fn note_gone(&mut self, event: &Event<'_>, outcome: &Outcome) {
        let own = matches!(
            event,
            Event::ResponseHead { .. } | Event::ResponseBody { .. }
        );
        let goes = own && outcome.flow == Flow::Continue
            || outcome
                .effects
                .contains(&Effect::Resume(Direction::Response));
        if goes {
            self.gone = Gone::Head;
        }
    }
}
