//! What an exchange wants done, done by the host.

use super::settle::{Failure, Perform};
use super::{Stream, UNAVAILABLE};
use crate::exchange::{Call, Effect, Event, Outcome, Reply};
use crate::host::api::{Buffer, Host, HttpCall, Level, LocalReply, Map, Status};

impl<H: Host> Perform for Stream<H> {
    fn perform(&mut self, effect: Effect) -> Result<Option<u64>, Failure> {
        match effect {
            Effect::Call(call) => return Ok(self.call(&call)),
            Effect::Reply(reply) => self.reply(&reply),
            // Envoy can't answer twice: a reply behind a response's head ends the stream.
            Effect::CutResponse => self.reply(&Reply {
                status: 502,
                grpc_status: UNAVAILABLE,
                headers: Vec::new(),
                body: String::new(),
            }),
            Effect::AwaitKeys { until } => {
                if let Some(shared) = &self.shared {
                    shared.await_keys(self.context, until, self.itself.clone());
                }
            }
            effect => self.change(effect).map_err(Failure::Host)?,
        }
        Ok(None)
    }

    fn call_failed(&mut self, call: u64) -> Result<Outcome, Failure> {
        self.handle(Event::CallAnswered { call, answer: None })
    }
}

impl<H: Host> Stream<H> {
    /// Changes something that the host has.
    fn change(&mut self, effect: Effect) -> Result<(), Status> {
        let host = &self.host;
        match effect {
            Effect::SetRequestHeader { name, value } => {
                host.set_header(Map::Request, &name, value.as_bytes())
            }
            Effect::RemoveRequestHeader(name) => host.remove_header(Map::Request, &name),
            Effect::SetResponseHeader { name, value } => {
                host.set_header(Map::Response, name, &value)
            }
            Effect::RemoveResponseHeader(name) => host.remove_header(Map::Response, name),
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
            Effect::Call(_) | Effect::Reply(_) | Effect::CutResponse | Effect::AwaitKeys { .. } => {
                Ok(())
            }
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
        // No tick lets go what was held before: behind it lies what could not be dealt with.
        self.pieces.end();
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
            self.host.log(
                Level::Error,
                &format!("portcullis: no reply could be sent: {status:?}"),
            );
        }
    }

    /// Sends a call; gives its number back if it can't be sent.
    fn call(&mut self, call: &Call) -> Option<u64> {
        let mut headers = vec![
            (":method", call.method),
            (":path", call.path.as_str()),
            (":authority", call.cluster.as_str()),
        ];
        headers.extend(
            call.headers
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        );
        let sent = self.host.call(HttpCall {
            cluster: &call.cluster,
            headers,
            body: Some(&call.body),
            timeout: call.timeout,
        });
        match sent {
            Ok(token) => {
                self.calls.push((token, call.number));
                None
            }
            // A missing cluster, or one without hosts: known at once.
            Err(_) => Some(call.number),
        }
    }
}
