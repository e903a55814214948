//! Who may stream records: the filters of the configuration, each with its key, and as long as the configuration
//! lets them, those without a key, together as one peer.
//!
//! Envoy sends the key as `initial_metadata` of the access logger's `grpc_service`. Filters that share a
//! key are one peer, and no peer takes another one's streams away.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

use super::standing::Sender;
use crate::http::{Caller, Callers};

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

    /// Lets the sender of these headers open a stream, for as long as the permit lives, and says who it is.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without a known key, `PERMISSION_DENIED` with a reviewer's, `RESOURCE_EXHAUSTED`
    /// for one stream too many.
    pub fn admit(&self, headers: &HeaderMap) -> Result<(Sender, OwnedSemaphorePermit), Status> {
        if let Some(strangers) = &self.strangers
            && !headers.contains_key(AUTHORIZATION)
        {
            let free = Arc::clone(strangers).try_acquire_owned();
            let free = free.map(|permit| (Sender::Stream(None), permit));
            return free.map_err(|_| {
                Status::resource_exhausted(format!(
                    "those without a key have {MAX_STREAMS} access log streams open, and may have no more"
                ))
            });
        }
        let name = match self.callers.identify(headers) {
            Ok(Caller::Filter(name)) => name,
            Ok(Caller::Reviewer(_)) => {
                return Err(Status::permission_denied("this takes a filter's key"));
            }
            Err(_) => {
                return Err(Status::unauthenticated(
                    "this takes a filter's key, as initial_metadata of the access logger's \
                     grpc_service: authorization: Bearer ...",
                ));
            }
        };
        let free = self.streams.get(&name).map(Arc::clone);
        let permit = free.and_then(|free| free.try_acquire_owned().ok());
        let refused = || {
            Status::resource_exhausted(format!(
                "{name} has {MAX_STREAMS} access log streams open, and may have no more"
            ))
        };
        let permit = permit.ok_or_else(refused)?;
        Ok((Sender::Stream(Some(name)), permit))
    }
}
