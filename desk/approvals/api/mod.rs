//! The approval API.

mod answers;
mod filters;
mod orders;
mod resets;
mod reviewers;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, post};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::acts::{People, Room};
use super::clerk::Clerk;
use super::news::News;
use crate::http::{Callers, Credentials, Person, Refusal, json as answer};
use crate::quotas::Figures;
use crate::stop::Stop;
use crate::store::Page;

/// The longest text that a reviewer writes, in characters; a filter passes on no more.
const MAX_REASON: usize = 500;

/// The longest `wait`, in seconds; a longer one is cut to it.
const MAX_WAIT_SECONDS: u64 = 60;

/// What the endpoints work with.
#[derive(Clone)]
pub struct Desk {
    /// Who may call.
    pub callers: Arc<Callers>,
    /// Who may decide, by name.
    pub people: Arc<People>,
    /// Does the work.
    pub clerk: Clerk,
    /// Announces what happens.
    pub news: News,
    /// Ends the waits when the desk stops.
    pub stop: Stop,
    /// How much room there is for answers that wait.
    pub room: Room,
    /// What is known of counts.
    pub figures: Arc<Figures>,
}

impl Desk {
    /// With the reviewers among `callers`.
    #[must_use]
    pub fn new(callers: Arc<Callers>, clerk: Clerk, news: News, stop: Stop) -> Self {
        let people = callers.reviewers();
        let people = people.map(|person| (person.name.clone(), Arc::clone(person)));
        Self {
            people: Arc::new(people.collect()),
            callers,
            clerk,
            news,
            stop,
            room: Room::STANDARD,
            figures: Arc::default(),
        }
    }

    /// The filter that calls.
    fn filter(&self, request: &Request) -> Result<Arc<str>, Refusal> {
        self.callers.identify(&Credentials::of(request))?.filter()
    }

    /// The person who calls.
    fn reviewer(&self, request: &Request) -> Result<Arc<Person>, Refusal> {
        self.callers.identify(&Credentials::of(request))?.reviewer()
    }

    /// With what is known of counts.
    #[must_use]
    pub fn with_figures(self, figures: Arc<Figures>) -> Self {
        Self { figures, ..self }
    }

    /// With so much room for answers that wait.
    #[must_use]
    pub fn with_room(self, room: Room) -> Self {
        Self { room, ..self }
    }
}

/// The routes of approvals, and of all that belongs to them.
pub fn routes() -> Router<Desk> {
    Router::new()
        .route(
            "/v1/approvals",
            post(filters::put_question).get(reviewers::get_list),
        )
        .route("/v1/approvals/{id}", get(filters::get_one))
        .route("/v1/approvals/{id}/claim", post(filters::claim))
        .route("/v1/approvals/{id}/give_back", post(filters::give_back))
        .route("/v1/approvals/{id}/cancel", post(filters::cancel))
        .route("/v1/approvals/{id}/answer", answers::route())
        .route("/v1/answers", post(answers::find))
        .route("/v1/standing", get(filters::get_standing))
        .route("/v1/approvals/{id}/approve", post(reviewers::approve))
        .route("/v1/approvals/{id}/deny", post(reviewers::deny))
        .route("/v1/approvals/{id}/revoke", post(reviewers::revoke))
        .route("/v1/decisions", post(reviewers::decide_many))
        .route("/v1/access", post(reviewers::ask_ahead))
        .route("/v1/grants", get(reviewers::get_grants))
        .route(
            "/v1/blocks",
            post(orders::put_block).get(orders::get_blocks),
        )
        .route("/v1/blocks/{id}", delete(orders::delete_block))
        .route(
            "/v1/resets",
            post(resets::put_reset).get(resets::get_resets),
        )
        .route(
            "/v1/delegations",
            post(orders::put_delegation).get(orders::get_delegations),
        )
        .route("/v1/delegations/{id}", delete(orders::delete_delegation))
}

/// The id in the path. One that nothing can have is answered like one that nothing has.
fn path_id(id: Result<Path<String>, PathRejection>, what: &str) -> Result<String, Refusal> {
    id.ok()
        .map(|Path(id)| id)
        .filter(|id| id.len() <= 64)
        .ok_or_else(|| Refusal::not_found(what))
}

/// Which part of a list is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageQuery {
    before: Option<String>,
    limit: Option<u32>,
}

impl PageQuery {
    fn page(self) -> Page {
        Page::new(self.before, self.limit)
    }
}

fn query_of<T>(query: Result<axum::extract::Query<T>, QueryRejection>) -> Result<T, Refusal> {
    query
        .map(|axum::extract::Query(query)| query)
        .map_err(|error| Refusal::malformed(error.body_text()))
}

fn deadline(wait: u64) -> Instant {
    let now = Instant::now();
    now.checked_add(Duration::from_secs(wait.min(MAX_WAIT_SECONDS)))
        .unwrap_or(now)
}

/// Checks what a person has written.
fn check_reason(reason: Option<&String>) -> Result<(), Refusal> {
    let unfit =
        |text: &String| text.chars().count() > MAX_REASON || text.chars().any(char::is_control);
    match reason.is_some_and(unfit) {
        true => Err(Refusal::malformed(format!(
            "\"reason\" has at most {MAX_REASON} characters, and no control characters."
        ))),
        false => Ok(()),
    }
}

/// The same, where there must be one.
fn check_given_reason(reason: &String) -> Result<(), Refusal> {
    check_reason(Some(reason))?;
    match reason.trim().is_empty() {
        true => Err(Refusal::malformed("\"reason\" says why.")),
        false => Ok(()),
    }
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
