use core::time::Duration;
use std::rc::Rc;

use serde_json::json;

use super::{Driven, code, compiled, reply, sets, token};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow};
use crate::testing::Memory;

#[test]
fn an_allowed_request_goes_on_with_the_service_credential_only() {
    let compiled = compiled(&json!({
        "upstream": {
            "credential": {"header": "authorization", "value": "Bearer ${KEY}"},
            "identity_headers": {"subject": "x-subject", "groups": "x-groups"},
        },
    }));
    let mut exchange = Driven::new(&compiled);
    let outcome = exchange.head(
        "GET",
        "/v1//models?a=b",
        &[("x-subject", "forged"), ("x-groups", "admin")],
        true,
    );
    assert_eq!(outcome.flow, Flow::Continue);
    for name in ["authorization", "x-subject", "x-groups"] {
        assert!(
            outcome
                .effects
                .contains(&Effect::RemoveRequestHeader(name.to_owned())),
            "{name}"
        );
    }
    assert_eq!(
        sets(&outcome, "authorization").unwrap(),
        "Bearer service-key"
    );
    assert_eq!(sets(&outcome, "x-subject").unwrap(), "jane");
    assert_eq!(sets(&outcome, "x-groups").unwrap(), "engineers");
    assert_eq!(sets(&outcome, ":path").unwrap(), "/v1/models?a=b");
    let record = exchange.record();
    assert_eq!(record["verdict"]["action"], "allow");
    assert_eq!(record["identity"]["subject"], "jane");
    assert_eq!(record["request"]["path"], "/v1/models");
    assert_eq!(record["number"], 7);
    assert!(!record.to_string().contains("service-key"));
}

#[test]
fn refusals_before_any_rule() {
    let compiled = compiled(&json!({}));
    for (headers, path, status, expected) in [
        (
            vec![("authorization", "Basic x")],
            "/v1/models",
            401,
            "token_missing",
        ),
        (
            vec![("authorization", "Bearer x.y.z")],
            "/v1/models",
            401,
            "token_malformed",
        ),
        (vec![], "/v1/%2fmodels", 400, "path_not_normal"),
    ] {
        let mut exchange = Driven::new(&compiled);
        let outcome = exchange.head("GET", path, &headers, true);
        assert_eq!(reply(&outcome).status, status);
        assert_eq!(code(&outcome), expected);
        assert_eq!(
            outcome.effects.len(),
            1,
            "a refused request's head is not changed"
        );
        let record = exchange.record();
        assert_eq!(record["verdict"]["code"], expected);
        assert_eq!(record["verdict"]["status"], status);
        assert!(record["identity"].is_null());
    }
}

#[test]
fn a_subject_that_is_no_header_value_is_refused() {
    let compiled = compiled(
        &json!({"upstream": {"identity_headers": {"subject": "x-subject", "groups": "x-groups"}}}),
    );
    for (subject, groups) in [
        ("a\r\nx-admin: 1", "g"),
        ("a\0", "g"),
        ("a", "g,admin"),
        ("a", "g\nh"),
    ] {
        let mut exchange = Driven::new(&compiled);
        let bearer = format!("Bearer {}", token(subject, &[groups]));
        let outcome = exchange.head("GET", "/v1/models", &[("authorization", &bearer)], true);
        assert_eq!(code(&outcome), "identity_not_a_header");
    }
}

#[test]
fn a_prompt_is_judged_only_when_it_is_whole() {
    let compiled = compiled(&json!({
        "patterns": {"probe": {"any_of": ["(?i)environment variables"]}},
        "limits": {"request_body": "1KiB"},
        "rules": [
            {"name": "no", "when": {"prompt": ["probe"]}, "then": "deny", "message": "Not that."},
            {"name": "all", "then": "allow"},
        ],
    }));
    let start = || {
        let mut exchange = Driven::new(&compiled);
        assert_eq!(exchange.chat().flow, Flow::Hold);
        assert!(exchange.wants_body());
        exchange
    };
    let mut exchange = start();
    assert_eq!(
        exchange
            .handle(Event::RequestPiece {
                held: 10,
                end: false
            })
            .flow,
        Flow::Hold
    );
    let outcome =
        exchange.whole(r#"{"messages":[{"role":"user","content":"print environment variables"}]}"#);
    assert_eq!(code(&outcome), "denied");
    assert!(reply(&outcome).body.contains("Not that."));
    assert_eq!(exchange.record()["verdict"]["rule"], "no");

    let mut exchange = start();
    assert_eq!(
        exchange.whole(r#"{"model":"m","messages":[]}"#).flow,
        Flow::Continue
    );
    assert_eq!(exchange.record()["request"]["model"], "m");

    assert_eq!(code(&start().whole("{")), "body_malformed");
    assert_eq!(
        code(&start().handle(Event::RequestPiece {
            held: 1025,
            end: false
        })),
        "request_too_large"
    );
    assert_eq!(code(&start().whole(&" ".repeat(1025))), "request_too_large");

    for (headers, expected) in [
        (
            vec![("content-type", "text/plain; charset=utf-16")],
            "media_type_not_supported",
        ),
        (
            vec![
                ("content-type", "application/json"),
                ("content-encoding", "compress"),
            ],
            "encoding_not_supported",
        ),
        (
            vec![
                ("content-type", "application/json"),
                ("content-length", "1025"),
            ],
            "request_too_large",
        ),
    ] {
        let mut exchange = Driven::new(&compiled);
        let outcome = exchange.head("POST", "/v1/chat/completions", &headers, false);
        assert_eq!(code(&outcome), expected);
    }
    let mut exchange = Driven::new(&compiled);
    let outcome = exchange.head(
        "POST",
        "/v1/chat/completions",
        &[("content-type", "application/json")],
        true,
    );
    assert_eq!(outcome.flow, Flow::Continue, "nothing is asked for");
    let outcome = Driven::new(&compiled).head("GET", "/nowhere", &[], true);
    assert_eq!(code(&outcome), "denied");
}

#[test]
fn quotas_count_requests_and_items_and_give_back_what_did_not_pass() {
    let compiled = compiled(&json!({
        "quotas": {
            "calls": {"by": ["subject"], "count": "requests", "limit": 3, "per": "1h"},
            "items": {"by": ["subject", "model"], "count": "items", "limit": 5, "per": "1h"},
        },
        "rules": [{"name": "all", "then": "allow", "quota": ["calls", "items"]}],
    }));
    let store = Driven::new(&compiled).store;
    let ask = |inputs: usize| {
        let mut exchange = Driven::new(&compiled);
        exchange.store = Rc::clone(&store);
        let head = exchange.head(
            "POST",
            "/v1/embeddings",
            &[("content-type", "application/json")],
            false,
        );
        assert_eq!(head.flow, Flow::Hold);
        exchange.whole(&json!({"model": "m", "input": vec!["x"; inputs]}).to_string())
    };
    assert_eq!(ask(4).flow, Flow::Continue);
    let refused = ask(2);
    assert_eq!(code(&refused), "quota_exceeded");
    let reply_ = reply(&refused);
    assert_eq!(reply_.status, 429);
    let retry: u64 = reply_
        .headers
        .iter()
        .find(|(name, _)| *name == "retry-after")
        .unwrap()
        .1
        .parse()
        .unwrap();
    assert!((1..=3900).contains(&retry));
    assert_eq!(code(&ask(6)), "quota_too_small");
    // The two refusals gave their requests back: two more pass.
    assert_eq!(ask(1).flow, Flow::Continue);
    assert_eq!(code(&ask(1)), "quota_exceeded");
}

#[test]
fn what_is_to_be_counted_is_refused_until_the_workers_can_count_together() {
    let policy = json!({
        "version": 1,
        "identity": {"providers": [{
            "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
            "keys": {"jwks": {"keys": [crate::testing::ec_public(1, "a")]}},
        }]},
        "quotas": {"calls": {"by": ["subject"], "count": "requests", "limit": 3, "per": "1h"}},
        "rules": [{"name": "all", "then": "allow", "quota": ["calls"]}],
    });
    let compiled = CompiledPolicy::load(&policy.to_string(), &|_| None).unwrap();
    let unshared = compiled.join(&Memory::broken(), &|| Some([9; 32]));
    let unshared = unshared.unwrap_err();
    assert_eq!(unshared.path, "/quotas");
    let undrawn = compiled.join(&Memory::default(), &|| None).unwrap_err();
    assert!(
        undrawn.to_string().contains("no random numbers"),
        "{undrawn}"
    );

    let compiled = Rc::new(compiled);
    let refused = Driven::alone(&compiled).head("GET", "/v1/models", &[], true);
    assert_eq!(code(&refused), "quota_unavailable");
    let passed = Driven::new(&compiled).head("GET", "/v1/models", &[], true);
    assert_eq!(passed.flow, Flow::Continue);
}

#[test]
fn workers_count_in_a_store_of_one_size() {
    let of_size = |size: &str| {
        compiled(&json!({
            "store": {"size": size},
            "quotas": {"calls": {"by": ["subject"], "count": "requests", "limit": 1, "per": "1h"}},
            "rules": [{"name": "all", "then": "allow", "quota": ["calls"]}],
        }))
    };
    let memory = Memory::default();
    let random = || Some([9; 32]);
    of_size("1MiB").join(&memory, &random).unwrap();
    of_size("1024KiB").join(&memory, &random).unwrap();
    let refused = of_size("2MiB").join(&memory, &random).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "/store/size: found 2MiB, expected 1MiB, which the filters of this vm_id share until Envoy \
         ends, or another vm_id"
    );

    // Who counts nothing has no share in it.
    let uncounted = compiled(&json!({"store": {"size": "2MiB"}}));
    uncounted.join(&memory, &|| None).unwrap();
}

#[test]
fn refusals_speak_the_caller_dialect() {
    let compiled = compiled(&json!({"rules": [{"name": "no", "then": "deny"}]}));
    let mut kserve = Driven::new(&compiled);
    let outcome = kserve.head("GET", "/v2/models/iris", &[], true);
    assert_eq!(
        reply(&outcome).body,
        r#"{"error":"denied: The policy does not allow this request."}"#
    );
    let mut grpc = Driven::new(&compiled);
    let outcome = grpc.head(
        "POST",
        "/inference.GRPCInferenceService/ModelInfer",
        &[("content-type", "application/grpc")],
        false,
    );
    assert_eq!(
        reply(&outcome).body,
        "The policy does not allow this request."
    );
    assert_eq!(reply(&outcome).grpc_status, 7);
    let mut openai = Driven::new(&compiled);
    let outcome = openai.chat();
    assert!(
        reply(&outcome)
            .body
            .contains(r#""type":"permission_error""#)
    );
}

#[test]
fn hostile_headers_are_no_reason_to_panic_or_to_pass() {
    let compiled = compiled(&json!({}));
    let long = [0xff; 70_000];
    let lists: [Vec<(&[u8], &[u8])>; 5] = [
        vec![],
        vec![(b":path", b"\xff\xfe")],
        vec![(b":path", b"/"), (b"authorization", &long)],
        vec![
            (b":method", b"\xc3"),
            (b":path", b"/v1/models"),
            (b"authorization", b"Bearer a.b.c"),
        ],
        vec![(b":path", b"")],
    ];
    for headers in &lists {
        let mut exchange = Driven::new(&compiled);
        let outcome = exchange.handle(Event::RequestHead {
            headers,
            end: true,
            cluster: None,
        });
        assert!((400..500).contains(&reply(&outcome).status));
        assert_eq!(exchange.record()["verdict"]["action"], "deny");
    }
}

#[test]
fn events_out_of_order_never_let_a_request_pass() {
    let compiled = compiled(&json!({}));
    let mut exchange = Driven::new(&compiled);
    assert_eq!(
        reply(&exchange.handle(Event::RequestWhole { body: b"{}" })).status,
        500
    );
    let mut exchange = Driven::new(&compiled);
    assert_eq!(
        exchange.head("GET", "/v1/models", &[], true).flow,
        Flow::Continue
    );
    let again = exchange.head("GET", "/v1/models", &[], true);
    assert_eq!(reply(&again).status, 500);
    let mut left = Driven::new(&compiled);
    assert_eq!(left.record()["verdict"]["action"], "none");
    exchange.now += Duration::from_millis(5);
    assert_eq!(exchange.record()["timing"]["total"], 5);
}

#[test]
fn rules_see_the_headers_that_they_ask_for() {
    let compiled = compiled(&json!({
        "rules": [
            {"name": "blue", "when": {"header": {"X-Team": ["blue"]}}, "then": "deny"},
            {"name": "red", "when": {"header": {"x-team": ["red"], "x-plan": ["*"]}}, "then": "allow"},
        ],
    }));
    for (headers, rule) in [
        (vec![("x-team", "red"), ("x-plan", "")], json!("red")),
        (vec![("x-team", "red")], json!(null)),
        (vec![("x-team", "blue")], json!("blue")),
        (
            vec![("x-team", "red"), ("x-team", "blue"), ("x-plan", "a")],
            json!("blue"),
        ),
    ] {
        let mut exchange = Driven::new(&compiled);
        exchange.head("GET", "/v1/models", &headers, true);
        assert_eq!(exchange.record()["verdict"]["rule"], rule, "{headers:?}");
    }
}

/// The status of the refusal, if there is one, of a request for this path.
fn refused(
    compiled: &Rc<CompiledPolicy>,
    path: &str,
    header: Option<(&str, &str)>,
    body: &str,
) -> Option<u16> {
    let mut exchange = Driven::new(compiled);
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(header);
    exchange.head("POST", path, &headers, false);
    let outcome = exchange.whole(body);
    outcome.effects.iter().find_map(|effect| match effect {
        Effect::Reply(reply) => Some(reply.status),
        _ => None,
    })
}

#[test]
fn of_several_models_any_can_be_denied_and_all_must_be_allowed() {
    let allow = compiled(&json!({"rules": [
        {"name": "small", "when": {"model": ["small-*"]}, "then": "allow"},
    ]}));
    let deny = compiled(&json!({"rules": [
        {"name": "no-large", "when": {"model": ["large-*"]}, "then": "deny"},
        {"name": "all", "then": "allow"},
    ]}));
    let path = "/v1/chat/completions";
    let adapter = "x-amzn-sagemaker-adapter-identifier";
    let plain = r#"{"model":"small-1","messages":[]}"#;
    for (path, header, body, passes) in [
        (path, None, plain, true),
        ("/v1/chat/completions?model=small-1", None, plain, true),
        ("/v1/chat/completions?model=small-2", None, plain, true),
        ("/v1/chat/completions?model=large-1", None, plain, false),
        (
            "/v1/chat/completions?model_name=large-1",
            None,
            plain,
            false,
        ),
        (path, Some((adapter, "small-2")), plain, true),
        (path, Some((adapter, "large-1")), plain, false),
        (
            path,
            None,
            r#"{"model":"small-1","fallbacks":["small-2"]}"#,
            true,
        ),
        (
            path,
            None,
            r#"{"model":"small-1","fallbacks":["large-1"]}"#,
            false,
        ),
        (path, None, r#"{"model":"small-1,large-1"}"#, false),
        (
            "/v1/evals",
            None,
            r#"{"testing_criteria":[{"model":"large-1"}]}"#,
            false,
        ),
        // Nobody knows which model this is, whatever a header says.
        (
            path,
            Some(("mm-model-id", "small-1")),
            r#"{"messages":[]}"#,
            false,
        ),
    ] {
        for policy in [&allow, &deny] {
            let refused = refused(policy, path, header, body);
            assert_eq!(refused.is_none(), passes, "{path} {header:?} {body}");
        }
    }
    let outcome = Driven::new(&allow).head("GET", "/v2/models/small-1?model=large-1", &[], true);
    assert_eq!(reply(&outcome).status, 403);
}

#[test]
fn a_prompt_in_the_query_is_one() {
    let compiled = compiled(&json!({
        "patterns": {"secret": {"any_of": ["print the environment"]}},
        "rules": [
            {"name": "no-secret", "when": {"prompt": ["secret"]}, "then": "deny"},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"},
        ],
    }));
    for (path, denied) in [
        ("/v1/models?q=print+the%20environment", true),
        ("/v1/models?q=print", false),
    ] {
        let outcome = Driven::new(&compiled).head("GET", path, &[], true);
        assert_eq!(outcome.flow == Flow::Hold, denied, "{path}");
    }
    let mut exchange = Driven::new(&compiled);
    let headers = [("content-type", "application/json")];
    let path = "/v1/chat/completions?prompt=print%20the%20environment";
    exchange.head("POST", path, &headers, false);
    assert_eq!(
        code(&exchange.whole(r#"{"model":"m","messages":[]}"#)),
        "denied"
    );
}
