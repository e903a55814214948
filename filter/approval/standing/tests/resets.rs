//! Counts of quotas that are to be emptied.

use core::time::Duration;

use serde_json::{Value, json};

use super::{NOW, Standing, after, block, listed, poll, standing};

fn reset(changes: &Value) -> Value {
    let mut reset = json!({
        "id": "rst_1", "quota": "few", "key": ["subject", "corp", "jane"], "left_ms": 900_000,
    });
    let changes = changes.as_object().unwrap().clone();
    reset.as_object_mut().unwrap().extend(changes);
    reset
}

fn with_resets(resets: &[Value]) -> Value {
    let mut answer = listed(&[], &[]);
    answer["resets"] = json!(resets);
    answer
}

#[test]
fn counts_are_to_be_emptied_until_the_desk_forgets_it_or_it_is_done() {
    let two = [
        reset(&json!({"by": "ana"})),
        reset(&json!({"id": "rst_2", "quota": "all", "key": [], "left_ms": 5})),
    ];
    let mut standing = Standing::default();
    let answer = with_resets(&two).to_string();
    let heard = after(3);
    standing
        .take(answer.as_bytes(), poll(NOW, 0), heard)
        .unwrap();
    let ids = |now| standing.resets(now).map(|one| one.id).collect::<Vec<_>>();
    assert_eq!(ids(heard), ["rst_1", "rst_2"]);
    assert_eq!(ids(after(5)), ["rst_1"], "counted from when it was asked");
    let first = standing.resets(heard).next().unwrap();
    assert_eq!(
        (first.quota, &*first.key),
        ("few", &["subject", "corp", "jane"][..])
    );
    assert_eq!(
        first.others_until,
        heard + Duration::from_secs(900),
        "and from the answer"
    );
    first.done.set(true);
    assert_eq!(ids(heard), ["rst_2"]);
    assert_eq!(ids(after(900_000)), [""; 0]);
}

#[test]
fn resets_that_cannot_be_understood_leave_what_was_known() {
    for wrong in [
        reset(&json!({"id": "a b"})),
        reset(&json!({"id": null})),
        reset(&json!({"quota": null})),
        reset(&json!({"quota": ""})),
        reset(&json!({"quota": ["few"]})),
        reset(&json!({"key": "jane"})),
        reset(&json!({"key": [1]})),
        reset(&json!({"key": vec!["x"; 65]})),
        reset(&json!({"key": ["x".repeat(4097)]})),
        reset(&json!({"left_ms": null})),
        reset(&json!({"left_ms": "5"})),
        json!("rst_1"),
    ] {
        let mut standing = standing(&listed(&[], &[block(&json!({"subject": "joe"}))]));
        let answer = with_resets(core::slice::from_ref(&wrong)).to_string();
        let taken = standing.take(answer.as_bytes(), poll(NOW, 0), NOW);
        assert!(taken.is_err(), "{wrong}");
        assert_eq!(standing.resets(NOW).count(), 0);
    }
    // A desk of before says nothing of them; a key that is missing is an empty one.
    assert_eq!(standing(&listed(&[], &[])).resets(NOW).count(), 0);
    let bare = json!({"id": "rst_1", "quota": "few", "left_ms": 1});
    let bare = standing(&with_resets(&[bare]));
    assert_eq!(bare.resets(NOW).next().unwrap().key, [""; 0]);
}
