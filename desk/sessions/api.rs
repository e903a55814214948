//! Session records, for reviewers.

use std::sync::Arc;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use portcullis::base::time::rfc3339;
use serde::Deserialize;

use super::event::{Asked, What, Who, cut};
use super::index::{Filter, Hit, find, list};
use super::outline::outline;
use super::writer::Writer;
use crate::http::{Callers, Credentials, Person, Refusal, json};
use crate::ledger::{LedgerError, Reader};
use crate::seldom::Seldom;
use crate::store::{Database, Page};
use crate::token::time;

/// What the endpoints work with.
#[derive(Clone)]
pub struct Archive {
    /// Who may call.
    pub callers: Arc<Callers>,
    /// The index.
    pub database: Database,
    /// The ledger.
    pub ledger: Reader,
    /// Where it is entered who read what.
    pub writer: Writer,
}

/// How many records are read at once for a list: each may have bodies of megabytes.
const READ_AT_ONCE: usize = 8;

impl Archive {
    /// The records at these places, without what their bodies say.
    fn outlines(ledger: &Reader, hits: &[Hit]) -> Result<Vec<String>, LedgerError> {
        let mut outlines = Vec::with_capacity(hits.len());
        for some in hits.chunks(READ_AT_ONCE) {
            outlines.extend(Self::texts(ledger, some)?.into_iter().map(outline));
        }
        Ok(outlines)
    }

    /// The records at these places, as they came.
    fn texts(ledger: &Reader, hits: &[Hit]) -> Result<Vec<String>, LedgerError> {
        let horizon = ledger.horizon()?;
        Self::texts_from(ledger, hits, horizon).or_else(|error| match ledger.horizon()? {
            // Retention has removed some meanwhile.
            moved if moved > horizon => Self::texts_from(ledger, hits, moved),
            _ => Err(error),
        })
    }

    /// As [`Archive::texts`], but for those before the entry `horizon`.
    fn texts_from(ledger: &Reader, hits: &[Hit], horizon: u64) -> Result<Vec<String>, LedgerError> {
        // Those that were removed go from the index a little later.
        let hits: Vec<_> = hits.iter().filter(|hit| hit.seq >= horizon).collect();
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

    /// Enters that somebody reads; nothing is shown before.
    async fn enter(&self, reviewer: &Person, what: What) -> Result<(), Refusal> {
        let who = Who::Reviewer(reviewer.name.clone());
        self.writer.enter(who, what).await.map_err(|_| {
            Refusal::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "recorder_failing",
                "Who reads records is recorded, and that can't be stored now.",
            )
        })
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        static FAILED: Seldom = Seldom::new();
        if let Some(times) = FAILED.again() {
            tracing::error!(%error, times, "session records can't be read");
        }
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
    operation: Option<String>,
    model: Option<String>,
    rule: Option<String>,
    code: Option<String>,
    detector: Option<String>,
    since: Option<String>,
    until: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

async fn get_list(
    Shared(archive): Shared<Archive>,
    query: Result<Query<ListQuery>, QueryRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    let reviewer = archive.callers.identify(&credentials)?.reviewer()?;
    let Query(query) = query.map_err(|error| Refusal::malformed(error.body_text()))?;
    let text = |text: &Option<String>| text.as_deref().map(cut);
    let asked = Asked {
        subject: text(&query.subject),
        action: text(&query.action),
        operation: text(&query.operation),
        model: text(&query.model),
        rule: text(&query.rule),
        code: text(&query.code),
        detector: text(&query.detector),
        since: text(&query.since),
        until: text(&query.until),
        before: text(&query.before),
    };
    let page = Page::new(query.before, query.limit);
    let filter = Filter {
        subject: query.subject,
        action: query.action,
        operation: query.operation,
        model: query.model,
        rule: query.rule,
        code: query.code,
        detector: query.detector,
        since: instant("since", query.since)?,
        until: instant("until", query.until)?,
    };
    let ledger = archive.ledger.clone();
    let (texts, next) = archive
        .database
        .run(move |index| {
            let listed = list(index, &filter, &page)?;
            Ok((Archive::outlines(&ledger, &listed.rows), listed.next))
        })
        .await?;
    // Records are JSON already, and stay as the filter wrote them. An id is hex: nothing to escape.
    let texts = texts?;
    let what = What::Read {
        record: None,
        list: Some(asked),
        shown: texts.len(),
    };
    archive.enter(&reviewer, what).await?;
    let records = texts.join(",");
    let next = next.map_or_else(|| "null".to_owned(), |id| format!("\"{id}\""));
    let body = format!("{{\"sessions\":[{records}],\"next\":{next}}}");
    Ok(json(StatusCode::OK, body))
}

/// A time as records have it.
fn instant(name: &str, text: Option<String>) -> Result<Option<String>, Refusal> {
    let Some(text) = text else {
        return Ok(None);
    };
    time::read(&text)
        .map(|time| Some(rfc3339(time)))
        .ok_or_else(|| {
            Refusal::malformed(format!("{name}: expected RFC 3339, or seconds since 1970."))
        })
}

async fn get_one(
    Shared(archive): Shared<Archive>,
    id: Result<Path<String>, PathRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    let reviewer = archive.callers.identify(&credentials)?.reviewer()?;
    let Path(id) = id.map_err(|_| Refusal::not_found("session"))?;
    let ledger = archive.ledger.clone();
    let asked = cut(&id);
    let text = archive
        .database
        .run(move |index| Ok(find(index, &id)?.map(|hit| Archive::texts(&ledger, &[hit]))))
        .await?;
    let text = text.transpose()?.and_then(|mut texts| texts.pop());
    let what = What::Read {
        record: Some(asked),
        list: None,
        shown: usize::from(text.is_some()),
    };
    archive.enter(&reviewer, what).await?;
    text.map(|record| json(StatusCode::OK, record))
        .ok_or_else(|| Refusal::not_found("session"))
}
