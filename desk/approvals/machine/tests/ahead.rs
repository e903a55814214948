//! What only access that is asked for ahead of need may be for: groups, any model, calendars.

use super::*;
use crate::approvals::machine::{Approval, Lent};
use crate::approvals::protocol::{About, Ahead, Models};

const A_MINUTE: i64 = 60 * 1000;

/// Access that `zoe` has asked for.
fn access(changes: Value, ahead: Value) -> Approval {
    let question = with_about(changes);
    let mut step = Approval::ask("apr_2".to_owned(), question, None, Some("zoe"), NOW);
    step.after.ahead = serde_json::from_value(ahead).unwrap();
    step.after
}

fn with_about(changes: Value) -> Question {
    let mut question = question(changes);
    question.matter.about = About::Access;
    question.matter.email = None;
    question.matter.subject = "zoe-subject".to_owned();
    question.matter.rule_digest = None;
    question
}

fn for_group(changes: Value) -> Approval {
    let mut all = json!({ "grant": { "for": 600 } });
    let members = changes.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(members);
    access(all, json!({ "group": "ml-ops" }))
}

/// What somebody of these groups asks.
fn asks(subject: &str, groups: &[&str], changes: Value) -> Question {
    let mut all = json!({ "subject": subject, "groups": groups, "email": null });
    let members = changes.as_object().unwrap().clone();
    all.as_object_mut().unwrap().extend(members);
    question(all)
}

fn given(approval: Approval, by: &Person) -> Approval {
    let step = approve(approval, by, NOW);
    assert_eq!(step.reply, Ok(()));
    step.after
}

#[test]
fn a_grant_for_a_group_covers_its_members_and_nobody_else() {
    let grant = given(for_group(json!({})), &person("ana", &["leads"]));
    let covers = |question: &Question| grant.covers(question, "edge", NOW);
    assert!(covers(&asks("carol", &["other", "ml-ops"], json!({}))));
    assert!(covers(&asks("dave", &["ml-ops"], json!({}))));
    assert!(!covers(&asks("carol", &[], json!({}))));
    assert!(!covers(&asks("carol", &["ML-OPS"], json!({}))));
    let issuer = json!({ "issuer": "https://other.example" });
    assert!(!covers(&asks("carol", &["ml-ops"], issuer)));
    // Who asked for it has it as a member only.
    assert!(!covers(&asks("zoe-subject", &[], json!({}))));
    assert!(covers(&asks("zoe-subject", &["ml-ops"], json!({}))));
    for changes in [
        json!({ "model": "other" }),
        json!({ "model": null }),
        json!({ "operation": "model.tune" }),
        json!({ "rule": "other" }),
        json!({ "about": "answer" }),
        json!({ "reviewers": ["others"] }),
        json!({ "approvals": 2 }),
    ] {
        assert!(
            !covers(&asks("carol", &["ml-ops"], changes.clone())),
            "{changes}"
        );
    }
}

#[test]
fn who_approves_for_a_group_is_not_let_through_by_it() {
    let two = for_group(json!({ "approvals": 2, "reviewers": ["leads", "legal"] }));
    let ana = person("ana", &["leads"]);
    let bob = Person {
        subjects: Vec::new(),
        email: Some("Bob@Example.com".to_owned()),
        ..person("bob", &["legal"])
    };
    // Who asked for it approves it neither themselves nor by somebody else.
    let zoe = person("zoe", &["leads"]);
    let step = approve(two.clone(), &zoe, NOW);
    assert_eq!(step.reply, Err(Trouble::OwnRequest));
    let helper = person("helper", &["others"]);
    let groups = ["leads".to_owned()];
    let lent = Lent {
        from: &zoe,
        groups: &groups,
    };
    let yes = verdict(DecisionKind::Approve);
    let step = two.clone().decide(&yes, &helper, &[lent], NOW);
    assert_eq!(step.reply, Err(Trouble::OwnRequest));
    // Members may approve it, each for the others, and count once.
    let one = given(two, &ana);
    assert_eq!(one.state, State::Pending);
    assert_eq!(
        approve(one.clone(), &ana, NOW).reply,
        Err(Trouble::AlreadyApproved)
    );
    // Who decides for bob is set apart with him.
    let groups = ["legal".to_owned()];
    let lent = Lent {
        from: &bob,
        groups: &groups,
    };
    let both = one.decide(&yes, &helper, &[lent], NOW).after;
    assert_eq!(both.state, State::Approved);
    let covers = |subject: &str, changes: Value| {
        both.covers(&asks(subject, &["ml-ops"], changes), "edge", NOW)
    };
    assert!(covers("carol", json!({})));
    assert!(!covers("ana-subject", json!({})));
    assert!(!covers("ANA-subject", json!({})));
    assert!(!covers("helper-subject", json!({})));
    assert!(!covers("bob", json!({})));
    assert!(!covers("b1", json!({ "email": "bob@example.com" })));
    assert!(covers("b1", json!({ "email": "bobby@example.com" })));
    assert_eq!(
        both.apart,
        ["ana-subject", "helper-subject", "bob@example.com", "bob"]
    );
    // Who breaks the glass has set that aside.
    let glass = Person {
        break_glass: true,
        ..person("ana", &["leads"])
    };
    let broken = Verdict {
        break_glass: true,
        ..because(DecisionKind::Approve, "fire")
    };
    let step = for_group(json!({})).decide(&broken, &glass, &[], NOW);
    assert!(
        step.after
            .covers(&asks("ana-subject", &["ml-ops"], json!({})), "edge", NOW)
    );
}

#[test]
fn uses_of_a_group_are_counted_over_all_its_members() {
    let grant = for_group(json!({ "grant": { "for": 600, "uses": 2 } }));
    let mut grant = given(grant, &person("ana", &["leads"]));
    for (number, subject) in (1..).zip(["carol", "dave", "erin"]) {
        let binding = format!("{number:064x}");
        let question = asks(subject, &["ml-ops"], json!({ "binding": binding }));
        assert!(grant.covers(&question, "edge", NOW));
        grant = grant.cover(&question, "edge");
    }
    assert!(!grant.is_listed());
    let states: Vec<ClaimState> = (1..=3)
        .map(|number| {
            let claim = Claim {
                claim: format!("{number:032x}"),
                binding: format!("{number:064x}"),
                exchange: format!("{number:032x}"),
            };
            let step = grant.clone().claim(&claim, "edge", NOW);
            grant = step.after;
            step.reply.unwrap().state
        })
        .collect();
    let expected = [ClaimState::Claimed, ClaimState::Claimed, ClaimState::Used];
    assert_eq!(states, expected);
}

#[test]
fn any_model_is_any_only_where_it_is_said() {
    let named = |models: &str, model: Value| {
        let any = models == "any";
        let ahead = if any {
            json!({ "models": "any" })
        } else {
            json!({})
        };
        let changes = json!({ "grant": { "for": 600 }, "model": model });
        given(access(changes, ahead), &person("ana", &["leads"]))
    };
    let asked = |changes| asks("zoe-subject", &[], changes);
    let (big, none) = (asked(json!({})), asked(json!({ "model": null })));
    let several = asked(json!({ "other_models": ["small"] }));
    // An empty name is none, and a star is a name.
    let (empty, star) = (
        asked(json!({ "model": "" })),
        asked(json!({ "model": "*" })),
    );
    assert_eq!(empty, none);
    for (models, model, covered) in [
        ("any", Value::Null, [true, true, true, true]),
        ("one", json!("big"), [true, false, false, false]),
        ("one", json!("*"), [false, false, false, true]),
        ("one", Value::Null, [false, true, false, false]),
    ] {
        let grant = named(models, model.clone());
        let found = [&big, &none, &several, &star];
        let found = found.map(|question| grant.covers(question, "edge", NOW));
        assert_eq!(found, covered, "{models} {model}");
    }
    let ahead = Ahead {
        models: Some(Models::Any),
        ..Ahead::default()
    };
    assert_eq!(
        serde_json::to_value(ahead).unwrap(),
        json!({ "models": "any" })
    );
}

#[test]
fn a_calendar_opens_and_closes_a_grant() {
    // 2027-01-15 is a Friday, and NOW 08:00 of it.
    let calendar = json!({
        "windows": [{ "days": ["fri", "sat"], "from": "09:00", "to": "09:30" }],
        "offset": "+00:00",
        "until": "2027-01-16",
    });
    let grant = access(
        json!({ "grant": { "for": 60 } }),
        json!({ "calendar": calendar }),
    );
    let grant = given(grant, &person("ana", &["leads"]));
    let (opens, closes) = (NOW + 60 * A_MINUTE, NOW + 90 * A_MINUTE);
    let ends = NOW + 40 * 60 * A_MINUTE;
    assert_eq!(
        (grant.state, grant.closed, grant.turns, grant.expires),
        (State::Approved, true, Some(opens), ends)
    );
    assert_eq!(grant.left(NOW).unwrap().left_ms, 0);
    let asked = asks("zoe-subject", &[], json!({}));
    assert!(!grant.covers(&asked, "edge", opens - 1));
    assert!(grant.covers(&asked, "edge", opens));
    assert!(!grant.covers(&asked, "edge", closes));
    let grant = grant.expire(opens).after.cover(&asked, "edge");
    assert!(grant.is_listed());
    assert_eq!(grant.turns, Some(closes));
    let left = |now| grant.left(now).unwrap().left_ms;
    assert_eq!(
        (left(opens), left(closes - 1), left(closes)),
        (30 * 60_000, 1, 0)
    );
    // What was asked in the window is claimed in it.
    let (_, in_time) = taken(grant.clone(), 1, closes - 1);
    assert_eq!(in_time, Ok(ClaimState::Claimed));
    let (closed, late) = taken(grant, 2, closes);
    assert_eq!(late, Ok(ClaimState::Expired));
    assert!(!closed.is_listed() && closed.state == State::Approved);
    // The next day it opens again, for the last time.
    let again = closed.expire(opens + 24 * 60 * A_MINUTE).after;
    assert!(again.is_listed());
    let over = again.expire(closes + 24 * 60 * A_MINUTE).after;
    assert_eq!((over.is_listed(), over.turns), (false, None));
    let ended = over.expire(ends).after;
    assert_eq!(ended.state, State::Expired);
}
