//! The highest number that a filter has given to a record, as it says each second.
//!
//! Most records come a moment after their numbers. What hasn't come by then is entered into the ledger: if the
//! Envoy dies, its last records are missed by their numbers.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Semaphore;

use super::record::Entry;
use super::standing::Sender;
use super::writer::Writer;
use crate::http::{Callers, Credentials, Refusal, json as answer, read_body};
use crate::stop::Stop;

/// How long a number waits for its record. Envoy sends its log each second.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many numbers may wait at once.
const MAX_WAITING: usize = 4096;

/// What the endpoint works with.
#[derive(Clone)]
pub struct Numbers {
    callers: Arc<Callers>,
    writer: Writer,
    stop: Stop,
    room: Arc<Semaphore>,
}

/// What a filter says.
#[derive(Deserialize)]
struct Said {
    worker: String,
    number: u64,
}

impl Numbers {
    /// Numbers from these callers, which go to this writer.
    #[must_use]
    pub fn new(callers: Arc<Callers>, writer: Writer, stop: Stop) -> Self {
        Self {
            callers,
            writer,
            stop,
            room: Arc::new(Semaphore::new(MAX_WAITING)),
        }
    }
}

/// The route `/v1/numbers`.
pub fn routes() -> Router<Numbers> {
    Router::new().route("/v1/numbers", post(note))
}

/// Answers once the record has come, or the disk has the number.
async fn note(Shared(numbers): Shared<Numbers>, request: Request) -> Result<Response, Refusal> {
    let credentials = Credentials::of(&request);
    let filter = numbers.callers.identify(&credentials)?.filter()?;
    let said: Said = read_body(request, None).await?;
    let entry = Entry::given(&said.worker, said.number)
        .map_err(|why| Refusal::malformed(format!("The body is not a worker's number: {why}.")))?;
    let permit = Arc::clone(&numbers.room)
        .try_acquire_owned()
        .map_err(|_| failing("Too many numbers wait for their records."))?;
    // A caller that leaves takes nothing back.
    let task = tokio::spawn(async move {
        let mut stop = numbers.stop.clone();
        let _ = tokio::time::timeout(PATIENCE, stop.requested()).await;
        let stored = numbers.writer.put(Sender::Post(filter), vec![entry]);
        let stored = stored.await.map_err(|_| ())?.await.map_err(|_| ());
        drop(permit);
        stored
    });
    let stored = task.await.map_err(|_| ()).and_then(|stored| stored);
    let stored = stored.map_err(|()| failing("The number can't be stored."))?;
    if stored.foreign > 0 {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "foreign",
            "The records of this worker come from another filter.",
        ));
    }
    let body = json!({ "worker": said.worker, "number": said.number });
    Ok(answer(StatusCode::OK, body.to_string()))
}

fn failing(why: &str) -> Refusal {
    Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "recorder_failing", why)
}
