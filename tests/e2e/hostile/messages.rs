//! gRPC messages that lie.

use serde_json::json;
use testbed::body::Step;
use testbed::grpc::{self, framed};
use testbed::http::{Client, Request, Response};
use testbed::kserve::{InferRequest, InferResponse, SERVICE};
use testbed::model::Answer;

use super::strict;
use crate::support::{Guarded, ana};
use crate::versions::in_each_envoy;
use crate::vms::Vms;

in_each_envoy!(a_message_that_lies_is_refused);

/// In no form may this arrive.
const ADDRESS: &str = "ana@corp.com";

fn call(body: Vec<u8>) -> Request {
    Request::post(&format!("/{SERVICE}/ModelInfer"))
        .bearer(&ana())
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .steps(vec![Step::data(body)])
}

fn status(response: &Response) -> Option<&str> {
    let trailer = response.trailer("grpc-status");
    trailer.or_else(|| response.header("grpc-status"))
}

/// A message behind a flag and a length that need not be true.
fn envelope(flag: u8, length: usize, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(length).unwrap();
    [&[flag], &length.to_be_bytes()[..], message].concat()
}

fn a_message_that_lies_is_refused(version: &str) {
    let guarded = Guarded::start(version, &strict());
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let vms = Vms::of(mesh);
    let client = Client::http2(mesh.port()).unwrap();

    let asked = InferRequest::of_texts("m", &["open sesame"]);
    let whole = framed(&asked);
    let message = &whole[5..];
    let length = message.len();
    let deep = (0..10_000).fold(Vec::new(), |inner: Vec<u8>, _| {
        let inner = &inner[..inner.len().min(60_000)];
        let mut field = vec![0x2a];
        let mut left = inner.len();
        while left > 0x7f {
            field.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
            left >>= 7;
        }
        field.push(u8::try_from(left).unwrap());
        field.extend_from_slice(inner);
        field
    });
    for body in [
        vec![],
        vec![0],
        envelope(0, length - 1, message),
        envelope(0, length + 1, message),
        envelope(0, 0, message),
        envelope(0, u32::MAX as usize, message),
        envelope(1, length, message),
        envelope(2, length, message),
        envelope(0xff, length, message),
        [whole.clone(), whole.clone()].concat(),
        [whole.clone(), vec![0]].concat(),
        envelope(0, 10, &[0xff; 10]),
        envelope(0, 6, &[0x2a, 0xff, 0xff, 0xff, 0xff, 0x0f]),
        envelope(
            0,
            11,
            &[
                0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            ],
        ),
        envelope(0, 2, &[0x0b, 0x0c]),
        envelope(0, 2, &[0x00, 0x00]),
        envelope(0, deep.len() - 1, &deep[..deep.len() - 1]),
    ] {
        let shown = format!("{:?}", &body[..body.len().min(20)]);
        let refused = client.send(call(body)).unwrap();
        assert_eq!(refused.status, 200, "{shown}");
        assert!(
            status(&refused).is_some_and(|code| code != "0"),
            "{shown}: {:?}",
            refused.headers
        );
    }
    assert_eq!(model.begun(), 0);

    let asked = InferRequest::of_texts("m", &["Hi"]);
    let whole = framed(&InferResponse::of_texts(&asked, &[ADDRESS]));
    let message = &whole[5..];
    let length = message.len();
    let end = |code: &str| Step::Trailers(vec![("grpc-status".to_owned(), code.to_owned())]);
    for body in [
        envelope(1, length, message),
        envelope(2, length, message),
        envelope(0, length + 1, message),
        envelope(0, length - 1, message),
        envelope(0, u32::MAX as usize, message),
        whole[..whole.len() - 1].to_vec(),
        [whole.clone(), envelope(1, length, message)].concat(),
        ADDRESS.as_bytes().to_vec(),
        envelope(0, ADDRESS.len(), ADDRESS.as_bytes()),
    ] {
        for trailers in [true, false] {
            let mut steps = vec![Step::data(body.clone())];
            if trailers {
                steps.push(end("0"));
            }
            let answer = Answer::new(200).header("content-type", "application/grpc");
            model.answer(&format!("/{SERVICE}/ModelInfer"), answer.steps(steps));
            let asked = grpc::framed(&asked);
            let what = format!("{:?}", &body[..5]);
            // Its stream may be ended before its head has arrived.
            if let Ok(response) = client.send(call(asked)) {
                let fine = response.broken.is_none() && status(&response) == Some("0");
                assert!(!fine, "{what} passed: {:?}", response.text());
                for part in [ADDRESS, "ana@", "corp.com"] {
                    assert!(
                        !response.text().contains(part),
                        "{what}: {:?}",
                        response.text()
                    );
                }
            }
        }
    }
    // Others on the connection are served.
    model.say(ADDRESS);
    model.answer(
        &format!("/{SERVICE}/ModelInfer"),
        Answer::new(200)
            .header("content-type", "application/grpc")
            .steps(vec![Step::data(whole), end("0")]),
    );
    let bearer = format!("Bearer {}", ana());
    let answer = grpc::infer(&client, "m", "Hi", &[("authorization", &bearer)]).unwrap();
    assert_eq!(
        (answer.code, answer.messages[0].texts()),
        (Some(0), vec!["[EMAIL]".to_owned()])
    );
    let model_list = client
        .send(Request::get("/v1/models").bearer(&ana()))
        .unwrap();
    assert_eq!(model_list.json()["object"], json!("list"));
    vms.all_live(mesh);
}
