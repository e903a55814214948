//! Approvals that are claimed, lost and given back.

use core::time::Duration;
use std::rc::Rc;

use serde_json::{Value, json};

use super::{answer_head, approved, asked, body_of, gated, went};
use crate::approval::Trouble;
use crate::call::Answer;
use crate::exchange::tests::{
    Driven, NOW, answer_of, ask, call, claimed, code, compiled, decision, http, posts, reply,
};
use crate::exchange::{Ask, Call, CompiledPolicy, Effect, Event, Flow, Outcome, tests};

#[test]
fn a_claim_that_is_not_this_one_passes_nothing() {
    for (member, other) in [
        ("id", "apr_2"),
        ("binding", "00"),
        ("claim", "00"),
        ("state", "approved"),
    ] {
        let (mut exchange, ask, claim) = approved();
        let mut answer: Value = serde_json::from_slice(&claimed(&claim, &ask)).unwrap();
        answer[member] = json!(other);
        let answer = answer.to_string().into_bytes();
        let outcome = exchange.answered(&claim, Some((200, &answer)));
        let again = call(&outcome);
        assert!(
            outcome
                .effects
                .contains(&Effect::Trouble(Trouble::NotUnderstood))
        );
        assert_eq!(body_of(&again), body_of(&claim), "{member}");
        let outcome = exchange.answered(&again, Some((200, &answer)));
        assert_eq!(code(&outcome), "approval_not_understood", "{member}");
    }
}

#[test]
fn a_claim_that_may_hold_is_sent_once_more_and_then_given_back() {
    let (mut exchange, ask, claim) = approved();
    let again = call(&exchange.answered(&claim, None));
    assert_ne!(again.number, claim.number);
    assert_eq!(body_of(&again), body_of(&claim), "the same claim");
    // The answer to the first comes too late.
    let late = exchange.answered(&claim, Some((200, &claimed(&claim, &ask))));
    assert_eq!((late.effects, late.flow), (vec![], Flow::Hold));
    let outcome = exchange.answered(&again, Some((200, &claimed(&again, &ask))));
    assert_eq!(outcome.flow, Flow::Continue);

    let (mut exchange, _, claim) = approved();
    let again = call(&exchange.answered(&claim, None));
    let outcome = exchange.answered(&again, Some((503, b"no healthy upstream")));
    assert_eq!(code(&outcome), "approval_unavailable");
    let back = posts(&outcome);
    assert_eq!(back[0].0, "/v1/approvals/apr_1/give_back");
    assert_eq!(back[0].1["claim"], body_of(&claim)["claim"]);
    assert_eq!(back[0].1["why"], "unanswered");
    let record = exchange.record();
    assert_eq!(record["verdict"]["action"], "deny");
    assert_eq!(record["verdict"]["quotas"], json!([]));

    // What is certain needs neither.
    let (mut exchange, _, claim) = approved();
    let outcome = exchange.answered(&claim, Some((401, b"{}")));
    assert_eq!(code(&outcome), "approval_key_refused");
    assert_eq!(posts(&outcome), []);
}

/// Envoy takes no more calls.
fn not_sent(exchange: &mut Driven, call: &Call) -> Outcome {
    exchange.handle_as_host(Event::CallAnswered {
        purpose: call.purpose,
        number: call.number,
        answer: Answer::NotSent,
    })
}

/// Whether it waits to send the claim again.
fn waits(outcome: &Outcome) -> bool {
    let refused = |effect: &Effect| matches!(effect, Effect::Reply(_));
    !outcome.effects.iter().any(refused)
}

/// The claim that it sends once it is time, woken as often as it wants to be. Ticks that are for something else
/// hurry nobody.
fn sent_again(exchange: &mut Driven) -> Call {
    loop {
        let outcome = exchange.handle_as_host(Event::Tick);
        assert_eq!(outcome.flow, Flow::Hold);
        let is_call = |effect: &Effect| matches!(effect, Effect::Call(_));
        if outcome.effects.iter().any(is_call) {
            return call(&outcome);
        }
        let wakes = |effect: &Effect| match effect {
            Effect::WakeAt(at) => Some(*at),
            _ => None,
        };
        exchange.now = outcome.effects.iter().find_map(wakes).unwrap();
    }
}

#[test]
fn a_claim_that_can_not_be_sent_is_tried_again_ever_less_often_while_its_answer_might_come() {
    let (mut exchange, ask, mut claim) = approved();
    let began = exchange.now;
    let first = body_of(&claim);
    let mut pauses = Vec::new();
    let refused = loop {
        let outcome = not_sent(&mut exchange, &claim);
        assert_eq!(outcome.flow, Flow::Hold);
        let trouble = Effect::Trouble(Trouble::NoAnswer);
        assert!(outcome.effects.contains(&trouble), "{outcome:?}");
        if !waits(&outcome) {
            break outcome;
        }
        let failed = exchange.now;
        claim = sent_again(&mut exchange);
        pauses.push((exchange.now - failed).as_millis());
        assert_eq!(body_of(&claim), first, "the same claim");
    };
    assert_eq!(pauses, [50, 100, 200, 400, 800, 450]);
    assert_eq!(exchange.now - began, Duration::from_secs(2));
    assert_eq!(code(&refused), "approval_unavailable");
    assert_eq!(posts(&refused), [], "nothing was taken");
    let (record, posts) = exchange.record_and_posts();
    assert_eq!(
        (&record["verdict"]["action"], posts),
        (&json!("deny"), vec![])
    );
    assert_eq!(record["approvals"][0]["state"], "unavailable");

    // What can be sent by then passes, as ever, by its answer only.
    let (mut exchange, ask_2, claim) = approved();
    not_sent(&mut exchange, &claim);
    let late = exchange.answered(&claim, Some((200, &claimed(&claim, &ask))));
    assert_eq!((late.effects, late.flow), (vec![], Flow::Hold));
    let again = sent_again(&mut exchange);
    let outcome = exchange.answered(&again, Some((200, &claimed(&again, &ask_2))));
    assert_eq!(outcome.flow, Flow::Continue);
}

#[test]
fn while_a_claim_can_not_be_sent_tokens_expire_clients_leave_and_clocks_are_put_back() {
    let (mut exchange, _, claim) = approved();
    not_sent(&mut exchange, &claim);
    exchange.now += Duration::from_secs(660);
    let outcome = exchange.handle(Event::Tick);
    assert_eq!(code(&outcome), "token_expired");
    assert_eq!(posts(&outcome), [], "nothing was taken");

    let (mut exchange, _, claim) = approved();
    not_sent(&mut exchange, &claim);
    exchange.now -= Duration::from_secs(60);
    assert_eq!(
        body_of(&call(&exchange.handle(Event::Tick))),
        body_of(&claim)
    );

    // One that may hold, and can't be sent again, is given back.
    let (mut exchange, _, claim) = approved();
    let mut again = call(&exchange.answered(&claim, None));
    let refused = loop {
        let outcome = not_sent(&mut exchange, &again);
        if !waits(&outcome) {
            break outcome;
        }
        again = sent_again(&mut exchange);
    };
    assert_eq!(code(&refused), "approval_unavailable");
    assert_eq!(posts(&refused)[0].1["claim"], body_of(&claim)["claim"]);
}

#[test]
fn what_another_has_taken_is_asked_for_once_more() {
    let (mut exchange, ask, claim) = approved();
    exchange.now += Duration::from_secs(24);
    let outcome = exchange.answered(&claim, Some((200, &answer_of(&claim, &ask, "used"))));
    assert_eq!(posts(&outcome), []);
    let anew = tests::ask(&outcome);
    assert_eq!(
        (&anew.binding, &anew.question),
        (&ask.binding, &ask.question)
    );
    assert_eq!(
        anew.deadline,
        Duration::from_secs(NOW + 26),
        "time for an answer"
    );
    let outcome = exchange.decided(&anew, &decision("apr_2", "pending"));
    assert_eq!(outcome.effects, []);
    let claim = call(&exchange.decided(&anew, &decision("apr_2", "approved")));
    assert_eq!(http(&claim).1, "/v1/approvals/apr_2/claim");
    let outcome = exchange.answered(&claim, Some((404, b"{}")));
    assert_eq!(code(&outcome), "approval_gone", "once for each gate");
}

/// A policy of two gates.
fn twice() -> Rc<CompiledPolicy> {
    compiled(&json!({
        "approvals": {"cluster": "desk"},
        "quotas": {"day": {"by": ["subject"], "count": "requests", "limit": 1, "per": "1d"}},
        "rules": [
            {"name": "one", "then": {"approve": {"reviewers": ["leads"]}}},
            {"name": "two", "then": {"approve": {"reviewers": ["others"], "give_back": "never"}}},
            {"name": "all", "then": "allow", "quota": ["day"]},
        ],
    }))
}

/// A request that both gates' reviewers have approved, with their questions.
fn approved_twice() -> (Driven, [Ask; 2], Outcome) {
    let mut exchange = Driven::new(&twice());
    let one = ask(&exchange.head("GET", "/v1/models", &[], true));
    let two = ask(&exchange.decided(&one, &decision("apr_1", "approved")));
    assert_ne!(one.binding, two.binding);
    let outcome = exchange.decided(&two, &decision("apr_2", "approved"));
    (exchange, [one, two], outcome)
}

#[test]
fn gates_are_claimed_in_their_order_once_all_are_open() {
    let (mut exchange, [one, two], outcome) = approved_twice();
    let first = call(&outcome);
    assert_eq!(http(&first).1, "/v1/approvals/apr_1/claim");
    let outcome = exchange.answered(&first, Some((200, &claimed(&first, &one))));
    let second = call(&outcome);
    assert_eq!(http(&second).1, "/v1/approvals/apr_2/claim");
    assert_ne!(body_of(&first)["claim"], body_of(&second)["claim"]);
    let outcome = exchange.answered(&second, Some((200, &claimed(&second, &two))));
    assert_eq!(outcome.flow, Flow::Continue);
    // One of them comes back if the model server fails.
    let outcome = answer_head(&mut exchange, &[(":status", "502")]);
    let back = posts(&outcome);
    assert_eq!(back.len(), 1);
    assert_eq!(back[0].0, "/v1/approvals/apr_1/give_back");
    assert_eq!(back[0].1["why"], "status_5xx");
    let record = exchange.record();
    let noted = |at: usize| {
        let one = &record["approvals"][at];
        let claim = one["claim"].clone();
        (
            one["rule"].clone(),
            one["id"].clone(),
            claim,
            one["given_back"].clone(),
        )
    };
    let claim = |call: &_| body_of(call)["claim"].clone();
    assert_eq!(
        noted(0),
        (json!("one"), json!("apr_1"), claim(&first), json!(true))
    );
    assert_eq!(
        noted(1),
        (json!("two"), json!("apr_2"), claim(&second), json!(false))
    );
    assert_eq!(record["approvals"].as_array().unwrap().len(), 2);
}

#[test]
fn the_gate_that_is_lost_gives_back_those_that_were_claimed() {
    let (mut exchange, [one, two], outcome) = approved_twice();
    let first = call(&outcome);
    let second = call(&exchange.answered(&first, Some((200, &claimed(&first, &one)))));
    let outcome = exchange.answered(&second, Some((200, &answer_of(&second, &two, "revoked"))));
    let back = posts(&outcome);
    assert_eq!(back.len(), 1);
    assert_eq!(back[0].0, "/v1/approvals/apr_1/give_back");
    assert_eq!(back[0].1["claim"], body_of(&first)["claim"]);
    let anew = ask(&outcome);
    assert_eq!(anew.binding, two.binding);
    // Both are claimed anew, by other claims.
    let third = call(&exchange.decided(&anew, &decision("apr_3", "approved")));
    assert_eq!(http(&third).1, "/v1/approvals/apr_3/claim");
    let fourth = call(&exchange.answered(&third, Some((200, &claimed(&third, &anew)))));
    assert_eq!(http(&fourth).1, "/v1/approvals/apr_1/claim");
    assert_ne!(body_of(&fourth)["claim"], body_of(&first)["claim"]);
    let outcome = exchange.answered(&fourth, Some((200, &claimed(&fourth, &one))));
    assert_eq!(outcome.flow, Flow::Continue);
}

#[test]
fn a_token_that_expires_while_it_waits_passes_nothing() {
    let (mut exchange, ask) = asked();
    // A minute behind, whatever the leeway.
    exchange.now += Duration::from_secs(660);
    let outcome = exchange.decided(&ask, &decision("apr_1", "approved"));
    assert_eq!(code(&outcome), "token_expired");
    assert_eq!(reply(&outcome).status, 401);
    assert!(
        !outcome
            .effects
            .iter()
            .any(|one| matches!(one, Effect::Call(_)))
    );
    assert_eq!(exchange.record()["verdict"]["code"], "token_expired");

    // Between two gates, what was claimed goes back.
    let (mut exchange, [one, _], outcome) = approved_twice();
    let first = call(&outcome);
    exchange.now += Duration::from_secs(660);
    let outcome = exchange.answered(&first, Some((200, &claimed(&first, &one))));
    assert_eq!(code(&outcome), "token_expired");
    assert_eq!(posts(&outcome).len(), 1);
}

#[test]
fn what_the_model_server_fails_at_comes_back() {
    for (headers, why) in [
        (&[(":status", "500")][..], Some("status_5xx")),
        (
            &[(":status", "200"), ("grpc-status", "14")],
            Some("status_5xx"),
        ),
        (&[(":status", "200"), ("grpc-status", "3")], None),
        (&[(":status", "429")], None),
        (&[(":status", "200")], None),
    ] {
        let (mut exchange, claim) = went();
        let outcome = answer_head(&mut exchange, headers);
        let back = posts(&outcome);
        let found = back.first().and_then(|back| back.1["why"].as_str());
        assert_eq!(found, why, "{headers:?}");
        if let Some(back) = back.first() {
            assert_eq!(back.1["claim"], body_of(&claim)["claim"]);
        }
        let (record, posts) = exchange.record_and_posts();
        assert_eq!(record["approvals"][0]["given_back"], why.is_some());
        assert_eq!(posts, [], "once for each claim");
    }
}

#[test]
fn what_nothing_was_answered_to_comes_back() {
    let (mut exchange, claim) = went();
    let (record, back) = exchange.record_and_posts();
    assert_eq!(back.len(), 1);
    assert_eq!(back[0].0, "/v1/approvals/apr_1/give_back");
    assert_eq!(back[0].1["claim"], body_of(&claim)["claim"]);
    assert_eq!(back[0].1["why"], "unanswered");
    assert_eq!(record["approvals"][0]["given_back"], true);

    // A client that leaves while its approval is being claimed.
    let (mut exchange, _, claim) = approved();
    let (record, back) = exchange.record_and_posts();
    assert_eq!(back[0].1["claim"], body_of(&claim)["claim"]);
    assert_eq!(record["verdict"]["action"], "none");
}

#[test]
fn what_changes_something_does_not_come_back() {
    let mut exchange = Driven::new(&gated());
    let json = [("content-type", "application/json")];
    exchange.head("POST", "/v1/fine_tuning/jobs", &json, false);
    let ask = ask(&exchange.whole(r#"{"model":"m","training_file":"f"}"#));
    let claim = call(&exchange.decided(&ask, &decision("apr_1", "approved")));
    let outcome = exchange.answered(&claim, Some((200, &claimed(&claim, &ask))));
    assert_eq!(outcome.flow, Flow::Continue);
    assert_eq!(
        posts(&answer_head(&mut exchange, &[(":status", "500")])),
        []
    );
    let (record, back) = exchange.record_and_posts();
    assert_eq!(back, []);
    assert_eq!(record["approvals"][0]["given_back"], false);
}
