//! Who may stream records: the filters of the configuration, each with its key or its certificate, and as long as
//! the configuration lets them, those without, an address each.
//!
//! Envoy sends the key as `initial_metadata` of the access logger's `grpc_service`. Filters that share a
//! key or a certificate are one peer, and no peer takes another one's streams away.

use std::collections::HashMap;
use std::sync::Arc;

use axum::http::StatusCode;
use tonic::Status;

use super::peer::{Admitted, MAX_STREAMS, Peer};
use super::standing::Sender;
use super::strangers::Strangers;
use crate::http::{Caller, Callers, Credentials};

/// How many streams those without a key may have open together; an address has [`MAX_STREAMS`] of them.
const MAX_STRANGERS: usize = 4 * MAX_STREAMS;

/// The peers, and what each has open.
#[derive(Clone)]
pub struct Peers {
    callers: Arc<Callers>,
    known: Arc<HashMap<Arc<str>, Peer>>,
    /// All who have no key, if they may send records, and what each of them has.
    strangers: Option<(Arc<Peer>, Arc<Strangers>)>,
}

impl Peers {
    /// The filters among the callers; with `need_key`, nobody else.
    #[must_use]
    pub fn new(callers: Arc<Callers>, need_key: bool) -> Self {
        let known = callers.filters();
        let known = known.map(|name| (Arc::clone(name), Peer::new(MAX_STREAMS)));
        Self {
            known: Arc::new(known.collect()),
            strangers: (!need_key).then(|| (Arc::new(Peer::new(MAX_STRANGERS)), Arc::default())),
            callers,
        }
    }

    /// How many streams each peer has open; those without a key are the peer with no name.
    #[must_use]
    pub fn open(&self) -> Vec<(Arc<str>, usize)> {
        let named = self.known.iter();
        let named = named.map(|(name, peer)| (Arc::clone(name), peer.open()));
        let strangers = self.strangers.iter();
        let strangers = strangers.map(|(peer, _)| (Arc::from(""), peer.open()));
        let mut all: Vec<_> = named.chain(strangers).collect();
        all.sort();
        all
    }

    /// Lets a sender open a stream, for as long as what is returned lives, and says who it is.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` without a known key or certificate, `PERMISSION_DENIED` with a reviewer's key or with
    /// those of two filters, `RESOURCE_EXHAUSTED` for one stream too many.
    pub(super) fn admit(&self, credentials: &Credentials) -> Result<(Sender, Admitted), Status> {
        if let Some((peer, strangers)) = &self.strangers
            && !credentials.has_key()
            && !self.callers.has_certificate(credentials)
        {
            let Some(share) = strangers.admit(credentials.source(), MAX_STREAMS) else {
                return Err(Status::resource_exhausted(format!(
                    "an address without a key has {MAX_STREAMS} access log streams open, and may have no more"
                )));
            };
            let admitted = peer.admit(Some(share));
            let admitted = admitted.map(|admitted| (Sender::Stream(None), admitted));
            return admitted.ok_or_else(|| {
                Status::resource_exhausted(format!(
                    "those without a key have {MAX_STRANGERS} access log streams open, and may have no more"
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
        let admitted = self.known.get(&name).and_then(|peer| peer.admit(None));
        let refused = || {
            Status::resource_exhausted(format!(
                "{name} has {MAX_STREAMS} access log streams open, and may have no more"
            ))
        };
        let admitted = admitted.ok_or_else(refused)?;
        Ok((Sender::Stream(Some(name)), admitted))
    }
}
