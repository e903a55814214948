//! Session records, for reviewers.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::index::{Filter, Hit, find, list};
use crate::http::{Callers, Credentials, Refusal, json};
use crate::ledger::{LedgerError, Reader};
use crate::store::{Database, Page};

/// What the endpoints work with.
#[derive(Clone)]
pub struct Archive {
    /// Who may call.
    pub callers: Arc<Callers>,
    /// The index.
    pub database: Database,
    /// The ledger.
    pub ledger: Reader,
}

impl Archive {
    /// The records at these places, as they came.
    fn texts(ledger: &Reader, hits: &[Hit]) -> Result<Vec<String>, LedgerError> {
        let wanted: Vec<_> = hits.iter().map(|hit| (hit.seq, hit.place)).collect();
        let mut texts = Vec::with_capacity(hits.len());
        for (entry, hit) in ledger.all_at(&wanted)?.into_iter().zip(hits) {
            let text = entry.and_then(|entry| String::from_utf8(entry.bytes).ok());
            texts.push(text.ok_or_else(|| {
                LedgerError::Damaged(format!(
                    "found no record at entry {}, expected one",
                    hit.seq
                ))
            })?);
        }
        Ok(texts)
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        tracing::error!(%error, "session records can't be read");
        let message = "Session records can't be read. The desk's log says why.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "ledger_failed", message)
    }
}

/// The routes at `/v1/sessions` and below.
pub fn routes() -> Router<Archive> {
    Router::new()
        .route("/v1/sessions", get(get_list))
        .route("/v1/sessions/{id}", get(get_one))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    subject: Option<String>,
    action: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

async fn get_list(
    Shared(archive): Shared<Archive>,
    query: Result<Query<ListQuery>, QueryRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    archive.callers.identify(&credentials)?.reviewer()?;
    let Query(query) = query.map_err(|error| Refusal::malformed(error.body_text()))?;
    let page = Page::new(query.before, query.limit);
    let filter = Filter {
        subject: query.subject,
        action: query.action,
    };
    let ledger = archive.ledger;
    let (texts, next) = archive
        .database
        .run(move |index| {
            let listed = list(index, &filter, &page)?;
            Ok((Archive::texts(&ledger, &listed.rows), listed.next))
        })
        .await?;
    // Records are JSON already, and stay as the filter wrote them. An id is hex: nothing to escape.
    let records = texts?.join(",");
    let next = next.map_or_else(|| "null".to_owned(), |id| format!("\"{id}\""));
    let body = format!("{{\"sessions\":[{records}],\"next\":{next}}}");
    Ok(json(StatusCode::OK, body))
}

async fn get_one(
    Shared(archive): Shared<Archive>,
    id: Result<Path<String>, PathRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    archive.callers.identify(&credentials)?.reviewer()?;
    let Path(id) = id.map_err(|_| Refusal::not_found("session"))?;
    let ledger = archive.ledger;
    let text = archive
        .database
        .run(move |index| Ok(find(index, &id)?.map(|hit| Archive::texts(&ledger, &[hit]))))
        .await?;
    text.transpose()?
        .and_then(|mut texts| texts.pop())
        .map(|record| json(StatusCode::OK, record))
        .ok_or_else(|| Refusal::not_found("session"))
}
