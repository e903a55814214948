//! What filters call.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, Request, State as Shared};
use axum::response::Response;
use serde::Deserialize;

use super::{Desk, deadline, path_id, query_of, reviewers, shown};
use crate::approvals::acts::{self, Limits};
use crate::approvals::protocol::{
    Answer, Cancel, Claim, GiveBack, Question, Standing, State, is_hex,
};
use crate::http::{Caller, Credentials, Refusal, read_body};

pub(super) async fn put_question(
    Shared(desk): Shared<Desk>,
    request: Request,
) -> Result<Response, Refusal> {
    let filter = desk.filter(&request)?;
    let question: Question = read_body(request, None).await?;
    question.check().map_err(Refusal::malformed)?;
    let asked = desk
        .clerk
        .run(move |work| acts::ask(work, &question, &filter, Limits::STANDARD));
    shown(&asked.await?)
}

/// Unknown parameters are ignored: a filter may be newer than the desk.
#[derive(Deserialize)]
pub(super) struct Wait {
    #[serde(default)]
    wait: u64,
    asker: Option<String>,
}

pub(super) async fn get_one(
    Shared(desk): Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<Wait>, QueryRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    let caller = desk.callers.identify(&credentials)?;
    let id = path_id(id, "approval")?;
    let Wait { wait, asker } = query_of(query)?;
    let filter = match caller {
        Caller::Filter(filter) => filter,
        Caller::Reviewer(person) => return reviewers::look(&desk, id, person).await,
    };
    let deadline = deadline(wait);
    let mut news = desk.news.listen();
    let look = async || -> Result<Answer, Refusal> {
        let (id, asker, filter) = (id.clone(), asker.clone(), filter.clone());
        let looked = desk
            .clerk
            .run(move |work| acts::wait(work, &id, asker.as_deref(), &filter));
        looked.await
    };
    let mut answer = look().await?;
    if answer.state != State::Pending || wait == 0 {
        return shown(&answer);
    }
    // Where nobody else can wait, what was read is the answer: the filter asks again after a while.
    let Some(_permit) = desk.news.permit() else {
        return shown(&answer);
    };
    let mut stop = desk.stop.clone();
    // An approval that several people must give has news before it is decided.
    loop {
        let over = tokio::select! {
            () = news.wait_for(&id) => false,
            () = tokio::time::sleep_until(deadline) => true,
            () = stop.requested() => true,
        };
        answer = look().await?;
        if over || answer.state != State::Pending {
            return shown(&answer);
        }
    }
}

pub(super) async fn claim(
    Shared(desk): Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let filter = desk.filter(&request)?;
    let id = path_id(id, "approval")?;
    let claim: Claim = read_body(request, None).await?;
    check_id("claim", &claim.claim, 32)?;
    check_id("exchange", &claim.exchange, 32)?;
    check_id("binding", &claim.binding, 64)?;
    let claimed = desk
        .clerk
        .run(move |work| acts::claim(work, &id, &claim, &filter));
    shown(&claimed.await?)
}

pub(super) async fn give_back(
    Shared(desk): Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let filter = desk.filter(&request)?;
    let id = path_id(id, "approval")?;
    let back: GiveBack = read_body(request, None).await?;
    check_id("claim", &back.claim, 32)?;
    let given = desk
        .clerk
        .run(move |work| acts::give_back(work, &id, &back, &filter));
    shown(&given.await?)
}

pub(super) async fn cancel(
    Shared(desk): Shared<Desk>,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let filter = desk.filter(&request)?;
    let id = path_id(id, "approval")?;
    let Cancel { asker } = read_body(request, None).await?;
    check_id("asker", &asker, 32)?;
    let left = desk
        .clerk
        .run(move |work| acts::cancel(work, &id, &asker, &filter));
    shown(&left.await?)
}

#[derive(Deserialize)]
pub(super) struct Since {
    since: Option<String>,
    #[serde(default)]
    wait: u64,
}

pub(super) async fn get_standing(
    Shared(desk): Shared<Desk>,
    query: Result<Query<Since>, QueryRejection>,
    credentials: Credentials,
) -> Result<Response, Refusal> {
    let filter = desk.callers.identify(&credentials)?.filter()?;
    let Since { since, wait } = query_of(query)?;
    let deadline = deadline(wait);
    let mut news = desk.news.listen();
    let look = async |since: &Option<String>| -> Result<Standing, Refusal> {
        let (since, filter) = (since.clone(), filter.clone());
        let looked = desk
            .clerk
            .run(move |work| acts::standing(work, &filter, since.as_deref()));
        looked.await
    };
    let first = look(&since).await?;
    if matches!(first, Standing::Changed(_)) || wait == 0 {
        return shown(&first);
    }
    // That nothing has changed may only be said when the wait is over: where nobody else can wait, all is told.
    let Some(_permit) = desk.news.standing_permit() else {
        return shown(&look(&None).await?);
    };
    let mut stop = desk.stop.clone();
    loop {
        let over = tokio::select! {
            () = news.wait_for_standing() => false,
            () = tokio::time::sleep_until(deadline) => true,
            // The wait isn't over, so that this can't be said to be unchanged.
            () = stop.requested() => return shown(&look(&None).await?),
        };
        let seen = look(&since).await?;
        if over || matches!(seen, Standing::Changed(_)) {
            return shown(&seen);
        }
    }
}

pub(super) fn check_id(name: &str, text: &str, digits: usize) -> Result<(), Refusal> {
    match is_hex(text, digits) {
        true => Ok(()),
        false => Err(Refusal::malformed(format!(
            "\"{name}\" has {digits} lower-case hex digits."
        ))),
    }
}
