//! Messages of the Open Inference Protocol under a mask.

use testbed::grpc;
use testbed::http::Client;
use testbed::kserve::{InferRequest, InferResponse, StreamResponse};
use testbed::model::Rpc;

use super::start;
use crate::support::ana;
use crate::versions::in_every_envoy;

in_every_envoy!(grpc_is_masked);

fn grpc_is_masked(version: &str) {
    let guarded = start(version);
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let bearer = format!("Bearer {}", ana());
    let headers = [("authorization", bearer.as_str()), ("x-case", "grpc")];
    let text = |response: &InferResponse| -> String {
        let bytes: Vec<u8> = match (&response.raw[..], &response.outputs[0].contents) {
            ([raw], None) => raw[4..].to_vec(),
            ([], Some(contents)) => contents.bytes.concat(),
            other => panic!("{other:?}"),
        };
        String::from_utf8(bytes).unwrap()
    };
    guarded
        .model
        .say_tokens(&["Mail jane.doe@exam", "ple.com or TCK-", "123456", "."]);
    for (case, rpc) in [
        ("whole", Rpc::default()),
        ("raw", Rpc::default().raw()),
        ("in frames of 1", Rpc::default().frames_of(1)),
        ("raw in frames of 7", Rpc::default().raw().frames_of(7)),
    ] {
        guarded.model.rpc(rpc);
        let answer = grpc::infer(&client, "small-1", "hello", &headers).unwrap();
        assert_eq!(answer.code, Some(0), "{case}: {answer:?}");
        assert_eq!(answer.messages.len(), 1, "{case}");
        assert_eq!(
            text(&answer.messages[0]),
            "Mail [EMAIL] or [TICKET].",
            "{case}"
        );
        assert_eq!(answer.messages[0].model_name, "small-1", "{case}");

        let request = [InferRequest::of_texts("small-1", &["hello"])];
        let stream =
            grpc::call::<StreamResponse>(&client, "ModelStreamInfer", &request, &headers).unwrap();
        assert_eq!(stream.code, Some(0), "stream, {case}: {stream:?}");
        let responses = stream
            .messages
            .iter()
            .filter_map(|one| one.response.as_ref());
        let whole: String = responses.map(&text).collect();
        assert_eq!(whole, "Mail [EMAIL] or [TICKET].", "stream, {case}");
    }
    guarded.model.rpc(Rpc::default().status(9, "not now"));
    let answer = grpc::infer(&client, "small-1", "hello", &headers).unwrap();
    assert_eq!(
        (answer.code, answer.reason.as_str()),
        (Some(9), "not now"),
        "{answer:?}"
    );

    // The control: without a mask it is all there.
    let plain = Client::http2(guarded.mesh.port_of("plain").unwrap()).unwrap();
    guarded.model.rpc(Rpc::default());
    let answer = grpc::infer(&plain, "small-1", "hello", &headers).unwrap();
    assert_eq!(
        text(&answer.messages[0]),
        "Mail jane.doe@example.com or TCK-123456."
    );
}
