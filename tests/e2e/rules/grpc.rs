//! gRPC calls, judged by their one message.

use testbed::grpc;
use testbed::http::Client;
use testbed::kserve::{InferRequest, InferResponse, StreamResponse};

use super::{PROBE, Rules};

impl Rules {
    pub(super) fn grpc_is_judged(&self) {
        let client = Client::http2(self.guarded.mesh.port()).unwrap();
        let call = |token: &str, request: &InferRequest| {
            self.guarded.model.forget();
            let bearer = format!("Bearer {token}");
            let headers = [("authorization", bearer.as_str())];
            let request = std::slice::from_ref(request);
            grpc::call::<InferResponse>(&client, "ModelInfer", request, &headers).unwrap()
        };
        let rows = |count: i64| {
            let mut request = InferRequest::of_texts("small-1", &["hello"]);
            request.inputs[0].shape = vec![count];
            request
        };
        let (engineer, intern) = (self.engineer.as_str(), self.intern.as_str());
        let of_model = |model: &str| InferRequest::of_texts(model, &["hello"]);
        let in_raw = {
            let mut request = of_model("small-1");
            request.inputs[0].contents = None;
            let mut raw = u32::try_from(PROBE.len()).unwrap().to_le_bytes().to_vec();
            raw.extend_from_slice(PROBE.as_bytes());
            request.raw = vec![raw];
            request
        };
        for (case, token, request, allowed) in [
            ("a model that is allowed", intern, of_model("small-1"), true),
            ("a model that is not", intern, of_model("large-1"), false),
            (
                "any model but secret ones",
                engineer,
                of_model("large-1"),
                true,
            ),
            ("a secret model", engineer, of_model("secret-1"), false),
            ("four rows", engineer, rows(4), true),
            ("five rows", engineer, rows(5), false),
            ("rows below zero", engineer, rows(-1), false),
            (
                "a probing text",
                engineer,
                InferRequest::of_texts("small-1", &["a", PROBE]),
                false,
            ),
            ("a probing raw text", engineer, in_raw, false),
        ] {
            let answer = call(token, &request);
            let model = &self.guarded.model;
            if allowed {
                assert_eq!(answer.code, Some(0), "{case}: {answer:?}");
                assert_eq!(answer.messages.len(), 1, "{case}");
                assert_eq!(answer.messages[0].model_name, request.model_name, "{case}");
                assert_eq!(model.begun(), 1, "{case}");
            } else {
                // gRPC has its status beside HTTP's, which is always 200.
                assert_eq!(answer.response.status, 200, "{case}: {answer:?}");
                assert_eq!(answer.code, Some(7), "{case}: {answer:?}");
                assert!(!answer.reason.is_empty(), "{case}: {answer:?}");
                assert_eq!(model.begun(), 0, "{case} reached the model server");
            }
        }

        // Of a stream of requests, each is judged.
        let bearer = format!("Bearer {engineer}");
        let headers = [("authorization", bearer.as_str())];
        let stream = |requests: &[InferRequest]| {
            self.guarded.model.forget();
            let method = "ModelStreamInfer";
            grpc::call::<StreamResponse>(&client, method, requests, &headers).unwrap()
        };
        let allowed = stream(&[of_model("small-1"), of_model("large-1")]);
        assert_eq!(allowed.code, Some(0), "{allowed:?}");
        assert_eq!(self.guarded.model.begun(), 1);
        for requests in [
            &[of_model("secret-1")],
            &[InferRequest::of_texts("small-1", &[PROBE])],
        ] {
            let denied = stream(requests);
            assert_eq!(denied.code, Some(7), "{denied:?}");
            assert!(denied.messages.is_empty(), "{denied:?}");
            assert_eq!(self.guarded.model.begun(), 0);
        }
        // The first may have gone by then; the stream ends all the same.
        let later = stream(&[of_model("small-1"), of_model("secret-1")]);
        assert!(later.code != Some(0), "{later:?}");
    }
}
