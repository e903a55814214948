//! Who may stream records: the filters of the configuration, each with its key or its certificate, and as long as
//! the configuration lets them, those without, together as one peer.
//!
//! Envoy sends the key as `initial_metadata` of the access logger's `grpc_service`. Filters that share a
//! key or a certificate are one peer, and no peer takes another one's streams away.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

use crate::http::{Caller, Callers, Credentials};

/// How many streams a peer may have open. Each worker thread of an Envoy keeps one.
pub const MAX_STREAMS: usize = 1024;

/// How many KiB of large messages a peer may have under way.
const ROOM: usize = 64 << 10;

/// What a peer may have.
struct Peer {
    streams: Arc<Semaphore>,
    room: Arc<Semaphore>,
}

impl Peer {
    fn new() -> Self {
        Self {
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            room: Arc::new(Semaphore::new(ROOM)),
        }
    }

    fn open(&self) -> usize {
        MAX_STREAMS.saturating_sub(self.streams.available_permits())
    }

    fn admit(&self) -> Option<Admitted> {
        let stream = Arc::clone(&self.streams).try_acquire_owned().ok()?;
        let room = Arc::clone(&self.room);
        Some(Admitted {
            room,
            _stream: stream,
        })
    }
}

/// A stream that may be open, until this is dropped.
pub(super) struct Admitted {
    /// The room for large messages, which the peer's streams share: a permit is a KiB.
    pub(super) room: Arc<Semaphore>,
    _stream: OwnedSemaphorePermit,
}

/// The peers, and what each has open.
#[derive(Clone)]
pub struct Peers {
    callers: Arc<Callers>,
    known: Arc<HashMap<Arc<str>, Peer>>,
    /// All who have no key, if they may send records.
    strangers: Option<Arc<Peer>>,
}

impl Peers {
    /// The filters among the callers; with `need_key`, nobody else.
    #[must_use]
    pub fn new(callers: Arc<Callers>, need_key: bool) -> Self {
        let known = callers.filters();
        let known = known.map(|name| (Arc::clone(name), Peer::new()));
        Self {
            known: Arc::new(known.collect()),
            strangers: (!need_key).then(|| Arc::new(Peer::new())),
            callers,
        }
    }

    /// How many streams each peer has open; those without a key are the peer with no name.
    #[must_use]
    pub fn open(&self) -> Vec<(Arc<str>, usize)> {
        let named = self.known.iter();
        let named = named.map(|(name, peer)| (Arc::clone(name), peer.open()));
        let strangers = self.strangers.iter();
        let strangers = strangers.map(|peer| (Arc::from(""), peer.open()));
        let mut all: Vec<_> = named.chain(strangers).collect();
        all.sort();
        all
    }

    /// Lets a sender open a stream, for as long as what is returned lives.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without a known key or certificate, `PERMISSION_DENIED` with a reviewer's key or with
    /// those of two filters, `RESOURCE_EXHAUSTED` for one stream too many.
    pub(super) fn admit(&self, credentials: &Credentials) -> Result<Admitted, Status> {
        if let Some(strangers) = &self.strangers
            && !credentials.has_key()
            && !self.callers.has_certificate(credentials)
        {
            return strangers.admit().ok_or_else(|| {
                Status::resource_exhausted(format!(
                    "those without a key have {MAX_STREAMS} access log streams open, and may have no more"
                ))
            });
        }
        let name = match self.callers.identify(credentials) {
            Ok(Caller::Filter(name)) => name,
            Ok(Caller::Reviewer(_)) => {
                return Err(Status::permission_denied("this takes a filter's key"));
            }
            Err(refusal) if refusal.status == StatusCode::FORBIDDEN => {
                return Err(Status::permission_denied(refusal.message));
            }
            Err(_) => {
                return Err(Status::unauthenticated(
                    "this takes a filter's key, as initial_metadata of the access logger's \
                     grpc_service: authorization: Bearer ..., or one filter's certificate",
                ));
            }
        };
        let admitted = self.known.get(&name).and_then(Peer::admit);
        admitted.ok_or_else(|| {
            Status::resource_exhausted(format!(
                "{name} has {MAX_STREAMS} access log streams open, and may have no more"
            ))
        })
    }
}
