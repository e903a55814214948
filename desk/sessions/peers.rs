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

/// The peers, and what each has open.
#[derive(Clone)]
pub struct Peers {
    callers: Arc<Callers>,
    streams: Arc<HashMap<Arc<str>, Arc<Semaphore>>>,
    /// For all who have no key, if they may send records.
    strangers: Option<Arc<Semaphore>>,
}

impl Peers {
    /// The filters among the callers; with `need_key`, nobody else.
    #[must_use]
    pub fn new(callers: Arc<Callers>, need_key: bool) -> Self {
        let streams = callers.filters().map(|name| {
            let free = Arc::new(Semaphore::new(MAX_STREAMS));
            (Arc::clone(name), free)
        });
        Self {
            streams: Arc::new(streams.collect()),
            strangers: (!need_key).then(|| Arc::new(Semaphore::new(MAX_STREAMS))),
            callers,
        }
    }

    /// How many streams each peer has open; those without a key are the peer with no name.
    #[must_use]
    pub fn open(&self) -> Vec<(Arc<str>, usize)> {
        let taken = |free: &Semaphore| MAX_STREAMS.saturating_sub(free.available_permits());
        let named = self.streams.iter();
        let named = named.map(|(name, free)| (Arc::clone(name), taken(free)));
        let strangers = self.strangers.iter();
        let strangers = strangers.map(|free| (Arc::from(""), taken(free)));
        let mut all: Vec<_> = named.chain(strangers).collect();
        all.sort();
        all
    }

    /// Lets a sender open a stream, for as long as the permit lives.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without a known key or certificate, `PERMISSION_DENIED` with a reviewer's key or with
    /// those of two filters, `RESOURCE_EXHAUSTED` for one stream too many.
    pub fn admit(&self, credentials: &Credentials) -> Result<OwnedSemaphorePermit, Status> {
        if let Some(strangers) = &self.strangers
            && !credentials.has_key()
            && !self.callers.has_certificate(credentials)
        {
            let free = Arc::clone(strangers).try_acquire_owned();
            return free.map_err(|_| {
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
        let free = self.streams.get(&name).map(Arc::clone);
        let permit = free.and_then(|free| free.try_acquire_owned().ok());
        permit.ok_or_else(|| {
            Status::resource_exhausted(format!(
                "{name} has {MAX_STREAMS} access log streams open, and may have no more"
            ))
        })
    }
}
