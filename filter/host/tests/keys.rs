//! Requests that wait for keys, and the ticks that look after them.

use core::time::Duration;

use serde_json::{Value, json};

use super::Driven;
use crate::host::api::Action;
use crate::testing::{ec_public, gzip};

fn fetching() -> Value {
    json!({"identity": {"providers": [{
        "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
        "keys": {"jwks_uri": {"uri": "https://idp/keys", "cluster": "idp"}},
    }]}})
}

fn keys() -> String {
    json!({"keys": [ec_public(1, "a")]}).to_string()
}

#[test]
fn a_request_that_waits_for_keys_goes_on_with_the_tick_after_they_have_come() {
    let mut driven = Driven::new(&fetching());
    assert_eq!(driven.request_headers(&[], true), Action::Pause);
    assert_eq!(driven.host.period(), 1);
    driven.tick();
    assert_eq!(driven.host.called(), "idp 0 bytes");
    assert!(!driven.request.head);
    driven.root_answered("200", &keys());
    assert!(!driven.request.head, "it goes on with a tick");
    assert_eq!(driven.host.period(), 1);
    driven.tick();
    assert!(driven.request.end);
    assert_eq!(driven.host.replies(), 0);
}

#[test]
fn keys_that_come_encoded_are_read() {
    let mut driven = Driven::new(&fetching());
    driven.request_headers(&[], true);
    driven.tick();
    let end = driven.host.answer("200", &gzip(keys().as_bytes()));
    driven.host.add_to_answer(&[("content-encoding", "gzip")]);
    driven.host.call_back(driven.host.caller());
    driven.vm.answered(end);
    driven.tick();
    assert!(driven.request.end);
}

#[test]
fn a_request_whose_keys_do_not_come_is_refused_when_it_has_waited_for_long_enough() {
    let mut driven = Driven::new(&fetching());
    driven.host.without_clusters();
    driven.request_headers(&[], true);
    driven.tick();
    assert_eq!(driven.host.replies(), 0);
    driven.host.pass_time(Duration::from_secs(6));
    driven.tick();
    assert_eq!(driven.host.statuses(), [503]);
    assert!(!driven.request.head);
}

#[test]
fn a_request_whose_client_left_is_not_woken() {
    let mut driven = Driven::new(&fetching());
    driven.request_headers(&[], true);
    driven.tick();
    let end = driven.host.answer("200", keys().as_bytes());
    let vm = driven.vm.clone();
    drop(driven);
    vm.answered(end);
    vm.host.begin();
    vm.tick();
    assert!(!vm.host.calls().contains(&"act_for"));
}

#[test]
fn a_fetch_belongs_to_the_configuration_though_a_stream_was_woken_in_the_same_tick() {
    let sections = json!({
        "identity": {"providers": [
            {"name": "near", "issuer": "https://idp", "audiences": ["inference"],
             "keys": {"jwks": {"keys": [ec_public(1, "a")]}}},
            {"name": "far", "issuer": "https://far", "audiences": ["inference"],
             "keys": {"jwks_uri": {"uri": "https://far/keys", "cluster": "far"}}},
        ]},
        "masks": {"pii": {"detect": ["email"]}},
        "rules": [{"name": "all", "then": "allow", "mask": ["pii"]}],
    });
    let mut driven = Driven::new(&sections);
    driven.request_headers(&[], true);
    driven.response_headers(&[(":status", "200"), ("content-type", "text/plain")], false);
    driven.response_body("write to ana@exam", false);
    // The piece goes, and the keys are fetched.
    driven.tick();
    assert!(driven.response.head);
    driven.root_answered("200", &keys());
}
