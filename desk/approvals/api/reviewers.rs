//! What people call about approvals.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State as Shared};
use axum::response::Response;
use serde::Deserialize;

use super::{Desk, PageQuery, check_given_reason, check_reason, path_id, query_of, shown};
use crate::approvals::acts;
use crate::approvals::machine::Verdict;
use crate::approvals::protocol::{
    Access, Bulk, Decide, DecisionKind, Failure, Grants, Outcome, Outcomes, State,
};
use crate::approvals::store::Which;
use crate::approvals::work::{Halt, Work};
use crate::http::{Credentials, Person, Refusal, read_body};
use crate::store::{Page, StoreError};

/// The most approvals that are decided at once.
const MAX_BULK: usize = 1000;

/// How many of them are decided in one transaction: others have their turn in between.
const MAX_TOGETHER: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListQuery {
    state: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

pub(super) async fn get_list(
    Shared(desk): Shared<Desk>,
    query: Result<Query<ListQuery>, QueryRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    desk.callers.identify(&credentials)?.reviewer()?;
    let query = query_of(query)?;
    let state = match query.state {
        None => None,
        Some(name) => Some(State::named(&name).ok_or_else(|| {
            let names = State::ALL.map(State::name).join(", ");
            Refusal::malformed(format!("\"state\" is one of {names}."))
        })?),
    };
    let page = Page::new(query.before, query.limit);
    let which = Which { state, wide: false };
    let listed = desk.clerk.run(move |work| acts::list(work, which, &page));
    shown(&listed.await?)
}

pub(super) async fn get_grants(
    Shared(desk): Shared<Desk>,
    query: Result<Query<PageQuery>, QueryRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    desk.callers.identify(&credentials)?.reviewer()?;
    let page = query_of(query)?.page();
    let listed = desk.clerk.run(move |work| acts::grants(work, &page));
    let listed = listed.await?;
    shown(&Grants {
        grants: listed.approvals,
        next: listed.next,
    })
}

/// One approval, for a reviewer.
pub(super) async fn look(
    desk: &Desk,
    id: String,
    person: Arc<Person>,
) -> Result<Response, Refusal> {
    let looked = desk.clerk.run(move |work| acts::look(work, &id, &person));
    shown(&looked.await?)
}

pub(super) async fn approve(
    desk: Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    decide(desk, id, request, DecisionKind::Approve).await
}

pub(super) async fn deny(
    desk: Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    decide(desk, id, request, DecisionKind::Deny).await
}

pub(super) async fn revoke(
    desk: Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    decide(desk, id, request, DecisionKind::Revoke).await
}

async fn decide(
    Shared(desk): Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
    kind: DecisionKind,
) -> Result<Response, Refusal> {
    let person = desk.reviewer(&request)?;
    let id = path_id(id, "approval")?;
    let Decide {
        reason,
        break_glass,
    } = read_body(request, Some(Decide::default())).await?;
    check_reason(reason.as_ref())?;
    let verdict = Verdict {
        kind,
        reason,
        break_glass,
    };
    let people = Arc::clone(&desk.people);
    let decided = desk
        .clerk
        .run(move |work| acts::decide(work, &id, &verdict, &person, &people));
    shown(&decided.await?)
}

pub(super) async fn decide_many(
    Shared(desk): Shared<Desk>,
    request: Request,
) -> Result<Response, Refusal> {
    let person = desk.reviewer(&request)?;
    let bulk: Bulk = read_body(request, None).await?;
    check_reason(bulk.reason.as_ref())?;
    if bulk.ids.is_empty() || bulk.ids.len() > MAX_BULK {
        let message = format!("\"ids\" has 1 to {MAX_BULK} ids.");
        return Err(Refusal::malformed(message));
    }
    let verdict = Verdict {
        kind: bulk.decision,
        reason: bulk.reason,
        break_glass: false,
    };
    let mut results = Vec::with_capacity(bulk.ids.len());
    for ids in bulk.ids.chunks(MAX_TOGETHER) {
        let together = ids.to_vec();
        let (verdict, person) = (verdict.clone(), Arc::clone(&person));
        let people = Arc::clone(&desk.people);
        let decided = desk.clerk.run(move |work| {
            let outcomes = together.iter().map(|id| {
                let decided = acts::decide(work, id, &verdict, &person, &people);
                outcome(id, decided.map(|view| view.state))
            });
            Ok(outcomes.collect::<Result<Vec<_>, _>>()?)
        });
        match decided.await {
            Ok(outcomes) => results.extend(outcomes),
            // What was decided before stays so, and is told.
            Err(refusal) => {
                let failed = ids.iter().map(|id| failure(id, &refusal));
                results.extend(failed);
            }
        }
    }
    shown(&Outcomes { results })
}

fn outcome(id: &str, decided: Result<State, Halt>) -> Result<Outcome, StoreError> {
    match decided {
        Ok(state) => Ok(Outcome {
            id: id.to_owned(),
            state: Some(state),
            error: None,
        }),
        Err(Halt::Refused(refusal)) => Ok(failure(id, &refusal)),
        Err(Halt::Store(error)) => Err(error),
    }
}

fn failure(id: &str, refusal: &Refusal) -> Outcome {
    Outcome {
        id: id.to_owned(),
        state: None,
        error: Some(Failure {
            code: refusal.code.to_owned(),
            message: refusal.message.clone(),
        }),
    }
}

pub(super) async fn ask_ahead(
    Shared(desk): Shared<Desk>,
    request: Request,
) -> Result<Response, Refusal> {
    let person = desk.reviewer(&request)?;
    let access: Access = read_body(request, None).await?;
    check_given_reason(&access.reason)?;
    let act = move |work: &mut Work<'_>| acts::ask_ahead(work, &access, &person);
    shown(&desk.clerk.run(act).await?)
}
