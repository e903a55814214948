//! Access for a group, for any model, and by a calendar, as people and filters see it.

use serde_json::{Value, json};

use crate::events::{events, of};
use crate::harness::{ANA, BOB, Desk, EDGE, Folder, command, id, question, with};

/// ana asks, and bob decides.
fn desk(folder: &Folder) -> Desk {
    let subject = |name: &str| json!([{ "issuer": "https://idp.example", "subject": name }]);
    let config = folder.config_but(json!({ "reviewers": [
        { "name": "ana", "groups": ["ml-leads"], "key": ANA, "subjects": subject("ana") },
        {
            "name": "bob", "groups": ["ml-leads"], "key": BOB, "blocks": true,
            "subjects": subject("Bob"), "email": "bob@example.com",
        },
    ] }));
    Desk::start_with(&config, &folder.store())
}

fn access(changes: Value) -> Value {
    let access = json!({
        "rule": "export-needs-a-person", "operation": "model.export",
        "reviewers": ["ml-leads"], "reason": "the release",
    });
    with(access, changes)
}

/// Every day, all day.
pub fn always() -> Value {
    json!({
        "windows": [{
            "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "00:00", "to": "24:00",
        }],
        "offset": "+01:00",
        "until": until(30),
    })
}

/// The day so many days on.
fn until(days: u64) -> String {
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let day = i64::try_from(now / 86_400 + days).unwrap();
    chrono::DateTime::from_timestamp(day * 86_400, 0)
        .unwrap()
        .format("%Y-%m-%d")
        .to_string()
}

/// What somebody of the group asks.
fn member(number: u64, subject: &str, changes: Value) -> Value {
    let change = json!({ "subject": subject, "groups": ["x", "ml-ops"], "email": null });
    with(with(question(number), change), changes)
}

fn standing(desk: &Desk) -> Value {
    desk.get("/v1/standing", EDGE).ok()
}

#[test]
fn a_group_has_access_by_a_calendar_until_it_is_taken_back() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let wanted = json!({ "group": "ml-ops", "models": "any", "calendar": always() });
    let asked = desk.post("/v1/access", ANA, &access(wanted)).ok();
    assert_eq!(
        (&asked["group"], &asked["models"], &asked["calendar"]),
        (&json!("ml-ops"), &json!("any"), &always())
    );
    let own = desk.decide(&id(&asked), "approve", ANA).refusal();
    assert_eq!(own, (403, "own_request".to_owned()));
    desk.decide(&id(&asked), "approve", BOB).ok();
    // Who approved is asked about, however the token knows them.
    for (number, changes) in [
        (1, json!({ "subject": "bob" })),
        (2, json!({ "email": "BOB@example.com" })),
    ] {
        assert_eq!(desk.ask(&member(number, "b", changes))["state"], "pending");
    }
    assert_eq!(standing(&desk)["grants"], json!([]));
    let answer = desk.ask(&member(3, "carol", json!({ "other_models": ["small"] })));
    assert_eq!(
        (id(&answer), &answer["state"]),
        (id(&asked), &json!("approved"))
    );
    let listed = standing(&desk)["grants"][0].clone();
    let left = listed["left_ms"].as_u64().unwrap();
    assert!(left > 20 * 86_400_000 && left < 32 * 86_400_000, "{left}");
    assert_eq!(
        with(listed, json!({ "left_ms": 0 })),
        json!({
            "id": id(&asked), "issuer": "https://idp.example", "subject": null, "group": "ml-ops",
            "except": ["bob", "bob@example.com"], "rule": "export-needs-a-person",
            "rule_digest": question(1)["rule_digest"], "operation": "model.export", "model": null,
            "models": "any", "left_ms": 0,
        })
    );
    let grant = desk.get("/v1/grants", ANA).ok()["grants"][0].clone();
    assert_eq!(
        (&grant["group"], &grant["calendar"]),
        (&json!("ml-ops"), &always())
    );
    desk.decide(&id(&asked), "revoke", BOB).ok();
    assert_eq!(standing(&desk)["grants"], json!([]));
    assert_eq!(desk.ask(&member(3, "carol", json!({})))["state"], "pending");
    desk.kill();
    let all = events(&folder);
    let calendar = format!("mon-sun 00:00-24:00 +01:00 until {}", until(30));
    for event in [
        &of(&all, "question")[0],
        &of(&all, "decision")[0],
        &of(&all, "revocation")[0],
    ] {
        assert_eq!(
            (&event["group"], &event["models"], &event["calendar"]),
            (&json!("ml-ops"), &json!("any"), &json!(calendar))
        );
    }
}

#[test]
fn what_is_asked_ahead_of_need_must_be_clear() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let calendar = |changes: Value| json!({ "calendar": with(always(), changes) });
    let closed = json!([{ "days": ["mon"], "from": "09:00", "to": "10:00" }]);
    let long = "x".repeat(1025);
    for wrong in [
        json!({}),
        with(calendar(json!({})), json!({ "for": 60 })),
        json!({ "for": 60, "model": "big", "models": "any" }),
        json!({ "for": 60, "models": "all" }),
        json!({ "for": 60, "model": "" }),
        json!({ "for": 60, "group": "ml-ops", "subject": "ana" }),
        json!({ "for": 60, "group": "" }),
        json!({ "for": 60, "group": long }),
        json!({ "for": 60, "group": "ml-ops", "issuer": "https://other.example" }),
        calendar(json!({ "windows": [] })),
        calendar(json!({ "until": "2026-01-31" })),
        calendar(json!({ "until": until(368) })),
        calendar(json!({ "offset": "Europe/Berlin" })),
        calendar(json!({ "windows": vec![closed[0].clone(); 17] })),
    ] {
        let refused = desk
            .post("/v1/access", ANA, &access(wrong.clone()))
            .refusal();
        assert_eq!(refused, (400, "malformed".to_owned()), "{wrong}");
    }
    // No filter says any of it.
    for (name, value) in [
        ("group", json!("ml-ops")),
        ("models", json!("any")),
        ("calendar", always()),
    ] {
        let asked = with(question(1), json!({ name: value }));
        let refused = desk.post("/v1/approvals", EDGE, &asked).refusal();
        assert_eq!(refused, (400, "malformed".to_owned()), "{name}");
    }
}

#[test]
fn a_closed_calendar_gives_nothing_yet() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let now = std::time::SystemTime::now();
    let now = now.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    // Some hours from now, whatever the time is.
    let from = (now / 3600 + 6) % 24;
    let window = json!({
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "from": format!("{from:02}:00"), "to": format!("{from:02}:30"),
    });
    let calendar = json!({ "windows": [window], "offset": "+00:00", "until": until(3) });
    let wanted = access(json!({ "model": "big", "calendar": calendar }));
    let asked = desk.post("/v1/access", ANA, &wanted).ok();
    let view = desk.decide(&id(&asked), "approve", BOB).ok();
    assert_eq!(
        (&view["state"], &view["grant"]["left_ms"]),
        (&json!("approved"), &json!(0))
    );
    let own = with(question(1), json!({ "subject": "ana" }));
    assert_eq!(desk.ask(&own)["state"], "pending");
    assert_eq!(standing(&desk)["grants"], json!([]));
}

#[test]
fn an_empty_model_is_none_and_others_are_bounded() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let asked = id(&desk.ask(&with(question(1), json!({ "model": "" }))));
    let shown = desk.get(&format!("/v1/approvals/{asked}"), ANA).ok();
    assert_eq!(shown["model"], Value::Null);
    let others = |count: usize, bytes: usize| {
        let others = vec!["m".repeat(bytes); count];
        desk.post(
            "/v1/approvals",
            EDGE,
            &with(question(2), json!({ "other_models": others })),
        )
    };
    others(64, 256).ok();
    for (count, bytes) in [(65, 1), (4, 4097)] {
        let refused = others(count, bytes);
        assert!(refused.body.contains("other_models"), "{}", refused.body);
        assert_eq!(refused.refusal(), (400, "malformed".to_owned()));
    }
}

#[test]
fn blocks_are_listed_a_page_at_a_time_whatever_is_lifted_meanwhile() {
    let folder = Folder::new();
    let desk = desk(&folder);
    for number in 0..5 {
        let block = json!({ "subject": format!("s{number}"), "reason": "x" });
        desk.post("/v1/blocks", BOB, &block).ok();
    }
    let page = |query: &str| {
        let page = desk.get(&format!("/v1/blocks?{query}"), ANA).ok();
        let blocks = page["blocks"].as_array().unwrap();
        let subjects: Vec<String> = blocks
            .iter()
            .map(|block| block["subject"].as_str().unwrap().to_owned())
            .collect();
        (subjects, page["next"].clone(), blocks.last().cloned())
    };
    let (subjects, next, last) = page("limit=2");
    assert_eq!(subjects, ["s4", "s3"]);
    let target = format!("/v1/blocks/{}", id(&last.unwrap()));
    crate::client::call(desk.http, "DELETE", &target, Some(BOB), None).ok();
    let (subjects, next, _) = page(&format!("limit=2&before={}", next.as_str().unwrap()));
    assert_eq!(subjects, ["s2", "s1"]);
    let (subjects, next, _) = page(&format!("limit=2&before={}", next.as_str().unwrap()));
    assert_eq!((subjects, next), (vec!["s0".to_owned()], Value::Null));
    assert_eq!(page("before=nothing").0, Vec::<String>::new());
    let refused = desk.get("/v1/blocks?after=x", ANA).refusal();
    assert_eq!(refused, (400, "malformed".to_owned()));
}

/// What a command of this reviewer says, and whether it worked.
fn run(desk: &Desk, key: &str, arguments: &[&str]) -> Result<String, String> {
    let output = command()
        .args(arguments)
        .env("PORTCULLIS_DESK", format!("http://{}", desk.http))
        .env("PORTCULLIS_KEY", key)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    match output.status.success() {
        true => Ok(text(output.stdout)),
        false => Err(text(output.stderr)),
    }
}

#[test]
fn windows_of_the_week_and_groups_are_asked_for_and_listed_by_commands() {
    let folder = Folder::new();
    let desk = desk(&folder);
    let last = until(20);
    let request = |more: &[&str]| {
        let mut arguments = vec!["access", "request", "--operation", "model.tune"];
        arguments.extend(["--rule", "tune", "--reviewers", "ml-leads", "--reason", "x"]);
        arguments.extend(more);
        run(&desk, ANA, &arguments)
    };
    let days = ["--days", "mon-fri", "--from", "09:00", "--to", "17:00"];
    let more = ["--days", "sat,sun", "--from", "22:00", "--to", "02:00"];
    let clock = ["--offset", "-01:00", "--until", &last];
    let two = [days, more].concat();
    let group = ["--group", "ml-ops", "--any-model"];
    let asked = request(&[&two[..], &clock, &group].concat()).unwrap();
    let (asked, state) = asked.trim().split_once("  ").unwrap();
    assert_eq!(state, "pending");
    let windows = "mon-fri 09:00-17:00, sat,sun 22:00-02:00";
    let when = format!("{windows} -01:00 until {last}");
    let shown = run(&desk, BOB, &["approvals", "show", asked]).unwrap();
    for part in [
        "group ml-ops, but who approves it",
        "model.tune of any model",
        &when,
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    run(&desk, BOB, &["approvals", "approve", asked]).unwrap();
    let grants = run(&desk, BOB, &["grants", "list"]).unwrap();
    let line = grants.lines().nth(1).unwrap();
    for part in [asked, "group ml-ops", "any model", windows, "bob"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    run(&desk, BOB, &["grants", "revoke", asked]).unwrap();
    for (wrong, why) in [
        (vec![], "--for"),
        ([&days[..], &clock, &["--for", "1h"]].concat(), "--for"),
        (days.to_vec(), "--offset"),
        ([&two[..], &clock, &["--to", "03:00"]].concat(), "as many"),
        ([&["--days", "mo"], &days[2..], &clock].concat(), "mon-fri"),
        (
            vec!["--for", "1h", "--any-model", "--model", "m"],
            "--model",
        ),
        (
            vec!["--for", "1h", "--group", "g", "--subject", "s"],
            "--subject",
        ),
        (
            [&days[..], &["--offset", "CET", "--until", &last]].concat(),
            "+01:00",
        ),
    ] {
        let said = request(&wrong).unwrap_err();
        assert!(said.contains(why), "{wrong:?}: {said}");
    }
}
