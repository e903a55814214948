//! What people ask about quotas.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Deserialize;

use super::figures::{Figures, Wanted};
use super::protocol::Figured;
use crate::http::{Callers, Credentials, Refusal, json};
use crate::store::Page;

/// What the endpoint works with.
#[derive(Clone)]
pub struct Quotas {
    /// Who may call.
    pub callers: Arc<Callers>,
    /// What is known.
    pub figures: Arc<Figures>,
}

/// The route `/v1/quotas`.
pub fn routes() -> Router<Quotas> {
    Router::new().route("/v1/quotas", get(get_list))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    quota: Option<String>,
    subject: Option<String>,
    key: Option<String>,
    near: Option<u64>,
    before: Option<String>,
    limit: Option<u32>,
}

async fn get_list(
    Shared(quotas): Shared<Quotas>,
    query: Result<Query<ListQuery>, QueryRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    quotas.callers.identify(&credentials)?.reviewer()?;
    let Query(query) = query.map_err(|error| Refusal::malformed(error.body_text()))?;
    let key = query.key.map(|key| serde_json::from_str(&key)).transpose();
    let key = key.map_err(|_| Refusal::malformed("\"key\" is a JSON list of texts."))?;
    if query.near.is_some_and(|near| near > 100) {
        return Err(Refusal::malformed("\"near\" is 0 to 100 percent."));
    }
    let wanted = Wanted {
        quota: query.quota,
        subject: query.subject,
        key,
        near: query.near,
    };
    let listed = quotas
        .figures
        .list(&wanted, &Page::new(query.before, query.limit));
    let answer = Figured {
        quotas: listed.rows,
        since: quotas.figures.since(),
        next: listed.next,
    };
    let text = serde_json::to_string(&answer).map_err(|_| {
        let message = "The answer can't be written.";
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    })?;
    Ok(json(StatusCode::OK, text))
}
