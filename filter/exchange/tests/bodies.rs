//! Hosts that hand over no body while its head waits, and bodies that outgrow their limit.

use serde_json::json;

use super::{Driven, bytes, code, compiled, reply};
use crate::exchange::{Bodies, CompiledPolicy, Effect, Event, Flow, Outcome};

use core::time::Duration;
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
    exchange.bodies = Bodies::Withheld;
    exchange
}

/// The next look at what waits.
fn look(exchange: &mut Driven) -> Outcome {
    exchange.now += PERIOD;
    exchange.handle_as_host(Event::Tick)
}

const PERIOD: Duration = Duration::from_millis(10);

/// Wants to look once more.
fn wake(exchange: &Driven) -> [Effect; 1] {
    [Effect::WakeAt(exchange.now + PERIOD)]
}

#[test]
fn once_a_body_has_come_no_head_is_watched() {
    let compiled = by_body();
    let mut first = Driven::new(&compiled);
    let head = first.chat();
    assert_eq!(head.flow, Flow::Hold);
    let piece = Event::RequestPiece {
        held: 1,
        end: false,
    };
    let outcome = first.handle_as_host(piece);
    assert_eq!(outcome.effects, [Effect::Bodies(Bodies::HandedOver)]);
    assert_eq!(first.handle_as_host(piece).effects, []);
    assert_eq!(look(&mut first).effects, []);

    // One that was watched before hears of it with its next look.
    let mut other = Driven::new(&compiled);
    other.chat();
    other.bodies = Bodies::HandedOver;
    other.arrived.more_of_request = true;
    assert_eq!(look(&mut other).effects, []);
    assert_eq!(look(&mut other).effects, []);
}

#[test]
fn a_request_that_waits_for_a_body_in_vain_is_refused_and_so_are_all_after_it() {
    let compiled = by_body();
    let mut first = Driven::new(&compiled);
    let head = first.chat_as_host();
    assert_eq!(head.flow, Flow::Hold);
    let mark = head
        .effects
        .iter()
        .position(|one| *one == Effect::MarkRequest);
    let edit = |one: &Effect| matches!(one, Effect::RemoveRequestHeader(_));
    let last_edit = head.effects.iter().rposition(edit);
    assert!(mark > last_edit && last_edit.is_some(), "{head:?}");
    // A slow client is no matter of the host's.
    assert_eq!(look(&mut first).effects, wake(&first));
    first.arrived.more_of_request = true;
    let outcome = look(&mut first);
    assert!(outcome.effects.contains(&Effect::Bodies(Bodies::Withheld)));
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
    upload.arrived.more_of_request = true;
    assert_eq!(look(&mut upload).effects, []);
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
            cluster: None,
            headers: &head,
            end,
        })
    };
    let mut first = Driven::new(&compiled);
    assert_eq!(answer(&mut first, false).flow, Flow::Hold);
    assert_eq!(look(&mut first).effects, wake(&first));
    first.arrived.answered = true;
    let outcome = look(&mut first);
    assert!(outcome.effects.contains(&Effect::Bodies(Bodies::Withheld)));
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
