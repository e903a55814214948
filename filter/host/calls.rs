//! Calls under way, and how HTTP and gRPC look to the host.

use super::api::{Buffer, CallEnd, Host, HttpCall, Map};
use crate::call::{Answer, Call, GrpcStatus, Message, frame, unframe};

/// Calls of one stream, or of the keeper.
pub(super) struct Calls<P>(Vec<UnderWay<P>>);

struct UnderWay<P> {
    token: u32,
    purpose: P,
    number: u64,
    grpc: bool,
    max_answer_bytes: usize,
}

/// What came of a call, in memory of its own.
pub(super) enum Received {
    Failed,
    Http {
        status: u16,
        coding: Vec<u8>,
        body: Vec<u8>,
    },
    Grpc(Option<Vec<u8>>, Vec<u8>),
}

impl<P> Default for Calls<P> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<P: Copy> Calls<P> {
    /// Sends a call; says whether it could be sent. A missing cluster, or one without hosts, is
    /// known at once.
    pub(super) fn send(&mut self, host: &impl Host, call: &Call<P>) -> bool {
        let authority = call.authority();
        let framed;
        let (mut headers, more, body): (Vec<(&str, &str)>, _, &[u8]) = match &call.message {
            Message::Http {
                method,
                scheme,
                path,
                headers,
                body,
            } => {
                let mut pseudo = vec![(":method", *method), (":path", path.as_str())];
                pseudo.extend(scheme.map(|scheme| (":scheme", scheme)));
                (pseudo, headers, body)
            }
            Message::Grpc {
                method,
                metadata,
                message,
            } => {
                let Some(frame) = frame(message) else {
                    return false;
                };
                framed = frame;
                let pseudo = vec![
                    (":method", "POST"),
                    (":path", *method),
                    ("te", "trailers"),
                    ("content-type", "application/grpc"),
                ];
                (pseudo, metadata, &framed)
            }
        };
        headers.insert(2, (":authority", authority));
        headers.extend(more.iter().map(|(name, value)| (*name, value.as_str())));
        let sent = host.call(HttpCall {
            cluster: &call.cluster,
            headers,
            body: (!body.is_empty()).then_some(body),
            timeout: call.timeout,
        });
        let Ok(token) = sent else { return false };
        self.0.push(UnderWay {
            token,
            purpose: call.purpose,
            number: call.number,
            grpc: matches!(call.message, Message::Grpc { .. }),
            max_answer_bytes: call.max_answer_bytes,
        });
        true
    }

    /// Whether this call is one of these.
    pub(super) fn has(&self, token: u32) -> bool {
        self.0.iter().any(|one| one.token == token)
    }

    /// Takes out a call that has ended, if it is one of these, and reads what came of it.
    pub(super) fn take(&mut self, host: &impl Host, end: CallEnd) -> Option<(P, u64, Received)> {
        let index = self.0.iter().position(|one| one.token == end.token)?;
        let call = self.0.swap_remove(index);
        let received = read(host, &call, end).unwrap_or(Received::Failed);
        Some((call.purpose, call.number, received))
    }
}

fn read<P>(host: &impl Host, call: &UnderWay<P>, end: CallEnd) -> Option<Received> {
    // An answer without headers is a failure, and asking for its status would be another.
    if end.headers == 0 || end.bytes > call.max_answer_bytes {
        return None;
    }
    let head = host.headers(Map::CallResponse).ok()?;
    let head = head.get()?;
    let values = |name: &[u8]| -> Vec<&[u8]> {
        let found = head.iter().filter(|(one, _)| *one == name);
        found.map(|(_, value)| *value).collect()
    };
    let status = *values(b":status").first()?;
    let status = core::str::from_utf8(status).ok()?.parse().ok()?;
    let body = host.buffer(Buffer::CallResponseBody, 0, end.bytes).ok()?;
    if body.len() != end.bytes {
        return None;
    }
    if !call.grpc {
        return Some(Received::Http {
            status,
            coding: values(b"content-encoding").join(&b','),
            body,
        });
    }
    // Without a body, gRPC's status may stand in the head.
    let place = if end.trailers == 0 {
        Map::CallResponse
    } else {
        Map::CallTrailers
    };
    let grpc_status = host.header(place, "grpc-status").ok();
    Some(Received::Grpc(grpc_status.filter(|_| status == 200), body))
}

impl Received {
    pub(super) fn as_answer(&self) -> Answer<'_> {
        match self {
            Self::Failed => Answer::Failed,
            Self::Http {
                status,
                coding,
                body,
            } => Answer::Http {
                status: *status,
                coding,
                body,
            },
            Self::Grpc(None, _) => Answer::Grpc(Err(GrpcStatus::UNKNOWN)),
            Self::Grpc(status, body) => Answer::Grpc(unframe(status.as_deref(), body)),
        }
    }
}
