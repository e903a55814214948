//! Records that a filter has kept before an answer goes (`"delivery": "committed"`).
//!
//! Envoy's access log brings the same record once more, later: it is known by its id, its worker and
//! its number, and not stored again.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use serde_json::json;

use super::record::Entry;
use super::standing::Sender;
use super::writer::Writer;
use crate::http::{Callers, Credentials, Refusal, json as answer, read_bytes};
use crate::ledger::MAX_ENTRY_BYTES;

/// What the endpoint works with.
#[derive(Clone)]
pub struct Intake {
    /// Who may call.
    pub callers: Arc<Callers>,
    /// Where records go.
    pub writer: Writer,
}

/// The route `/v1/records`.
pub fn routes() -> Router<Intake> {
    Router::new()
        .route("/v1/records", post(keep))
        .layer(DefaultBodyLimit::max(MAX_ENTRY_BYTES))
}

/// Answers once the disk has the record.
async fn keep(Shared(intake): Shared<Intake>, request: Request) -> Result<Response, Refusal> {
    let filter = intake
        .callers
        .identify(&Credentials::of(&request))?
        .filter()?;
    let bytes = read_bytes(request, MAX_ENTRY_BYTES).await?;
    let entry = Entry::read(&bytes)
        .map_err(|why| Refusal::malformed(format!("The body is not a session record: {why}.")))?;
    let body = json!({ "id": entry.id, "worker": entry.worker, "number": entry.number });
    let stored = intake.writer.put(Sender::Post(filter), vec![entry]);
    let stored = stored.await.map_err(|_| lost())?;
    let stored = stored.await.map_err(|_| lost())?;
    if stored.contradicting > 0 {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "contradicting",
            "Another record has this one's id, or its worker's number.",
        ));
    }
    if stored.foreign > 0 {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "foreign",
            "The records of this one's worker come from another filter.",
        ));
    }
    Ok(answer(StatusCode::OK, body.to_string()))
}

fn lost() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "recorder_failing",
        "The record can't be stored.",
    )
}
