//! Requests that are held for keys: nothing of them is lost, nothing of them goes on too early,
//! and those that wait in vain, or whose client leaves, do no harm.

use serde_json::json;
use testbed::body::{Gate, Step, split};
use testbed::grpc;
use testbed::http::{Client, Pending, Request};
use testbed::idp::Idp;
use testbed::kserve::InferRequest;
use testbed::wait;

use super::{PATIENCE, call, discovered, trusting, under_way};
use crate::support::{Guarded, chat};
use crate::versions::in_each_envoy;
use crate::vms::Vms;

in_each_envoy!(
    held_requests_go_on_whole,
    a_key_that_is_new_holds_a_body_back_too,
    clients_may_leave_while_they_wait,
);

/// An Envoy that trusts a provider, which answers when the gate lets it.
fn start(version: &str, idp: &Idp, gate: &Gate) -> Guarded {
    idp.wait_for(gate);
    let timings = json!({"timeout": "50s", "wait": "50s", "refresh": "1h", "cooldown": "1s"});
    let provider = discovered("idp", &idp.issuer(), &timings);
    Guarded::start_with(version, &trusting(&[provider]), |builder| {
        builder.cluster("idp", idp.port())
    })
}

fn held_requests_go_on_whole(version: &str) {
    let idp = Idp::start().unwrap();
    let gate = Gate::new();
    let guarded = start(version, &idp, &gate);
    let vms = Vms::of(&guarded.mesh);
    let token = idp.good("ana", &[]);
    let one = Client::http1(guarded.mesh.port()).unwrap();
    let two = Client::http2(guarded.mesh.port()).unwrap();

    let body: Vec<u8> = (0..200_000_u32).map(|at| at.to_le_bytes()[0]).collect();
    let upload = Request::post("/v1/files")
        .bearer(&token)
        .steps(split(&body, 20_000));
    let upload = one.start(upload).unwrap();
    let rest = Gate::new();
    // Its end comes long after its head was let go.
    let slow = Request::post("/v1/files").bearer(&token).steps(vec![
        Step::data("first, "),
        Step::Wait(rest.clone()),
        Step::data("second, "),
        Step::Wait(rest.clone()),
        Step::data("third"),
        Step::Trailers(vec![("x-sum".to_owned(), "7".to_owned())]),
    ]);
    let slow = two.start(slow).unwrap();
    let bearer = format!("Bearer {token}");
    let message = InferRequest::of_texts("m", &["hello"]);
    let rpc = grpc::request("ModelInfer", &[message], &[("authorization", &bearer)]);
    let rpc = two.start(rpc).unwrap();
    under_way(&guarded, 3);
    assert_eq!(guarded.model.begun(), 0);

    gate.open(2);
    let answer = upload.response().unwrap().read();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = rpc.response().unwrap().read();
    assert_eq!(answer.trailer("grpc-status"), Some("0"), "{answer:?}");
    let begun = || guarded.model.begun() == 3;
    wait::until("the slow request to begin", PATIENCE, begun).unwrap();
    rest.open(2);
    assert_eq!(slow.response().unwrap().read().status, 200);
    let received = guarded.model.wait_received(3).unwrap();
    let uploads = received.iter().filter(|one| one.path == "/v1/files");
    let (short, long): (Vec<_>, Vec<_>) = uploads.partition(|one| one.body.len() < 100);
    assert_eq!(
        String::from_utf8_lossy(&short[0].body),
        "first, second, third"
    );
    assert!(long[0].body == body, "{} bytes", long[0].body.len());
    assert!(received.iter().all(|one| one.complete));
    vms.all_live(&guarded.mesh);
}

/// What a client uploads meanwhile may be as long as a body that a rule reads.
fn a_key_that_is_new_holds_a_body_back_too(version: &str) {
    let idp = Idp::start().unwrap();
    let gate = Gate::new();
    let guarded = start(version, &idp, &gate);
    gate.open(2);
    assert_eq!(call(&guarded, &idp.good("ana", &[])).status, 200);
    idp.rotate_beside().unwrap();
    let upload = Request::post("/v1/files")
        .bearer(&idp.good("ana", &[]))
        .steps(vec![Step::Fill(b'x', 8_000_000)]);
    let client = Client::http1(guarded.mesh.port()).unwrap();
    let upload = client.start(upload).unwrap();
    let asked = || idp.fetches().discovery == 2;
    wait::until("the second fetch", PATIENCE, asked).unwrap();
    assert_eq!(guarded.model.begun(), 1);
    gate.open(2);
    let answer = upload.response().unwrap().read();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let received = guarded.model.wait_received(2).unwrap();
    assert_eq!(received[1].body.len(), 8_000_000);
}

fn clients_may_leave_while_they_wait(version: &str) {
    let idp = Idp::start().unwrap();
    let gate = Gate::new();
    let guarded = start(version, &idp, &gate);
    let vms = Vms::of(&guarded.mesh);
    let token = idp.good("ana", &[]);
    let two = Client::http2(guarded.mesh.port()).unwrap();
    let begin = |count: usize| -> Vec<Pending> {
        (0..count)
            .map(|at| match at % 2 {
                0 => two.start(chat(&token, "hello")).unwrap(),
                _ => {
                    let one = Client::http1(guarded.mesh.port()).unwrap();
                    one.start(chat(&token, "hello")).unwrap()
                }
            })
            .collect()
    };
    let leaving = begin(40);
    let staying = begin(10);
    under_way(&guarded, 50);
    drop(leaving);
    under_way(&guarded, 10);
    gate.open(2);
    for request in staying {
        let answer = request.response().unwrap().read();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(guarded.model.begun(), 10);
    vms.all_live(&guarded.mesh);
}
