//! What a caller can bring about with each request doesn't fill the log.

use core::time::Duration;

use serde_json::json;

use super::Driven;

/// What the log has of a stream whose first host call fails, so long after the others.
fn lines(after: u64) -> Vec<String> {
    let mut driven = Driven::new(&json!({}));
    driven.host.pass_time(Duration::from_secs(after));
    driven.host.begin();
    driven.host.refuse(0);
    driven.request_headers(&[], true);
    assert_eq!(driven.host.replies(), 1);
    driven.host.lines()
}

#[test]
fn failures_are_told_once_in_a_while_with_their_number() {
    // Longer after whatever else ran in this thread.
    const DAY: u64 = 24 * 60 * 60;
    let first = lines(DAY);
    assert_eq!(first.len(), 1, "{first:?}");
    let line = first.first().unwrap();
    assert!(line.starts_with("portcullis: "), "{line}");
    assert!(!line.contains("times since"), "{line}");
    for _ in 0..99 {
        assert_eq!(lines(DAY + 9), Vec::<String>::new());
    }
    let again = lines(DAY + 10);
    let line = again.first().unwrap();
    let end = " (100 times since this was said last)";
    assert!(line.ends_with(end), "{line}");
    // The clock was put back.
    assert_eq!(lines(0).len(), 1);
}
