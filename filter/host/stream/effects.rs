//! What an exchange wants done, done by the host.

use super::settle::{Failure, FollowUp, Perform};
use super::{Stream, UNAVAILABLE};
use crate::call::Answer;
use crate::exchange::{Direction, Effect, Event, Outcome, Reply};
use crate::host::api::{Buffer, Host, Level, LocalReply, Map, Status};
use crate::host::arrived::request_bytes;
use crate::host::seldom::REPLIES;
use crate::keeper;

impl<H: Host> Perform for Stream<H> {
    fn perform(&mut self, effect: Effect) -> Result<Option<FollowUp>, Failure> {
        let exchange = self.context;
        match effect {
            Effect::Call(call) => {
                let sent = self.calls.send(&self.host, &call);
                return Ok((!sent).then_some(FollowUp::NotSent {
                    purpose: call.purpose,
                    number: call.number,
                }));
            }
            Effect::ReadRequestBody => return Ok(Some(FollowUp::RequestBody)),
            Effect::ReadRequestBytes { end } => {
                return Ok(Some(FollowUp::RequestBytes { end }));
            }
            Effect::ReadClosing => return Ok(Some(FollowUp::Closing)),
            Effect::Reply(reply) => self.reply(&reply),
            // Envoy can't answer twice: a reply behind a response's head ends the stream.
            Effect::CutResponse => self.reply(&Reply {
                status: 502,
                grpc_status: UNAVAILABLE,
                headers: Vec::new(),
                body: String::new(),
            }),
            Effect::MarkRequest => self.marked = request_bytes(&self.host),
            Effect::WantKeys => self.keep(keeper::Event::KeysWanted { exchange }),
            Effect::WakeAt(at) => self.keep(keeper::Event::WakeAt { exchange, at }),
            Effect::Bodies(found) => self.keep(keeper::Event::Bodies(found)),
            Effect::Count(metric, amount) => self.keep(keeper::Event::Counted(metric, amount)),
            Effect::Post(call) => self.keep(keeper::Event::Post(*call)),
            Effect::Ask(ask) => self.keep(keeper::Event::Ask { exchange, ask }),
            Effect::Trouble(trouble) => self.keep(keeper::Event::Trouble(trouble)),
            effect => self.change(effect).map_err(Failure::Host)?,
        }
        Ok(None)
    }

    fn resume(&mut self, direction: Direction) -> Result<(), Failure> {
        if self.replied {
            return Ok(());
        }
        self.host.resume(direction).map_err(Failure::Host)?;
        // What was held is gone; what comes next is a buffer of its own.
        match direction {
            Direction::Request => self.request_held = 0,
            Direction::Response => self.response_done = 0,
        }
        Ok(())
    }

    fn follow(&mut self, what: FollowUp) -> Result<Outcome, Failure> {
        match what {
            FollowUp::NotSent { purpose, number } => self.handle_now(Event::CallAnswered {
                purpose,
                number,
                answer: Answer::NotSent,
            }),
            FollowUp::RequestBody => {
                let body = self.held_of_request()?;
                self.handle_now(Event::RequestWhole { body: &body })
            }
            FollowUp::Closing => self.tell_closing(),
            FollowUp::RequestBytes { end } => {
                let bytes = self.held_of_request()?;
                self.handle_now(Event::RequestBytes { bytes: &bytes, end })
            }
        }
    }
}

impl<H: Host> Stream<H> {
    /// What the host holds of the request's body.
    fn held_of_request(&self) -> Result<Vec<u8>, Failure> {
        let held = self.request_held;
        let body = self.host.buffer(Buffer::RequestBody, 0, held);
        let body = body.map_err(Failure::Host)?;
        if body.len() != held {
            return Err(Failure::Short);
        }
        Ok(body)
    }

    /// Changes something that the host has.
    fn change(&mut self, effect: Effect) -> Result<(), Status> {
        let host = &self.host;
        match effect {
            Effect::SetRequestHeader { name, value } => {
                host.set_header(Map::Request, &name, value.as_bytes())
            }
            Effect::RemoveRequestHeader(name) => host.remove_header(Map::Request, &name),
            Effect::RemoveRequestTrailer(name) => host.remove_header(Map::RequestTrailers, &name),
            Effect::SetResponseHeader { name, value } => {
                host.set_header(Map::Response, &name, &value)
            }
            Effect::RemoveResponseHeader(name) => host.remove_header(Map::Response, &name),
            Effect::SetResponseTrailer { name, value } => {
                host.set_header(Map::ResponseTrailers, &name, &value)
            }
            Effect::RemoveResponseTrailer(name) => host.remove_header(Map::ResponseTrailers, &name),
            Effect::ReplaceRequestBody(bytes) => {
                host.replace_buffer(Buffer::RequestBody, self.request_held, &bytes)?;
                self.request_held = bytes.len();
                Ok(())
            }
            // The piece of a callback is written there, where its place is known. What comes after
            // it takes the place of all that is held.
            Effect::ReplaceResponseBody(bytes) => {
                host.replace_buffer(Buffer::ResponseBody, self.response_done, &bytes)?;
                self.response_done = bytes.len();
                Ok(())
            }
            Effect::Record(record) => self.set_record(&record),
            // Not the host's.
            _ => Ok(()),
        }
    }

    pub(super) fn set_record(&self, record: &str) -> Result<(), Status> {
        self.host.set_state("portcullis.session", record.as_bytes())
    }

    pub(super) fn reply(&mut self, reply: &Reply) {
        if self.replied {
            return;
        }
        self.replied = true;
        let headers: Vec<(&str, &str)> = reply
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let sent = self.host.reply(&LocalReply {
            status: reply.status,
            grpc_status: reply.grpc_status,
            headers: &headers,
            body: reply.body.as_bytes(),
        });
        if let Err(status) = sent {
            let line = format!("no reply could be sent: {status:?}");
            REPLIES.with(|told| told.log(&self.host, Level::Error, &line));
        }
    }
}
