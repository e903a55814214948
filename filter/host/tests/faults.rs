//! Each host call refused in turn.

use serde_json::{Value, json};

use super::Driven;

const SECRET: &str = "ana@example.com";

fn plain() -> Value {
    json!({"rules": [{"name": "chat", "when": {"group": ["engineers"]}, "then": "allow"}]})
}

fn masked(rule: &Value) -> Value {
    json!({
        "masks": {"pii": {"detect": ["email"]}},
        "quotas": {"two": {"by": ["subject"], "count": "requests", "limit": 2, "per": "1m"}},
        "rules": rule,
    })
}

/// A whole exchange; what comes back has a secret in it, cut in two.
fn run(sections: &Value, refused: Option<usize>) -> Driven {
    let mut driven = Driven::new(sections);
    if let Some(place) = refused {
        driven.host.refuse(place);
    }
    driven.request_headers(&[], false);
    let body = format!(r#"{{"messages":[{{"role":"user","content":"{SECRET}"}}]}}"#);
    if driven.host.replies() == 0 {
        driven.request_body(&body, true);
    }
    if driven.request.end && driven.host.replies() == 0 {
        driven.response_headers(&[(":status", "200"), ("content-type", "text/plain")], false);
        for (piece, end) in [("write to ana@exam", false), ("ple.com now", true)] {
            if driven.host.replies() == 0 {
                driven.response_body(piece, end);
            }
        }
        // Without the time a tick does nothing, and the next one does it.
        driven.tick();
        driven.tick();
    }
    driven.log();
    driven
}

/// Runs it once for each of its host calls, with that one refused.
fn each_refused(sections: &Value, judge: impl Fn(&Driven, &str)) {
    let whole = run(sections, None);
    assert!(whole.response.end, "nothing fails, and it did not end");
    let calls = whole.host.calls();
    assert!(calls.len() > 5, "{calls:?}");
    for (place, call) in calls.iter().enumerate() {
        let driven = run(sections, Some(place));
        judge(&driven, &format!("{call}, call {place}"));
        assert!(driven.host.replies() <= 1, "{call}: two replies");
        let held = !driven.response.end;
        assert_eq!(
            held,
            driven.host.replies() == 1 || call == &"reply",
            "{call}, call {place}: {:?}",
            driven.host.calls()
        );
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_refused_call_never_lets_a_request_pass_that_was_not_judged() {
    each_refused(&plain(), |driven, what| {
        let passed = driven.request.end;
        let sent = text(&driven.request.body);
        assert_eq!(passed, sent.contains(SECRET), "{what}");
        if passed {
            // What the policy takes out of the head is out of it.
            assert!(!driven.host.has_header("authorization"), "{what}");
        }
    });
}

#[test]
fn a_refused_call_never_lets_an_answer_pass_unmasked() {
    let rules = json!([{"name": "all", "then": "allow", "mask": ["pii"], "mask_request": ["pii"], "quota": ["two"]}]);
    each_refused(&masked(&rules), |driven, what| {
        for sent in [&driven.request.body, &driven.response.body] {
            let sent = text(sent);
            assert!(
                !sent.contains(SECRET) && !sent.contains("ana@"),
                "{what}: {sent}"
            );
        }
    });
}
