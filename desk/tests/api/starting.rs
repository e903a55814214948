use std::net::TcpListener;
use std::path::Path;
use std::sync::Barrier;

use portcullis_desk::store::{Durability, Store};
use serde_json::json;

use crate::client::call;
use crate::harness::{ANA, BOB, Desk, EDGE, Folder, command, question, with};

/// Starts a desk that can't run; returns what it says.
fn failure(listen: &str, grpc: &str, store: &Path, config: &Path) -> String {
    let output = command()
        .args(["desk", "--listen", listen, "--grpc", grpc])
        .arg("--store")
        .arg(store)
        .arg("--config")
        .arg(config)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    // It may have done something before.
    let errors: Vec<_> = said
        .lines()
        .filter(|line| !line.contains(" INFO "))
        .collect();
    let [error] = errors[..] else {
        panic!("expected one error: {said}");
    };
    assert!(error.starts_with("portcullis: "), "{said}");
    format!("{error}\n")
}

/// The same, wherever it would listen.
pub fn failure_of(store: &Path, config: &Path) -> String {
    failure(ANY, ANY, store, config)
}

const ANY: &str = "127.0.0.1:0";

#[test]
fn a_taken_port_is_named() {
    let folder = Folder::new();
    let taken = TcpListener::bind(ANY).unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let said = failure(&taken, ANY, &folder.store(), &folder.config());
    assert!(
        said.contains(&format!("--listen {taken}")) && said.contains("in use"),
        "{said}"
    );
    let said = failure(ANY, &taken, &folder.store(), &folder.config());
    assert!(
        said.contains(&format!("--grpc {taken}")) && said.contains("in use"),
        "{said}"
    );
}

#[test]
fn an_unusable_store_is_named() {
    let folder = Folder::new();
    let config = folder.config();
    let nowhere = folder.file("missing/desk.sqlite");
    let text = folder.write("text.sqlite", &"not a database ".repeat(100));
    let newer = folder.file("newer.sqlite");
    rusqlite::Connection::open(&newer)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    for (store, why) in [
        (&nowhere, "No such file"),
        (&text, "not a database"),
        (&newer, "a later version"),
    ] {
        let said = failure(ANY, ANY, store, &config);
        assert!(
            said.contains(&store.display().to_string()) && said.contains(why),
            "{said}"
        );
    }
}

#[test]
fn a_wrong_configuration_is_refused_without_showing_a_key() {
    let folder = Folder::new();
    let secret = "a-very-secret-key-of-somebody";
    let filter = json!({ "name": "edge", "key": secret });
    let reviewer = json!({ "name": "ana", "groups": ["ml-leads"], "key": "another-secret-key" });
    let refused = |filters: serde_json::Value, reviewers: serde_json::Value, expected: &str| {
        let text = json!({ "filters": filters, "reviewers": reviewers }).to_string();
        let config = folder.write("wrong.json", &text);
        let said = failure(ANY, ANY, &folder.store(), &config);
        assert!(
            said.contains("wrong.json: ") && said.contains(expected),
            "{expected}: {said}"
        );
        assert!(!said.contains(secret), "{said}");
    };
    let filters = |changes| json!([with(filter.clone(), changes)]);
    let reviewers = |changes| json!([with(reviewer.clone(), changes)]);
    let unset = json!({ "key": "${PORTCULLIS_TEST_UNSET}" });
    refused(
        filters(unset),
        json!([]),
        "${PORTCULLIS_TEST_UNSET}, which is not set",
    );
    refused(
        filters(json!({ "key": "${}" })),
        json!([]),
        "/filters/0/key",
    );
    refused(
        filters(json!({ "key": "${DESK_KEY" })),
        json!([]),
        "/filters/0/key",
    );
    refused(
        filters(json!({ "key": "short" })),
        json!([]),
        "a key of 5 bytes",
    );
    refused(
        filters(json!({ "key": format!("{secret} x") })),
        json!([]),
        "without spaces",
    );
    refused(filters(json!({ "name": "" })), json!([]), "/filters/0/name");
    refused(
        filters(json!({ "kye": 1 })),
        json!([]),
        "unknown field `kye`",
    );
    refused(json!([]), json!([]), "/filters");
    refused(json!(secret), json!([]), "expected a sequence");
    refused(json!([filter, filter]), json!([]), "/filters/1/name");
    let same_key = json!({ "key": secret });
    refused(json!([filter]), reviewers(same_key), "/reviewers/0/key");
    refused(
        json!([filter]),
        reviewers(json!({ "groups": [] })),
        "/reviewers/0/groups",
    );
    refused(
        json!([filter]),
        reviewers(json!({ "groups": [""] })),
        "/reviewers/0/groups/0",
    );
    let linked = json!({ "issuer": "i", "subject": "s" });
    for (wrong, at) in [
        (
            json!({ "subjects": [{ "issuer": "", "subject": "s" }] }),
            "/reviewers/0/subjects/0/issuer",
        ),
        (
            json!({ "subjects": [linked, linked] }),
            "/reviewers/0/subjects/1/subject",
        ),
        (
            json!({ "subjects": vec![linked; 65] }),
            "/reviewers/0/subjects",
        ),
        (json!({ "email": "" }), "/reviewers/0/email"),
        (json!({ "blocks": "yes" }), "expected a boolean"),
    ] {
        refused(json!([filter]), reviewers(wrong), at);
    }
    refused(
        json!([filter]),
        json!([reviewer, reviewer]),
        "/reviewers/1/name",
    );

    let config = folder.write("wrong.json", r#"{"filters":[],"filters":[]}"#);
    assert!(failure(ANY, ANY, &folder.store(), &config).contains("duplicate field"));
    let missing = folder.file("missing.json");
    assert!(failure(ANY, ANY, &folder.store(), &missing).contains("missing.json can't be read"));
}

#[test]
fn a_reviewer_whose_own_requests_cannot_be_told_is_named() {
    let folder = Folder::new();
    let linked = json!([{ "issuer": "i", "subject": "s" }]);
    let config = folder.config_but(json!({ "reviewers": [
        { "name": "ana", "groups": ["ml-leads"], "key": ANA, "subjects": linked },
        { "name": "bob", "groups": ["legal"], "key": BOB },
    ] }));
    let desk = Desk::start_with(&config, &folder.store());
    let (_, log) = desk.stop();
    let warning = log.lines().find(|line| line.contains("can't be told"));
    let warning = warning.unwrap();
    assert!(warning.contains("bob") && !log.contains("ana"), "{log}");
}

#[test]
fn nothing_that_is_secret_is_logged() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = desk.ask(&question(1));
    desk.decide(asked["id"].as_str().unwrap(), "approve", ANA)
        .ok();
    let wrong = "a-wrong-key-of-a-stranger";
    assert_eq!(
        call(desk.http, "GET", "/v1/approvals", Some(wrong), None).status,
        401
    );
    let (status, log) = desk.stop();
    assert!(status.success());
    assert!(
        log.contains("an approval was decided") && log.contains("the desk is closing"),
        "{log}"
    );
    for secret in [EDGE, ANA, BOB, wrong] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[cfg(unix)]
fn mode(folder: &Folder, name: &str) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(folder.file(name)).unwrap();
    metadata.permissions().mode() & 0o777
}

#[cfg(unix)]
#[test]
fn the_store_is_for_its_owner_only() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    desk.ask(&question(1));
    for name in ["desk.sqlite", "desk.sqlite-wal", "desk.sqlite-shm"] {
        assert_eq!(mode(&folder, name), 0o600, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn a_store_that_exists_keeps_its_permissions() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let store = folder.write("desk.sqlite", "");
    std::fs::set_permissions(&store, PermissionsExt::from_mode(0o640)).unwrap();
    for asked in 1..=2 {
        let desk = Desk::start(&folder);
        desk.ask(&question(asked));
        for name in ["desk.sqlite", "desk.sqlite-wal", "desk.sqlite-shm"] {
            assert_eq!(mode(&folder, name), 0o640, "{name}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_link_to_a_store_that_is_not_there_yet_is_followed() {
    let folder = Folder::new();
    std::fs::create_dir(folder.file("data")).unwrap();
    std::os::unix::fs::symlink("data/store", folder.store()).unwrap();
    let asked = {
        let desk = Desk::start(&folder);
        assert_eq!(mode(&folder, "data/store"), 0o600);
        desk.ask(&question(1))
    };
    assert_eq!(Desk::start(&folder).ask(&question(1)), asked);
}

#[test]
fn connections_that_open_a_new_store_at_once_wait_for_each_other() {
    let folder = Folder::new();
    for round in 0..50 {
        let store = Store::create(&folder.file(&format!("{round}.sqlite"))).unwrap();
        let barrier = Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    barrier.wait();
                    store.connect(Durability::Normal).unwrap();
                });
            }
        });
    }
}

#[test]
fn a_store_is_a_file_whatever_its_name_means_to_sqlite() {
    let folder = Folder::new();
    let config = folder.config();
    for name in [":memory:", "file:desk?mode=memory"] {
        let start = || Desk::start_in(folder.path(), &config, Path::new(name));
        let asked = start().ask(&question(1));
        assert_eq!(start().ask(&question(1)), asked, "{name}");
        assert!(folder.file(name).is_file(), "{name}");
    }
}

#[test]
fn health_needs_no_key() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let health = call(desk.http, "GET", "/healthz", None, None).ok();
    assert_eq!(health["status"], "ok");
    assert_eq!(health["records"]["stored"], 0);
}

#[test]
fn the_help_names_every_option() {
    let help = |arguments: &[&str]| {
        let output = command().args(arguments).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    let text = help(&["--help"]);
    assert!(text.contains("desk") && text.contains("check"), "{text}");
    let text = help(&["desk", "--help"]);
    for option in [
        "--listen",
        "--grpc",
        "--store",
        "--ledger",
        "--keys",
        "--witness",
        "--config",
        "127.0.0.1:7070",
        "127.0.0.1:7071",
        "${DESK_KEY}",
    ] {
        assert!(text.contains(option), "{option}: {text}");
    }
    assert!(help(&["check", "--help"]).contains("--env"));
    assert_eq!(
        command()
            .arg("desk")
            .arg("--lisen")
            .output()
            .unwrap()
            .status
            .code(),
        Some(2)
    );
}
