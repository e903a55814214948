//! Pieces that are held, and the ticks that let them go.

use serde_json::{Value, json};

use super::Driven;
use crate::host::api::Action;

/// Answers under a mask, which may end with trailers.
fn begun() -> Driven {
    let sections: Value = json!({
        "masks": {"pii": {"detect": ["email"]}},
        "rules": [{"name": "all", "then": "allow", "mask": ["pii"]}],
    });
    let mut driven = Driven::new(&sections);
    driven.request_headers(&[], true);
    let head = [(":status", "200"), ("content-type", "text/plain")];
    assert_eq!(driven.response_headers(&head, false), Action::Continue);
    driven
}

fn sent(driven: &Driven) -> String {
    String::from_utf8_lossy(&driven.response.body).into_owned()
}

#[test]
fn a_piece_that_holds_something_back_waits_for_a_tick_and_later_ones_too() {
    let mut driven = begun();
    assert_eq!(driven.host.period(), 0);
    assert_eq!(
        driven.response_body("write to ana@exam", false),
        Action::Pause
    );
    assert_eq!(driven.host.period(), 1);
    assert_eq!(sent(&driven), "");
    driven.tick();
    let first = sent(&driven);
    assert!(
        first.starts_with("write to") && !first.contains('@'),
        "{first}"
    );
    // How much is held back is told within a second.
    assert_eq!(driven.host.period(), 1000);
    // This one holds nothing back.
    assert_eq!(
        driven.response_body("ple.com. And so on. ", false),
        Action::Pause
    );
    assert_eq!(driven.host.period(), 1);
    driven.tick();
    assert_eq!(driven.response_body("The end.", true), Action::Pause);
    driven.tick();
    assert_eq!(sent(&driven), "write to [EMAIL]. And so on. The end.");
    assert!(driven.response.end);
}

#[test]
fn what_was_held_back_is_written_before_trailers() {
    for released in [false, true] {
        let mut driven = begun();
        driven.response_body("write to ana@example.com", false);
        if released {
            driven.tick();
        }
        let action = driven.response_trailers();
        assert_eq!(action == Action::Pause, released);
        if released {
            driven.tick();
        }
        assert_eq!(sent(&driven), "write to [EMAIL]");
        assert!(driven.response.end);
    }
}

#[test]
fn nothing_is_let_go_of_a_stream_that_has_ended() {
    let mut driven = begun();
    driven.response_body("write to ana@exam", false);
    driven.log();
    driven.host.begin();
    driven.tick();
    assert!(!driven.host.calls().contains(&"resume"));
    assert_eq!(sent(&driven), "");
}

#[test]
fn nothing_is_let_go_of_a_stream_whose_memory_is_gone() {
    let mut driven = begun();
    driven.response_body("write to ana@exam", false);
    let vm = driven.vm.clone();
    driven.host.begin();
    drop(driven);
    vm.tick();
    assert!(!vm.host.calls().contains(&"resume"));
}
