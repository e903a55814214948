//! Two desks that share a database.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::authority::Authority;

use crate::cluster::Cluster;
use crate::harness::{ANA, BOB, Desk, EDGE, Folder, id, question, with};
use crate::starting::failure_of;
use crate::waiting::until_waiting;

/// Two desks and their database; none where there is no PostgreSQL.
struct Two {
    cluster: Cluster,
    folders: [Folder; 2],
    one: Desk,
    other: Desk,
}

fn desk(folder: &Folder, cluster: &Cluster) -> Desk {
    let reviewers = json!([
        { "name": "ana", "groups": ["ml-leads"], "key": ANA, "blocks": true },
        {
            "name": "bob", "groups": ["legal"], "key": BOB,
            "subjects": [{ "issuer": "https://idp.example", "subject": "bob" }],
        },
    ]);
    let changes = json!({ "store": cluster.store(), "reviewers": reviewers });
    Desk::start_with(&folder.config_changed(changes), &folder.store())
}

impl Two {
    fn start() -> Option<Self> {
        let cluster = Cluster::start()?;
        let folders = [Folder::new(), Folder::new()];
        let [one, other] = [&folders[0], &folders[1]].map(|folder| desk(folder, &cluster));
        Some(Self {
            cluster,
            folders,
            one,
            other,
        })
    }
}

#[test]
fn what_is_decided_at_one_desk_is_heard_at_the_other() {
    let Some(two) = Two::start() else { return };
    let asked = id(&two.one.ask(&question(1)));
    let target = format!("/v1/approvals/{asked}?wait=25");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| two.one.get(&target, EDGE).ok());
        let approved = two.other.decide(&asked, "approve", ANA).ok();
        assert_eq!(approved["state"], "approved");
        assert_eq!(waiting.join().unwrap()["state"], "approved");
    });
    let seen = two.other.get(&format!("/v1/approvals/{asked}"), ANA).ok();
    assert_eq!(seen["decisions"][0]["reviewer"], "ana");
    // Asked at the other desk, it is the same question.
    assert_eq!(id(&two.other.ask(&question(1))), asked);

    let standing = two.other.get("/v1/standing", EDGE).ok();
    let revision = standing["revision"].as_str().unwrap();
    let target = format!("/v1/standing?since={revision}&wait=25");
    let block = json!({ "subject": "mallory", "reason": "Lost." });
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| two.other.get(&target, EDGE).ok());
        two.one.post("/v1/blocks", ANA, &block).ok();
        assert_eq!(waiting.join().unwrap()["blocks"][0]["subject"], "mallory");
    });
}

#[test]
fn what_a_group_is_granted_at_one_desk_is_counted_and_listed_at_the_other() {
    let Some(two) = Two::start() else { return };
    let ask = |number, subject: &str| {
        let change = json!({ "subject": subject, "groups": ["ml-ops"] });
        with(question(number), change)
    };
    let access = |terms: Value| {
        let access = json!({
            "rule": "export-needs-a-person", "operation": "model.export", "group": "ml-ops", "for": 600,
            "reviewers": ["ml-leads"], "reason": "the release",
        });
        let asked = two.one.post("/v1/access", BOB, &with(access, terms)).ok();
        two.other.decide(&id(&asked), "approve", ANA).ok();
        id(&asked)
    };
    let counted = access(json!({ "model": "big", "uses": 2 }));
    let desks = [&two.one, &two.other, &two.one];
    let members = ["carol", "dave", "erin"];
    let claimed: Vec<Value> = (1..)
        .zip(desks.into_iter().zip(members))
        .map(|(number, (desk, member))| {
            let asked = ask(number, member);
            // What is used up answers nothing more.
            let answer = desk.ask(&asked);
            assert_eq!(id(&answer) == counted, number < 3, "{answer}");
            let answer = desk.claim(&counted, &asked, number);
            answer.json()["state"].clone()
        })
        .collect();
    assert_eq!(claimed, [json!("claimed"), json!("claimed"), Value::Null]);

    let window = access(json!({ "models": "any" }));
    let revision = two.one.get("/v1/standing", EDGE).ok()["revision"].clone();
    let target = format!("/v1/standing?since={}&wait=60", revision.as_str().unwrap());
    let listed = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| two.one.get(&target, EDGE).ok());
        assert_eq!(id(&two.other.ask(&ask(9, "erin"))), window);
        waiting.join().unwrap()["grants"][0].clone()
    });
    assert_eq!(
        (&listed["id"], &listed["group"], &listed["models"]),
        (&json!(window), &json!("ml-ops"), &json!("any"))
    );
}

#[test]
fn a_decision_comes_through_the_database_at_once() {
    let Some(two) = Two::start() else { return };
    for number in 0..20 {
        let asked = id(&two.one.ask(&question(number)));
        let target = format!("/v1/approvals/{asked}?wait=60");
        std::thread::scope(|scope| {
            let began = Instant::now();
            let waiting = scope.spawn(|| two.one.get(&target, EDGE).ok());
            until_waiting(&two.one, 1);
            two.other.decide(&asked, "approve", ANA).ok();
            let answer = waiting.join().unwrap();
            assert_eq!(answer["state"], "approved");
            // The wait was ended by the decision, and not by its own end.
            assert!(began.elapsed() < Duration::from_secs(50));
        });
    }
}

#[test]
fn what_is_granted_is_used_no_more_often_over_both() {
    let Some(two) = Two::start() else { return };
    let asked = with(question(1), json!({ "grant": { "for": 600, "uses": 5 } }));
    let granted = id(&two.one.ask(&asked));
    two.other.decide(&granted, "approve", ANA).ok();
    let claimed: usize = std::thread::scope(|scope| {
        let claims: Vec<_> = (0..4)
            .map(|thread: u64| {
                let (two, asked, granted) = (&two, &asked, &granted);
                scope.spawn(move || {
                    let desk = if thread.is_multiple_of(2) {
                        &two.one
                    } else {
                        &two.other
                    };
                    let claims = (0..5).map(|number| thread * 5 + number);
                    let states = claims.map(|number| desk.claim(granted, asked, number).ok());
                    states
                        .filter(|claimed: &Value| claimed["state"] == "claimed")
                        .count()
                })
            })
            .collect();
        claims
            .into_iter()
            .map(|claims| claims.join().unwrap())
            .sum()
    });
    assert_eq!(claimed, 5);
    // The same claim again is the same one, whichever desk is asked.
    let states = |desk: &Desk| -> usize {
        let again = (0..20).map(|number| desk.claim(&granted, &asked, number).ok());
        again
            .filter(|claimed| claimed["state"] == "claimed")
            .count()
    };
    assert_eq!((states(&two.one), states(&two.other)), (5, 5));
}

#[test]
fn nothing_is_lost_when_a_desk_or_the_database_dies() {
    let Some(Two {
        mut cluster,
        folders,
        one,
        other,
    }) = Two::start()
    else {
        return;
    };
    let kept = id(&one.ask(&question(1)));
    one.kill();
    other.decide(&kept, "approve", ANA).ok();
    let one = desk(&folders[0], &cluster);
    assert_eq!(one.claim(&kept, &question(1), 1).ok()["state"], "claimed");

    cluster.stop();
    let refused = one.post("/v1/approvals", EDGE, &question(2)).refusal();
    assert_eq!(refused, (503, "store_unavailable".to_owned()));
    cluster.serve();
    let back = one.ask(&question(2));
    assert_eq!(back["state"], "pending");
    assert_eq!(one.claim(&kept, &question(1), 1).ok()["state"], "claimed");
    assert_eq!(other.claim(&kept, &question(1), 2).ok()["state"], "used");
    // Who waits is woken after that, too.
    let target = format!("/v1/approvals/{}?wait=25", id(&back));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| one.get(&target, EDGE).ok());
        other.decide(&id(&back), "deny", ANA).ok();
        assert_eq!(waiting.join().unwrap()["state"], "denied");
    });
}

#[test]
fn lists_come_in_pages_of_all_desks() {
    let Some(two) = Two::start() else { return };
    let ids: Vec<String> = (0..5)
        .map(|number| {
            let desk = if number % 2 == 0 {
                &two.one
            } else {
                &two.other
            };
            id(&desk.ask(&question(number)))
        })
        .collect();
    let mut seen = Vec::new();
    let mut before = String::new();
    loop {
        let target = format!("/v1/approvals?state=pending&limit=2{before}");
        let page = two.other.get(&target, ANA).ok();
        let rows = page["approvals"].as_array().unwrap();
        seen.extend(rows.iter().map(id));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        before = format!("&before={next}");
    }
    seen.reverse();
    assert_eq!(seen, ids);
}

#[test]
fn a_database_is_reached_by_tls_and_only_with_the_right_authority() {
    let Some(mut cluster) = Cluster::start() else {
        return;
    };
    cluster.stop();
    let authority = Authority::new("the database's").unwrap();
    let port = cluster.serve_with_tls(&authority.issue(&["127.0.0.1"]).unwrap());
    let folder = Folder::new();
    let url = format!("postgres://desk@127.0.0.1:{port}/postgres?sslmode=require");
    let right = folder.write("right.pem", &authority.certificate());
    let store = json!({ "postgres": url, "ca": right });
    let config = folder.config_changed(json!({ "store": store }));
    let desk = Desk::start_with(&config, &folder.store());
    assert_eq!(desk.ask(&question(1))["state"], "pending");
    drop(desk);
    let other = Authority::new("another").unwrap();
    let other = folder.write("other.pem", &other.certificate());
    for store in [
        json!({ "postgres": url, "ca": other }),
        json!({ "postgres": url }),
    ] {
        let config = folder.config_changed(json!({ "store": store }));
        let said = failure_of(&folder.store(), &config);
        assert!(said.contains("/store/postgres: "), "{said}");
        assert!(said.contains("certificate"), "{said}");
    }
}

#[test]
fn a_database_that_cannot_be_used_is_told_without_its_password() {
    let folder = Folder::new();
    for (store, expected) in [
        (
            json!({ "postgres": "mysql://desk:open-sesame@db/desk" }),
            "found no URL of a database",
        ),
        (
            json!({ "postgres": "host=/nowhere user=desk password=open-sesame" }),
            "/store/postgres: PostgreSQL: error connecting to server",
        ),
        (
            json!({ "postgres": "host=db", "ca": "nowhere.pem" }),
            "/store/postgres: nowhere.pem: ",
        ),
        (json!({ "mysql": "open-sesame" }), "unknown field `mysql`"),
        (
            json!({ "postgres": "host=${PORTCULLIS_TEST_UNSET}" }),
            "/store/postgres: found ${",
        ),
    ] {
        let config = folder.config_changed(json!({ "store": store }));
        let said = failure_of(&folder.store(), &config);
        assert!(said.contains(expected), "{expected}: {said}");
        assert!(!said.contains("sesame"), "{said}");
    }
}
