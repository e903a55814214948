//! Each piece that the model server sends reaches Envoy by itself: the next one is sent when
//! Envoy's own counter says that the last one has come.

use std::time::Duration;

use testbed::body::{Gate, Step};
use testbed::grpc;
use testbed::http::{Client, Request, Response};
use testbed::kserve::{Contents, InferResponse, SERVICE, Tensor};
use testbed::mesh::Mesh;
use testbed::model::{Answer, Model};
use testbed::streams::{Api, Escapes};
use testbed::wait;

use super::everything;
use crate::support::{CREDENTIAL, Guarded, ana};
use crate::versions::in_each_envoy;

in_each_envoy!(streams_are_masked_alike_however_they_arrive);

const PATIENCE: Duration = Duration::from_secs(30);

/// What is said, with what a mask covers in the middle of tokens; and what a client reads.
const SAID: [&str; 8] = [
    "Dear Zoë,",
    " write to jane",
    ".doe@exam",
    "ple.com or pay with 4111 ",
    "1111 1111",
    " 1111, or call in at 203.0.",
    "113.77; 12 apples, 日本",
    ".",
];
const READ: &str = "Dear Zoë, write to [EMAIL] or pay with [CREDIT_CARD], or call in at [IP]; \
                    12 apples, 日本.";

/// How many bytes of model servers Envoy has read so far.
fn came(mesh: &Mesh, cluster: &str) -> u64 {
    let name = format!("cluster.{cluster}.upstream_cx_rx_bytes_total");
    // All counters would take longer than the exchange.
    let text = mesh.admin(&format!("/stats?filter={name}")).unwrap();
    let value = text.trim().rsplit(": ").next().unwrap();
    value.parse().unwrap()
}

/// What is asked, and how it is answered.
struct Exchange<'a> {
    cluster: &'a str,
    path: &'a str,
    request: Request,
    answer: Answer,
    pieces: &'a [&'a [u8]],
    trailers: Option<Vec<(String, String)>>,
}

/// The answer's body and trailers, of which each piece arrives by itself.
fn arriving(guarded: &Guarded, client: &Client, exchange: Exchange<'_>) -> Response {
    let Exchange {
        cluster,
        path,
        request,
        answer,
        pieces,
        trailers,
    } = exchange;
    let gate = Gate::new();
    let mut steps = Vec::new();
    for piece in pieces {
        steps.push(Step::Wait(gate.clone()));
        steps.push(Step::data(*piece));
    }
    steps.push(Step::Wait(gate.clone()));
    steps.extend(trailers.map(Step::Trailers));
    guarded.model.answer(path, answer.steps(steps));
    let stream = client.open(request).unwrap();
    for piece in pieces {
        let least = came(&guarded.mesh, cluster) + piece.len() as u64;
        gate.open(1);
        wait::until("a piece to reach Envoy", PATIENCE, || {
            came(&guarded.mesh, cluster) >= least
        })
        .unwrap();
    }
    gate.open(1);
    stream.read()
}

/// A body in pieces of these sizes in turn.
fn cut<'a>(body: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = body;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*size).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

fn streams_are_masked_alike_however_they_arrive(version: &str) {
    let one = Guarded::start(version, &everything());
    let model = Model::start().unwrap();
    let mesh = Mesh::builder()
        .version(Some(version))
        .policy(everything())
        .variable("MODEL_SERVER_KEY", CREDENTIAL)
        .shared()
        .model_http2(model.port())
        .start()
        .unwrap();
    let two = Guarded { mesh, model };
    for (guarded, http2) in [(&one, false), (&two, true)] {
        let port = guarded.mesh.port();
        let client = || match http2 {
            true => Client::http2(port).unwrap(),
            false => Client::http1(port).unwrap(),
        };
        for (turn, api) in [Api::Chat, Api::Anthropic, Api::Gemini, Api::Ollama]
            .into_iter()
            .enumerate()
        {
            let escapes = Escapes::EACH[turn % Escapes::EACH.len()];
            let body = api.stream(&SAID, escapes);
            let kind = match api.lines() {
                true => "application/x-ndjson",
                false => "text/event-stream",
            };
            let mut whole: Option<Vec<u8>> = None;
            for sizes in [&[usize::MAX][..], &[61], &[1, 150], &[7, 90, 400]] {
                let exchange = Exchange {
                    cluster: "models",
                    path: "/v1/stream",
                    request: Request::get("/v1/stream").bearer(&ana()),
                    answer: Answer::new(200).header("content-type", kind),
                    pieces: &cut(body.as_bytes(), sizes),
                    trailers: None,
                };
                let response = arriving(guarded, &client(), exchange);
                let what = format!("{api:?} in pieces of {sizes:?}, HTTP/2: {http2}");
                assert_eq!((response.status, &response.broken), (200, &None), "{what}");
                let (text, _) = api.read(&response.body).unwrap();
                assert_eq!(text, READ, "{what}");
                let whole = whole.get_or_insert_with(|| response.body.clone());
                assert!(*whole == response.body, "{what}: {}", response.text());
            }
        }
    }
    grpc_with_trailers(&one);
}

fn grpc_with_trailers(guarded: &Guarded) {
    let text = SAID.concat();
    let response = |text: &str| InferResponse {
        model_name: "m".to_owned(),
        outputs: vec![Tensor {
            name: "text".to_owned(),
            datatype: "BYTES".to_owned(),
            shape: vec![1],
            contents: Some(Contents {
                bytes: vec![text.as_bytes().to_vec()],
                ..Contents::default()
            }),
            ..Tensor::default()
        }],
        ..InferResponse::default()
    };
    let frame = grpc::framed(&response(&text));
    let expected = grpc::framed(&response(READ));
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let method = format!("/{SERVICE}/ModelInfer");
    for sizes in [&[usize::MAX][..], &[1, 2, 40], &[23]] {
        let request = Request::post(&method)
            .bearer(&ana())
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(grpc::enveloped(b"\x0a\x01m"));
        let trailers = vec![
            ("grpc-status".to_owned(), "0".to_owned()),
            ("x-behind".to_owned(), "it".to_owned()),
        ];
        let exchange = Exchange {
            cluster: "models_grpc",
            path: &method,
            request,
            answer: Answer::new(200).header("content-type", "application/grpc"),
            pieces: &cut(&frame, sizes),
            trailers: Some(trailers),
        };
        let came = arriving(guarded, &client, exchange);
        assert_eq!((came.status, &came.broken), (200, &None), "{sizes:?}");
        assert!(came.body == expected, "{sizes:?}: {}", came.text());
        let trailer = |name: &str| {
            let mut found = came.trailers.iter().filter(|(one, _)| one == name);
            found.next().map(|(_, value)| value.as_slice())
        };
        assert_eq!(trailer("grpc-status"), Some(&b"0"[..]), "{sizes:?}");
        assert_eq!(trailer("x-behind"), Some(&b"it"[..]), "{sizes:?}");
    }
}
