//! Numbers of records, which stand in the filter state from the head on.

use serde_json::{Value, json};

use super::{Driven, vm};
use crate::host::tests::fake::FakeHost;

fn state(driven: &Driven) -> Value {
    serde_json::from_str(&driven.host.record().unwrap_or_default()).unwrap_or_default()
}

#[test]
fn a_record_has_its_number_from_the_head_on_and_takes_the_place_of_what_stood_for_it() {
    let host = FakeHost::new();
    let vm = vm(&host, &json!({}));
    for number in [1, 2] {
        host.begin();
        let mut driven = Driven::of(&vm);
        driven.request_headers(&[], true);
        let open = state(&driven);
        assert_eq!(open["open"], true);
        assert_eq!(open["version"], 1);
        assert_eq!(open["number"], number);
        driven.response_headers(&[(":status", "200")], true);
        assert_eq!(state(&driven), open, "until its end");
        driven.log();
        let closed = state(&driven);
        assert_eq!(closed.get("open"), None);
        assert_eq!(closed["verdict"]["action"], "allow");
        for name in ["id", "worker", "number"] {
            assert_eq!(closed[name], open[name], "{name}");
        }
    }
    // One of which the filter saw no head, since another answered it.
    host.begin();
    let mut driven = Driven::of(&vm);
    driven.log();
    assert_eq!(state(&driven)["number"], 3);
}
