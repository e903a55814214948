//! What people call about counts that are to be emptied.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State as Shared};
use axum::http::StatusCode;
use axum::response::Response;

use super::{Desk, PageQuery, check_given_reason, query_of, shown};
use crate::approvals::acts;
use crate::approvals::protocol::NewReset;
use crate::http::{Credentials, Refusal, read_body};

pub(super) async fn put_reset(
    Shared(desk): Shared<Desk>,
    request: Request,
) -> Result<Response, Refusal> {
    let person = desk.reviewer(&request)?;
    let new: NewReset = read_body(request, None).await?;
    check_given_reason(&new.reason)?;
    if desk.figures.is_in_flight(&new.quota, &new.key) {
        return Err(Refusal::new(
            StatusCode::CONFLICT,
            "in_flight",
            "What is in flight can't be reset: it is free once it has ended, or its lease is over.",
        ));
    }
    let put = desk
        .clerk
        .run(move |work| acts::put_reset(work, &new, &person));
    let reset = put.await?;
    desk.figures.forget(&reset.quota, &reset.key);
    shown(&reset)
}

pub(super) async fn get_resets(
    Shared(desk): Shared<Desk>,
    query: Result<Query<PageQuery>, QueryRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    desk.callers.identify(&credentials)?.reviewer()?;
    let page = query_of(query)?.page();
    let listed = desk.clerk.run(move |work| acts::list_resets(work, &page));
    shown(&listed.await?)
}
