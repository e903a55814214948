//! Hosts that hand over no body while its head waits.

use serde_json::{Value, json};

use super::{Driven, vm};
use crate::host::api::Action;
use crate::host::tests::fake::FakeHost;

/// Prompts are looked at, so that every head waits for its body.
fn by_body() -> Value {
    json!({
        "patterns": {"probe": {"any_of": ["secret"]}},
        "rules": [
            {"name": "probe", "when": {"prompt": ["probe"]}, "then": "deny"},
            {"name": "all", "then": "allow"},
        ],
    })
}

#[test]
fn the_first_body_that_stays_with_the_host_has_its_head_refused_and_all_after_it_at_once() {
    let host = FakeHost::new();
    let vm = vm(&host, &by_body());
    let mut first = Driven::of(&vm);
    assert_eq!(first.request_headers(&[], false), Action::Pause);
    assert_eq!(host.period(), 10);
    first.tick();
    assert_eq!(host.replies(), 0, "its client may be slow");
    host.keep_of_request(60);
    host.pass_time(core::time::Duration::from_millis(10));
    first.tick();
    assert_eq!(host.statuses(), [503]);
    assert!(!first.request.head);
    first.log();
    first.tick();
    assert_eq!(
        host.period(),
        990,
        "there is nothing left to find out, but counts to tell"
    );

    let mut second = Driven::of(&vm);
    second.request_headers(&[], false);
    assert_eq!(host.statuses(), [503, 503]);
}

#[test]
fn once_a_body_has_come_nobody_looks_whether_others_do() {
    let host = FakeHost::new();
    let vm = vm(&host, &by_body());
    let mut first = Driven::of(&vm);
    first.request_headers(&[], false);
    first.request_body(r#"{"messages":[]}"#, true);
    assert!(first.request.end);
    host.begin();
    let mut second = Driven::of(&vm);
    second.request_headers(&[], false);
    assert!(!host.calls().contains(&"property"));
    assert!(!host.calls().contains(&"tick_every"));
}

#[test]
fn an_answer_that_stays_with_the_host_is_refused() {
    let sections = json!({
        "masks": {"cut": {"detect": [{"is": "email", "action": "cut"}]}},
        "rules": [{"name": "all", "then": "allow", "mask": ["cut"]}],
    });
    let mut driven = Driven::new(&sections);
    driven.request_headers(&[], true);
    let head = [(":status", "200"), ("content-type", "text/plain")];
    assert_eq!(driven.response_headers(&head, false), Action::Pause);
    let host = driven.host.clone();
    for replies in [0, 1] {
        host.pass_time(core::time::Duration::from_millis(10));
        driven.tick();
        assert_eq!(host.replies(), replies);
        host.set_property("backend_latency", 3);
    }
    assert!(!driven.response.head);
}
