//! Answers that end with trailers, or may: Envoy doesn't say which piece of such a body is the
//! last, and takes nothing behind a piece that it has let go.

use serde_json::json;
use testbed::body::{Gate, Step, split};
use testbed::grpc::{self, framed};
use testbed::http::{Client, Request, Response};
use testbed::kserve::{InferRequest, InferResponse, SERVICE, StreamResponse};
use testbed::model::{Answer, Model, Rpc};

use super::masked;
use crate::support::{Guarded, ana};
use crate::versions::in_envoys;
use crate::vms::Vms;

in_envoys!(
    every [what_is_held_comes_before_the_trailers]
    each [
        a_held_piece_is_released_before_the_next
        messages_are_masked_before_their_status
        a_piece_behind_a_released_one_keeps_its_place
        a_stream_that_ends_while_a_piece_is_held_is_left_alone
    ]
    current []
);

fn http2(version: &str) -> Guarded {
    let model = Model::start().unwrap();
    let port = model.port();
    let mut guarded = Guarded::start_with(version, &masked(), |builder| builder.model_http2(port));
    guarded.model = model;
    guarded
}

fn end() -> Step {
    Step::Trailers(vec![("x-sum".to_owned(), "42".to_owned())])
}

fn get(path: &str) -> Request {
    Request::get(path).bearer(&ana())
}

/// A body in each form, what of its front no match can reach, and what must arrive.
const BODIES: [(&str, &str, usize, &str); 3] = [
    (
        "text/plain",
        "Please write to ana@corp.com or 4111 1111 1111 1111",
        7,
        "Please write to [EMAIL] or [CREDIT_CARD]",
    ),
    (
        "application/json",
        // In one line, it would wait for what comes behind it.
        "{\n\"text\":\"Please write to ana@corp.com\"} [\"bob@corp.com\",41]\n12",
        10,
        "{\n\"text\":\"Please write to [EMAIL]\"} [\"[EMAIL]\",41]\n12",
    ),
    (
        "text/event-stream",
        "event: note\ndata: {}\n\ndata: Please write to ana@corp.com\n\ndata:  and bob@corp.com",
        22,
        "event: note\ndata: {}\n\ndata: Please write to [EMAIL]\n\ndata:  and [EMAIL]",
    ),
];

fn what_is_held_comes_before_the_trailers(version: &str) {
    let guarded = http2(version);
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let vms = Vms::of(mesh);
    let two = Client::http2(mesh.port()).unwrap();
    let one = Client::http1(mesh.port()).unwrap();
    let check = |response: &Response, expected: &str, trailer: Option<&str>, what: &str| {
        assert_eq!(response.status, 200, "{what}");
        assert_eq!(response.broken, None, "{what}");
        assert_eq!(response.text(), expected, "{what}");
        assert_eq!(response.trailer("x-sum"), trailer, "{what}");
    };
    for (kind, body, _, expected) in BODIES {
        let answer = Answer::new(200).header("content-type", kind);
        for at in 0..=body.len() {
            let what = format!("{kind} cut at {at}");
            let (first, second) = body.as_bytes().split_at(at);
            let parts = [first, second].into_iter().filter(|part| !part.is_empty());
            let mut steps: Vec<Step> = parts.map(Step::data).collect();
            model.answer("/open", answer.clone().steps(steps.clone()));
            check(&two.send(get("/open")).unwrap(), expected, None, &what);
            steps.push(end());
            model.answer("/ended", answer.clone().steps(steps));
            check(
                &two.send(get("/ended")).unwrap(),
                expected,
                Some("42"),
                &what,
            );
            check(&one.send(get("/ended")).unwrap(), expected, None, &what);
        }
        // Many pieces, faster than they are released.
        let many = format!("{body}. ").repeat(50);
        if kind == "text/plain" {
            let mut steps = split(many.as_bytes(), 3);
            steps.push(end());
            model.answer("/many", answer.clone().steps(steps));
            let response = two.send(get("/many")).unwrap();
            assert_eq!(response.broken, None);
            assert!(!response.text().contains('@'), "{}", response.text());
            assert!(!response.text().contains("4111"), "{}", response.text());
            assert_eq!(response.trailer("x-sum"), Some("42"));
        }
    }
    // Nothing but trailers.
    model.answer(
        "/empty",
        Answer::new(200)
            .header("content-type", "text/plain")
            .steps(vec![end()]),
    );
    check(&two.send(get("/empty")).unwrap(), "", Some("42"), "no body");
    vms.all_live(mesh);
}

fn a_held_piece_is_released_before_the_next(version: &str) {
    let guarded = http2(version);
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let vms = Vms::of(mesh);
    for client in [
        Client::http2(mesh.port()).unwrap(),
        Client::http1(mesh.port()).unwrap(),
    ] {
        for (kind, body, sure, expected) in BODIES {
            for at in sure..=body.len() {
                let what = format!("{kind} cut at {at}");
                let gate = Gate::new();
                let (first, second) = body.as_bytes().split_at(at);
                let mut steps = vec![Step::data(first), Step::Wait(gate.clone())];
                if !second.is_empty() {
                    steps.extend([Step::data(second), Step::Wait(gate.clone())]);
                }
                steps.push(end());
                let answer = Answer::new(200).header("content-type", kind);
                model.answer("/gated", answer.steps(steps));
                let mut stream = client.open(get("/gated")).unwrap();
                // Its front arrives although nothing follows it yet, which only a tick can bring
                // about. Then the trailers come long after.
                let mut text = Vec::new();
                while text.len() < sure {
                    let piece = stream
                        .next_piece()
                        .unwrap_or_else(|why| panic!("{what}: {why}"));
                    text.extend(piece.expect(&what));
                }
                gate.open(2);
                let rest = stream.read();
                text.extend(rest.body);
                assert_eq!(rest.broken, None, "{what}");
                assert_eq!(String::from_utf8_lossy(&text), expected, "{what}");
            }
        }
    }
    vms.all_live(mesh);
}

/// What comes after a tick has let a piece go may hold nothing back itself. It must leave all the
/// same, before what follows it, and be read once.
fn a_piece_behind_a_released_one_keeps_its_place(version: &str) {
    const PIECES: [(&str, &str); 5] = [
        ("Please write to ana@co", "Please "),
        ("rp.com at once. ", "Please write to [EMAIL] at once. "),
        (
            "Then wait. ",
            "Please write to [EMAIL] at once. Then wait. ",
        ),
        (
            "Then to bob@corp",
            "Please write to [EMAIL] at once. Then wait. Then ",
        ),
        (
            ".com! ",
            "Please write to [EMAIL] at once. Then wait. Then to [EMAIL]! ",
        ),
    ];
    let guarded = http2(version);
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let vms = Vms::of(mesh);
    for ending in [None, Some(end())] {
        let gate = Gate::new();
        let mut steps = Vec::new();
        for (piece, _) in PIECES {
            steps.extend([Step::data(piece.as_bytes()), Step::Wait(gate.clone())]);
        }
        let trailers = ending.is_some();
        steps.extend(ending);
        let answer = Answer::new(200).header("content-type", "text/plain");
        model.answer("/gated", answer.steps(steps));
        let client = Client::http2(mesh.port()).unwrap();
        let mut stream = client.open(get("/gated")).unwrap();
        let mut text = String::new();
        for (sent, so_far) in PIECES {
            while !text.starts_with(so_far) {
                let piece = stream
                    .next_piece()
                    .unwrap_or_else(|why| panic!("behind {sent:?}, with {text:?}: {why}"));
                text += &String::from_utf8_lossy(&piece.unwrap());
                assert!(
                    so_far.starts_with(&text) || text.starts_with(so_far),
                    "{text:?}"
                );
            }
            gate.open(1);
        }
        let rest = stream.read();
        assert_eq!(rest.broken, None);
        text += &rest.text();
        assert_eq!(text, PIECES[4].1);
        assert_eq!(rest.trailer("x-sum"), trailers.then_some("42"));
    }
    vms.all_live(mesh);
}

/// A stream ends in Envoy before it ends in memory. Between the two, Envoy ends with it whoever
/// lets it go on.
fn a_stream_that_ends_while_a_piece_is_held_is_left_alone(version: &str) {
    let guarded = http2(version);
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let vms = Vms::of(mesh);
    let text = Answer::new(200).header("content-type", "text/plain");
    model.answer(
        "/cut",
        text.steps(vec![Step::data("Write to ana@"), Step::Cut]),
    );
    let client = Client::http2(mesh.port()).unwrap();
    for _ in 0..100 {
        let pending: Vec<_> = (0..20)
            .map(|_| client.start(get("/cut")).unwrap())
            .collect();
        for one in pending {
            // Its head may have gone or not.
            if let Ok(stream) = one.response() {
                let response = stream.read();
                assert!(!response.text().contains('@'), "{response:?}");
            }
        }
    }
    assert_eq!(client.send(get("/v1/models")).unwrap().status, 200);
    vms.all_live(mesh);
}

fn messages_are_masked_before_their_status(version: &str) {
    let guarded = http2(version);
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let vms = Vms::of(mesh);
    let client = Client::http2(mesh.port()).unwrap();
    let bearer = format!("Bearer {}", ana());
    let headers = [("authorization", bearer.as_str())];
    for frame in [1, 3, 64, 10_000] {
        for rpc in [Rpc::default(), Rpc::default().raw()] {
            model.rpc(rpc.frames_of(frame));
            model.say("write to ana@corp.com");
            let answer = grpc::infer(&client, "m", "Hi", &headers).unwrap();
            assert_eq!(answer.code, Some(0), "{}", answer.reason);
            assert_eq!(
                answer.messages[0].texts(),
                ["write to [EMAIL]"],
                "frames of {frame}"
            );

            model.say_tokens(&["from ana@corp.com", "", " to bob@corp.com"]);
            let asked = [InferRequest::of_texts("m", &["Hi"])];
            let answer =
                grpc::call::<StreamResponse>(&client, "ModelStreamInfer", &asked, &headers)
                    .unwrap();
            assert_eq!(answer.code, Some(0), "{}", answer.reason);
            let texts: Vec<String> = answer
                .messages
                .into_iter()
                .flat_map(|message| message.response.unwrap().texts())
                .collect();
            assert_eq!(
                texts,
                ["from [EMAIL]", "", " to [EMAIL]"],
                "frames of {frame}"
            );
        }
    }
    // The status long after the message, and a message that comes in two halves.
    let message = framed(&InferResponse::of_texts(
        &InferRequest::of_texts("m", &["Hi"]),
        &["write to ana@corp.com"],
    ));
    let path = format!("/{SERVICE}/ModelInfer");
    for at in [message.len(), 5, 20, message.len() - 1] {
        let gate = Gate::new();
        let (first, second) = message.split_at(at);
        let mut steps = vec![Step::data(first), Step::Wait(gate.clone())];
        if !second.is_empty() {
            steps.extend([Step::data(second), Step::Wait(gate.clone())]);
        }
        let status = [("grpc-status", "0"), ("grpc-message", "fine")];
        let status = status.map(|(name, value)| (name.to_owned(), value.to_owned()));
        steps.push(Step::Trailers(status.to_vec()));
        let answer = Answer::new(200).header("content-type", "application/grpc");
        model.answer(&path, answer.steps(steps));
        let asked = [InferRequest::of_texts("m", &["Hi"])];
        let stream = client
            .open(grpc::request("ModelInfer", &asked, &headers))
            .unwrap();
        gate.open(2);
        let answer = grpc::answer::<InferResponse>(stream.read()).unwrap();
        assert_eq!((answer.code, answer.reason.as_str()), (Some(0), "fine"));
        assert_eq!(
            answer.messages[0].texts(),
            ["write to [EMAIL]"],
            "cut at {at}"
        );
        assert_eq!(answer.response.broken, None);
    }
    let records = mesh.sessions(20).unwrap();
    assert!(
        records
            .iter()
            .all(|one| one["response"]["matches"] == json!({"email": 1})
                || one["response"]["matches"] == json!({"email": 2})),
        "{records:?}"
    );
    vms.all_live(mesh);
}
