//! Commands whose output nobody reads any more.

use portcullis_desk::review::{self, Access, Decided, Decision, Remote};
use serde_json::json;

use crate::harness::{ANA, Desk, EDGE, Folder, id, question};

/// What nobody reads any more.
struct Closed;

impl std::io::Write for Closed {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_was_begun_is_decided_also_when_nobody_reads_on() {
    let folder = Folder::new();
    let config = folder.config_changed(json!({ "reviewers": [
        { "name": "ana", "groups": ["ml-leads"], "key": ANA, "break_glass": true },
    ]}));
    let desk = Desk::start_with(&config, &folder.store());
    let remote = Remote::new(&Access {
        desk: format!("http://{}", desk.http),
        key: Some(ANA.to_owned()),
        ..Access::default()
    });
    let remote = remote.unwrap();
    let ids: Vec<String> = (0..3)
        .map(|number| id(&desk.ask(&question(number))))
        .collect();
    let decide = |break_glass| {
        let decided = Decided {
            decision: Decision::Approve,
            ids: &ids,
            reason: Some("Seen."),
            break_glass,
        };
        review::decide(&remote, &decided, &mut Closed, &mut Closed)
    };
    // Each has a call of its own.
    assert_eq!(decide(true), Ok(review::DONE));
    for id in &ids {
        let one = desk.get(&format!("/v1/approvals/{id}"), EDGE).ok();
        assert_eq!(one["state"], "approved");
    }
    assert_eq!(decide(false), Ok(review::REFUSED));
}
