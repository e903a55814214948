//! Session records, for reviewers.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State as Shared};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::archive::{Filter, get as get_record, list};
use crate::http::{Callers, Refusal, json};
use crate::store::Database;

/// Records in one list, unless asked otherwise, and at most.
const LISTED: u32 = 50;
const MOST_LISTED: u32 = 200;

/// The most bytes of records in one list, unless a single one is longer.
const LARGEST_LIST: usize = 16 << 20;

/// What the endpoints share.
#[derive(Clone)]
pub struct Archive {
    /// Who may call.
    pub callers: Arc<Callers>,
    /// The readers' connection to the store.
    pub database: Database,
}

/// `/v1/sessions` and what is below it.
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
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    archive.callers.identify(&headers)?.reviewer()?;
    let Query(query) = query.map_err(|error| Refusal::malformed(error.body_text()))?;
    let limit = query.limit.unwrap_or(LISTED).clamp(1, MOST_LISTED);
    let filter = Filter {
        subject: query.subject,
        action: query.action,
        before: query.before,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
        bytes: LARGEST_LIST,
    };
    let (records, next) = archive
        .database
        .run(move |store| list(store, &filter))
        .await?;
    // The records are JSON already, and stay as the filter wrote them; an id is hex.
    let next = next.map_or_else(|| "null".to_owned(), |id| format!("\"{id}\""));
    let body = format!("{{\"sessions\":[{}],\"next\":{next}}}", records.join(","));
    Ok(json(StatusCode::OK, body))
}

async fn get_one(
    Shared(archive): Shared<Archive>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    archive.callers.identify(&headers)?.reviewer()?;
    let Path(id) = id.map_err(|_| Refusal::not_found("session"))?;
    archive
        .database
        .run(move |store| get_record(store, &id))
        .await?
        .map(|record| json(StatusCode::OK, record))
        .ok_or_else(|| Refusal::not_found("session"))
}
