//! The desk as a witness for others (c2sp.org/tlog-witness).
//!
//! Both prefixes are `/v1/witness`. Nobody needs a key: a checkpoint speaks by its log's signature.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path, Request, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tokio::sync::Semaphore;

use crate::http::{MAX_BODY_BYTES, Refusal, read_bytes};
use crate::ledger::{Unwitnessed, Watch};
use crate::seldom::Seldom;

/// How many requests are worked on at once: each has a thread meanwhile.
const MAX_AT_ONCE: usize = 8;

/// The media type of a size.
const SIZE: &str = "text/x.tlog.size";

/// The media type of notes and lines of them.
const TEXT: &str = "text/plain; charset=utf-8";

/// What the endpoints work with.
#[derive(Clone)]
pub struct Board {
    watch: Arc<Watch>,
    room: Arc<Semaphore>,
}

impl Board {
    /// That of a witness.
    #[must_use]
    pub fn new(watch: Watch) -> Self {
        Self {
            watch: Arc::new(watch),
            room: Arc::new(Semaphore::new(MAX_AT_ONCE)),
        }
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Watch) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let failed = |_| failed("the work was given up");
        let room = Arc::clone(&self.room).acquire_owned().await;
        let room = room.map_err(|_| failed(()))?;
        let watch = Arc::clone(&self.watch);
        let work = move || {
            let _room = room;
            work(&watch)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| failed(()))
    }
}

/// The routes at `/v1/witness` and below.
pub fn routes() -> Router<Board> {
    Router::new()
        .route("/v1/witness/add-checkpoint", post(add))
        .route("/v1/witness/{log}/checkpoint", get(latest))
}

async fn add(Shared(board): Shared<Board>, request: Request) -> Result<Response, Refusal> {
    let bytes = read_bytes(request, MAX_BODY_BYTES).await?;
    let body = String::from_utf8(bytes.into())
        .map_err(|_| Refusal::malformed("The body is not UTF-8."))?;
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    let time = time.map_err(|_| failed("the clock stands before 1970"))?;
    let added = board.run(move |watch| watch.add(&body, time.as_secs()));
    match added.await? {
        Ok(line) => Ok(text(StatusCode::OK, TEXT, line)),
        Err(Unwitnessed::Conflict(size)) => {
            Ok(text(StatusCode::CONFLICT, SIZE, format!("{size}\n")))
        }
        Err(Unwitnessed::Malformed(what)) => Err(Refusal::malformed(format!(
            "The body is not what is expected: {what}."
        ))),
        Err(Unwitnessed::UnknownLog) => Err(Refusal::not_found("log")),
        Err(Unwitnessed::Unsigned) => Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "unsigned",
            "No key of the log that is known here has signed the checkpoint.",
        )),
        Err(Unwitnessed::Inconsistent) => Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "inconsistent",
            "The proof doesn't show that the log has only grown.",
        )),
        Err(Unwitnessed::Failed(error)) => Err(failed(&error.to_string())),
    }
}

async fn latest(
    Shared(board): Shared<Board>,
    Path(log): Path<String>,
) -> Result<Response, Refusal> {
    let found = board.run(move |watch| watch.latest(&log)).await?;
    found
        .map_err(|error| failed(&error.to_string()))?
        .map(|note| text(StatusCode::OK, TEXT, note))
        .ok_or_else(|| Refusal::not_found("log"))
}

fn failed(error: &str) -> Refusal {
    static FAILED: Seldom = Seldom::new();
    if let Some(times) = FAILED.again() {
        tracing::error!(
            error,
            times,
            "a checkpoint of another log can't be witnessed"
        );
    }
    Refusal::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "witness_failed",
        "The checkpoint can't be witnessed. The desk's log says why.",
    )
}

fn text(status: StatusCode, kind: &'static str, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, body).into_response()
}
