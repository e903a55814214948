//! Who may stream records: the filters of the configuration, each with its key.
//!
//! Envoy sends the key as `initial_metadata` of the access logger's `grpc_service`. Filters that share a
//! key are one peer, and no peer takes another one's streams away.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::HeaderMap;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

use crate::http::{Caller, Callers};

/// How many streams a peer may have open. Each worker thread of an Envoy keeps one.
pub const MAX_STREAMS: usize = 1024;

/// The peers, and what each has open.
#[derive(Clone)]
pub struct Peers {
    callers: Arc<Callers>,
    streams: Arc<HashMap<Arc<str>, Arc<Semaphore>>>,
}

impl Peers {
    /// The filters among the callers.
    #[must_use]
    pub fn new(callers: Arc<Callers>) -> Self {
        let streams = callers.filters().map(|name| {
            let free = Arc::new(Semaphore::new(MAX_STREAMS));
            (Arc::clone(name), free)
        });
        Self {
            streams: Arc::new(streams.collect()),
            callers,
        }
    }

    /// Lets the sender of these headers open a stream, for as long as the permit lives.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without a known key, `PERMISSION_DENIED` with a reviewer's, `RESOURCE_EXHAUSTED`
    /// for one stream too many.
    pub fn admit(&self, headers: &HeaderMap) -> Result<OwnedSemaphorePermit, Status> {
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
        permit.ok_or_else(|| {
            Status::resource_exhausted(format!(
                "{name} has {MAX_STREAMS} access log streams open, and may have no more"
            ))
        })
    }
}
