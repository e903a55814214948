//! What people call about blocks and delegations.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State as Shared};
use axum::response::Response;

use super::{Desk, PageQuery, check_given_reason, path_id, query_of, shown};
use crate::approvals::acts;
use crate::approvals::protocol::{Delegate, Delegations, NewBlock};
use crate::http::{Credentials, Refusal, read_body};

pub(super) async fn put_block(
    Shared(desk): Shared<Desk>,
    request: Request,
) -> Result<Response, Refusal> {
    let person = desk.reviewer(&request)?;
    let new: NewBlock = read_body(request, None).await?;
    check_given_reason(&new.reason)?;
    let put = desk
        .clerk
        .run(move |work| acts::put_block(work, &new, &person));
    shown(&put.await?)
}

pub(super) async fn get_blocks(
    Shared(desk): Shared<Desk>,
    query: Result<Query<PageQuery>, QueryRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    desk.callers.identify(&credentials)?.reviewer()?;
    let page = query_of(query)?.page();
    let listed = desk.clerk.run(move |work| acts::list_blocks(work, &page));
    shown(&listed.await?)
}

pub(super) async fn delete_block(
    Shared(desk): Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    let person = desk.callers.identify(&credentials)?.reviewer()?;
    let id = path_id(id, "block")?;
    let lifted = desk.clerk.run(move |work| acts::lift(work, &id, &person));
    shown(&lifted.await?)
}

pub(super) async fn put_delegation(
    Shared(desk): Shared<Desk>,
    request: Request,
) -> Result<Response, Refusal> {
    let person = desk.reviewer(&request)?;
    let new: Delegate = read_body(request, None).await?;
    let people = Arc::clone(&desk.people);
    let put = desk
        .clerk
        .run(move |work| acts::delegate(work, &new, &person, &people));
    shown(&put.await?)
}

pub(super) async fn get_delegations(
    Shared(desk): Shared<Desk>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    desk.callers.identify(&credentials)?.reviewer()?;
    let delegations = desk.clerk.run(acts::delegations).await?;
    shown(&Delegations { delegations })
}

pub(super) async fn delete_delegation(
    Shared(desk): Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    let person = desk.callers.identify(&credentials)?.reviewer()?;
    let id = path_id(id, "delegation")?;
    let ended = desk
        .clerk
        .run(move |work| acts::undelegate(work, &id, &person));
    shown(&ended.await?)
}
