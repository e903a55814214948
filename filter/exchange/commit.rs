//! An answer whose end waits until a recorder has its record (`"delivery": "committed"`).
//!
//! Which piece of a body is the last one is often known only behind it: the end of a stream comes
//! without a byte, and a client that reads events or counts bytes has long taken the answer for whole
//! by then. So the last byte of what has come is kept back until more comes. A gRPC call ends with
//! its trailers, so those are enough there.

use super::event::Headers;
use super::headers::{has, media_type, single};

/// How far this is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Commit {
    /// The end of the answer waits for nothing.
    #[default]
    Off,
    /// It will wait.
    Awaits(Rest),
    /// It waits until the host has told what the record lacks.
    Ending,
    /// It waits for the recorder's answer to this call.
    Asked(u64),
    /// The recorder has the record.
    Kept,
    /// It doesn't, as far as is known.
    Failed,
}

/// What is known of an answer that has not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rest {
    /// The byte that is kept back.
    last: Option<u8>,
    /// How many bytes of the body are to come, where its head says so.
    to_come: Option<u64>,
    /// Where the answer's end is.
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The last byte of the body, whatever follows it.
    Body,
    /// The last byte too, but trailers may follow without another call for a piece.
    BodyOrTrailers,
    /// The trailers.
    Trailers,
}

/// What becomes of a piece.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// The bytes that take its place.
    pub(super) out: Vec<u8>,
    /// Whether it ends the answer, so that it waits with all that is held.
    pub(super) ends: bool,
    /// Whether it is held until the next tick, so that something can be written behind it.
    pub(super) held: bool,
}

impl Commit {
    /// The head of an answer came that isn't its end.
    pub(super) fn begin(headers: &Headers<'_>) -> Self {
        let chunked = has(headers, "transfer-encoding");
        let length = single(headers, "content-length").filter(|_| !chunked);
        let to_come = length.and_then(|text| text.parse().ok());
        // What is only like gRPC, as gRPC-Web, has its end in its body.
        let grpc = media_type(headers).is_some_and(|media| {
            media == "application/grpc" || media.starts_with("application/grpc+")
        });
        let end = match (to_come.is_some(), grpc, chunked) {
            (true, _, _) | (false, false, true) => End::Body,
            (false, true, _) => End::Trailers,
            (false, false, false) => End::BodyOrTrailers,
        };
        Self::Awaits(Rest {
            last: None,
            to_come,
            end,
        })
    }

    /// A piece of `came` bytes came, the last one if `end`, and these would go on.
    pub(super) fn piece(&mut self, came: usize, end: bool, mut out: Vec<u8>) -> Piece {
        let Self::Awaits(rest) = self else {
            let ends = self.waits();
            return Piece {
                out,
                ends,
                held: ends,
            };
        };
        let came = u64::try_from(came).unwrap_or(u64::MAX);
        rest.to_come = rest.to_come.map(|bytes| bytes.saturating_sub(came));
        if let Some(last) = rest.last.take() {
            out.insert(0, last);
        }
        let ends = end || (rest.to_come == Some(0) && rest.end != End::Trailers);
        if ends {
            *self = Self::Ending;
        } else if rest.end != End::Trailers {
            rest.last = out.pop();
        }
        let held = ends || matches!(self, Self::Awaits(rest) if rest.end == End::BodyOrTrailers);
        Piece { out, ends, held }
    }

    /// So many bytes came to those that are held anyway.
    pub(super) fn note_held(&mut self, came: usize) {
        if let Self::Awaits(rest) = self {
            let came = u64::try_from(came).unwrap_or(u64::MAX);
            rest.to_come = rest.to_come.map(|bytes| bytes.saturating_sub(came));
        }
    }

    /// The answer ends here: the byte that was kept back, if one was, goes in front of what follows.
    pub(super) fn end(&mut self) -> Option<u8> {
        match core::mem::replace(self, Self::Ending) {
            Self::Awaits(rest) => rest.last,
            Self::Off | Self::Ending | Self::Asked(_) | Self::Kept | Self::Failed => None,
        }
    }

    /// Whether the end of the answer has not come, and will wait.
    pub(super) fn awaits_end(self) -> bool {
        matches!(self, Self::Awaits(_))
    }

    /// Whether the end of the answer waits now.
    pub(super) fn waits(self) -> bool {
        matches!(self, Self::Ending | Self::Asked(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNKED: &Headers<'static> = &[(b"transfer-encoding", b"chunked")];
    const HTTP2: &Headers<'static> = &[(b"content-type", b"text/event-stream")];
    const SIZED: &Headers<'static> = &[(b"content-length", b"5")];
    const GRPC: &Headers<'static> = &[(b"content-type", b"application/grpc+proto")];

    fn piece(out: &[u8], ends: bool, held: bool) -> Piece {
        Piece {
            out: out.to_vec(),
            ends,
            held,
        }
    }

    #[test]
    fn the_last_byte_of_what_came_is_kept_back() {
        let mut commit = Commit::begin(CHUNKED);
        assert_eq!(
            commit.piece(3, false, b"abc".to_vec()),
            piece(b"ab", false, false)
        );
        assert_eq!(
            commit.piece(1, false, b"".to_vec()),
            piece(b"", false, false)
        );
        assert_eq!(
            commit.piece(1, false, b"d".to_vec()),
            piece(b"c", false, false)
        );
        assert_eq!(commit.piece(0, true, b"".to_vec()), piece(b"d", true, true));
        assert!(commit.waits());
    }

    #[test]
    fn a_body_of_known_length_ends_with_its_last_byte() {
        let mut commit = Commit::begin(SIZED);
        assert_eq!(
            commit.piece(4, false, b"abcd".to_vec()),
            piece(b"abc", false, false)
        );
        assert_eq!(
            commit.piece(1, false, b"e".to_vec()),
            piece(b"de", true, true)
        );
        assert_eq!(commit.piece(0, true, b"".to_vec()), piece(b"", true, true));
    }

    #[test]
    fn where_trailers_may_follow_each_piece_is_held_for_a_moment() {
        let mut commit = Commit::begin(HTTP2);
        assert_eq!(
            commit.piece(3, false, b"abc".to_vec()),
            piece(b"ab", false, true)
        );
        assert_eq!(commit.end(), Some(b'c'));
        assert!(commit.waits());
    }

    #[test]
    fn a_call_ends_with_its_trailers() {
        let mut commit = Commit::begin(GRPC);
        assert_eq!(
            commit.piece(3, false, b"abc".to_vec()),
            piece(b"abc", false, false)
        );
        assert_eq!(commit.end(), None);
        assert!(commit.waits());
    }

    #[test]
    fn what_is_only_like_grpc_ends_with_its_body() {
        let web: &Headers<'_> = &[(b"content-type", b"application/grpc-web+proto")];
        let sized: &Headers<'_> = &[
            (b"content-type", b"application/grpc"),
            (b"content-length", b"3"),
        ];
        let mut commit = Commit::begin(web);
        assert_eq!(
            commit.piece(3, false, b"abc".to_vec()),
            piece(b"ab", false, true)
        );
        let mut commit = Commit::begin(sized);
        assert_eq!(
            commit.piece(3, false, b"abc".to_vec()),
            piece(b"abc", true, true)
        );
    }

    #[test]
    fn what_waits_for_no_recorder_goes_as_it_comes() {
        let mut commit = Commit::Off;
        assert_eq!(
            commit.piece(3, false, b"abc".to_vec()),
            piece(b"abc", false, false)
        );
        assert_eq!(
            commit.piece(0, true, b"".to_vec()),
            piece(b"", false, false)
        );
        assert_eq!(commit, Commit::Off);
    }
}
