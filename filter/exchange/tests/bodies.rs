//! Hosts that hand over no body while its head waits, and bodies that outgrow their limit.

use serde_json::json;

use super::{Driven, bytes, code, compiled, reply};
use crate::exchange::{CompiledPolicy, Event, Flow};

use std::rc::Rc;

fn by_body() -> Rc<CompiledPolicy> {
    compiled(&json!({
        "masks": {"cut": {"detect": [{"is": "email", "action": "cut"}]}},
        "rules": [
            {"name": "small", "when": {"operation": ["inference.*"], "model": ["small-*"]}, "then": "allow", "mask": ["cut"]},
            {"name": "list", "when": {"operation": ["model.list"]}, "then": "allow", "mask": ["cut"]},
            {"name": "files", "when": {"operation": ["file.*"]}, "then": "allow"},
        ],
    }))
}

/// An exchange on a host that is known to hand over no bodies.
fn without_bodies(compiled: &Rc<CompiledPolicy>) -> Driven {
    let mut exchange = Driven::new(compiled);
    exchange.bodies_come = false;
    exchange
}

#[test]
fn a_request_that_waits_for_a_body_in_vain_is_refused_and_so_are_all_after_it() {
    let compiled = by_body();
    let mut first = Driven::new(&compiled);
    assert_eq!(first.chat().flow, Flow::Hold);
    let outcome = first.handle(Event::BodyWithheld);
    assert_eq!(
        (code(&outcome).as_str(), reply(&outcome).status),
        ("stop_iteration_off", 503)
    );
    assert_eq!(first.record()["verdict"]["code"], "stop_iteration_off");

    assert_eq!(
        code(&without_bodies(&compiled).chat()),
        "stop_iteration_off"
    );
    // What is decided by the head passes.
    let mut upload = without_bodies(&compiled);
    assert_eq!(
        upload.head("POST", "/v1/files", &[], false).flow,
        Flow::Continue
    );
    assert_eq!(upload.handle(Event::BodyWithheld).effects, []);
}

#[test]
fn an_answer_whose_head_would_wait_for_its_body_in_vain_is_refused() {
    let compiled = by_body();
    let head = bytes(&[(":status", "200"), ("content-type", "application/json")]);
    let answer = |exchange: &mut Driven, end| {
        assert_eq!(
            exchange.head("GET", "/v1/models", &[], true).flow,
            Flow::Continue
        );
        exchange.handle(Event::ResponseHead {
            headers: &head,
            end,
        })
    };
    let mut first = Driven::new(&compiled);
    assert_eq!(answer(&mut first, false).flow, Flow::Hold);
    let outcome = first.handle(Event::BodyWithheld);
    assert_eq!(
        (code(&outcome).as_str(), reply(&outcome).status),
        ("stop_iteration_off", 503)
    );
    assert_eq!(first.record()["response"]["code"], "stop_iteration_off");

    let outcome = answer(&mut without_bodies(&compiled), false);
    assert_eq!(code(&outcome), "stop_iteration_off");
    let outcome = answer(&mut without_bodies(&compiled), true);
    assert_eq!(outcome.flow, Flow::Continue, "{outcome:?}");
}

#[test]
fn a_body_that_outgrows_twice_its_limit_under_the_mask_is_refused() {
    let compiled = compiled(&json!({
        "pseudonyms": {"key": "a key of tests, long enough to be one"},
        "limits": {"request_body": "64KiB"},
        "masks": {"names": {"detect": ["email"], "style": "pseudonym"}},
        "rules": [{"name": "all", "then": "allow", "mask_request": ["names"]}],
    }));
    for (address, passes) in [("alice.smith@example.com", true), ("a@b.co", false)] {
        let count = 64_000 / (address.len() + 3);
        let texts = vec![address; count];
        let mut exchange = Driven::new(&compiled);
        assert_eq!(exchange.chat().flow, Flow::Hold);
        let outcome = exchange.whole(&json!({"messages": texts}).to_string());
        if passes {
            assert_eq!(outcome.flow, Flow::Continue);
        } else {
            assert_eq!(code(&outcome), "request_too_large");
        }
    }
}
