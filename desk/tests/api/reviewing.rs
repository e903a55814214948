//! The commands by which people see and decide what waits.

mod reaching;
mod watching;

use std::net::SocketAddr;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::harness::{ANA, BOB, Desk, Folder, command, id, with};

/// A question as the document has it, told apart by `number`.
fn question(number: u64) -> Value {
    let document = portcullis_desk::openapi::document();
    let asked = &document["paths"]["/v1/approvals"]["post"]["requestBody"];
    let example = &asked["content"]["application/json"]["examples"]["request"]["value"];
    let changes = json!({ "binding": format!("{number:064x}"), "reason": "optional" });
    with(example.clone(), changes)
}

fn start(folder: &Folder) -> Desk {
    let config = folder.config_changed(json!({ "reviewers": [
        {
            "name": "ana", "groups": ["ml-leads"], "key": ANA, "blocks": true, "break_glass": true,
            "subjects": [{ "issuer": "https://idp.example", "subject": "ana@example.com" }],
        },
        { "name": "bob", "groups": ["ml-leads", "legal"], "key": BOB },
    ]}));
    Desk::start_with(&config, &folder.store())
}

/// A command with ana's key, to a desk at this address.
fn to(desk: SocketAddr, arguments: &[&str]) -> Command {
    let mut command = command();
    command
        .args(arguments)
        .env("PORTCULLIS_DESK", format!("http://{desk}"))
        .env("PORTCULLIS_KEY", ANA);
    command
}

fn run(desk: &Desk, arguments: &[&str]) -> Said {
    said(to(desk.http, arguments).output().unwrap())
}

struct Said {
    status: i32,
    out: String,
    error: String,
}

impl Said {
    fn done(self) -> String {
        assert_eq!(self.status, 0, "{}{}", self.out, self.error);
        assert_eq!(self.error, "");
        self.out
    }
}

fn said(output: Output) -> Said {
    Said {
        status: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        error: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn what_waits_is_listed_and_shown() {
    let folder = Folder::new();
    let desk = start(&folder);
    let nothing = run(&desk, &["approvals", "list"]).done();
    assert_eq!(nothing, "There are no pending approvals.\n");
    let asked = with(
        question(1),
        json!({
            "approvals": 2, "query": "part=1", "headers": { "content-type": "application/json" },
            "body": { "digest": "ab".repeat(32), "bytes": 1234 }, "surprise": "new",
        }),
    );
    let one = id(&desk.ask(&asked));
    let listed = run(&desk, &["approvals", "list"]).done();
    let mut lines = listed.lines();
    assert!(lines.next().unwrap().starts_with("ID "), "{listed}");
    let line = lines.next().unwrap();
    for part in [
        &*one,
        "pending",
        "carol",
        "model.export of big",
        "ml-leads",
        "0 of 2",
        " 1",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(line.contains("23h 59m") || line.contains("1d"), "{line}");
    let reason = ["--reason", "Seen the data."];
    let approve = [&["approvals", "approve", &*one][..], &reason].concat();
    let decided = run(&desk, &approve).done();
    let counts = "pending: your approval counts, and others are needed";
    assert_eq!(decided, format!("{one}  {counts}\n"));
    let shown = run(&desk, &["approvals", "show", &one]).done();
    for part in [
        "State       pending, ",
        "Approvals   1 of 2",
        "Waiting     1",
        "Who         carol, carol@example.com",
        "Issuer      https://idp.example (corp)",
        "From        10.1.2.3, by the filter edge, route models, cluster model-store",
        "What        model.export of big",
        "Request     GET models.example/v1/models/big/artifact?part=1",
        "Header      content-type: application/json",
        "Body        1234 bytes, SHA-256 abab",
        "Rule        export-needs-a-person, SHA-256 ",
        "Reviewers   ml-leads; if nobody decides within 10m also heads",
        "Would give  this request, once within 30 minutes",
        "Decision    ana: approve: \"Seen the data.\"",
        "surprise    new",
    ] {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
    let lines = run(&desk, &["approvals", "list", "--state", "all", "--json"]).done();
    let value: Value = serde_json::from_str(lines.trim()).unwrap();
    assert_eq!(value["id"], *one);
    let shown = run(&desk, &["approvals", "show", &one, "--json"]).done();
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap()["id"], *one);
}

#[test]
fn lists_longer_than_a_page_are_listed_whole() {
    let folder = Folder::new();
    let desk = start(&folder);
    for number in 0..230 {
        let subject = format!("carol-{}", number % 3);
        desk.ask(&with(question(number), json!({ "subject": subject })));
    }
    let lines = run(&desk, &["approvals", "list", "--limit", "1000"]).done();
    assert_eq!(lines.lines().count(), 231);
    let lines = run(&desk, &["approvals", "list", "--limit", "3"]).done();
    assert_eq!(lines.lines().count(), 5);
    assert!(lines.ends_with("There are more: --limit says how many are listed.\n"));
}

#[test]
fn many_are_decided_at_once_and_what_is_refused_is_told() {
    let folder = Folder::new();
    let desk = start(&folder);
    let ids: Vec<String> = (0..3)
        .map(|number| id(&desk.ask(&question(number))))
        .collect();
    let two = run(&desk, &["approvals", "approve", &ids[0], &ids[1]]).done();
    assert_eq!(two, format!("{}  approved\n{}  approved\n", ids[0], ids[1]));
    let mixed = run(
        &desk,
        &["approvals", "deny", &ids[0], &ids[2], "--reason", "No."],
    );
    assert_eq!(mixed.status, 1);
    assert_eq!(mixed.out, format!("{}  denied\n", ids[2]));
    let refused = format!("{}  refused, already_decided: ", ids[0]);
    assert!(mixed.error.starts_with(&refused), "{}", mixed.error);
    assert_eq!(mixed.error.lines().count(), 1);
    let back = run(&desk, &["approvals", "revoke", &ids[0]]).done();
    assert_eq!(back, format!("{}  revoked\n", ids[0]));
    let json = run(&desk, &["approvals", "deny", &ids[0], "--json"]);
    assert_eq!(json.status, 1);
    let value: Value = serde_json::from_str(json.out.trim()).unwrap();
    assert_eq!(value["error"]["code"], "already_decided");
    // Alone, at once, and with a reason.
    let own = with(
        question(7),
        json!({ "approvals": 3, "subject": "ana@example.com" }),
    );
    let own = id(&desk.ask(&own));
    let glass = ["approvals", "approve", &*own, "--break-glass"];
    assert_eq!(run(&desk, &glass).status, 2);
    let glass = [&glass[..], &["--reason", "Fire."]].concat();
    assert_eq!(run(&desk, &glass).done(), format!("{own}  approved\n"));
    let shown = run(&desk, &["approvals", "show", &own]).done();
    assert!(
        shown.contains("approve, BREAKING THE GLASS: \"Fire.\""),
        "{shown}"
    );
}

#[test]
fn nothing_that_callers_write_controls_the_terminal() {
    let folder = Folder::new();
    let desk = start(&folder);
    let hostile = "a\u{1b}[2J\u{9b}31m\r\n\u{202e}b";
    let asked = with(
        question(1),
        json!({
            "subject": hostile, "path": hostile, "model": hostile, "rule": hostile,
            "headers": { hostile: hostile }, "client": hostile, hostile: hostile,
            "reviewers": ["ml-leads", hostile], "found": [hostile],
        }),
    );
    let one = id(&desk.ask(&asked));
    let mut watching = watching::watch(desk.http);
    let seen = watching.line();
    watching.stop();
    let list = &["approvals", "list"][..];
    let show = &["approvals", "show", &*one];
    let json = |arguments: &[&str]| run(&desk, &[arguments, &["--json"]].concat()).done();
    for text in [
        run(&desk, list).done(),
        run(&desk, show).done(),
        json(list),
        json(show),
        seen,
    ] {
        let controls = |one: char| (one.is_control() && one != '\n') || one == '\u{202e}';
        assert!(!text.contains(controls), "{text:?}");
        assert!(text.contains("[2J"), "{text}");
    }
    let shown: Value = serde_json::from_str(json(show).trim()).unwrap();
    assert_eq!(shown["subject"], hostile);
}

#[test]
fn grants_access_blocks_and_delegations_have_commands() {
    let folder = Folder::new();
    let desk = start(&folder);
    assert_eq!(
        run(&desk, &["grants", "list"]).done(),
        "There are no grants.\n"
    );
    assert_eq!(run(&desk, &["blocks"]).done(), "Nobody is blocked.\n");
    let wanted = run(
        &desk,
        &[
            "access",
            "request",
            "--operation",
            "model.export",
            "--model",
            "big",
            "--rule",
            "export-needs-a-person",
            "--reviewers",
            "ml-leads",
            "--for",
            "30m",
            "--reason",
            "Tonight.",
        ],
    );
    let wanted = wanted.done();
    let (wanted, state) = wanted.trim().split_once("  ").unwrap();
    assert_eq!(state, "pending");
    let shown = run(&desk, &["approvals", "show", wanted]).done();
    for part in [
        "ahead of need by ana",
        "Purpose     Tonight.",
        "any number of uses within 30m",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let own = run(&desk, &["approvals", "approve", wanted]);
    assert_eq!(own.status, 1);
    assert!(own.error.contains("own_request"), "{}", own.error);
    let by_bob = |arguments: &[&str]| {
        said(
            to(desk.http, arguments)
                .env("PORTCULLIS_KEY", BOB)
                .output()
                .unwrap(),
        )
    };
    by_bob(&["approvals", "approve", wanted]).done();
    let grants = run(&desk, &["grants", "list"]).done();
    let line = grants.lines().nth(1).unwrap();
    for part in [
        wanted,
        "any",
        "ana@example.com",
        "export-needs-a-person",
        "bob",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    let revoked = by_bob(&["grants", "revoke", wanted]).done();
    assert_eq!(revoked, format!("{wanted}  revoked\n"));
    assert_eq!(
        run(&desk, &["grants", "list"]).done(),
        "There are no grants.\n"
    );

    let blocked = run(
        &desk,
        &[
            "block",
            "--subject",
            "mallory",
            "--for",
            "1h",
            "--reason",
            "Lost.",
        ],
    );
    let blocked = blocked.done();
    let block = blocked.trim().strip_suffix("  blocked").unwrap();
    let blocks = run(&desk, &["blocks"]).done();
    let line = blocks.lines().nth(1).unwrap();
    for part in [block, "mallory", "ana", "Lost."] {
        assert!(line.contains(part), "{part}: {line}");
    }
    run(&desk, &["unblock", block]).done();
    assert_eq!(run(&desk, &["blocks"]).done(), "Nobody is blocked.\n");
    let one = |subject| {
        let block = ["block", "--subject", subject, "--reason", "Lost."];
        let said = run(&desk, &block).done();
        said.trim().strip_suffix("  blocked").unwrap().to_owned()
    };
    let (first, last) = (one("mallory"), one("trudy"));
    let some = run(&desk, &["unblock", &first, block, &last]);
    assert_eq!(some.status, 1);
    let done = "is no longer blocked";
    assert_eq!(some.out, format!("{first}  {done}\n{last}  {done}\n"));
    assert!(some.error.starts_with(block), "{}", some.error);
    assert_eq!(some.error.lines().count(), 1, "{}", some.error);
    let json = run(&desk, &["unblock", block, "--json"]);
    assert_eq!(json.status, 1);
    let value: Value = serde_json::from_str(json.out.trim()).unwrap();
    assert_eq!(value["id"], *block);
    assert!(value["error"]["message"].is_string());
    assert_eq!(run(&desk, &["block", "--reason", "Whom?"]).status, 2);

    let delegate = [
        "approvals",
        "delegate",
        "--to",
        "bob",
        "--group",
        "ml-leads",
        "--for",
        "2h",
    ];
    let made = run(&desk, &delegate).done();
    let made = made.trim().strip_suffix("  delegated").unwrap();
    let listed = run(&desk, &["approvals", "delegations"]).done();
    assert!(listed.contains(made) && listed.contains("bob"), "{listed}");
    run(&desk, &["approvals", "undelegate", made]).done();
    let listed = run(&desk, &["approvals", "delegations"]).done();
    assert_eq!(listed, "There are no delegations.\n");
}
