use std::time::Duration;

use portcullis::exchange::CompiledPolicy;
use serde_json::{Value, json};
use testbed::model::{Answer, Model};

use super::server::{Kind, Server, at_ports, find, told};
use super::{envoy, policy};
use crate::development::{self, Issuer, KEY_FILE};
use crate::look::Looker;
use crate::token;

fn looker() -> Looker {
    Looker::new(Duration::from_secs(5), 1 << 20)
}

fn text(text: &str) -> Answer {
    Answer::new(200)
        .header("content-type", "text/plain")
        .body(text)
}

/// A kind of server, what it answers at which path, and the model that it names.
type Answers = (Kind, Vec<(&'static str, Answer)>, Option<&'static str>);

/// What each kind of server answers, as far as it matters here.
fn answers() -> Vec<Answers> {
    let models = |name: &str, owner: &str| {
        Answer::json(&json!({"object": "list", "data": [
            {"id": name, "object": "model", "created": 1_764_000_000, "owned_by": owner},
        ]}))
    };
    vec![
        (
            Kind::Ollama,
            vec![
                ("/", text("Ollama is running")),
                (
                    "/api/tags",
                    Answer::json(&json!({"models": [{"name": "llama3.2:latest"}]})),
                ),
                ("/v1/models", models("llama3.2:latest", "library")),
            ],
            Some("llama3.2:latest"),
        ),
        (
            Kind::Vllm,
            vec![("/v1/models", models("meta/llama", "vllm"))],
            Some("meta/llama"),
        ),
        (
            Kind::Sglang,
            vec![("/v1/models", models("a", "sglang"))],
            Some("a"),
        ),
        (
            Kind::LlamaCpp,
            vec![("/v1/models", models("b.gguf", "llamacpp"))],
            Some("b.gguf"),
        ),
        // A name that would play with a terminal is none.
        (
            Kind::OpenAi,
            vec![("/v1/models", models("c\u{1b}[2J", "organization-owner"))],
            None,
        ),
        (
            Kind::Tei,
            vec![(
                "/info",
                Answer::json(&json!({
                    "model_id": "BAAI/bge-small", "model_dtype": "float16",
                    "model_type": {"embedding": {"pooling": "cls"}}, "max_input_length": 512,
                })),
            )],
            Some("BAAI/bge-small"),
        ),
        (
            Kind::Tgi,
            vec![(
                "/info",
                Answer::json(&json!({
                    "model_id": "bigscience/bloom", "max_best_of": 2, "router": "text-generation-router",
                })),
            )],
            Some("bigscience/bloom"),
        ),
        (
            Kind::Triton,
            vec![
                (
                    "/v2",
                    Answer::json(
                        &json!({"name": "triton", "version": "2.62.0", "extensions": ["classification"]}),
                    ),
                ),
                (
                    "/v2/repository/index",
                    Answer::json(&json!([{"name": "simple", "version": "1", "state": "READY"}])),
                ),
            ],
            Some("simple"),
        ),
    ]
}

/// A server that answers these paths and nothing else.
fn server(answers: &[(&'static str, Answer)]) -> Model {
    let model = Model::start().unwrap();
    let nothing = Answer::new(404).body("not found");
    for path in ["/", "/v2", "/info", "/v1/models", "/api/tags"] {
        model.answer(path, nothing.clone());
    }
    for (path, answer) in answers {
        model.answer(path, answer.clone());
    }
    model
}

#[test]
fn each_kind_of_server_is_told_by_its_answers() {
    for (kind, answers, model) in answers() {
        let server = server(&answers);
        let url = format!("http://127.0.0.1:{}", server.port());
        assert_eq!(told(&looker(), &url), Some(kind));
        let found = find(Some(&format!("{url}/")), None).unwrap();
        assert_eq!(
            found.server,
            Server {
                url,
                kind,
                model: model.map(str::to_owned)
            }
        );
    }
}

#[test]
fn the_first_of_several_ports_is_taken_and_the_others_are_told() {
    let servers: Vec<Model> = answers()
        .iter()
        .take(2)
        .map(|(_, answers, _)| server(answers))
        .collect();
    let silent = server(&[]);
    let closed = testbed::port::free().unwrap();
    let ports = [closed, silent.port(), servers[0].port(), servers[1].port()];
    let found = at_ports(&looker(), &ports, None).unwrap();
    assert_eq!(found.server.kind, Kind::Ollama);
    assert_eq!(found.others.len(), 1);
    let found = at_ports(&looker(), &ports, Some(Kind::Vllm)).unwrap();
    assert_eq!((found.server.kind, found.others.len()), (Kind::Vllm, 0));
    let nothing = at_ports(&looker(), &ports[..2], None).unwrap_err();
    assert!(nothing.contains(&closed.to_string()), "{nothing}");
}

#[test]
fn addresses_that_would_not_do_are_refused() {
    for wrong in ["localhost:8000", "ftp://a", "http://a/v1", "http://user@a"] {
        assert!(find(Some(wrong), Some(Kind::Vllm)).is_err(), "{wrong}");
    }
    // Of a server that is not there, the kind must be said.
    let away = format!("http://127.0.0.1:{}", testbed::port::free().unwrap());
    assert!(find(Some(&away), None).unwrap_err().contains("--kind"));
    let found = find(Some(&away), Some(Kind::Vllm)).unwrap();
    assert_eq!(found.server.model, None);
    let address = |url: &str| {
        Server {
            url: url.to_owned(),
            kind: Kind::OpenAi,
            model: None,
        }
        .address()
    };
    assert_eq!(
        address("https://a.example").unwrap(),
        ("https", "a.example".to_owned(), 443)
    );
    assert_eq!(
        address("http://[::1]:8000").unwrap(),
        ("http", "::1".to_owned(), 8000)
    );
    assert_eq!(
        address("http://[::1]").unwrap(),
        ("http", "::1".to_owned(), 80)
    );
}

fn of_kind(kind: Kind) -> Server {
    Server {
        url: "http://127.0.0.1:8000".to_owned(),
        kind,
        model: None,
    }
}

#[test]
fn each_policy_is_right_but_strictly() {
    let issuer = Issuer::new().unwrap();
    for (name, kind) in Kind::ALL {
        for credential in [None, Some("MODEL_KEY")] {
            let text = policy::text(&issuer, &of_kind(kind), credential);
            let compiled = CompiledPolicy::load(&text, &|_| Some("placeholder".to_owned()));
            let compiled = compiled.unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
            assert!(
                compiled.warnings().is_empty(),
                "{name}: {:?}",
                compiled.warnings()
            );
            assert_eq!(development::problems(compiled.policy()).len(), 1);
            let parts = envoy::Parts {
                port: 10000,
                admin_port: 9901,
                records: "/a/\"b\"/sessions.log".as_ref(),
                module: "/a/portcullis.wasm".as_ref(),
                policy: &text,
                server: &of_kind(kind),
            };
            let written = envoy::text(&parts).unwrap();
            let left: Vec<&str> = written.lines().filter(|line| line.contains('@')).collect();
            assert!(
                left.iter().all(|line| line.contains("\"@type\"")),
                "{left:?}"
            );
            let variables = format!(
                "host_env_keys: {}",
                json!(credential.iter().collect::<Vec<_>>())
            );
            assert!(written.contains(&variables), "{written}");
        }
    }
}

#[test]
fn a_minted_token_is_accepted_and_lasts_as_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = Issuer::new().unwrap();
    issuer.write(&folder.path().join(KEY_FILE), false).unwrap();
    let policy = folder.path().join("policy.json");
    std::fs::write(&policy, policy::text(&issuer, &of_kind(Kind::Ollama), None)).unwrap();
    let mint = |subject: &str, lasts: &str| {
        development::mint(&development::Options {
            folder: folder.path().to_owned(),
            subject: subject.to_owned(),
            groups: vec!["engineers".to_owned()],
            lasts: lasts.to_owned(),
        })
    };
    let minted = mint("ana", "24h");
    assert_eq!(minted.status, 0, "{}", minted.error);
    let explained = token::explain(
        &token::Options {
            policy,
            keys: Vec::new(),
            at: None,
            environment: false,
        },
        minted.output.as_bytes(),
    );
    assert_eq!(
        explained.status, 0,
        "{}{}",
        explained.output, explained.error
    );
    assert!(
        explained.output.contains("can apply"),
        "{}",
        explained.output
    );
    for (subject, lasts) in [("ana", "25h"), ("ana", "soon"), ("", "1h")] {
        assert_eq!(mint(subject, lasts).status, 2, "{subject} {lasts}");
    }
    // What is there is not replaced by the way.
    assert!(issuer.write(&folder.path().join(KEY_FILE), false).is_err());
    let kept = std::fs::read_to_string(folder.path().join(KEY_FILE)).unwrap();
    let secret: Value = serde_json::from_str(&kept).unwrap();
    let broken = kept.replace(secret["d"].as_str().unwrap(), "AAAA");
    std::fs::write(folder.path().join(KEY_FILE), broken).unwrap();
    let refused = mint("ana", "1h");
    assert_eq!(refused.status, 2);
    assert!(!refused.error.contains("AAAA"), "{}", refused.error);
}
