//! Request bodies, bounded in size and time.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{FromRequest as _, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::answer::Refusal;

/// The largest body that is read, in bytes.
pub const MAX_BODY_BYTES: usize = 64 << 10;

/// How long a client may take to send its body.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads a JSON body. An empty body stands for `empty`, if that is given.
///
/// # Errors
/// 413 for too large a body, 408 for too slow a client, 400 for what is not the JSON expected.
pub async fn read_body<T: DeserializeOwned>(
    request: Request,
    empty: Option<T>,
) -> Result<T, Refusal> {
    let bytes = read_bytes(request, MAX_BODY_BYTES).await?;
    match empty {
        Some(empty) if bytes.is_empty() => Ok(empty),
        _ => serde_json::from_slice(&bytes).map_err(|error| {
            Refusal::malformed(format!("The body is not what is expected: {error}."))
        }),
    }
}

/// Reads a body as it came. `most` is the route's limit in bytes.
///
/// # Errors
/// 413 for too large a body, 408 for too slow a client.
pub async fn read_bytes(request: Request, most: usize) -> Result<Bytes, Refusal> {
    tokio::time::timeout(PATIENCE, Bytes::from_request(request, &()))
        .await
        .map_err(|_| {
            Refusal::new(
                StatusCode::REQUEST_TIMEOUT,
                "too_slow",
                "The body did not come in time.",
            )
        })?
        .map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                Refusal::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "too_large",
                    format!("A body may have {most} bytes."),
                )
            } else {
                Refusal::malformed("The body can't be read.")
            }
        })
}
