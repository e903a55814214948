use super::{SMALL, read};

#[test]
fn units_are_checked() {
    for (limit, good) in [
        ("\"8MiB\"", true),
        ("\"8MB\"", false),
        ("8", false),
        ("\"1GiB\"", false),
        ("\"0B\"", false),
    ] {
        let text = SMALL.replace(
            r#""rules""#,
            &format!(r#""limits": {{"request_body": {limit}}}, "rules""#),
        );
        assert_eq!(read(&text).is_ok(), good, "{limit}");
    }
}

#[test]
fn the_limit_of_what_is_held_of_bodies_is_checked_and_has_room_for_one() {
    let with =
        |limits: &str| SMALL.replace(r#""rules""#, &format!(r#""limits": {limits}, "rules""#));
    assert_eq!(read(SMALL).unwrap().limits.buffers, 256 << 20);
    let policy = read(&with(r#"{"buffers": "64MiB"}"#)).unwrap();
    assert_eq!(policy.limits.buffers, 64 << 20);
    for (limits, expected) in [
        (r#"{"buffers": "31MiB"}"#, "from 32MiB to 768MiB"),
        (r#"{"buffers": "1GiB"}"#, "from 32MiB to 768MiB"),
        (r#"{"buffers": 64}"#, "from 32MiB to 768MiB"),
        (
            r#"{"buffers": "64MiB", "request_body": "22MiB"}"#,
            "at least 3 times \"request_body\", which is 66MiB",
        ),
    ] {
        let problems = read(&with(limits)).unwrap_err();
        assert_eq!(problems[0].path, "/limits/buffers", "{limits}");
        assert!(
            problems[0].expected.ends_with(expected),
            "{limits}: {problems:?}"
        );
    }
}

#[test]
fn limits_of_those_who_wait_are_checked() {
    let with = |waiting: &str| {
        SMALL.replace(
            r#""rules""#,
            &format!(r#""limits": {{"waiting": {waiting}}}, "rules""#),
        )
    };
    let policy = read(&with(r#"{"total": 7}"#)).unwrap();
    let waiting = policy.limits.waiting;
    assert_eq!((waiting.total, waiting.per_subject), (7, 20));
    for (waiting, path) in [
        (r#"{"total": 0}"#, "/limits/waiting/total"),
        (r#"{"per_subject": 10001}"#, "/limits/waiting/per_subject"),
        (r#"{"per_subject": "20"}"#, "/limits/waiting/per_subject"),
        (r#"{"subject": 2}"#, "/limits/waiting/subject"),
        ("20", "/limits/waiting"),
    ] {
        let problems = read(&with(waiting)).unwrap_err();
        assert_eq!(problems[0].path, path, "{waiting}");
    }
}
