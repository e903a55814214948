//! Each rule by itself.

mod ahead;

use serde_json::{Value, json};

use super::*;
use crate::approvals::protocol::{Claim, ClaimState, DecisionKind, Question, State, WhyBack};
use crate::config::Subject;
use crate::http::Person;

const NOW: i64 = 1_800_000_000_000;

fn question(changes: Value) -> Question {
    let mut question = json!({
        "binding": "b".repeat(64),
        "asker": "1",
        "subject": "carol",
        "issuer": "https://idp.example",
        "email": "Carol@example.com",
        "operation": "model.export",
        "model": "big",
        "rule": "r",
        "rule_digest": "d",
        "reviewers": ["leads", "legal"],
    });
    for (name, value) in changes.as_object().unwrap() {
        question[name] = value.clone();
    }
    serde_json::from_value(question).unwrap()
}

fn asked(changes: Value) -> Approval {
    Approval::ask(
        "apr_1".to_owned(),
        question(changes),
        Some("edge"),
        None,
        NOW,
    )
    .after
}

fn person(name: &str, groups: &[&str]) -> Person {
    Person {
        name: name.to_owned(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        subjects: vec![Subject {
            issuer: "https://idp.example".to_owned(),
            subject: format!("{name}-subject"),
        }],
        email: None,
        break_glass: false,
        blocks: false,
        quotas: false,
    }
}

fn verdict(kind: DecisionKind) -> Verdict {
    Verdict {
        kind,
        reason: None,
        break_glass: false,
    }
}

fn because(kind: DecisionKind, reason: &str) -> Verdict {
    Verdict {
        reason: Some(reason.to_owned()),
        ..verdict(kind)
    }
}

fn approve(approval: Approval, person: &Person, now: i64) -> Step<()> {
    approval.decide(&verdict(DecisionKind::Approve), person, &[], now)
}

fn approved(changes: Value) -> Approval {
    let step = approve(asked(changes), &person("ana", &["leads"]), NOW);
    assert_eq!(step.reply, Ok(()));
    step.after
}

fn claim(number: u64) -> Claim {
    Claim {
        claim: format!("{number:032x}"),
        binding: "b".repeat(64),
        exchange: format!("{number:032x}"),
    }
}

fn taken(approval: Approval, number: u64, now: i64) -> (Approval, Result<ClaimState, Trouble>) {
    let step = approval.claim(&claim(number), "edge", now);
    (step.after, step.reply.map(|claimed| claimed.state))
}

fn given_back(approval: Approval, number: u64, now: i64) -> Step<()> {
    approval.give_back(&claim(number).claim, WhyBack::Unanswered, "edge", now)
}

#[test]
fn several_approvals_come_from_distinct_people() {
    let (ana, bob) = (
        person("ana", &["leads", "legal"]),
        person("bob", &["legal"]),
    );
    let step = approve(asked(json!({ "approvals": 2 })), &ana, NOW);
    assert_eq!(step.after.state, State::Pending);
    assert_eq!(step.happened, [Happened::Decided]);
    // In two groups, but one person.
    let again = approve(step.after.clone(), &ana, NOW);
    assert_eq!(again.reply, Err(Trouble::AlreadyApproved));
    assert_eq!(again.after, step.after);
    let step = approve(again.after, &bob, NOW + 1);
    assert_eq!(step.after.state, State::Approved);
    assert_eq!((step.after.tally().have, step.after.tally().want), (2, 2));
    assert_eq!(step.after.answer("x", NOW).reviewer.as_deref(), Some("bob"));
}

#[test]
fn one_denial_ends_it_also_of_somebody_who_had_approved() {
    let ana = person("ana", &["leads"]);
    let one = approve(asked(json!({ "approvals": 2 })), &ana, NOW).after;
    let step = one.decide(&verdict(DecisionKind::Deny), &ana, &[], NOW);
    assert_eq!(step.after.state, State::Denied);
    let step = approve(step.after, &person("bob", &["legal"]), NOW);
    assert_eq!(step.reply, Err(Trouble::AlreadyDecided));
}

#[test]
fn nobody_decides_on_their_own_request_however_it_is_told() {
    let leads = |name: &str| person(name, &["leads"]);
    let by_subject = Person {
        subjects: vec![Subject {
            issuer: "https://idp.example".to_owned(),
            subject: "carol".to_owned(),
        }],
        ..leads("zoe")
    };
    let by_email = Person {
        email: Some("carol@EXAMPLE.com".to_owned()),
        ..leads("zoe")
    };
    let by_umlaut = Person {
        email: Some("JÖRG@Example.com".to_owned()),
        ..leads("zoe")
    };
    let step = approve(
        asked(json!({ "email": "jörg@example.com" })),
        &by_umlaut,
        NOW,
    );
    assert_eq!(step.reply, Err(Trouble::OwnRequest));
    let by_name = Person {
        subjects: Vec::new(),
        ..leads("Carol")
    };
    for own in [&by_subject, &by_email, &by_name] {
        for kind in [DecisionKind::Approve, DecisionKind::Deny] {
            let step = asked(json!({})).decide(&verdict(kind), own, &[], NOW);
            assert_eq!(step.reply, Err(Trouble::OwnRequest), "{own:?}");
            assert_eq!(step.after.state, State::Pending);
        }
    }
    let other_issuer = Person {
        subjects: vec![Subject {
            issuer: "https://other.example".to_owned(),
            subject: "carol".to_owned(),
        }],
        ..leads("zoe")
    };
    // Who is linked is not told by a name.
    let namesake = leads("carol");
    for other in [&other_issuer, &namesake] {
        assert_eq!(approve(asked(json!({})), other, NOW).reply, Ok(()));
    }
    let unverified = asked(json!({ "email": null }));
    assert_eq!(approve(unverified, &by_email, NOW).reply, Ok(()));
}

#[test]
fn a_reason_is_given_where_the_rule_wants_one() {
    let (open, ana) = (
        asked(json!({ "reason": "required" })),
        person("ana", &["leads"]),
    );
    for kind in [DecisionKind::Approve, DecisionKind::Deny] {
        for verdict in [verdict(kind), because(kind, " ")] {
            let step = open.clone().decide(&verdict, &ana, &[], NOW);
            assert_eq!(step.reply, Err(Trouble::ReasonRequired));
            assert_eq!(step.after, open);
        }
        let step = open.clone().decide(&because(kind, "seen"), &ana, &[], NOW);
        assert_eq!(step.reply, Ok(()));
        assert_eq!(step.after.answer("x", NOW).reason.as_deref(), Some("seen"));
    }
}

#[test]
fn other_groups_may_decide_after_a_while() {
    let open = asked(json!({ "escalate": { "after": 60, "reviewers": ["board"] } }));
    let eve = person("eve", &["board"]);
    let early = approve(open.clone(), &eve, NOW + 59_999);
    assert_eq!(early.reply, Err(Trouble::NotYourGroup));
    assert_eq!(approve(open.clone(), &eve, NOW + 60_000).reply, Ok(()));
    let ana = person("ana", &["leads"]);
    assert_eq!(approve(open, &ana, NOW + 60_000).reply, Ok(()));
}

#[test]
fn time_ends_what_is_open_and_what_is_approved() {
    let ana = person("ana", &["leads"]);
    let open = asked(json!({ "expires": 10 }));
    assert_eq!(open.clone().expire(NOW + 9_999).after, open);
    let step = approve(open, &ana, NOW + 10_000);
    assert_eq!(step.reply, Err(Trouble::Expired));
    assert_eq!(
        step.happened,
        [Happened::Expired {
            was: State::Pending
        }]
    );
    let step = approved(json!({})).expire(NOW + APPROVED_FOR);
    assert_eq!(step.after.state, State::Expired);
    assert_eq!(taken(step.after, 1, NOW).1, Ok(ClaimState::Expired));
}

#[test]
fn an_approval_is_taken_back_until_it_is_used() {
    let (ana, bob) = (person("ana", &["leads"]), person("bob", &["other"]));
    let revoke = verdict(DecisionKind::Revoke);
    let pending = asked(json!({})).decide(&revoke, &ana, &[], NOW);
    assert_eq!(pending.reply, Err(Trouble::NotDecided));
    let stranger = approved(json!({})).decide(&revoke, &bob, &[], NOW);
    assert_eq!(stranger.reply, Err(Trouble::NotYourGroup));
    let step = approved(json!({})).decide(&revoke, &ana, &[], NOW);
    assert_eq!(step.happened, [Happened::Revoked]);
    assert_eq!(taken(step.after.clone(), 1, NOW).1, Ok(ClaimState::Revoked));
    let again = step.after.decide(&revoke, &ana, &[], NOW);
    assert_eq!(again.reply, Err(Trouble::AlreadyDecided));
    let (used, _) = taken(approved(json!({})), 1, NOW);
    assert_eq!(
        used.decide(&revoke, &ana, &[], NOW).reply,
        Err(Trouble::Used)
    );
    // A grant also behind some of its uses, and by those who may block.
    let grant = approved(json!({ "grant": { "for": 60, "uses": 3 } }));
    let (grant, _) = taken(grant, 1, NOW);
    let blocks = Person {
        blocks: true,
        ..bob
    };
    let step = grant.decide(&revoke, &blocks, &[], NOW);
    assert_eq!(step.after.state, State::Revoked);
    // What comes back behind that can't be taken again.
    let back = given_back(step.after, 1, NOW);
    assert_eq!(back.after.state, State::Revoked);
    assert_eq!(taken(back.after, 2, NOW).1, Ok(ClaimState::Revoked));
}

#[test]
fn who_breaks_glass_decides_alone_and_loudly() {
    let may = Person {
        break_glass: true,
        ..person("carol", &["other"])
    };
    let own = json!({ "subject": "carol-subject", "approvals": 3 });
    let glass = |reason: Option<&str>| Verdict {
        kind: DecisionKind::Approve,
        reason: reason.map(str::to_owned),
        break_glass: true,
    };
    let ana = person("ana", &["leads"]);
    let step = asked(own.clone()).decide(&glass(Some("fire")), &ana, &[], NOW);
    assert_eq!(step.reply, Err(Trouble::NoBreakGlass));
    let step = asked(own.clone()).decide(&glass(None), &may, &[], NOW);
    assert_eq!(step.reply, Err(Trouble::ReasonRequired));
    let step = asked(own).decide(&glass(Some("fire")), &may, &[], NOW);
    assert_eq!(step.after.state, State::Approved);
    assert_eq!(step.happened, [Happened::Decided, Happened::BrokeGlass]);
    // Without asking for it, the same person is like any other.
    let step = approve(asked(json!({})), &may, NOW);
    assert_eq!(step.reply, Err(Trouble::NotYourGroup));
}

#[test]
fn a_delegate_decides_for_another_and_counts_once_with_them() {
    let (ana, bob) = (person("ana", &["leads"]), person("bob", &["other"]));
    let groups = ["leads".to_owned()];
    let lent = [Lent {
        from: &ana,
        groups: &groups,
    }];
    let yes = verdict(DecisionKind::Approve);
    let two = asked(json!({ "approvals": 2 }));
    let step = two.clone().decide(&yes, &bob, &lent, NOW);
    let decision = &step.after.decisions[0];
    assert_eq!(
        (&*decision.reviewer, decision.on_behalf_of.as_deref()),
        ("bob", Some("ana"))
    );
    let ana_too = approve(step.after.clone(), &ana, NOW);
    assert_eq!(ana_too.reply, Err(Trouble::AlreadyApproved));
    let again = step.after.decide(&yes, &bob, &lent, NOW);
    assert_eq!(again.reply, Err(Trouble::AlreadyApproved));
    // The other way round.
    let first = approve(two, &ana, NOW).after;
    let step = first.decide(&yes, &bob, &lent, NOW);
    assert_eq!(step.reply, Err(Trouble::AlreadyApproved));
    // Not what the other may not, nor their own, nor in a group that wasn't lent or has been lost.
    for subject in ["ana-subject", "bob-subject"] {
        let own = asked(json!({ "subject": subject }));
        let step = own.decide(&yes, &bob, &lent, NOW);
        assert_eq!(step.reply, Err(Trouble::OwnRequest), "{subject}");
    }
    let legal = asked(json!({ "reviewers": ["legal"] }));
    let step = legal.decide(&yes, &bob, &lent, NOW);
    assert_eq!(step.reply, Err(Trouble::NotYourGroup));
    let moved = person("ana", &["elsewhere"]);
    let lost = [Lent {
        from: &moved,
        groups: &groups,
    }];
    let step = asked(json!({})).decide(&yes, &bob, &lost, NOW);
    assert_eq!(step.reply, Err(Trouble::NotYourGroup));
}

#[test]
fn a_claim_takes_one_use_once_for_what_was_asked() {
    let (pending, state) = taken(asked(json!({})), 1, NOW);
    assert_eq!(state, Ok(ClaimState::Pending));
    assert!(pending.claims.is_empty());
    let one = approved(json!({}));
    let other = Claim {
        binding: "c".repeat(64),
        ..claim(1)
    };
    let step = one.clone().claim(&other, "edge", NOW);
    assert_eq!(step.reply, Err(Trouble::NotCovered));
    let step = one.clone().claim(&claim(1), "inner", NOW);
    assert_eq!(step.reply, Err(Trouble::Unknown));
    let (used, state) = taken(one, 1, NOW);
    assert_eq!((used.state, state), (State::Used, Ok(ClaimState::Claimed)));
    let step = used.clone().claim(&claim(1), "edge", NOW + 1);
    assert_eq!(step.reply.unwrap().state, ClaimState::Claimed);
    assert_eq!((step.after, step.happened), (used.clone(), vec![]));
    assert_eq!(taken(used, 2, NOW).1, Ok(ClaimState::Used));
}

#[test]
fn a_use_comes_back_once_and_in_time() {
    let (used, _) = taken(approved(json!({})), 1, NOW);
    let back = given_back(used.clone(), 1, NOW + 1).after;
    assert_eq!((back.state, back.spent), (State::Approved, 0));
    assert_eq!(taken(back.clone(), 1, NOW).1, Err(Trouble::GivenBack));
    let again = given_back(back.clone(), 1, NOW + 2);
    assert_eq!((again.after, again.happened), (back.clone(), vec![]));
    let (second, state) = taken(back, 2, NOW + 3);
    assert_eq!(state, Ok(ClaimState::Claimed));
    // The first one once more gives nothing that the second one took.
    assert_eq!(given_back(second.clone(), 1, NOW + 4).after, second);
    let late = given_back(used, 1, NOW + APPROVED_FOR).after;
    assert_eq!((late.state, late.spent), (State::Used, 1));
}

#[test]
fn a_client_that_leaves_again_and_again_has_its_approval_back_three_times() {
    let mut approval = approved(json!({}));
    for number in 1..=3 {
        approval = given_back(taken(approval, number, NOW).0, number, NOW).after;
        assert_eq!((approval.state, approval.spent), (State::Approved, 0));
    }
    let last = given_back(taken(approval, 4, NOW).0, 4, NOW).after;
    assert_eq!((last.state, last.spent), (State::Used, 1));
    // That the model server failed is no client's choice.
    let mut approval = approved(json!({}));
    for number in 1..=5 {
        let gone = taken(approval, number, NOW).0;
        let back = gone.give_back(&claim(number).claim, WhyBack::Status5xx, "edge", NOW);
        approval = back.after;
        assert_eq!(approval.state, State::Approved);
    }
    // A window is used as often as one likes.
    let mut window = approved(json!({ "grant": { "for": 60 } }));
    for number in 1..=9 {
        window = given_back(taken(window, number, NOW).0, number, NOW).after;
        assert_eq!(window.state, State::Approved);
    }
}

#[test]
fn a_grant_covers_its_kind_of_request_and_no_other() {
    let grant = approved(json!({ "grant": { "for": 60, "uses": 2 } }));
    let like = |changes: Value| {
        let mut all = json!({ "binding": "c".repeat(64) });
        for (name, value) in changes.as_object().unwrap() {
            all[name] = value.clone();
        }
        question(all)
    };
    assert!(grant.covers(&like(json!({})), "edge", NOW));
    assert!(!grant.covers(&like(json!({})), "inner", NOW));
    assert!(!grant.covers(&like(json!({})), "edge", NOW + 60_000));
    for changes in [
        json!({ "subject": "dave" }),
        json!({ "issuer": "other" }),
        json!({ "rule": "s" }),
        json!({ "rule_digest": "e" }),
        json!({ "operation": "chat" }),
        json!({ "model": null }),
        json!({ "other_models": ["large-1"] }),
        json!({ "about": "answer" }),
    ] {
        assert!(
            !grant.covers(&like(changes.clone()), "edge", NOW),
            "{changes}"
        );
    }
    // One for the exact request covers nothing else.
    for exact in [json!({}), json!({ "grant": { "for": 60, "uses": 1 } })] {
        assert!(!approved(exact).covers(&like(json!({})), "edge", NOW));
    }
    let other = Claim {
        binding: "c".repeat(64),
        ..claim(7)
    };
    let before = grant.clone().claim(&other, "edge", NOW);
    assert_eq!(before.reply, Err(Trouble::NotCovered));
    let covering = grant.cover(&like(json!({})), "edge");
    let step = covering.claim(&other, "edge", NOW);
    let claimed = step.reply.unwrap();
    assert_eq!(claimed.state, ClaimState::Claimed);
    assert_eq!(claimed.grant.unwrap().uses_left, Some(1));
}

#[test]
fn only_a_window_without_a_count_is_listed() {
    assert!(approved(json!({ "grant": { "for": 60 } })).is_listed());
    assert!(!approved(json!({ "grant": { "for": 60, "uses": 2 } })).is_listed());
    assert!(!approved(json!({})).is_listed());
    assert!(!asked(json!({ "grant": { "for": 60 } })).is_listed());
}

#[test]
fn what_was_asked_ahead_of_need_is_good_once_the_rules_own_reviewers_gave_it() {
    let ahead = |reviewers: Value| {
        let question = question(json!({
            "about": "access", "rule_digest": null, "reviewers": reviewers,
            "grant": { "for": 60 },
        }));
        let id = "apr_1".to_owned();
        let open = Approval::ask(id, question, None, Some("carol"), NOW).after;
        let own = approve(open.clone(), &person("carol", &["leads", "friends"]), NOW);
        assert_eq!(own.reply, Err(Trouble::OwnRequest));
        approve(open, &person("eve", &["leads", "friends"]), NOW).after
    };
    let friends = ahead(json!(["friends"]));
    assert_eq!(friends.state, State::Approved);
    assert!(!friends.covers(&question(json!({})), "edge", NOW));
    let leads = ahead(json!(["leads"]));
    assert!(!leads.is_listed());
    assert!(leads.covers(&question(json!({})), "edge", NOW));
    let two = question(json!({ "approvals": 2 }));
    assert!(!leads.covers(&two, "edge", NOW));
    // From then on it is for that rule as it was.
    let held = leads.cover(&question(json!({})), "edge");
    assert!(held.is_listed());
    let changed = question(json!({ "rule_digest": "e" }));
    assert!(!held.covers(&changed, "edge", NOW));
}

#[test]
fn what_one_filter_says_of_a_rule_makes_no_grant_good_at_another() {
    let question = |reviewers: &str| question(json!({ "reviewers": [reviewers] }));
    let ahead = self::question(json!({
        "about": "access", "rule_digest": null, "reviewers": ["friends"], "grant": { "for": 60 },
    }));
    let open = Approval::ask("apr_1".to_owned(), ahead, None, Some("carol"), NOW).after;
    let friends = approve(open, &person("eve", &["friends"]), NOW).after;
    assert!(friends.covers(&question("friends"), "inner", NOW));
    let held = friends.cover(&question("friends"), "inner");
    assert!(held.is_vouched_by("inner") && !held.is_vouched_by("edge"));
    assert!(held.covers(&question("friends"), "inner", NOW));
    assert!(!held.covers(&question("leads"), "edge", NOW));
}

#[test]
fn what_is_remembered_of_claims_is_bounded_and_loses_no_count() {
    let mut grant = approved(json!({ "grant": { "for": 60, "uses": 300 } }));
    for number in 0..300 {
        let (after, state) = taken(grant, number, NOW);
        assert_eq!(state, Ok(ClaimState::Claimed));
        grant = after;
    }
    assert_eq!(grant.claims.len(), MAX_CLAIMS);
    assert_eq!(grant.state, State::Used);
    assert_eq!(taken(grant.clone(), 0, NOW).1, Ok(ClaimState::Used));
    let old = given_back(grant, 0, NOW);
    assert_eq!((old.reply, old.happened), (Ok(()), vec![]));
    assert_eq!((old.after.state, old.after.spent), (State::Used, 300));
    let mut after = old.after;
    for number in 1000..1300 {
        after = given_back(after, number, NOW).after;
    }
    assert_eq!(after.returned.len(), MAX_CLAIMS);
}

#[test]
fn a_claim_that_was_given_back_before_it_came_takes_nothing() {
    let early = given_back(approved(json!({})), 1, NOW);
    assert_eq!((early.reply, early.happened), (Ok(()), vec![]));
    let again = given_back(early.after.clone(), 1, NOW);
    assert_eq!(again.after, early.after);
    let (after, late) = taken(again.after, 1, NOW + 1);
    assert_eq!(late, Err(Trouble::GivenBack));
    assert_eq!((after.state, after.spent), (State::Approved, 0));
    // Whatever it is for.
    let other = Claim {
        binding: "c".repeat(64),
        ..claim(1)
    };
    let step = after.clone().claim(&other, "edge", NOW);
    assert_eq!(step.reply, Err(Trouble::GivenBack));
    let foreign = after.clone();
    let foreign = foreign.give_back(&claim(2).claim, WhyBack::Unanswered, "inner", NOW);
    assert_eq!(foreign.reply, Err(Trouble::Unknown));
    assert_eq!(foreign.after, after);
    assert_eq!(taken(after, 2, NOW + 1).1, Ok(ClaimState::Claimed));
}
