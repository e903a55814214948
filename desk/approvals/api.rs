//! The approval API.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::approval::{Answer, Approval, State};
use super::decided::Decided;
use super::news::{Listener, News};
use super::question::Question;
use super::store::{Limits, Trouble, ask, decide, list, look, take};
use crate::http::{Caller, Callers, Credentials, Refusal, json as answer, read_body};
use crate::sessions::{What, Who, Writer, cut_text};
use crate::stop::Stop;
use crate::store::{Database, Page, now};

/// The longest reason of a reviewer, in characters; a filter passes on no more.
const MAX_REASON: usize = 500;

/// The longest `wait` for a decision, in seconds; a longer one is cut to it.
const MAX_WAIT_SECONDS: u64 = 60;

/// What the endpoints work with.
#[derive(Clone)]
pub struct Desk {
    /// Who may call.
    pub callers: Arc<Callers>,
    /// The store.
    pub database: Database,
    /// Announces decisions.
    pub news: News,
    /// Counts them.
    pub decided: Arc<Decided>,
    /// Ends the waits when the desk stops.
    pub stop: Stop,
    /// Where decisions are entered.
    pub writer: Writer,
}

/// The routes at `/v1/approvals` and below.
pub fn routes() -> Router<Desk> {
    Router::new()
        .route("/v1/approvals", post(put_question).get(get_list))
        .route("/v1/approvals/{id}", get(get_one))
        .route("/v1/approvals/{id}/approve", post(approve))
        .route("/v1/approvals/{id}/deny", post(deny))
}

async fn put_question(Shared(desk): Shared<Desk>, request: Request) -> Result<Response, Refusal> {
    let filter = desk
        .callers
        .identify(&Credentials::of(&request))?
        .filter()?;
    let question: Question = read_body(request, None).await?;
    question.check().map_err(Refusal::malformed)?;
    let wait = question.wait;
    let deadline = deadline(wait);
    let mut news = desk.news.listen();
    let first = desk
        .database
        .run(move |store| ask(store, &question, &filter, Limits::STANDARD, now()))
        .await?
        .map_err(refusal)?;
    if first.state != State::Pending || wait == 0 {
        return shown(&first);
    }
    let id = first.id.clone();
    let settled = await_decision(&desk, &mut news, &id, deadline).await?;
    shown(&settled.unwrap_or(first))
}

/// Unknown parameters are ignored: a filter may be newer than the desk.
#[derive(Deserialize)]
struct Wait {
    #[serde(default)]
    wait: u64,
}

async fn get_one(
    Shared(desk): Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<Wait>, QueryRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    let caller = desk.callers.identify(&credentials)?;
    let id = path_id(id)?;
    let Query(Wait { wait }) = query.map_err(|error| Refusal::malformed(error.body_text()))?;
    if let Caller::Reviewer(_) = caller {
        let found = desk
            .database
            .run(move |store| look(store, &id, now()))
            .await?;
        return shown(&found.ok_or_else(|| Refusal::not_found("approval"))?);
    }
    let deadline = deadline(wait);
    let mut news = desk.news.listen();
    let wanted = id.clone();
    let first = desk
        .database
        .run(move |store| take(store, &wanted, now()))
        .await?
        .ok_or_else(|| Refusal::not_found("approval"))?;
    if first.state != State::Pending || wait == 0 {
        return shown(&first);
    }
    let settled = await_decision(&desk, &mut news, &id, deadline).await?;
    shown(&settled.unwrap_or(first))
}

/// Waits until the pending approval `id` is decided, the deadline passes, or the desk stops;
/// then returns its state.
async fn await_decision(
    desk: &Desk,
    news: &mut Listener,
    id: &str,
    deadline: Instant,
) -> Result<Option<Answer>, Refusal> {
    let _permit = desk.news.permit().ok_or_else(|| {
        Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too_many_waiting",
            "Too many are waiting for decisions.",
        )
    })?;
    let mut stop = desk.stop.clone();
    loop {
        let over = tokio::select! {
            () = news.wait_for(id) => false,
            () = tokio::time::sleep_until(deadline) => true,
            () = stop.requested() => true,
        };
        let wanted = id.to_owned();
        let answer = desk
            .database
            .run(move |store| take(store, &wanted, now()))
            .await?;
        let pending = answer
            .as_ref()
            .is_some_and(|answer| answer.state == State::Pending);
        if over || !pending {
            return Ok(answer);
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    state: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

async fn get_list(
    Shared(desk): Shared<Desk>,
    query: Result<Query<ListQuery>, QueryRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    desk.callers.identify(&credentials)?.reviewer()?;
    let Query(query) = query.map_err(|error| Refusal::malformed(error.body_text()))?;
    let state = match query.state {
        None => None,
        Some(name) => Some(State::named(&name).ok_or_else(|| {
            let names = State::ALL.map(State::name).join(", ");
            Refusal::malformed(format!("\"state\" is one of {names}."))
        })?),
    };
    let page = Page::new(query.before, query.limit);
    let listed = desk
        .database
        .run(move |store| list(store, state, &page, now()))
        .await?;
    shown(&json!({ "approvals": listed.rows, "next": listed.next }))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    reason: Option<String>,
}

async fn approve(
    desk: Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    decide_as_reviewer(desk, id, request, true).await
}

async fn deny(
    desk: Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    decide_as_reviewer(desk, id, request, false).await
}

async fn decide_as_reviewer(
    Shared(desk): Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
    approve: bool,
) -> Result<Response, Refusal> {
    let reviewer = desk
        .callers
        .identify(&Credentials::of(&request))?
        .reviewer()?;
    let id = path_id(id)?;
    let Decision { reason } = read_body(request, Some(Decision::default())).await?;
    let unfit =
        |text: &String| text.chars().count() > MAX_REASON || text.chars().any(char::is_control);
    if reason.as_ref().is_some_and(unfit) {
        return Err(Refusal::malformed(format!(
            "\"reason\" has at most {MAX_REASON} characters, and no control characters."
        )));
    }
    let name = reviewer.name.clone();
    let (writer, runtime) = (desk.writer.clone(), Handle::current());
    let decided = desk
        .database
        .run(move |store| {
            let who = Who::Reviewer(reviewer.name.clone());
            let enter = |decided: &Approval| {
                runtime
                    .block_on(writer.enter(who, decision(decided)))
                    .is_ok()
            };
            let reason = reason.as_deref();
            decide(store, &id, approve, &reviewer, reason, now(), enter)
        })
        .await?
        .map_err(refusal)?;
    desk.news.decided(&decided.answer.id);
    desk.decided.add(approve);
    tracing::info!(
        id = decided.answer.id,
        state = decided.answer.state.name(),
        reviewer = name,
        "an approval was decided"
    );
    shown(&decided)
}

/// What the ledger says of a decision.
fn decision(decided: &Approval) -> What {
    let question = &decided.question;
    What::Decision {
        approval: decided.answer.id.clone(),
        state: decided.answer.state.name().to_owned(),
        reason: decided.answer.reason.as_deref().map(cut_text),
        rule: cut_text(&question.rule),
        digest: question.digest.clone(),
        policy: question.policy.clone(),
        subject: cut_text(&question.subject),
        issuer: cut_text(&question.issuer),
        filter: decided.filter.clone(),
        asked: decided.created.clone(),
    }
}

/// The id in the path. One that no approval can have is answered like one that none has.
fn path_id(id: Result<Path<String>, PathRejection>) -> Result<String, Refusal> {
    id.ok()
        .map(|Path(id)| id)
        .filter(|id| id.len() <= 64)
        .ok_or_else(|| Refusal::not_found("approval"))
}

fn deadline(wait: u64) -> Instant {
    let now = Instant::now();
    now.checked_add(Duration::from_secs(wait.min(MAX_WAIT_SECONDS)))
        .unwrap_or(now)
}

fn shown<T: Serialize>(value: &T) -> Result<Response, Refusal> {
    serde_json::to_string(value)
        .map(|text| answer(StatusCode::OK, text))
        .map_err(|_| {
            Refusal::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "The answer can't be written.",
            )
        })
}

fn refusal(trouble: Trouble) -> Refusal {
    let (status, code, message) = match trouble {
        Trouble::SubjectLimit => (
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_pending",
            "Too many requests of this subject wait for a decision.",
        ),
        Trouble::TotalLimit => (
            StatusCode::TOO_MANY_REQUESTS,
            "too_many_pending",
            "Too many requests wait for a decision.",
        ),
        Trouble::Unknown => return Refusal::not_found("approval"),
        Trouble::NotYourGroup => (
            StatusCode::FORBIDDEN,
            "not_your_group",
            "You are in none of the groups that may decide on this.",
        ),
        Trouble::OwnRequest => (
            StatusCode::FORBIDDEN,
            "own_request",
            "Nobody decides on a request of their own.",
        ),
        Trouble::Decided => (
            StatusCode::CONFLICT,
            "decided",
            "This has been decided already.",
        ),
        Trouble::NotEntered => (
            StatusCode::SERVICE_UNAVAILABLE,
            "recorder_failing",
            "Decisions are recorded, and this one can't be stored now. Nothing has changed.",
        ),
        Trouble::Expired => (
            StatusCode::GONE,
            "expired",
            "Nobody decided on this in time.",
        ),
    };
    Refusal::new(status, code, message)
}
