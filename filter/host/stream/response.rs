//! The response of a stream, piece by piece.

use std::rc::Rc;

use proxy_wasm::types::Action;

use super::Stream;
use crate::bytes;
use crate::exchange::{Effect, Event, Exchange, Outcome};
use crate::host::calls::{self, Buffer, Direction, Level, Map, Status};
use crate::host::delivery::Delivery;

impl Stream {
    pub(in crate::host) fn response_headers(&mut self, end: bool) -> Action {
        let wanted = self
            .exchange
            .as_ref()
            .is_some_and(Exchange::wants_response_head);
        let outcome = if wanted {
            let Ok(pairs) = calls::headers(Map::Response) else {
                return self.fail("host_failed");
            };
            let Some(headers) = pairs.get() else {
                return self.fail("host_failed");
            };
            self.handle(Event::ResponseHead {
                headers: &headers,
                end,
            })
        } else {
            let status = calls::header(Map::Response, ":status").unwrap_or_default();
            let headers: &[(&[u8], &[u8])] = &[(b":status", &status)];
            self.handle(Event::ResponseHead { headers, end })
        };
        let Some(outcome) = outcome else {
            // The reply that says so comes through here too.
            return Action::Continue;
        };
        let action = self.apply(outcome);
        self.after_head(Direction::Response, end, action)
    }

    pub(in crate::host) fn response_body(&mut self, size: usize, end: bool) -> Action {
        self.body_came(Direction::Response);
        if self
            .exchange
            .as_ref()
            .is_some_and(Exchange::wants_response_body)
        {
            return self.respond(size, end);
        }
        Action::Continue
    }

    pub(in crate::host) fn response_trailers(&mut self) -> Action {
        if !self
            .exchange
            .as_ref()
            .is_some_and(Exchange::wants_response_trailers)
        {
            return Action::Continue;
        }
        let Ok(pairs) = calls::headers(Map::ResponseTrailers) else {
            return self.fail("host_failed");
        };
        let Some(trailers) = pairs.get() else {
            return self.fail("host_failed");
        };
        let event = Event::ResponseTrailers {
            trailers: &trailers,
        };
        let Some(mut outcome) = self.handle(event) else {
            return Action::Continue;
        };
        let out = take_body(&mut outcome).unwrap_or_default();
        let mut ends = false;
        if !out.is_empty() {
            let delivery = self.pieces.response.get();
            if delivery == Delivery::Released {
                self.response_done = 0;
            }
            if self.write(self.response_done, &out).is_err() {
                calls::log(
                    Level::Warn,
                    "portcullis: the end of a response could not be written before its trailers",
                );
            } else {
                ends = delivery == Delivery::Released;
            }
        }
        let action = self.apply(outcome);
        if ends && !self.replied {
            self.release_soon(Delivery::Ending);
            return Action::Pause;
        }
        action
    }

    /// Reads the new part of the response's buffer, and puts what becomes of it in its place.
    fn respond(&mut self, size: usize, end: bool) -> Action {
        let released = self.pieces.response.get() == Delivery::Released;
        if released {
            self.response_done = 0;
        }
        let new = size.saturating_sub(self.response_done);
        let Ok(piece) = calls::buffer(Buffer::ResponseBody, self.response_done, new) else {
            return self.fail("host_failed");
        };
        if piece.len() != new {
            return self.fail("host_failed");
        }
        let event = Event::ResponseBody { piece: &piece, end };
        let Some(mut outcome) = self.handle(event) else {
            return self.fail("not_configured");
        };
        let out = take_body(&mut outcome);
        let done = match out {
            Some(out) if !bytes::same(&out, &piece) => {
                if self.write(size, &out).is_err() {
                    return self.fail("host_failed");
                }
                self.response_done.saturating_add(out.len())
            }
            _ => size,
        };
        let action = self.apply(outcome);
        if self.replied {
            return action;
        }
        if self.holds_response() {
            // It waits for its end or for a person: no tick lets it go.
            self.response_done = done;
            return Action::Pause;
        }
        if released || matches!(action, Action::Pause) {
            self.response_done = done;
            self.release_soon(Delivery::Held);
            return Action::Pause;
        }
        self.response_done = 0;
        self.pieces.response.set(Delivery::Direct);
        Action::Continue
    }

    /// Puts `out` behind what is dealt with, in place of the rest of `size` bytes.
    fn write(&self, size: usize, out: &[u8]) -> Result<(), Status> {
        if self.response_done == 0 {
            return calls::replace_buffer(Buffer::ResponseBody, size, out);
        }
        let mut all = calls::buffer(Buffer::ResponseBody, 0, self.response_done)?;
        all.extend_from_slice(out);
        calls::replace_buffer(Buffer::ResponseBody, size, &all)
    }

    fn release_soon(&self, delivery: Delivery) {
        let waiting = matches!(
            self.pieces.response.get(),
            Delivery::Held | Delivery::Ending
        );
        self.pieces.response.set(delivery);
        if !waiting && let Some(shared) = &self.shared {
            shared.release_soon(self.context, Direction::Response, Rc::clone(&self.pieces));
        }
    }
}

/// Takes the response's bytes out of an outcome.
fn take_body(outcome: &mut Outcome) -> Option<Vec<u8>> {
    outcome.effects.iter_mut().find_map(|effect| match effect {
        Effect::ReplaceResponseBody(bytes) => Some(core::mem::take(bytes)),
        _ => None,
    })
}
