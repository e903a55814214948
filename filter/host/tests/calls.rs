//! How many host calls an exchange costs: each takes about as long as all that the filter does.

use core::time::Duration;

use serde_json::{Value, json};

use super::{Driven, vm};
use crate::call::{Call, Message, Post};
use crate::exchange::Direction;
use crate::host::tests::fake::FakeHost;
use crate::keeper::Event;

/// One exchange of a configuration that has verified this token before; gives its host calls.
fn second_of(sections: &Value, body: &str, answer: &str) -> Vec<&'static str> {
    let host = FakeHost::new();
    let vm = vm(&host, sections);
    let mut calls = Vec::new();
    for _ in 0..2 {
        let mut driven = Driven::of(&vm);
        host.begin();
        driven.request_headers(&[], false);
        driven.request_body(body, true);
        let length = answer.len().to_string();
        let head = [
            (":status", "200"),
            ("content-type", "application/json"),
            ("content-length", &length),
        ];
        driven.response_headers(&head, false);
        driven.response_body(answer, true);
        driven.log();
        assert!(driven.response.end && host.replies() == 0);
        calls = host.calls();
    }
    calls
}

const BODY: &str = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;

fn answer() -> String {
    let text = "All is well, says ana@example.com. ".repeat(28);
    json!({"choices": [{"message": {"content": text}}]}).to_string()
}

fn sorted(mut calls: Vec<&'static str>) -> Vec<&'static str> {
    calls.sort_unstable();
    calls
}

/// A group rule, no body needed, nothing masked.
#[test]
fn a_plain_exchange_costs_no_more_host_calls_than_it_must() {
    let sections =
        json!({"rules": [{"name": "chat", "when": {"group": ["engineers"]}, "then": "allow"}]});
    let calls = second_of(&sections, BODY, &answer());
    let budget = [
        "header",        // the answer's status, for the record
        "headers",       // the request's, all at once
        "now",           // the request's head
        "now",           // the answer's head
        "now",           // the end
        "property",      // how it ended, for the record
        "property",      // why
        "property",      // the listener's address
        "property",      // the client's address
        "property",      // the route
        "property",      // the cluster
        "property",      // the model server's address
        "remove_header", // the token
        "set_state",     // the record's number
        "set_state",     // the record
    ];
    assert_eq!(sorted(calls), budget);
}

/// Prompts looked at, a quota, a mask.
#[test]
fn a_full_exchange_costs_no_more_host_calls_than_it_must() {
    let sections = json!({
        "patterns": {"probe": {"any_of": ["(?i)print (all )?environment variables"]}},
        "masks": {"pii": {"detect": ["email", "phone"]}},
        "quotas": {"person": {"by": ["subject"], "count": "requests", "limit": 100, "per": "1m"}},
        "rules": [
            {"name": "probe", "when": {"prompt": ["probe"]}, "then": "deny"},
            {"name": "chat", "when": {"group": ["engineers"]}, "then": "allow", "quota": ["person"], "mask": ["pii"]},
        ],
    });
    let calls = second_of(&sections, BODY, &answer());
    let budget = [
        "buffer",         // the request's body
        "buffer",         // the answer's body
        "headers",        // the request's
        "headers",        // the answer's
        "now",            // the request's head
        "now",            // its body
        "now",            // the answer's head
        "now",            // its body
        "now",            // the end
        "property",       // how it ended, for the record
        "property",       // why
        "property",       // the listener's address
        "property",       // the client's address
        "property",       // the route
        "property",       // the cluster
        "property",       // the model server's address
        "remove_header",  // the token
        "remove_header",  // the answer's content-length
        "replace_buffer", // the masked answer
        "set_header",     // accept-encoding
        "set_header",     // the quota's limit
        "set_header",     // what is left of it
        "set_header",     // its limit, as OpenAI's API says it
        "set_header",     // what is left of it
        "set_header",     // until when
        "set_metric",     // the time to the first byte
        "set_shared",     // the quota
        "set_state",      // the record's number
        "set_state",      // the record
        "shared",         // the quota
    ];
    assert_eq!(sorted(calls), budget);
}

/// What is counted goes with a tick, all at once, however many exchanges counted it.
#[test]
fn counts_are_told_together_within_a_second() {
    let sections = json!({
        "masks": {"pii": {"detect": ["email"]}},
        "rules": [{"name": "chat.all", "then": "allow", "mask": ["pii"]}],
    });
    let host = FakeHost::new();
    let vm = vm(&host, &sections);
    for _ in 0..3 {
        let mut driven = Driven::of(&vm);
        driven.request_headers(&[], true);
        driven.response_headers(&[(":status", "200"), ("content-type", "text/plain")], false);
        driven.response_body("ana@example.com, bea@example.com", true);
        driven.log();
        assert_eq!(host.counters(), []);
        assert_eq!(host.period(), 1000);
    }
    let mut refused = Driven::of(&vm);
    let head = [
        (":method", "GET"),
        (":path", "/"),
        (":authority", "models"),
        ("authorization", "Bearer x"),
    ];
    host.set_headers(Direction::Request, &head);
    refused.stream.borrow_mut().request_headers(true);
    refused.log();
    host.pass_time(core::time::Duration::from_secs(1));
    refused.tick();
    let counted = [
        ("portcullis_decisions.action=allow.rule=chat_all", 3),
        ("portcullis_decisions.action=deny.code=token_malformed", 1),
        ("portcullis_tokens_refused.code=token_malformed", 1),
        ("portcullis_matches.detector=email", 6),
        ("portcullis_records", 4),
        ("portcullis_token_lookups.outcome=hit", 2),
        ("portcullis_token_lookups.outcome=miss", 2),
    ];
    let counted = counted.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(host.counters(), counted);
    assert_eq!(host.period(), 0);
}

#[test]
fn what_is_held_and_which_policy_holds_can_be_read_from_gauges() {
    let sections = json!({
        "masks": {"pii": {"detect": ["email"]}},
        "rules": [{"name": "all", "then": "allow", "mask": ["pii"]}],
    });
    let host = FakeHost::new();
    let vm = vm(&host, &sections);
    let digest = &vm.compiled.policy().digest;
    let vms = format!("portcullis_policy_vms.digest={digest}");
    assert_eq!(host.gauge_named(&vms), Some(1));
    let buffered = || host.gauge_named("portcullis_buffered_bytes");

    let mut driven = Driven::of(&vm);
    driven.request_headers(&[], true);
    driven.response_headers(&[(":status", "200"), ("content-type", "text/plain")], false);
    assert_eq!(buffered(), Some(0));
    driven.response_body("write to ana@exam", false);
    host.pass_time(core::time::Duration::from_secs(1));
    driven.tick();
    let held = buffered().unwrap();
    assert!(held > 0, "{held}");
    driven.response_body("ple.com", true);
    driven.log();
    drop(driven);
    host.pass_time(core::time::Duration::from_secs(1));
    vm.tick();
    assert_eq!(buffered(), Some(0));
    assert_eq!(host.period(), 0);

    let mut left = Driven::of(&vm);
    left.request_headers(&[], true);
    left.response_headers(&[(":status", "200"), ("content-type", "text/plain")], false);
    left.response_body("write to ana@exam", false);
    left.tick();
    assert_eq!(buffered(), Some(held));
    vm.end();
    assert_eq!(buffered(), Some(0));
    assert_eq!(host.gauge_named(&vms), Some(0));
}

#[test]
fn a_configuration_goes_once_what_must_arrive_has() {
    let host = FakeHost::new();
    let vm = vm(&host, &json!({"rules": [{"name": "all", "then": "allow"}]}));
    vm.keep(
        Event::Post(Call {
            purpose: Post::UntilTaken,
            number: 0,
            cluster: "desk".to_owned(),
            authority: None,
            message: Message::Http {
                method: "POST",
                scheme: None,
                path: "/".to_owned(),
                headers: Vec::new(),
                body: Vec::new(),
            },
            timeout: Duration::from_secs(1),
            max_answer_bytes: 0,
        }),
        Duration::from_secs(1),
    );
    assert!(!vm.end(), "the host is to keep it");
    vm.tick();
    assert!(!host.calls().contains(&"done"), "the call is under way");
    vm.answered(host.answer("200", b""));
    assert!(host.calls().contains(&"done"));
    vm.tick();
    let times = host.calls().into_iter().filter(|call| *call == "done");
    assert_eq!(times.count(), 1);
}
