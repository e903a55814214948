//! Answers that wait for a person, are kept, and go when the same is asked once more.

use core::time::Duration;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Driven, ask, bytes, call, code, compiled, decision, http, posts, reply};
use crate::approval::{self, Answer, Decision, State, Subject, Trouble};
use crate::exchange::{Ask, Call, CompiledPolicy, Effect, Event, Flow, Outcome};

fn policy(changes: &Value) -> Rc<CompiledPolicy> {
    let mut sections = json!({
        "approvals": {"cluster": "desk", "wait": "30s", "answers": {"key": "${ANSWER_KEY}"}},
        "masks": {"gate": {"detect": [
            "ip", {"is": "email", "action": {"approve": {"reviewers": ["leads"]}}},
        ]}},
        "rules": [{"name": "all", "then": "allow", "mask": ["gate"]}],
    });
    let changes = changes.as_object().unwrap().clone();
    sections.as_object_mut().unwrap().extend(changes);
    compiled(&sections)
}

fn usual() -> Rc<CompiledPolicy> {
    policy(&json!({}))
}

const BODY: &str = r#"{"model":"m","messages":[{"role":"user","content":"who?"}]}"#;
const ANSWER: &str = r#"{"a":"ana@example.com from 203.0.113.7"}"#;
const SENT: &str = r#"{"a":"ana@example.com from [IP]"}"#;

/// A request that has come whole.
fn came(policy: &Rc<CompiledPolicy>, id: &str, body: &str) -> (Driven, Outcome) {
    let mut exchange = Driven::seeded(policy, id);
    let head = exchange.chat();
    assert_eq!(head.flow, Flow::Hold);
    assert!(exchange.wants_body());
    let outcome = exchange.whole(body);
    (exchange, outcome)
}

/// One for which nothing was kept, and what became of it.
fn went(policy: &Rc<CompiledPolicy>, id: &str) -> Driven {
    let (mut exchange, outcome) = came(policy, id, BODY);
    let find = ask(&outcome);
    assert!(find.finds);
    let outcome = exchange.decided(&find, &Decision::Nothing);
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Continue));
    exchange
}

/// The answer of the model server, and the question about it.
fn answers(exchange: &mut Driven, body: &str) -> Ask {
    let headers = bytes(&[
        (":status", "201"),
        ("content-type", "application/json; x=y"),
    ]);
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    });
    ask(&exchange.handle(Event::ResponseBody {
        piece: body.as_bytes(),
        end: true,
    }))
}

/// What the desk has of an answer: its approval's binding, its name, and what is sealed.
struct Kept {
    binding: String,
    request: String,
    sealed: Vec<u8>,
}

fn kept(policy: &Rc<CompiledPolicy>) -> Kept {
    let mut exchange = went(policy, "e1");
    let asked = answers(&mut exchange, ANSWER);
    let outcome = exchange.decided(&asked, &decision("apr_1", "pending"));
    let posts = posts(&outcome);
    assert_eq!(posts.len(), 1);
    let (path, body) = &posts[0];
    assert_eq!(path, "/v1/approvals/apr_1/answer");
    assert_eq!(body["keep"], 3600);
    Kept {
        binding: asked.binding,
        request: body["request"].as_str().unwrap().to_owned(),
        sealed: STANDARD.decode(body["sealed"].as_str().unwrap()).unwrap(),
    }
}

/// What the service says of an answer that is kept.
fn says(kept: &Kept, state: State) -> Decision {
    Decision::Answer(Answer {
        id: "apr_1".to_owned(),
        binding: kept.binding.clone(),
        state,
        reviewer: Some("ana".to_owned()),
        reason: None,
        uses: 1,
    })
}

/// The same request once more, and what it looks for.
fn again(policy: &Rc<CompiledPolicy>, id: &str) -> (Driven, Ask) {
    let (exchange, outcome) = came(policy, id, BODY);
    (exchange, ask(&outcome))
}

fn sealed(exchange: &mut Driven, fetch: &Call, sealed: &[u8]) -> Outcome {
    let answer = json!({"id": "apr_1", "sealed": STANDARD.encode(sealed)});
    exchange.answered(fetch, Some((200, answer.to_string().as_bytes())))
}

fn claim_says(exchange: &mut Driven, claim: &Call, kept: &Kept, state: &str) -> Outcome {
    let sent: Value = serde_json::from_slice(http(claim).3).unwrap();
    assert_eq!(sent["binding"], kept.binding.as_str());
    let answer = json!({
        "id": "apr_1", "binding": kept.binding, "claim": sent["claim"], "state": state,
    });
    exchange.answered(claim, Some((200, answer.to_string().as_bytes())))
}

/// The same request once more, whose answer is approved, fetched and claimed.
fn delivered(policy: &Rc<CompiledPolicy>, kept: &Kept) -> (Driven, Outcome) {
    let (mut exchange, find) = again(policy, "e2");
    assert_eq!(find.binding, kept.request);
    let fetch = call(&exchange.decided(&find, &says(kept, State::Approved)));
    assert_eq!(http(&fetch).0, "GET");
    assert_eq!(http(&fetch).1, "/v1/approvals/apr_1/answer");
    let claim = call(&sealed(&mut exchange, &fetch, &kept.sealed));
    assert_eq!(http(&claim).1, "/v1/approvals/apr_1/claim");
    let outcome = claim_says(&mut exchange, &claim, kept, "claimed");
    (exchange, outcome)
}

fn is_passed(outcome: &Outcome) -> bool {
    outcome.flow == Flow::Continue && !outcome.is_answer()
}

#[test]
fn an_answer_is_kept_sealed_as_soon_as_its_approval_has_an_id() {
    let policy = usual();
    let kept = kept(&policy);
    assert_eq!(kept.request.len(), 64);
    assert_ne!(kept.request, kept.binding);
    for part in ["ana@", "[IP]", "application"] {
        let found = kept.sealed.windows(part.len());
        assert!(!found.into_iter().any(|one| one == part.as_bytes()));
    }
    // Once is enough.
    let mut exchange = went(&policy, "e3");
    let asked = answers(&mut exchange, ANSWER);
    assert_eq!(
        posts(&exchange.decided(&asked, &decision("apr_1", "pending"))).len(),
        1
    );
    assert_eq!(
        posts(&exchange.decided(&asked, &decision("apr_1", "pending"))),
        []
    );
}

#[test]
fn the_question_shows_the_beginning_masked_and_is_open_as_long_as_the_answer_is_kept() {
    let mut exchange = went(&usual(), "e1");
    let asked = answers(&mut exchange, ANSWER);
    let question: Value = serde_json::from_slice(&asked.question).unwrap();
    assert_eq!(question["expires"], 3600);
    assert_eq!(question["body"]["text"], r#"{"a":"[EMAIL] from [IP]"}"#);
    assert_eq!(question["found"], json!(["email"]));
}

#[test]
fn while_nobody_has_decided_the_same_request_waits_and_makes_no_other_answer() {
    let policy = usual();
    let kept = kept(&policy);
    let (mut exchange, find) = again(&policy, "e2");
    assert_eq!((find.about, find.finds), (Subject::Request, true));
    assert_eq!(find.binding, kept.request);
    assert_eq!(find.deadline, exchange.now + Duration::from_secs(30));
    let sent: Value = serde_json::from_slice(&find.question).unwrap();
    assert_eq!(sent, json!({"request": kept.request, "asker": find.asker}));
    let outcome = exchange.decided(&find, &says(&kept, State::Pending));
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Hold));
    let outcome = exchange.decided(&find, &Decision::Late("apr_1".to_owned()));
    assert_eq!(
        (reply(&outcome).status, code(&outcome).as_str()),
        (409, "approval_pending")
    );
    let record = exchange.record();
    assert_eq!(record["approvals"][0]["id"], "apr_1");
    assert_eq!(record["approvals"][0]["state"], "pending");
    // Another request, or caller, is another one.
    let (_, other) = came(&policy, "e3", &BODY.replace("who", "what"));
    assert_ne!(ask(&other).binding, kept.request);
}

#[test]
fn the_approved_answer_goes_and_is_recorded() {
    let policy = policy(&json!({"sessions": {"digests": true}}));
    let kept = kept(&policy);
    let (mut exchange, outcome) = delivered(&policy, &kept);
    let told = reply(&outcome);
    assert_eq!((told.status, told.body.as_str()), (201, SENT));
    let media = ("content-type", "application/json; x=y".to_owned());
    assert_eq!(told.headers, [media]);
    let head = exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &bytes(&[(":status", "201")]),
        end: false,
    });
    assert_eq!(head.flow, Flow::Continue);
    let (record, posts) = exchange.record_and_posts();
    assert_eq!(posts, []);
    assert_eq!(record["verdict"]["action"], "allow");
    assert_eq!(record["verdict"]["rule"], "all");
    assert_eq!(record["approvals"][0]["state"], "approved");
    assert_eq!(record["approvals"][0]["reviewer"], "ana");
    assert_eq!(record["approvals"][0]["kept_from"], "e1");
    assert_eq!(record["response"]["bytes_sent"], SENT.len());
    let digest = crate::approval::digest(SENT.as_bytes());
    assert_eq!(record["response"]["digest"], digest.as_str());
    assert_eq!(record["request"]["digest"], Value::Null);
    assert_eq!(record["ended"]["how"], "complete");
}

#[test]
fn what_was_claimed_for_a_client_that_has_gone_comes_back() {
    let policy = usual();
    let kept = kept(&policy);
    // Between the claim and its answer, and before the answer has begun.
    let (mut exchange, find) = again(&policy, "e2");
    let fetch = call(&exchange.decided(&find, &says(&kept, State::Approved)));
    call(&sealed(&mut exchange, &fetch, &kept.sealed));
    let (_, posts) = exchange.record_and_posts();
    assert_eq!(posts[0].0, "/v1/approvals/apr_1/give_back");
    let (mut exchange, outcome) = delivered(&policy, &kept);
    reply(&outcome);
    let (_, posts) = exchange.record_and_posts();
    assert_eq!(posts[0].0, "/v1/approvals/apr_1/give_back");
}

#[test]
fn a_denied_answer_is_denied_again() {
    let policy = usual();
    let kept = kept(&policy);
    let (mut exchange, find) = again(&policy, "e2");
    let outcome = exchange.decided(&find, &says(&kept, State::Denied));
    assert_eq!(
        (reply(&outcome).status, code(&outcome).as_str()),
        (403, "approval_denied")
    );
    assert_eq!(exchange.record()["approvals"][0]["state"], "denied");
}

#[test]
fn what_has_expired_or_was_used_makes_a_new_answer() {
    let policy = usual();
    let kept = kept(&policy);
    let (mut exchange, find) = again(&policy, "e2");
    exchange.decided(&find, &says(&kept, State::Pending));
    let outcome = exchange.decided(&find, &says(&kept, State::Gone));
    assert!(is_passed(&outcome), "{outcome:?}");
    assert_eq!(exchange.record()["approvals"], json!([]));
    // It may be erased while it is fetched.
    let (mut exchange, find) = again(&policy, "e3");
    let fetch = call(&exchange.decided(&find, &says(&kept, State::Approved)));
    assert!(is_passed(&exchange.answered(&fetch, Some((404, b"{}")))));
}

#[test]
fn of_two_that_ask_at_once_one_gets_it() {
    let policy = usual();
    let kept = kept(&policy);
    let (mut exchange, find) = again(&policy, "e2");
    let fetch = call(&exchange.decided(&find, &says(&kept, State::Approved)));
    let claim = call(&sealed(&mut exchange, &fetch, &kept.sealed));
    let outcome = claim_says(&mut exchange, &claim, &kept, "used");
    assert!(is_passed(&outcome), "{outcome:?}");
    let (_, posts) = exchange.record_and_posts();
    assert_eq!(posts, []);
}

#[test]
fn a_claim_whose_answer_was_lost_is_sent_once_more() {
    let policy = usual();
    let kept = kept(&policy);
    let (mut exchange, find) = again(&policy, "e2");
    let fetch = call(&exchange.decided(&find, &says(&kept, State::Approved)));
    let claim = call(&sealed(&mut exchange, &fetch, &kept.sealed));
    let once_more = exchange.answered(&claim, None);
    assert!(
        once_more
            .effects
            .contains(&Effect::Trouble(Trouble::NoAnswer))
    );
    let second = call(&once_more);
    assert_eq!(http(&second).3, http(&claim).3);
    let outcome = exchange.answered(&second, None);
    assert_eq!(code(&outcome), "approval_unavailable");
    assert_eq!(posts(&outcome)[0].0, "/v1/approvals/apr_1/give_back");
}

#[test]
fn nothing_goes_of_what_was_changed_and_nothing_is_claimed() {
    let policy = usual();
    let kept = kept(&policy);
    let mut changed = kept.sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    // What was sealed for another approval is as wrong as what was changed.
    let other = Kept {
        binding: "0".repeat(64),
        request: String::new(),
        sealed: Vec::new(),
    };
    for (of, bytes) in [
        (&kept, &changed),
        (&other, &kept.sealed),
        (&kept, &vec![1, 2]),
    ] {
        let (mut exchange, find) = again(&policy, "e2");
        let fetch = call(&exchange.decided(&find, &says(of, State::Approved)));
        let outcome = sealed(&mut exchange, &fetch, bytes);
        assert_eq!(
            (reply(&outcome).status, code(&outcome).as_str()),
            (502, "kept_answer_changed")
        );
        assert!(!reply(&outcome).body.contains("ana"));
        let (record, posts) = exchange.record_and_posts();
        assert_eq!(posts, []);
        assert_eq!(record["verdict"]["code"], "kept_answer_changed");
    }
}

#[test]
fn a_filter_with_another_key_or_other_masks_finds_nothing() {
    let find = |policy: &Rc<CompiledPolicy>| again(policy, "e2").1.binding;
    let name = find(&usual());
    let other = json!({"cluster": "desk", "answers": {"key": "${OTHER_KEY}"}});
    assert_ne!(find(&policy(&json!({ "approvals": other }))), name);
    let other = json!({"gate": {"detect": [
        "iban", {"is": "email", "action": {"approve": {"reviewers": ["leads"]}}},
    ]}});
    assert_ne!(find(&policy(&json!({ "masks": other }))), name);
    // An edit elsewhere voids nothing.
    assert_eq!(
        find(&policy(&json!({"limits": {"request_body": "2MiB"}}))),
        name
    );
}

#[test]
fn what_is_too_large_is_not_kept() {
    let small = json!({"cluster": "desk", "answers": {"key": "${ANSWER_KEY}", "max_bytes": "20B"}});
    let mut exchange = went(&policy(&json!({ "approvals": small })), "e1");
    let asked = answers(&mut exchange, ANSWER);
    let question: Value = serde_json::from_slice(&asked.question).unwrap();
    assert_eq!(question["expires"], 86_400);
    assert_eq!(
        posts(&exchange.decided(&asked, &decision("apr_1", "pending"))),
        []
    );
}

#[test]
fn where_the_desk_says_that_nothing_is_kept_nobody_is_asked() {
    let policy = usual();
    let stands = |answers: &Value| {
        let now = Duration::from_secs(super::NOW);
        let (poll, _) = policy.poll_standing(now);
        let says = json!({
            "revision": "r", "lease_ms": 2000, "grants": [], "blocks": [], "answers": answers,
        });
        let says = says.to_string();
        policy.take_standing(says.as_bytes(), poll, now).unwrap();
    };
    let kept = kept(&policy);
    stands(&json!([]));
    let (_, outcome) = came(&policy, "e2", BODY);
    assert!(is_passed(&outcome), "{outcome:?}");
    stands(&json!([kept.request.get(..32)]));
    let (mut exchange, find) = again(&policy, "e2");
    // There is one, so there must not be another.
    let outcome = exchange.decided(&find, &Decision::Trouble(Trouble::Failing));
    assert_eq!(code(&outcome), "approval_service_failed");
    // Where it isn't known, and can't be told, the request goes on.
    stands(&Value::Null);
    let (mut exchange, find) = again(&policy, "e3");
    assert!(is_passed(
        &exchange.decided(&find, &Decision::Trouble(Trouble::Failing))
    ));
}

#[test]
fn what_any_worker_has_put_lately_is_asked_for_though_no_list_has_it() {
    let policy = usual();
    let now = Duration::from_secs(super::NOW);
    let (poll, _) = policy.poll_standing(now);
    let says =
        json!({"revision": "r", "lease_ms": 2000, "grants": [], "blocks": [], "answers": []});
    let says = says.to_string();
    policy.take_standing(says.as_bytes(), poll, now).unwrap();
    let mut exchange = Driven::seeded(&policy, "e1");
    approval::note_put(&*exchange.store, now);
    exchange.chat();
    let find = ask(&exchange.whole(BODY));
    assert!(find.finds);
    // There may be none, so that the request goes on where that can't be told.
    let trouble = Decision::Trouble(Trouble::Failing);
    assert!(is_passed(&exchange.decided(&find, &trouble)));
}

#[test]
fn it_is_found_before_a_person_is_asked_about_the_request_or_a_quota_charged() {
    let policy = policy(&json!({
        "quotas": {"few": {"by": ["subject"], "count": "requests", "limit": 1, "per": "1h"}},
        "rules": [
            {"name": "gate", "then": {"approve": {"reviewers": ["leads"]}}},
            {"name": "all", "then": "allow", "mask": ["gate"], "quota": ["few"]},
        ],
    }));
    let (mut exchange, find) = again(&policy, "e1");
    assert!(find.finds);
    let asked = ask(&exchange.decided(&find, &Decision::Nothing));
    assert!(!asked.finds);
    let question: Value = serde_json::from_slice(&asked.question).unwrap();
    assert_eq!(question["rule"], "gate");
    // A reviewer sees the body, though it has gone by.
    assert_eq!(question["body"]["text"], BODY);
}

#[test]
fn what_can_not_be_kept_goes_as_without() {
    let committed = policy(&json!({
        "sessions": {"delivery": "committed", "desk": {"cluster": "desk"}},
    }));
    let mut exchange = Driven::seeded(&committed, "e1");
    assert_eq!(exchange.chat().flow, Flow::Continue);
    // Without randomness nothing is sealed.
    let mut exchange = Driven::named(&usual(), "e1");
    assert_eq!(exchange.chat().flow, Flow::Continue);
    let mut exchange = Driven::seeded(&usual(), "e1");
    let grpc = [("content-type", "application/grpc")];
    let head = exchange.head(
        "POST",
        "/inference.GRPCInferenceService/ModelInfer",
        &grpc,
        false,
    );
    assert_eq!(head.flow, Flow::Continue);
}
