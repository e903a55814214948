use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use portcullis::exchange::CompiledPolicy;
use serde_json::{Value, json};
use testbed::model::{Answer, Model};
use ureq::tls::RootCerts;

use super::files::Files;
use super::find::{Asking, Found, Said, Silent, at_ports, find, told};
use super::kind::Kind;
use super::server::{Address, Server};
use super::{Options, envoy, init, policy};
use crate::development::{self, Issuer, KEY_FILE};
use crate::token;

fn asking() -> Asking {
    Asking::new(RootCerts::WebPki, None)
}

fn find_at(url: &str, kind: Option<Kind>) -> Result<Found, String> {
    find(Said {
        model: Some(url),
        kind,
        ..Said::default()
    })
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
        assert_eq!(told(&mut asking(), &url), Ok(kind));
        let found = find_at(&format!("{url}/"), None).unwrap();
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
    let found = at_ports(&ports, None).unwrap();
    assert_eq!(found.server.kind, Kind::Ollama);
    assert_eq!(found.others.len(), 1);
    let found = at_ports(&ports, Some(Kind::Vllm)).unwrap();
    assert_eq!((found.server.kind, found.others.len()), (Kind::Vllm, 0));
    let nothing = at_ports(&ports[..2], None).unwrap_err();
    assert!(nothing.contains(&closed.to_string()), "{nothing}");
}

#[test]
fn addresses_that_would_not_do_are_refused() {
    for wrong in [
        "localhost:8000",
        "ftp://a",
        "http://a/v1",
        "http://user@a",
        "http://:8000",
        "http://a:0",
        "http://a:99999",
        "http://a:",
        "http://[::1",
        "http://[a]:80",
        "http://a b",
        "http://",
    ] {
        let why = find_at(wrong, Some(Kind::Vllm)).unwrap_err();
        assert!(why.contains("--model: found"), "{wrong}: {why}");
    }
    let read = |url: &str| {
        let read = Address::read("--model", url).unwrap();
        (read.tls, read.host.clone(), read.port, read.authority())
    };
    let of = |tls: bool, host: &str, port: u16, authority: &str| {
        (tls, host.to_owned(), port, authority.to_owned())
    };
    for (url, expected) in [
        ("https://a.example", of(true, "a.example", 443, "a.example")),
        (
            "https://a.example:8443/",
            of(true, "a.example", 8443, "a.example:8443"),
        ),
        ("http://[::1]:8000", of(false, "::1", 8000, "[::1]:8000")),
        ("http://[::1]", of(false, "::1", 80, "[::1]")),
        (
            "http://10.0.0.7:443",
            of(false, "10.0.0.7", 443, "10.0.0.7:443"),
        ),
    ] {
        assert_eq!(read(url), expected, "{url}");
    }
}

/// What is there answers in its time, or the reason is told, and what is said helps.
#[test]
fn what_does_not_answer_is_told_with_its_reason() {
    let away = format!("http://127.0.0.1:{}", testbed::port::free().unwrap());
    let why = find_at(&away, None).unwrap_err();
    assert!(why.contains(&away) && why.contains("refused"), "{why}");
    assert!(why.contains("--kind"), "{why}");
    // What will be there later can be said.
    let found = find_at(&away, Some(Kind::Vllm)).unwrap();
    assert_eq!((found.server.kind, found.server.model), (Kind::Vllm, None));
    assert!(found.note.unwrap().contains("gives no answer now"));

    // One that takes connections and says nothing has its time.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute = format!("http://{}", mute.local_addr().unwrap());
    let began = Instant::now();
    let why = find_at(&mute, None).unwrap_err();
    assert!(why.contains("in 2 seconds"), "{why}");
    assert!(began.elapsed() < Duration::from_secs(9), "{why}");
    let why = find_at("http://no-such-host.invalid:8000", None).unwrap_err();
    assert!(why.contains("no-such-host.invalid:8000"), "{why}");

    let unknown = server(&[]);
    let url = format!("http://127.0.0.1:{}", unknown.port());
    assert_eq!(told(&mut asking(), &url), Err(Silent::Unknown));
    assert!(find_at(&url, None).unwrap_err().contains("--kind"));

    let (_, answers, _) = answers().remove(0);
    let ollama = server(&answers);
    let url = format!("http://127.0.0.1:{}", ollama.port());
    let found = find_at(&url, Some(Kind::Vllm)).unwrap();
    assert_eq!(found.server.kind, Kind::Vllm);
    assert!(found.note.unwrap().contains("as Ollama would"));
}

#[test]
fn a_key_is_asked_for_and_sent_where_it_belongs_only() {
    let refusal = Answer::json(&json!({"error": "Unauthorized"})).status(401);
    let model = server(&[("/v1/models", refusal)]);
    let url = format!("http://127.0.0.1:{}", model.port());
    let said = |credential, key: Option<&str>| {
        find(Said {
            model: Some(&url),
            credential,
            key: key.map(str::to_owned),
            ..Said::default()
        })
        .unwrap_err()
    };
    let why = said(None, None);
    assert!(
        why.contains("401") && why.contains("--credential NAME"),
        "{why}"
    );
    assert!(said(Some("KEY"), None).contains("KEY is not set"));
    let why = said(Some("KEY"), Some("sk-1234"));
    assert!(
        why.contains("is not taken") && !why.contains("sk-1234"),
        "{why}"
    );
    let got = model.received();
    assert_eq!(
        got.last().unwrap().header("authorization"),
        Some("Bearer sk-1234")
    );

    model.forget();
    let why = at_ports(&[model.port()], None).unwrap_err();
    assert!(
        why.contains(&format!("--model {url} --credential NAME")),
        "{why}"
    );
    assert!(
        model
            .received()
            .iter()
            .all(|one| one.header("authorization").is_none())
    );
}

#[test]
fn grpc_is_where_it_is_said_to_be() {
    let at = |url: &str, kind: Kind, said: Option<&str>| {
        let url = url.to_owned();
        let server = Server {
            url,
            kind,
            model: None,
        };
        server.grpc(said).map(|found| found.map(|one| one.url()))
    };
    let url = |url: &str| Ok(Some(url.to_owned()));
    assert_eq!(
        at("http://a:8000", Kind::Triton, None),
        url("http://a:8001")
    );
    assert_eq!(at("https://a", Kind::Triton, None), url("https://a"));
    assert_eq!(
        at("http://a:8000", Kind::Triton, Some("http://b:9")),
        url("http://b:9")
    );
    assert_eq!(at("http://a:8000", Kind::Ollama, None), Ok(None));
    assert!(at("http://a:8000", Kind::Ollama, Some("http://b:9")).is_err());
    assert!(
        at("http://a:65535", Kind::Triton, None)
            .unwrap_err()
            .contains("--grpc")
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
                grpc: None,
                authorities: None,
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

/// `init` in a folder, for a server that is said to be there.
fn options(folder: &Path, module: &Path) -> Options {
    Options {
        folder: folder.to_owned(),
        model: Some("http://127.0.0.1:9".to_owned()),
        kind: Some(Kind::Vllm),
        wasm: Some(module.to_owned()),
        grpc: None,
        credential: None,
        ca: None,
        port: testbed::port::free().unwrap(),
        admin_port: testbed::port::free().unwrap(),
        force: false,
        envoy_only: false,
        called: "portcullis".to_owned(),
    }
}

#[test]
fn what_is_there_stays_and_what_fails_leaves_nothing() {
    let own = tempfile::tempdir().unwrap();
    let module = own.path().join("portcullis.wasm");
    std::fs::write(&module, b"\0asm\x01\0\0\0").unwrap();
    let folder = own.path().join("try");
    let said = |options: &Options, status: u8, parts: &[&str]| {
        let report = init(options);
        assert_eq!(report.status, status, "{}{}", report.output, report.error);
        for part in parts {
            assert!(report.error.contains(part), "{part}: {}", report.error);
        }
    };
    let usual = options(&folder, &module);

    // A port that something has: nothing is written.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let found = format!("found something at 127.0.0.1:{port}");
    for (options, option) in [
        (
            Options {
                port,
                ..usual.clone()
            },
            "--port",
        ),
        (
            Options {
                admin_port: port,
                ..usual.clone()
            },
            "--admin-port",
        ),
    ] {
        said(&options, 1, &[option, &found]);
        assert!(!folder.exists());
    }

    // Only the policy is missing, without which there is nothing for Envoy alone.
    let only = Options {
        envoy_only: true,
        ..usual.clone()
    };
    said(&only, 2, &["policy.json can't be read"]);
    assert!(!folder.exists());

    // A file where the folder should be, and below one.
    let file = own.path().join("file");
    std::fs::write(&file, "mine").unwrap();
    said(
        &options(&file, &module),
        2,
        &["found a file, expected a folder"],
    );
    said(&options(&file.join("try"), &module), 2, &["can't be made"]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");

    // Certificates where there are none, and authorities that are none.
    let ca = Some(file.clone());
    said(
        &Options {
            ca: ca.clone(),
            ..usual.clone()
        },
        2,
        &["--ca: found no https://"],
    );
    let model = Some("https://127.0.0.1:9".to_owned());
    said(
        &Options {
            ca,
            model: model.clone(),
            ..usual.clone()
        },
        2,
        &["found no certificate"],
    );
    said(
        &Options {
            wasm: Some(file.clone()),
            ..usual.clone()
        },
        1,
        &["found no WebAssembly module"],
    );

    // Anything of the same name, a link that leads nowhere too, is not replaced.
    std::fs::create_dir(&folder).unwrap();
    for name in ["policy.json", "envoy.yaml", KEY_FILE] {
        let place = folder.join(name);
        std::os::unix::fs::symlink(own.path().join("nowhere"), &place).unwrap();
        said(
            &usual,
            2,
            &[name, "is there already", "--force", "--envoy-only"],
        );
        std::fs::remove_file(&place).unwrap();
        assert!(folder.read_dir().unwrap().next().is_none());
    }
    said(&usual, 0, &[]);
    assert_eq!(folder.read_dir().unwrap().count(), 3);
}

#[test]
fn files_that_are_not_kept_go_away() {
    let own = tempfile::tempdir().unwrap();
    let folder = own.path().join("new");
    let mut files = Files::at(&folder, true);
    files.make_folder().unwrap();
    files.write_text("a", "text").unwrap();
    let full = |_: &Path| Err(std::io::Error::other("no space"));
    let why = files.write("b", full).unwrap_err();
    assert!(why.contains("b can't be written: no space"), "{why}");
    drop(files);
    assert!(!folder.exists());
}
