//! The desk as its OpenAPI document has it: every operation is called, and every request and answer is held
//! against the document.

use std::cell::RefCell;
use std::collections::BTreeSet;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::client::{Answer, call};
use crate::harness::{ANA, BOB, Desk, EDGE, Folder, INNER, id, with};

const CAROL: &str = "the-key-of-the-reviewer-carol";

/// A desk whose calls are compared with the document.
struct Held {
    desk: Desk,
    document: Value,
    /// What was seen: operation, status, and the code of an error.
    seen: RefCell<BTreeSet<(String, u16, String)>>,
}

impl Held {
    fn start(folder: &Folder) -> Self {
        let config = folder.config_changed(json!({ "reviewers": [
            {
                "name": "ana", "groups": ["ml-leads", "heads"], "key": ANA, "blocks": true,
                "quotas": true,
                "break_glass": true,
                "subjects": [{ "issuer": "https://idp.example", "subject": "ana@example.com" }],
            },
            { "name": "bob", "groups": ["ml-leads"], "key": BOB },
            {
                "name": "carol", "groups": ["finance"], "key": CAROL,
                "subjects": [{ "issuer": "https://idp.example", "subject": "carol" }],
            },
        ]}));
        let printed = crate::harness::command().arg("openapi").output().unwrap();
        Self {
            desk: Desk::start_with(&config, &folder.store()),
            document: serde_json::from_slice(&printed.stdout).unwrap(),
            seen: RefCell::default(),
        }
    }

    fn validator(&self, schema: &Value) -> Validator {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": self.document["components"],
            "allOf": [schema],
        });
        jsonschema::draft202012::new(&whole).unwrap()
    }

    fn check(&self, what: &str, content: &Value, body: &Value) {
        let schema = &content["application/json"]["schema"];
        assert!(schema.is_object(), "{what} has no schema");
        if let Err(error) = self.validator(schema).validate(body) {
            panic!("{what}: {}: {error}\n{body:#}", error.instance_path());
        }
    }

    /// The operation that a call is, with the path as the document has it.
    fn operation(&self, method: &str, target: &str) -> &Value {
        let path = target.split('?').next().unwrap();
        let paths = self.document["paths"].as_object().unwrap();
        let fits = |pattern: &str| {
            let (pattern, path) = (pattern.split('/'), path.split('/'));
            pattern.clone().count() == path.clone().count()
                && pattern
                    .zip(path)
                    .all(|(one, other)| one == "{id}" || one == other)
        };
        let found = paths.iter().find(|(pattern, _)| fits(pattern));
        let found = found.unwrap_or_else(|| panic!("{target} is not in the document"));
        let operation = &found.1[method.to_lowercase()];
        assert!(
            operation.is_object(),
            "{method} {target} is not in the document"
        );
        operation
    }

    /// Calls the desk; what is sent must be as the document has it, unless the desk doesn't take it.
    fn call(&self, method: &str, target: &str, key: &str, body: Option<&Value>) -> Answer {
        let text = body.map(Value::to_string);
        let answer = call(self.desk.http, method, target, Some(key), text.as_deref());
        self.held(method, target, body, answer)
    }

    fn held(&self, method: &str, target: &str, body: Option<&Value>, answer: Answer) -> Answer {
        let operation = self.operation(method, target);
        let name = operation["operationId"].as_str().unwrap().to_owned();
        let taken = answer.status == 200;
        let sent = &operation["requestBody"];
        if let Some(body) = body.filter(|_| taken) {
            self.check(&format!("{name}, sent"), &sent["content"], body);
        } else if taken {
            assert_ne!(sent["required"], true, "{name} went without a body");
        }
        let query = target.split_once('?').map_or("", |(_, query)| query);
        for pair in query.split('&').filter(|pair| taken && !pair.is_empty()) {
            let known = operation["parameters"].as_array().unwrap();
            let named = |one: &&Value| one["name"] == pair.split('=').next().unwrap();
            assert!(known.iter().any(|one| named(&one)), "{name}: {pair}");
        }
        let response = &operation["responses"][answer.status.to_string()];
        assert!(
            response.is_object(),
            "{name} has no {}: {}",
            answer.status,
            answer.body
        );
        let content = &response["content"];
        let what = format!("{name}, {}", answer.status);
        self.check(&what, content, &answer.json());
        let mut code = String::new();
        if !taken {
            code = answer.refusal().1;
            let examples = &content["application/json"]["examples"];
            assert!(examples[&code].is_object(), "{what} has no {code}");
        }
        self.seen.borrow_mut().insert((name, answer.status, code));
        answer
    }

    fn post(&self, target: &str, key: &str, body: &Value) -> Answer {
        self.call("POST", target, key, Some(body))
    }

    fn ask(&self, question: &Value) -> Value {
        self.post("/v1/approvals", EDGE, question).ok()
    }

    fn decide(&self, id: &str, how: &str, key: &str) -> Answer {
        let target = format!("/v1/approvals/{id}/{how}");
        self.post(&target, key, &json!({ "reason": "Seen." }))
    }

    fn claim(&self, approval: &str, claim: u64, question: &Value) -> Answer {
        let body = json!({
            "claim": format!("{claim:032x}"),
            "binding": question["binding"],
            "exchange": question["exchange"],
        });
        self.post(&format!("/v1/approvals/{approval}/claim"), EDGE, &body)
    }

    /// What the document says that may come back, and what did.
    fn unseen(&self, tag: &str) -> Vec<String> {
        let seen = self.seen.borrow();
        let paths = self.document["paths"].as_object().unwrap();
        let operations = paths
            .values()
            .flat_map(|path| path.as_object().unwrap().values());
        let mut unseen = Vec::new();
        for operation in operations.filter(|one| one["tags"][0] == tag) {
            let name = operation["operationId"].as_str().unwrap();
            for (status, response) in operation["responses"].as_object().unwrap() {
                let number: u16 = status.parse().unwrap();
                let examples: &Map<_, _> = response["content"]["application/json"]["examples"]
                    .as_object()
                    .unwrap();
                let codes = match number {
                    200 => vec![String::new()],
                    _ => examples.keys().cloned().collect(),
                };
                for code in codes {
                    if !seen.contains(&(name.to_owned(), number, code.clone())) {
                        unseen.push(format!("{name} {number} {code}"));
                    }
                }
            }
        }
        unseen
    }
}

/// The question of the document's example, told apart by `number`.
fn question(held: &Held, number: u64) -> Value {
    let asked = &held.document["paths"]["/v1/approvals"]["post"];
    let example = &asked["requestBody"]["content"]["application/json"]["examples"]["request"];
    let changes = json!({ "binding": format!("{number:064x}"), "reason": "optional" });
    with(example["value"].clone(), changes)
}

#[test]
fn what_filters_call_is_as_the_document_has_it() {
    let folder = Folder::new();
    let held = Held::start(&folder);
    let asked = question(&held, 1);
    let first = held.ask(&asked);
    let one = id(&first);
    assert_eq!(first["state"], "pending");
    let asker = asked["asker"].as_str().unwrap();
    let wait = format!("/v1/approvals/{one}?wait=0&asker={asker}");
    assert_eq!(held.call("GET", &wait, EDGE, None).ok()["state"], "pending");
    let page = held.call("GET", "/v1/approvals?state=pending&limit=1", ANA, None);
    assert_eq!(page.ok()["approvals"][0]["id"], *one);
    assert_eq!(held.claim(&one, 1, &asked).ok()["state"], "pending");
    assert_eq!(held.decide(&one, "approve", ANA).ok()["state"], "approved");
    assert_eq!(
        held.call("GET", &wait, EDGE, None).ok()["state"],
        "approved"
    );
    assert_eq!(held.claim(&one, 1, &asked).ok()["state"], "claimed");
    assert_eq!(held.claim(&one, 1, &asked).ok()["state"], "claimed");
    assert_eq!(held.claim(&one, 2, &asked).ok()["state"], "used");
    let back = json!({ "claim": format!("{:032x}", 1), "why": "status_5xx" });
    let give_back = format!("/v1/approvals/{one}/give_back");
    assert_eq!(held.post(&give_back, EDGE, &back).ok()["state"], "approved");
    assert_eq!(
        held.claim(&one, 1, &asked).refusal(),
        (409, "given_back".to_owned())
    );
    let other = with(asked.clone(), json!({ "binding": "0".repeat(64) }));
    assert_eq!(
        held.claim(&one, 3, &other).refusal(),
        (409, "not_covered".to_owned())
    );
    let unknown = json!({ "claim": format!("{:032x}", 9), "why": "unanswered" });
    assert_eq!(
        held.post(&give_back, EDGE, &unknown).ok()["state"],
        "approved"
    );
    assert_eq!(
        held.claim(&one, 9, &asked).refusal(),
        (409, "given_back".to_owned())
    );

    let left = id(&held.ask(&question(&held, 2)));
    let cancel = json!({ "asker": asker });
    let target = format!("/v1/approvals/{left}/cancel");
    assert_eq!(held.post(&target, EDGE, &cancel).ok()["state"], "pending");
    let seen = held
        .call("GET", &format!("/v1/approvals/{left}"), ANA, None)
        .ok();
    assert_eq!(seen["waiting"], 0);

    let standing = held.call("GET", "/v1/standing", EDGE, None).ok();
    let revision = standing["revision"].as_str().unwrap();
    let again = format!("/v1/standing?since={revision}&wait=0");
    assert_eq!(held.call("GET", &again, EDGE, None).ok()["unchanged"], true);

    let newer = with(question(&held, 3), json!({ "surprise": { "deep": [1] } }));
    let newer = id(&held.ask(&newer));
    let shown = held
        .call("GET", &format!("/v1/approvals/{newer}"), ANA, None)
        .ok();
    assert_eq!(
        shown["surprise"]["deep"][0], 1,
        "what isn't known is carried"
    );

    answers_are_kept(&held, asker);
    for (method, target, body) in [
        (
            "POST",
            "/v1/approvals/x/claim",
            Some(
                json!({ "claim": "0".repeat(32), "binding": "0".repeat(64), "exchange": "0".repeat(32) }),
            ),
        ),
        ("POST", "/v1/approvals/x/give_back", Some(back.clone())),
        ("POST", "/v1/approvals/x/cancel", Some(cancel)),
        ("GET", "/v1/approvals/x", None),
    ] {
        let answer = held.call(method, target, EDGE, body.as_ref());
        assert_eq!(answer.refusal(), (404, "not_found".to_owned()), "{target}");
    }
    // Another filter knows nothing of it.
    assert_eq!(held.call("GET", &wait, INNER, None).status, 404);
    wrong_ones_are_refused(&held, true);
    let ask = |number| held.post("/v1/approvals", EDGE, &question(&held, number));
    let mut answers = (100..=200).map(ask);
    let last = answers.find(|answer| answer.status != 200).unwrap();
    assert_eq!(last.refusal(), (429, "too_many_pending".to_owned()));
    assert!(last.head.contains("retry-after: "), "{}", last.head);
    what_is_not_seen_is_known(&held, "filters");
}

#[test]
fn what_people_call_is_as_the_document_has_it() {
    let folder = Folder::new();
    let held = Held::start(&folder);
    let mut number = 0;
    let mut asked = |changes: Value| {
        number += 1;
        id(&held.ask(&with(question(&held, number), changes)))
    };
    // Several people, and each once.
    let two = asked(json!({ "approvals": 2, "reason": "required" }));
    let silent = held.call("POST", &format!("/v1/approvals/{two}/approve"), ANA, None);
    assert_eq!(silent.refusal(), (400, "reason_required".to_owned()));
    assert_eq!(held.decide(&two, "approve", ANA).ok()["state"], "pending");
    let again = held.decide(&two, "approve", ANA).refusal();
    assert_eq!(again, (409, "already_approved_by_you".to_owned()));
    let early = held.decide(&two, "revoke", ANA).refusal();
    assert_eq!(early, (409, "not_decided".to_owned()));
    assert_eq!(held.decide(&two, "approve", BOB).ok()["state"], "approved");
    for how in ["approve", "deny"] {
        let late = held.decide(&two, how, BOB).refusal();
        assert_eq!(late, (409, "already_decided".to_owned()), "{how}");
    }
    let silent = held.call("POST", &format!("/v1/approvals/{two}/revoke"), ANA, None);
    assert_eq!(silent.refusal(), (400, "reason_required".to_owned()));
    assert_eq!(held.decide(&two, "revoke", BOB).ok()["state"], "revoked");
    let again = held.decide(&two, "revoke", BOB).refusal();
    assert_eq!(again, (409, "already_decided".to_owned()));
    let denied = asked(json!({ "reason": "required" }));
    for how in ["deny", "revoke"] {
        let target = format!("/v1/approvals/{denied}/{how}");
        held.call("POST", &target, ANA, None);
    }
    assert_eq!(held.decide(&denied, "deny", ANA).ok()["state"], "denied");

    let page = held.call("GET", "/v1/approvals?state=denied&limit=1", ANA, None);
    assert_eq!(page.ok()["approvals"][0]["id"], *denied);

    // Who may.
    let own = asked(json!({ "reviewers": ["ml-leads", "finance"] }));
    for how in ["approve", "deny", "revoke"] {
        let answer = held.decide(&own, how, CAROL).refusal();
        assert_eq!(answer, (403, "own_request".to_owned()), "{how}");
    }
    let others = asked(json!({}));
    for how in ["approve", "deny", "revoke"] {
        let answer = held.decide(&others, how, CAROL).refusal();
        assert_eq!(answer, (403, "not_your_group".to_owned()), "{how}");
        assert_eq!(
            held.decide("x", how, ANA).refusal(),
            (404, "not_found".to_owned())
        );
    }
    let glass = json!({ "reason": "The model server is on fire.", "break_glass": true });
    let target = format!("/v1/approvals/{others}/approve");
    assert_eq!(
        held.post(&target, BOB, &glass).refusal(),
        (403, "no_break_glass".to_owned())
    );
    let broken = held.post(&target, ANA, &glass).ok();
    assert_eq!(broken["decisions"][0]["break_glass"], true);

    // Used up, and over.
    let question_of = question(&held, 900);
    let used = id(&held.ask(&question_of));
    held.decide(&used, "approve", ANA).ok();
    held.claim(&used, 1, &question_of).ok();
    assert_eq!(
        held.decide(&used, "revoke", ANA).refusal(),
        (409, "used".to_owned())
    );
    let short = asked(json!({ "expires": 1 }));
    held.desk.until(&format!("/v1/approvals/{short}"), |seen| {
        seen["state"] == "expired"
    });
    for how in ["approve", "deny", "revoke"] {
        let late = held.decide(&short, how, ANA).refusal();
        assert_eq!(late, (409, "expired".to_owned()), "{how}");
    }

    // Many at once.
    let bulk = json!({ "ids": [asked(json!({})), "x"], "decision": "approve", "reason": "Seen." });
    let results = held.post("/v1/decisions", ANA, &bulk).ok();
    assert_eq!(results["results"][0]["state"], "approved");
    assert_eq!(results["results"][1]["error"]["code"], "not_found");

    // Ahead of need.
    let access = json!({
        "rule": "export-needs-a-person", "operation": "model.export", "model": "big", "for": 60,
        "reviewers": ["ml-leads"], "reason": "Tonight.",
    });
    let wanted = id(&held.post("/v1/access", CAROL, &access).ok());
    held.decide(&wanted, "approve", ANA).ok();
    let mut group = access.clone();
    group
        .as_object_mut()
        .unwrap()
        .retain(|name, _| !["model", "for"].contains(&name.as_str()));
    let more = json!({ "group": "ml-ops", "models": "any", "calendar": crate::ahead::always() });
    let group = id(&held.post("/v1/access", CAROL, &with(group, more)).ok());
    held.decide(&group, "deny", ANA).ok();
    let window = asked(json!({ "grant": { "for": 60 }, "model": "small" }));
    held.decide(&window, "approve", ANA).ok();
    let grants = held.call("GET", "/v1/grants?limit=10", ANA, None).ok();
    assert_eq!(grants["grants"].as_array().unwrap().len(), 2, "{grants:#}");
    let standing = held.call("GET", "/v1/standing", EDGE, None).ok();
    assert_eq!(standing["grants"][0]["id"], *window, "{standing:#}");

    // Blocks and delegations.
    let block = json!({ "subject": "mallory", "for": 60, "reason": "Stolen." });
    let refused = held.post("/v1/blocks", BOB, &block).refusal();
    assert_eq!(refused, (403, "may_not_block".to_owned()));
    let block = id(&held.post("/v1/blocks", ANA, &block).ok());
    let token = json!({ "token_id": "jti-1", "issuer": "https://idp.example", "reason": "Lost." });
    held.post("/v1/blocks", ANA, &token).ok();
    let blocks = held.call("GET", "/v1/blocks", BOB, None).ok();
    assert_eq!(blocks["blocks"].as_array().unwrap().len(), 2);
    let standing = held.call("GET", "/v1/standing", EDGE, None).ok();
    assert_eq!(standing["blocks"].as_array().unwrap().len(), 2);
    let target = format!("/v1/blocks/{block}");
    assert_eq!(held.call("DELETE", &target, BOB, None).status, 403);
    held.call("DELETE", &target, ANA, None).ok();
    assert_eq!(held.call("DELETE", &target, ANA, None).status, 404);
    quotas_are_told_and_reset(&held);
    let delegation = json!({ "to": "carol", "groups": ["ml-leads"], "for": 60 });
    let delegation = id(&held.post("/v1/delegations", BOB, &delegation).ok());
    let listed = held.call("GET", "/v1/delegations", ANA, None).ok();
    assert_eq!(listed["delegations"][0]["to"], "carol");
    let target = format!("/v1/delegations/{delegation}");
    held.call("DELETE", &target, BOB, None).ok();
    assert_eq!(held.call("DELETE", &target, BOB, None).status, 404);
    wrong_ones_are_refused(&held, false);
    what_is_not_seen_is_known(&held, "reviewers");
}

/// What records told of quotas, and counts that are emptied.
fn quotas_are_told_and_reset(held: &Held) {
    let charge = |subject: &str, until: Value| {
        json!({
            "quota": "few", "limit": 4, "remaining": 1, "key": ["subject", "corp", subject], "at": 0,
            "until": until,
        })
    };
    let time = portcullis_desk::store::time_text(portcullis_desk::store::now());
    let told = json!({
        "version": 1, "id": "1a", "worker": "1b", "number": 1, "time": time,
        "verdict": { "charges": [charge("carol", json!(60_000)), charge("dan", Value::Null)] },
    });
    held.desk.post("/v1/records", EDGE, &told).ok();
    let page = held
        .call("GET", "/v1/quotas?near=75&limit=1", BOB, None)
        .ok();
    assert!(page["next"].is_string());
    let reset = |subject: &str| json!({ "quota": "few", "key": ["subject", "corp", subject], "for": 60, "reason": "A test." });
    let post = |key, reset: &Value| held.post("/v1/resets", key, reset);
    let refusals = [
        (BOB, "carol", (403, "may_not_reset")),
        (ANA, "ana@example.com", (403, "own_count")),
        (ANA, "dan", (409, "in_flight")),
    ];
    for (key, subject, (status, code)) in refusals {
        assert_eq!(
            post(key, &reset(subject)).refusal(),
            (status, code.to_owned())
        );
    }
    for _ in 0..8 {
        post(ANA, &reset("carol")).ok();
    }
    let full = post(ANA, &reset("carol")).refusal();
    assert_eq!(full, (429, "too_many_resets".to_owned()));
    let resets = held.call("GET", "/v1/resets?limit=7", BOB, None).ok();
    assert!(resets["next"].is_string());
    let standing = held.call("GET", "/v1/standing", EDGE, None).ok();
    assert_eq!(standing["resets"].as_array().unwrap().len(), 8);
}

/// An answer that waits is kept, found and fetched, or isn't.
fn answers_are_kept(held: &Held, asker: &str) {
    let about = |number| {
        let changes = json!({ "about": "answer", "found": ["email"] });
        id(&held.ask(&with(question(held, number), changes)))
    };
    let keep = json!({ "request": "7".repeat(64), "sealed": "c2VhbGVk", "keep": 60 });
    let put = |id: &str| held.post(&format!("/v1/approvals/{id}/answer"), EDGE, &keep);
    let fetch = |id: &str| held.call("GET", &format!("/v1/approvals/{id}/answer"), EDGE, None);
    let find = json!({ "request": "7".repeat(64), "asker": asker });
    let nobody = held.post("/v1/answers", EDGE, &find).refusal();
    assert_eq!(nobody, (404, "not_found".to_owned()));
    assert_eq!(put("x").refusal(), (404, "not_found".to_owned()));
    assert_eq!(fetch("x").refusal(), (404, "not_found".to_owned()));
    let other = id(&held.ask(&question(held, 20)));
    assert_eq!(put(&other).refusal(), (409, "no_answer".to_owned()));
    let waits = about(21);
    assert_eq!(put(&waits).ok()["state"], "pending");
    assert_eq!(fetch(&waits).refusal(), (409, "not_approved".to_owned()));
    held.decide(&waits, "approve", ANA).ok();
    let found = held.post("/v1/answers", EDGE, &find).ok();
    assert_eq!(
        (&found["id"], &found["state"]),
        (&json!(waits), &json!("approved"))
    );
    assert_eq!(fetch(&waits).ok()["sealed"], "c2VhbGVk");
    let standing = held.call("GET", "/v1/standing", EDGE, None).ok();
    assert_eq!(standing["answers"], json!(["7".repeat(32)]));
    let used = question(held, 21);
    held.claim(&waits, 21, &used).ok();
    assert_eq!(put(&waits).refusal(), (409, "used".to_owned()));
    let denied = about(22);
    held.decide(&denied, "deny", ANA).ok();
    assert_eq!(put(&denied).refusal(), (409, "already_decided".to_owned()));
    let changes = json!({ "about": "answer", "found": ["email"], "expires": 1 });
    let short = id(&held.ask(&with(question(held, 23), changes)));
    held.desk.until(&format!("/v1/approvals/{short}"), |seen| {
        seen["state"] == "expired"
    });
    assert_eq!(put(&short).refusal(), (409, "expired".to_owned()));
}

/// No key, another's key, and bodies and parameters that are none, wherever they can be.
fn wrong_ones_are_refused(held: &Held, filters: bool) {
    let paths = held.document["paths"].as_object().unwrap();
    for (path, operations) in paths {
        let target = path.replace("{id}", "x");
        for (method, operation) in operations.as_object().unwrap() {
            if (operation["tags"][0] == "filters") != filters {
                continue;
            }
            let method = method.to_uppercase();
            let (right, wrong) = if filters { (EDGE, ANA) } else { (ANA, EDGE) };
            let answer = call(held.desk.http, &method, &target, None, None);
            let answer = held.held(&method, &target, None, answer);
            assert_eq!(answer.refusal(), (401, "unauthorized".to_owned()));
            if operation["operationId"] != "look" {
                let answer = held.call(&method, &target, wrong, None);
                assert_eq!(answer.refusal(), (403, "wrong_key".to_owned()), "{target}");
            }
            if operation["requestBody"].is_object() {
                let answer = held.call(&method, &target, right, Some(&json!([7])));
                assert_eq!(answer.refusal(), (400, "malformed".to_owned()), "{target}");
                let large = match operation["operationId"] == "keepAnswer" {
                    true => 6_000_000,
                    false => 70_000,
                };
                let huge = json!({ "reason": "x".repeat(large) });
                let answer = held.call(&method, &target, right, Some(&huge));
                assert_eq!(answer.refusal(), (413, "too_large".to_owned()), "{target}");
            } else if operation["responses"]["400"].is_object() {
                let answer = held.call(&method, &format!("{target}?wait=x&limit=x"), right, None);
                assert_eq!(answer.refusal(), (400, "malformed".to_owned()), "{target}");
            }
        }
    }
}

/// What the stories leave out of the document: failures of the disk, clients that are too slow, certificates, and
/// limits that take thousands of calls.
fn what_is_not_seen_is_known(held: &Held, tag: &str) {
    let seldom = [
        "store_unavailable",
        "recorder_failing",
        "too_slow",
        "two_filters",
        "answers_full",
        "too_many_blocks",
        "too_many_delegations",
    ];
    let left_out = |one: &String| {
        let code = one.rsplit(' ').next().unwrap();
        // Too many that wait are tried as a filter.
        seldom.contains(&code) || one == "requestAccess 429 too_many_pending"
    };
    let unseen: Vec<String> = held
        .unseen(tag)
        .into_iter()
        .filter(|one| !left_out(one))
        .collect();
    assert!(
        unseen.is_empty(),
        "the document has what never came: {unseen:#?}"
    );
}
