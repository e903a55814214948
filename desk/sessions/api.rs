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
use crate::store::{Database, Page};

/// What the endpoints work with.
#[derive(Clone)]
pub struct Archive {
    /// Who may call.
    pub callers: Arc<Callers>,
    /// The store.
    pub database: Database,
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
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    archive.callers.identify(&headers)?.reviewer()?;
    let Query(query) = query.map_err(|error| Refusal::malformed(error.body_text()))?;
    let page = Page::new(query.before, query.limit);
    let filter = Filter {
        subject: query.subject,
        action: query.action,
    };
    let listed = archive
        .database
        .run(move |store| list(store, &filter, &page))
        .await?;
    // Records are JSON already, and stay as the filter wrote them. An id is hex: nothing to escape.
    let records = listed.rows.join(",");
    let next = listed
        .next
        .map_or_else(|| "null".to_owned(), |id| format!("\"{id}\""));
    let body = format!("{{\"sessions\":[{records}],\"next\":{next}}}");
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
