//! What filters call about answers that wait for people.

use axum::extract::rejection::PathRejection;
use axum::extract::{DefaultBodyLimit, Path, Request, State as Shared};
use axum::response::Response;
use axum::routing::{MethodRouter, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::filters::check_id;
use super::{Desk, path_id, shown};
use crate::approvals::acts;
use crate::approvals::protocol::{Find, Keep, MAX_KEPT_SECONDS, MAX_SEALED_BYTES};
use crate::http::{Credentials, Refusal, read_body, read_bytes};

/// The largest body: what is sealed in base64, and what stands around it.
const MAX_KEEP_BYTES: usize = MAX_SEALED_BYTES / 3 * 4 + 1024;

/// `/v1/approvals/{id}/answer`.
pub(super) fn route() -> MethodRouter<Desk> {
    let limit = DefaultBodyLimit::max(MAX_KEEP_BYTES);
    post(keep).layer(limit).get(fetch)
}

async fn keep(
    Shared(desk): Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let filter = desk.filter(&request)?;
    let id = path_id(id, "approval")?;
    let bytes = read_bytes(request, MAX_KEEP_BYTES).await?;
    let mut keep: Keep = serde_json::from_slice(&bytes).map_err(|error| {
        // What it quotes may be what is sealed, which is of no use to anybody.
        Refusal::malformed(format!(
            "The body is not what is expected, at column {}.",
            error.column()
        ))
    })?;
    drop(bytes);
    check_id("request", &keep.request, 64)?;
    if !(1..=MAX_KEPT_SECONDS).contains(&keep.keep) {
        return Err(Refusal::malformed(format!(
            "\"keep\" is 1 to {MAX_KEPT_SECONDS} seconds."
        )));
    }
    let sealed = STANDARD.decode(std::mem::take(&mut keep.sealed));
    let sealed = sealed.ok().filter(|sealed| !sealed.is_empty());
    let sealed = sealed.ok_or_else(|| Refusal::malformed("\"sealed\" is base64."))?;
    let room = desk.room;
    let kept = desk
        .clerk
        .run(move |work| acts::keep(work, &id, &keep, &sealed, &filter, room));
    shown(&kept.await?)
}

async fn fetch(
    Shared(desk): Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    let filter = desk.callers.identify(&credentials)?.filter()?;
    let id = path_id(id, "approval")?;
    let fetched = desk.clerk.run(move |work| acts::fetch(work, &id, &filter));
    shown(&fetched.await?)
}

/// `POST /v1/answers`.
pub(super) async fn find(
    Shared(desk): Shared<Desk>,
    request: Request,
) -> Result<Response, Refusal> {
    let filter = desk.filter(&request)?;
    let find: Find = read_body(request, None).await?;
    check_id("request", &find.request, 64)?;
    check_id("asker", &find.asker, 32)?;
    let found = desk.clerk.run(move |work| acts::find(work, &find, &filter));
    shown(&found.await?)
}
