use core::time::Duration;

use super::{SMALL, edited, read};
use crate::policy::Policy;
use crate::rules::{Escalation, Gate, GiveBack, Grant, Then};

/// The small policy with a desk and a rule that asks.
fn asking(approvals: &str, approve: &str) -> String {
    SMALL.replace(
        r#""rules": [ { "name": "all", "then": "allow" } ]"#,
        &format!(
            r#""approvals": {approvals}, "rules": [ {{ "name": "ask", "then": {{ "approve": {approve} }} }} ]"#
        ),
    )
}

fn with_gate(approve: &str) -> Result<Gate, String> {
    let policy = told(&asking(r#"{"cluster": "desk"}"#, approve))?;
    match policy.rules[0].then.clone() {
        Then::Approve(gate) => Ok(gate),
        other => panic!("{other:?}"),
    }
}

fn told(text: &str) -> Result<Policy, String> {
    read(text).map_err(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        lines.join("\n")
    })
}

#[test]
fn approval_needs_a_desk() {
    let problems = edited(
        r#""then": "allow""#,
        r#""then": {"approve": {"reviewers": ["leads"]}}"#,
    );
    assert!(problems[0].contains("/approvals"), "{problems:?}");
}

#[test]
fn a_gate_says_who_decides_and_what_an_approval_is_good_for() {
    let gate = with_gate(r#"{"reviewers": ["leads"]}"#).unwrap();
    assert_eq!(
        gate,
        Gate {
            reviewers: vec!["leads".to_owned()],
            approvals: 1,
            needs_reason: false,
            expires: Duration::from_secs(86_400),
            escalate: None,
            grant: None,
            give_back: None,
        }
    );
    assert!(!gate.stands());
    let gate = with_gate(
        r#"{"reviewers": ["leads"], "approvals": 2, "reason": "required", "expires": "2h",
            "escalate": {"after": "30m", "reviewers": ["on-call"]},
            "grant": {"for": "1h"}, "give_back": "never"}"#,
    )
    .unwrap();
    assert_eq!((gate.approvals, gate.needs_reason), (2, true));
    assert_eq!(gate.expires, Duration::from_secs(7200));
    assert_eq!(
        gate.escalate,
        Some(Escalation {
            after: Duration::from_secs(1800),
            reviewers: vec!["on-call".to_owned()]
        })
    );
    assert_eq!(gate.give_back, Some(GiveBack::Never));
    assert!(gate.stands());
}

#[test]
fn a_grant_says_for_how_long_or_how_often() {
    let grant = |text: &str| {
        with_gate(&format!(r#"{{"reviewers": ["leads"], "grant": {text}}}"#)).map(|gate| gate.grant)
    };
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    for (text, lasts, uses) in [
        (r#"{"for": "30m", "uses": 1}"#, minutes(30), Some(1)),
        (r#"{"for": "1h"}"#, minutes(60), None),
        (r#"{"uses": 5}"#, minutes(30), Some(5)),
    ] {
        assert_eq!(grant(text), Ok(Some(Grant { lasts, uses })), "{text}");
    }
    for (text, path) in [
        ("{}", "/grant: "),
        (r#"{"uses": 0}"#, "/grant/uses: "),
        (r#"{"uses": 10001}"#, "/grant/uses: "),
        (r#"{"for": "0s"}"#, "/grant/for: "),
        (r#"{"for": "31d"}"#, "/grant/for: "),
        (r#"{"for": "1h", "use": 3}"#, "/grant/use: "),
    ] {
        let problem = grant(text).unwrap_err();
        let place = format!("/rules/0/then/approve{path}");
        assert!(problem.starts_with(&place), "{text}: {problem}");
    }
}

#[test]
fn what_a_gate_may_not_say_is_refused_by_its_place() {
    for (text, path) in [
        (r#""approvals": 0"#, "approvals"),
        (r#""approvals": 11"#, "approvals"),
        (r#""reason": "always""#, "reason"),
        (r#""expires": "1s""#, "expires"),
        (r#""give_back": "on_5xx""#, "give_back"),
        (
            r#""expires": "1h", "escalate": {"after": "1h", "reviewers": ["a"]}"#,
            "escalate/after",
        ),
        (r#""escalate": {"after": "1h"}"#, "escalate"),
    ] {
        let problem = with_gate(&format!(r#"{{"reviewers": ["leads"], {text}}}"#)).unwrap_err();
        let place = format!("/rules/0/then/approve/{path}: ");
        assert!(problem.starts_with(&place), "{text}: {problem}");
        assert!(!problem.contains('\n'), "{text}: {problem}");
    }
}

#[test]
fn what_stands_is_asked_for_and_its_lack_stops_nobody_unless_the_policy_says_so() {
    let with = |extra: &str| {
        let approvals = format!(r#"{{"cluster": "desk"{extra}}}"#);
        told(&asking(&approvals, r#"{"reviewers": ["a"]}"#)).map(|one| one.approvals.unwrap())
    };
    let usual = with("").unwrap();
    assert!(usual.standing && !usual.needs_blocks);
    assert_eq!(usual.headers, [""; 0]);
    let other =
        with(r#", "blocks": {"on_failure": "deny"}, "headers": ["X-Tenant", "openai-beta"]"#);
    let other = other.unwrap();
    assert!(other.standing && other.needs_blocks);
    assert_eq!(other.headers, ["x-tenant", "openai-beta"]);
    assert!(!with(r#", "standing": false"#).unwrap().standing);
    let many = vec![r#""x""#; 17].join(",");
    for (extra, path) in [
        (
            r#", "standing": false, "blocks": {"on_failure": "deny"}"#,
            "blocks",
        ),
        (r#", "blocks": {"on_failure": "keep"}"#, "blocks/on_failure"),
        (r#", "headers": ["a b"]"#, "headers/0"),
        (r#", "headers": ["x", "Authorization"]"#, "headers/1"),
        (&format!(r#", "headers": [{many}]"#), "headers"),
    ] {
        let problem = with(extra).unwrap_err();
        let place = format!("/approvals/{path}: ");
        assert!(problem.starts_with(&place), "{extra}: {problem}");
        assert!(!problem.contains('\n'), "{extra}: {problem}");
    }
}

#[test]
fn a_rules_digest_is_that_of_what_it_says_and_of_nothing_else() {
    let digest = |text: &str| told(text).unwrap().rules[0].digest.clone();
    let desk = r#"{"cluster": "desk"}"#;
    let one = asking(desk, r#"{"reviewers": ["a"], "approvals": 2}"#);
    assert_eq!(digest(&one).len(), 64);
    for same in [
        asking(desk, r#"{ "approvals":2, "reviewers":["a"] }"#),
        asking(
            r#"{"cluster": "other"}"#,
            r#"{"reviewers": ["a"], "approvals": 2}"#,
        ),
        one.replace(r#""audiences""#, r#""leeway": "10s", "audiences""#),
    ] {
        assert_eq!(digest(&same), digest(&one), "{same}");
    }
    for other in [
        asking(desk, r#"{"reviewers": ["a"]}"#),
        asking(desk, r#"{"reviewers": ["a", "b"], "approvals": 2}"#),
        one.replace(
            r#""name": "ask""#,
            r#""name": "ask", "when": {"model": ["m"]}"#,
        ),
    ] {
        assert_ne!(digest(&other), digest(&one), "{other}");
    }
}
