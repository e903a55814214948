//! What a caller can bring about with each request doesn't fill the log.

use core::time::Duration;

use serde_json::json;

use super::Driven;

/// What the log has of a stream one of whose host calls fails, so many seconds after the others.
fn lines(place: usize, after: u64) -> Vec<String> {
    let mut driven = Driven::new(&json!({}));
    driven.host.pass_time(Duration::from_secs(after));
    driven.host.begin();
    driven.host.refuse(place);
    driven.request_headers(&[], true);
    driven.host.lines()
}

#[test]
fn failures_are_told_once_in_a_while_with_their_number() {
    // Longer after whatever else ran in this thread.
    const DAY: u64 = 24 * 60 * 60;
    let tells = |place: &usize| !lines(*place, DAY).is_empty();
    let place = (0..20).find(tells).unwrap();
    for _ in 0..99 {
        assert_eq!(lines(place, DAY + 9), Vec::<String>::new());
    }
    let again = lines(place, DAY + 10);
    let line = again.first().unwrap();
    assert!(line.starts_with("portcullis: the host"), "{line}");
    let end = " (100 times since this was said last)";
    assert!(line.ends_with(end), "{line}");
    assert!(lines(place, DAY + 19).is_empty());
    // The clock was put back.
    let first = lines(place, 0);
    assert_eq!(first.len(), 1, "{first:?}");
}
