//! What only many callers at once would show.

use axum::body::to_bytes;
use axum::extract::{Path, Query, State as Shared};
use axum::http::{Request, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::*;
use crate::approvals::acts::{self, KEPT_FOR, Limits};
use crate::approvals::protocol::{Question, Standing};
use crate::approvals::store::Sqlite;
use crate::http::Credentials;
use crate::store::{Durability, Store};

const KEY: &str = "the-key-of-the-edge-filter";

fn desk(folder: &std::path::Path) -> Desk {
    let text = json!({
        "filters": [{ "name": "edge", "key": KEY }],
        "reviewers": [{ "name": "ana", "groups": ["leads"], "key": "the-key-of-the-reviewer-ana" }],
    });
    let config = crate::config::read(&text.to_string(), &|_| None).unwrap();
    let file = Store::create(&folder.join("desk.sqlite")).unwrap();
    let store = Sqlite::new(file.connect(Durability::Normal).unwrap());
    let (news, enter) = (News::default(), Box::new(|_| true));
    let (clerk, _) = Clerk::start(
        Box::new(store),
        enter,
        news.clone(),
        Arc::default(),
        KEPT_FOR,
    )
    .unwrap();
    Desk::new(Arc::new(Callers::new(&config)), clerk, news, Stop::new().1)
}

fn credentials() -> Credentials {
    let value = format!("Bearer {KEY}");
    let request = Request::builder().header(header::AUTHORIZATION, value);
    Credentials::of(&request.body(()).unwrap())
}

async fn said(answer: Result<Response, Refusal>) -> Value {
    let answer = answer.map_err(|refusal| refusal.code).unwrap();
    let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

async fn is_told_at_once(desk: Desk) {
    let question: Question = serde_json::from_value(json!({
        "binding": "b".repeat(64), "asker": "a".repeat(32), "subject": "carol", "issuer": "i",
        "operation": "o", "rule": "r", "reviewers": ["leads"],
    }))
    .unwrap();
    let asked = desk
        .clerk
        .run(move |work| acts::ask(work, &question, "edge", Limits::STANDARD));
    let id = asked.await.unwrap().id;
    let stands = desk
        .clerk
        .run(|work| acts::standing(work, "edge", None))
        .await;
    let Standing::Changed(stands) = stands.unwrap() else {
        panic!("nothing was known")
    };
    // Nobody else can wait.
    let deciding: Vec<_> = std::iter::from_fn(|| desk.news.permit()).collect();
    let standing: Vec<_> = std::iter::from_fn(|| desk.news.standing_permit()).collect();
    assert!(!deciding.is_empty() && !standing.is_empty());
    let wait = serde_json::from_value(json!({ "wait": 60 })).unwrap();
    let shared = Shared(desk.clone());
    let answer = filters::get_one(shared, Ok(Path(id)), Ok(Query(wait)), credentials()).await;
    assert_eq!(said(answer).await["state"], "pending");
    let revision = stands.revision;
    let since = serde_json::from_value(json!({ "wait": 60, "since": revision })).unwrap();
    let answer = filters::get_standing(Shared(desk), Ok(Query(since)), credentials()).await;
    let told = said(answer).await;
    assert_eq!(
        (&told["revision"], &told["unchanged"]),
        (&json!(revision), &Value::Null)
    );
    assert_eq!((&told["grants"], &told["blocks"]), (&json!([]), &json!([])));
}

/// The desk that the tests have is one that stops.
async fn is_told_all_when_it_stops(desk: Desk) {
    let stands = desk
        .clerk
        .run(|work| acts::standing(work, "edge", None))
        .await;
    let Standing::Changed(stands) = stands.unwrap() else {
        panic!("nothing was known")
    };
    let revision = stands.revision;
    let since = serde_json::from_value(json!({ "wait": 60, "since": revision })).unwrap();
    let answer = filters::get_standing(Shared(desk), Ok(Query(since)), credentials()).await;
    let told = said(answer).await;
    assert_eq!(
        (&told["revision"], &told["unchanged"], &told["blocks"]),
        (&json!(revision), &Value::Null, &json!([]))
    );
}

#[test]
fn a_desk_that_stops_does_not_say_before_the_wait_is_over_that_nothing_has_changed() {
    in_time(is_told_all_when_it_stops);
}

#[test]
fn where_too_many_wait_the_next_one_is_told_at_once_how_it_stands() {
    in_time(is_told_at_once);
}

fn in_time<T: Future<Output = ()>>(test: impl FnOnce(Desk) -> T) {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let answered = test(desk(folder.path()));
        let patience = Duration::from_secs(30);
        tokio::time::timeout(patience, answered).await.unwrap();
    });
}
