//! Model servers that need more than an address: Triton with its gRPC, those behind TLS, those that want a key.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::authority::{Authority, Issued};
use testbed::grpc;
use testbed::http::{self, Client, Request};
use testbed::kserve::{InferRequest, InferResponse};
use testbed::model::{Answer, Model};
use testbed::process::{self, Process, TempDir};
use testbed::{port, wasm};

use super::{commands, said, sh, started, with_variables};
use crate::versions::in_each_envoy;

in_each_envoy!(
    a_triton_is_guarded_over_http_and_grpc,
    a_server_behind_tls_is_guarded_and_must_be_the_right_one,
    a_server_that_wants_a_key_gets_it_and_nobody_else,
);

/// A folder in which `init` is called, with the ports that Envoy is to have.
struct Trial {
    own: TempDir,
    port: u16,
    admin: u16,
}

impl Trial {
    fn new() -> Self {
        Self {
            own: process::folder().unwrap(),
            port: port::free().unwrap(),
            admin: port::free().unwrap(),
        }
    }

    /// Calls `init`; gives the status and what was said.
    fn init(&self, options: &[&str], variables: &[(&str, &str)]) -> (i32, String) {
        let (port, admin) = (self.port.to_string(), self.admin.to_string());
        let module = wasm::build().unwrap();
        let usual = [
            "init",
            "try",
            "--wasm",
            module.to_str().unwrap(),
            "--port",
            &port,
            "--admin-port",
            &admin,
        ];
        let all = [usual.as_slice(), options].concat();
        let output = with_variables(&all, self.own.path(), variables);
        (output.status.code().unwrap(), said(&output))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.own.path().join("try").join(name)
    }

    fn start(&self, version: &str, variables: &[(&str, &str)]) -> Process {
        started(version, &self.file("envoy.yaml"), self.admin, variables)
    }

    /// A token by the command that was printed.
    fn token(&self, printed: &str) -> String {
        let all = commands(printed);
        let mint = all.iter().find(|one| one.starts_with("token=$(")).unwrap();
        sh(&format!("{mint}\nprintf %s \"$token\""))
    }
}

/// Runs the printed commands that ask something: each status with its body.
fn asked(printed: &str) -> Vec<(String, String)> {
    let all = commands(printed);
    let mint = all.iter().find(|one| one.starts_with("token=$(")).unwrap();
    let asked = all.iter().filter(|one| one.starts_with("curl "));
    asked
        .map(|one| {
            let printed = sh(&format!("{mint}\n{one}"));
            let (body, status) = printed.trim_end().rsplit_once('\n').unwrap();
            (status.to_owned(), body.to_owned())
        })
        .collect()
}

/// What Triton says of itself, at the port for HTTP. What it doesn't know it answers with 400.
fn triton_s_http(model: &Model) {
    model.answer("/", Answer::new(400));
    model.answer(
        "/v2",
        Answer::json(&json!({"name": "triton", "version": "2.62.0", "extensions": [
            "classification", "sequence", "model_repository", "model_repository(unload_dependents)",
            "schedule_policy", "model_configuration", "system_shared_memory", "cuda_shared_memory",
            "binary_tensor_data", "parameters", "statistics", "trace", "logging",
        ]})),
    );
    model.answer(
        "/v2/repository/index",
        Answer::json(&json!([{"name": "simple", "version": "1", "state": "READY"}])),
    );
}

/// Two ports, one behind the other, as Triton has them.
fn tritons() -> (Model, Model) {
    for _ in 0..100 {
        let http = Model::start().unwrap();
        if let Some(next) = http.port().checked_add(1)
            && let Ok(grpc) = Model::start_on(next)
        {
            return (http, grpc);
        }
    }
    panic!("no two ports behind each other are free");
}

/// A call by gRPC: its status, and the texts that came.
fn infer(port: u16, token: Option<&str>) -> (u32, Vec<String>) {
    let client = Client::http2(port).unwrap();
    let bearer = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<(&str, &str)> = bearer
        .iter()
        .map(|value| ("authorization", value.as_str()))
        .collect();
    let answer = grpc::infer(&client, "simple", "Hello", &headers).unwrap();
    let texts = answer.messages.iter().flat_map(InferResponse::texts);
    (answer.code.unwrap(), texts.collect())
}

fn a_triton_is_guarded_over_http_and_grpc(version: &str) {
    let (http, grpc) = tritons();
    triton_s_http(&http);
    for model in [&http, &grpc] {
        model.say("Write to ana@example.com.");
    }
    let trial = Trial::new();
    let url = format!("http://127.0.0.1:{}", http.port());
    let (status, printed) = trial.init(&["--model", &url], &[]);
    assert_eq!(status, 0, "{printed}");
    assert!(printed.contains("KServe's V2 protocol"), "{printed}");
    let at = format!("go to http://127.0.0.1:{}", grpc.port());
    assert!(printed.contains(&at), "{printed}");
    let _running = trial.start(version, &[]);
    http.forget();

    let got = asked(&printed);
    let statuses: Vec<&str> = got.iter().map(|(status, _)| status.as_str()).collect();
    assert_eq!(statuses, ["200", "401", "403"], "{got:?}");
    let answer: Value = serde_json::from_str(&got[0].1).unwrap();
    assert_eq!(answer["outputs"][0]["data"][0], "Write to [EMAIL].");
    assert_eq!(http.received().len(), 1);
    assert_eq!(grpc.received().len(), 0);

    let token = trial.token(&printed);
    assert_eq!(
        infer(trial.port, Some(&token)),
        (0, vec!["Write to [EMAIL].".to_owned()])
    );
    let asked = grpc.received();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), None);
    let sent = InferRequest::of_texts("simple", &["Hello"]);
    assert_eq!(asked[0].body, grpc::framed(&sent));
    // UNAUTHENTICATED.
    assert_eq!(infer(trial.port, None).0, 16);
    assert_eq!((grpc.received().len(), http.received().len()), (1, 1));
}

/// An Envoy in front of a model server, as a load balancer that ends TLS, or that lets only those through who have
/// the key. It tells in headers of its answers how it was asked.
struct Front {
    port: u16,
    _running: Process,
    _files: TempDir,
}

impl Front {
    fn start(
        version: &str,
        model: &Model,
        tls: Option<(&Issued, &[&str])>,
        key: Option<&str>,
    ) -> Self {
        let (port, admin) = (port::free().unwrap(), port::free().unwrap());
        let files = process::folder().unwrap();
        let mut chain = json!({"filters": [manager(key)]});
        if let Some((issued, protocols)) = tls {
            chain["transport_socket"] = json!({
                "name": "envoy.transport_sockets.tls",
                "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
                    "common_tls_context": {
                        "alpn_protocols": protocols,
                        "tls_certificates": [{
                            "certificate_chain": {"inline_string": issued.certificate},
                            "private_key": {"inline_string": issued.key},
                        }],
                    },
                },
            });
        }
        let address =
            |port: u16| json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
        let config = json!({
            "admin": {"address": address(admin)},
            "static_resources": {
                "listeners": [{
                    "name": "front",
                    "address": address(port),
                    // Who asks by a name asks for it.
                    "listener_filters": [{"name": "envoy.filters.listener.tls_inspector", "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
                    }}],
                    "filter_chains": [chain],
                }],
                "clusters": [{
                    "name": "model",
                    "type": "STATIC",
                    "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                        "use_downstream_protocol_config": {"http2_protocol_options": {}},
                    }},
                    "load_assignment": {"cluster_name": "model", "endpoints": [{"lb_endpoints": [
                        {"endpoint": {"address": address(model.port())}},
                    ]}]},
                }],
            },
        });
        let file = files.path().join("envoy.json");
        fs::write(&file, config.to_string()).unwrap();
        Self {
            port,
            _running: started(version, &file, admin, &[]),
            _files: files,
        }
    }
}

fn manager(key: Option<&str>) -> Value {
    let open = json!({"match": {"prefix": "/"}, "route": {"cluster": "model"}});
    let routes = match key {
        None => json!([open]),
        // As vLLM does when it was started with --api-key.
        Some(key) => {
            let mut with_key = open.clone();
            with_key["match"]["headers"] = json!([
                {"name": "authorization", "string_match": {"exact": format!("Bearer {key}")}},
            ]);
            let refusal = json!({"error": "Unauthorized"}).to_string();
            let refused = json!({
                "match": {"prefix": "/v1"},
                "direct_response": {"status": 401, "body": {"inline_string": refusal}},
            });
            json!([with_key, refused, open])
        }
    };
    let told = |name: &str, value: &str| json!({"header": {"key": name, "value": value}});
    json!({
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "front",
            "route_config": {
                "virtual_hosts": [{"name": "model", "domains": ["*"], "routes": routes}],
                "response_headers_to_add": [
                    told("x-sni", "%REQUESTED_SERVER_NAME%"),
                    told("x-protocol", "%PROTOCOL%"),
                    told("x-host", "%REQ(:AUTHORITY)%"),
                ],
            },
            "http_filters": [{
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
            }],
        },
    })
}

/// What vLLM answers when it is asked for its models.
fn vllm() -> Model {
    let model = Model::start().unwrap();
    model.answer(
        "/",
        Answer::json(&json!({"detail": "Not Found"})).status(404),
    );
    for path in ["/v2", "/info"] {
        model.answer(
            path,
            Answer::json(&json!({"detail": "Not Found"})).status(404),
        );
    }
    model.answer(
        "/v1/models",
        Answer::json(&json!({"object": "list", "data": [{
            "id": "Qwen/Qwen3-8B", "object": "model", "created": 1_764_000_000, "owned_by": "vllm",
            "root": "Qwen/Qwen3-8B", "parent": null, "max_model_len": 40_960, "permission": [],
        }]})),
    );
    model.say("Write to ana@example.com.");
    model
}

fn a_server_behind_tls_is_guarded_and_must_be_the_right_one(version: &str) {
    let authority = Authority::new("of the model server").unwrap();
    let right = authority.issue(&["localhost", "127.0.0.1"]).unwrap();
    let both: &[&str] = &["h2", "http/1.1"];
    let model = vllm();
    let front = Front::start(version, &model, Some((&right, both)), None);
    let trial = Trial::new();
    let ca = trial.own.path().join("ca.pem");
    fs::write(&ca, authority.certificate()).unwrap();
    let ca = ca.to_str().unwrap();

    // Whose certificate leads to nobody who is trusted is not taken, and it is said what to do.
    let by_name = format!("https://localhost:{}", front.port);
    let (status, printed) = trial.init(&["--model", &by_name], &[]);
    assert_eq!(status, 1, "{printed}");
    assert!(
        printed.contains("certificate") && printed.contains("--ca FILE"),
        "{printed}"
    );
    assert!(!trial.file("envoy.yaml").exists());

    let of_name = (by_name, "localhost", format!("localhost:{}", front.port));
    let by_address = format!("https://127.0.0.1:{}", front.port);
    let of_address = (by_address, "", format!("127.0.0.1:{}", front.port));
    for (url, sni, host) in [of_name, of_address] {
        let (status, printed) = trial.init(&["--model", &url, "--ca", ca, "--force"], &[]);
        assert_eq!(status, 0, "{printed}");
        assert!(
            printed.contains(&format!("Guarding vLLM at {url}")),
            "{printed}"
        );
        let _running = trial.start(version, &[]);
        model.forget();
        let token = trial.token(&printed);
        let chat = Request::post("/v1/chat/completions")
            .bearer(&token)
            .json(&json!({
                "model": "Qwen/Qwen3-8B", "messages": [{"role": "user", "content": "Hello"}],
            }));
        let answer = http::send(trial.port, chat).unwrap();
        assert_eq!(answer.status, 200, "{url}: {}", answer.text());
        assert!(
            answer.text().contains("Write to [EMAIL]."),
            "{}",
            answer.text()
        );
        // By the best protocol of both, and by the name that it has.
        assert_eq!(answer.header("x-protocol"), Some("HTTP/2"), "{url}");
        assert_eq!(
            answer.header("x-sni").unwrap_or_default().replace('-', ""),
            sni,
            "{url}"
        );
        assert_eq!(answer.header("x-host"), Some(host.as_str()), "{url}");
        let statuses: Vec<String> = asked(&printed)
            .into_iter()
            .map(|(status, _)| status)
            .collect();
        assert_eq!(statuses, ["200", "401", "403"]);
        // An edit of the policy is brought to Envoy by the command that was told.
        let after_edit = printed
            .split("after an edit: ")
            .nth(1)
            .unwrap()
            .lines()
            .next()
            .unwrap();
        let written = fs::read_to_string(trial.file("envoy.yaml")).unwrap();
        sh(after_edit);
        assert_eq!(
            fs::read_to_string(trial.file("envoy.yaml")).unwrap(),
            written
        );
    }
    drop(front);

    // A server with HTTP/1 alone.
    let front = Front::start(version, &model, Some((&right, &["http/1.1"])), None);
    let url = format!("https://localhost:{}", front.port);
    let (status, printed) = trial.init(&["--model", &url, "--ca", ca, "--force"], &[]);
    assert_eq!(status, 0, "{printed}");
    {
        let _running = trial.start(version, &[]);
        let list = Request::get("/v1/models").bearer(&trial.token(&printed));
        let answer = http::send(trial.port, list).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("x-protocol"), Some("HTTP/1.1"));
    }
    drop(front);

    // A certificate of the same authority, for another name: not asked by `init`, nor by Envoy.
    let wrong = authority.issue(&["elsewhere.example"]).unwrap();
    let front = Front::start(version, &model, Some((&wrong, both)), None);
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{}", front.port);
        let (status, printed) = trial.init(&["--model", &url, "--ca", ca, "--force"], &[]);
        assert_eq!(status, 1, "{printed}");
        let (status, printed) = trial.init(
            &["--model", &url, "--ca", ca, "--force", "--kind", "vllm"],
            &[],
        );
        assert_eq!(status, 0, "{printed}");
        assert!(printed.contains("It gives no answer now"), "{printed}");
        let _running = trial.start(version, &[]);
        model.forget();
        let list = Request::get("/v1/models").bearer(&trial.token(&printed));
        let answer = http::send(trial.port, list).unwrap();
        assert_eq!(answer.status, 503, "{host}: {}", answer.text());
        assert_eq!(model.begun(), 0);
    }
    drop(front);

    // Triton's gRPC comes by the same door.
    let triton = Model::start().unwrap();
    triton_s_http(&triton);
    triton.say("Write to ana@example.com.");
    let front = Front::start(version, &triton, Some((&right, both)), None);
    let url = format!("https://localhost:{}", front.port);
    let (status, printed) = trial.init(&["--model", &url, "--ca", ca, "--force"], &[]);
    assert_eq!(status, 0, "{printed}");
    let _running = trial.start(version, &[]);
    let token = trial.token(&printed);
    assert_eq!(
        infer(trial.port, Some(&token)),
        (0, vec!["Write to [EMAIL].".to_owned()])
    );
    assert_eq!(infer(trial.port, None).0, 16);
}

fn a_server_that_wants_a_key_gets_it_and_nobody_else(version: &str) {
    const KEY: &str = "sk-71c09e3d5a";
    let model = vllm();
    let front = Front::start(version, &model, None, Some(KEY));
    let url = format!("http://127.0.0.1:{}", front.port);
    let trial = Trial::new();

    let (status, printed) = trial.init(&["--model", &url], &[]);
    assert_eq!(status, 1, "{printed}");
    assert!(
        printed.contains("401") && printed.contains("--credential NAME"),
        "{printed}"
    );
    let named = ["--model", &url, "--credential", "MODEL_KEY"];
    let (status, printed) = trial.init(&named, &[]);
    assert_eq!(status, 1, "{printed}");
    assert!(printed.contains("MODEL_KEY is not set"), "{printed}");
    let (status, printed) = trial.init(&named, &[("MODEL_KEY", "sk-another")]);
    assert_eq!(status, 1, "{printed}");
    assert!(
        printed.contains("is not taken") && !printed.contains("sk-another"),
        "{printed}"
    );
    // What it is can be said, and the key be given later.
    let said = [named.as_slice(), &["--kind", "vllm"]].concat();
    let (status, printed) = trial.init(&said, &[]);
    assert_eq!(status, 0, "{printed}");
    assert!(
        commands(&printed).contains(&"read -r MODEL_KEY && export MODEL_KEY"),
        "{printed}"
    );

    let again = [named.as_slice(), &["--force"]].concat();
    let variable = [("MODEL_KEY", KEY)];
    let (status, printed) = trial.init(&again, &variable);
    assert_eq!(status, 0, "{printed}");
    assert!(
        printed.contains("Guarding vLLM") && !printed.contains(KEY),
        "{printed}"
    );
    assert!(
        commands(&printed)[0].starts_with("ENVOY_VERSION="),
        "{printed}"
    );
    for name in ["policy.json", "envoy.yaml", "development-issuer.key.json"] {
        assert!(
            !fs::read_to_string(trial.file(name)).unwrap().contains(KEY),
            "{name}"
        );
    }
    let _running = trial.start(version, &variable);
    model.forget();
    let got = asked(&printed);
    let statuses: Vec<&str> = got.iter().map(|(status, _)| status.as_str()).collect();
    assert_eq!(statuses, ["200", "401", "403"], "{got:?}");
    let asked = model.received();
    assert_eq!(asked.len(), 1);
    // The key in place of the caller's token.
    assert_eq!(
        asked[0].header("authorization"),
        Some(format!("Bearer {KEY}").as_str())
    );
    assert_eq!(asked[0].json()["model"], "Qwen/Qwen3-8B");
}
