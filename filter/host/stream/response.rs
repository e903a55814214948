//! The response of a stream, piece by piece.

use super::Stream;
use super::settle::Failure;
use crate::exchange::{Direction, Effect, Event, Exchange, Outcome};
use crate::host::api::{Action, Buffer, Host, Level, Map, Status};
use crate::host::seldom::ENDS;
use base::bytes;

impl<H: Host> Stream<H> {
    pub(in crate::host) fn response_headers(&mut self, end: bool) -> Action {
        self.answered |= end;
        let wanted = self.wants(Exchange::wants_response_head);
        let cluster = self.cluster();
        let cluster = cluster.as_deref();
        let outcome = if wanted {
            let pairs = match self.host.headers(Map::Response) {
                Ok(pairs) => pairs,
                Err(status) => return self.fail(Failure::Host(status)),
            };
            let Some(headers) = pairs.get() else {
                return self.fail(Failure::Short);
            };
            self.handle(Event::ResponseHead {
                cluster,
                headers: &headers,
                end,
            })
        } else {
            let status = self.host.header(Map::Response, ":status");
            let status = status.unwrap_or_default();
            let headers: &[(&[u8], &[u8])] = &[(b":status", &status)];
            self.handle(Event::ResponseHead {
                cluster,
                headers,
                end,
            })
        };
        match outcome {
            Ok(outcome) => self.apply(Some(Direction::Response), outcome),
            // The reply that says so comes through here too.
            Err(_) if self.replied => Action::Continue,
            Err(failure) => self.fail(failure),
        }
    }

    pub(in crate::host) fn response_body(&mut self, size: usize, end: bool) -> Action {
        self.answered |= end;
        if self.wants(Exchange::wants_response_body) {
            return self.respond(size, end);
        }
        if self.wants(Exchange::wants_response_sizes) {
            return self.act(Direction::Response, Event::ResponseUnseen { bytes: size });
        }
        Action::Continue
    }

    pub(in crate::host) fn response_trailers(&mut self) -> Action {
        self.answered = true;
        if !self.wants(Exchange::wants_response_trailers) {
            return Action::Continue;
        }
        let pairs = match self.host.headers(Map::ResponseTrailers) {
            Ok(pairs) => pairs,
            Err(status) => return self.fail(Failure::Host(status)),
        };
        let Some(trailers) = pairs.get() else {
            return self.fail(Failure::Short);
        };
        let event = Event::ResponseTrailers {
            trailers: &trailers,
        };
        let mut outcome = match self.handle(event) {
            Ok(outcome) => outcome,
            Err(failure) => return self.fail(failure),
        };
        let out = outcome.take_response_body().unwrap_or_default();
        if let Err(status) = self.take_back(&outcome, self.response_done) {
            return self.fail(Failure::Host(status));
        }
        if !out.is_empty() && self.write(self.response_done, &out).is_err() {
            let line = "the end of a response could not be written before its trailers";
            ENDS.with(|told| told.log(&self.host, Level::Warn, line));
        }
        self.apply(Some(Direction::Response), outcome)
    }

    /// Reads the new part of the response's buffer, and puts what becomes of it in its place.
    fn respond(&mut self, size: usize, end: bool) -> Action {
        let new = size.saturating_sub(self.response_done);
        let read = self
            .host
            .buffer(Buffer::ResponseBody, self.response_done, new);
        let piece = match read {
            Ok(piece) if piece.len() == new => piece,
            Ok(_) => return self.fail(Failure::Short),
            Err(status) => return self.fail(Failure::Host(status)),
        };
        let event = Event::ResponseBody { piece: &piece, end };
        let mut outcome = match self.handle(event) {
            Ok(outcome) => outcome,
            Err(failure) => return self.fail(failure),
        };
        // Whatever else comes of it concerns all that is held then.
        let out = outcome.take_response_body();
        if is_answered(&outcome) {
            if let Err(status) = self.take_back(&outcome, size) {
                return self.fail(Failure::Host(status));
            }
            return self.apply(Some(Direction::Response), outcome);
        }
        self.response_done = match out {
            Some(out) if !bytes::same(&out, &piece) => {
                if let Err(status) = self.write(size, &out) {
                    return self.fail(Failure::Host(status));
                }
                self.response_done.saturating_add(out.len())
            }
            _ => size,
        };
        let action = self.apply(Some(Direction::Response), outcome);
        if matches!(action, Action::Continue) {
            self.response_done = 0;
        }
        action
    }

    /// Nothing of a response is left, of which the host holds so much, where an answer of the filter's
    /// own takes its place.
    fn take_back(&mut self, outcome: &Outcome, held: usize) -> Result<(), Status> {
        if held > 0 && is_answered(outcome) {
            self.host.replace_buffer(Buffer::ResponseBody, held, b"")?;
            self.response_done = 0;
        }
        Ok(())
    }

    /// Puts `out` behind what is dealt with, in place of the rest of `size` bytes.
    fn write(&self, size: usize, out: &[u8]) -> Result<(), Status> {
        if self.response_done == 0 {
            return self.host.replace_buffer(Buffer::ResponseBody, size, out);
        }
        let mut all = self
            .host
            .buffer(Buffer::ResponseBody, 0, self.response_done)?;
        all.extend_from_slice(out);
        self.host.replace_buffer(Buffer::ResponseBody, size, &all)
    }
}

/// Whether an answer of the filter's own takes the response's place.
fn is_answered(outcome: &Outcome) -> bool {
    let is_reply = |effect: &Effect| matches!(effect, Effect::Reply(_));
    outcome.effects.iter().any(is_reply)
}
