//! What becomes of a decision is the same on HTTP/1.1, on HTTP/2 and for a gRPC call.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{Client, Request, Response};
use testbed::kserve::{InferRequest, InferResponse};
use testbed::model::Answer;
use testbed::{grpc, kserve, wait};

use super::{gated, message, token};
use crate::support::{Desk, Guarded, chat, code};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(each_protocol_holds_and_decides_alike);

const PATIENCE: Duration = Duration::from_secs(30);

/// How a request travels.
#[derive(Debug, Clone, Copy)]
enum Way {
    Http1,
    Http2,
    Grpc,
}

/// What a client is told.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Passed,
    /// With the reviewer's reason in the message.
    Denied(String),
    /// By which id it is asked.
    Pending(String),
    /// The model server failed.
    Failed,
}

impl Way {
    fn client(self, port: u16) -> Client {
        match self {
            Self::Http1 => Client::http1(port),
            Self::Http2 | Self::Grpc => Client::http2(port),
        }
        .unwrap()
    }

    /// Each subject is of one case of one protocol.
    fn subject(self, case: &str) -> String {
        format!("{case}-{self:?}")
    }

    fn request(self, subject: &str, text: &str) -> Request {
        let token = token(subject);
        match self {
            Self::Http1 | Self::Http2 => chat(&token, text),
            Self::Grpc => {
                let bearer = format!("Bearer {token}");
                let message = InferRequest::of_texts("small-1", &[text]);
                grpc::request("ModelInfer", &[message], &[("authorization", &bearer)])
            }
        }
    }

    fn said(self, answer: Response) -> Said {
        let (code, text) = match self {
            Self::Http1 | Self::Http2 => match answer.status {
                200 => return Said::Passed,
                403 | 409 => (code(&answer), message(&answer)),
                500 => return Said::Failed,
                other => panic!("{self:?}: {other} {}", answer.text()),
            },
            // The status says it in another way: permission denied, and unavailable.
            Self::Grpc => {
                let call = grpc::answer::<InferResponse>(answer).unwrap();
                let code = match call.code {
                    Some(0) => return Said::Passed,
                    Some(7) => "approval_denied",
                    Some(13) => return Said::Failed,
                    Some(14) => "approval_pending",
                    _ => panic!("{call:?}"),
                };
                (code.to_owned(), call.reason)
            }
        };
        match code.as_str() {
            "approval_denied" => Said::Denied(text),
            "approval_pending" => Said::Pending(id_in(&text)),
            other => panic!("{self:?}: {other}: {text}"),
        }
    }
}

impl Way {
    fn path(self) -> String {
        match self {
            Self::Http1 | Self::Http2 => "/v1/chat/completions".to_owned(),
            Self::Grpc => format!("/{}/ModelInfer", kserve::SERVICE),
        }
    }

    /// How a model server says that it failed.
    fn failure(self) -> Answer {
        match self {
            Self::Http1 | Self::Http2 => Answer::new(500),
            Self::Grpc => Answer::new(200)
                .header("content-type", "application/grpc")
                .header("grpc-status", "13"),
        }
    }
}

fn id_in(message: &str) -> String {
    let mut words = message.split(|one: char| !one.is_ascii_alphanumeric() && one != '_');
    let id = words.find(|word| word.starts_with("apr_"));
    id.unwrap_or_else(|| panic!("no id in {message:?}"))
        .to_owned()
}

/// Where requests are held until somebody decides, where they are told at once to come back, and where
/// moreover an approval is good for a second.
const HELD: &str = "inference";
const SOON: &str = "soon";
const BRIEF: &str = "brief";

struct Lab {
    desk: Desk,
    guarded: Guarded,
}

impl Lab {
    fn start(version: &str) -> Self {
        let policy = |wait: &str, grant: Option<Value>| {
            let mut policy = gated(wait, "DESK_KEY");
            policy["rules"][0]["when"] = json!({"operation": ["inference.*"]});
            if let Some(grant) = grant {
                policy["rules"][0]["then"]["approve"]["grant"] = grant;
            }
            policy
        };
        let desk = Desk::start();
        let brief = json!({"uses": 1, "for": "1s"});
        let guarded = Guarded::start_with(version, &policy("5m", None), |builder| {
            builder
                .alone()
                .concurrency(4)
                .cluster_http2("desk", desk.port)
                .listener(SOON, policy("300ms", None))
                .listener(BRIEF, policy("300ms", Some(brief)))
        });
        Self { desk, guarded }
    }

    /// On a connection of its own, so mostly on another worker than the one before.
    fn send(&self, way: Way, listener: &str, request: Request) -> Said {
        let port = self.guarded.mesh.port_of(listener).unwrap();
        way.said(way.client(port).send(request).unwrap())
    }

    /// Asks and is told to come back; gives the question.
    fn ask(&self, way: Way, listener: &str, subject: &str) -> Value {
        let said = self.send(way, listener, way.request(subject, "Hi"));
        let question = self.desk.pending(subject);
        let id = question["id"].as_str().unwrap().to_owned();
        assert_eq!(said, Said::Pending(id), "{subject}");
        question
    }

    /// Asks again behind the end of an approval: it is a new question, and nothing passes.
    fn asks_anew(&self, way: Way, listener: &str, subject: &str, before: &Value) {
        let begun = self.guarded.model.begun();
        let said = self.send(way, listener, way.request(subject, "Hi"));
        let Said::Pending(id) = &said else {
            panic!("{subject}: {said:?}");
        };
        assert_ne!(before["id"], id.as_str(), "{subject}");
        assert_eq!(self.guarded.model.begun(), begun, "{subject}");
    }

    fn shown(&self, question: &Value) -> Value {
        let id = question["id"].as_str().unwrap();
        self.desk.get(&format!("/v1/approvals/{id}"))
    }
}

fn each_protocol_holds_and_decides_alike(version: &str) {
    let lab = Lab::start(version);
    for way in [Way::Http1, Way::Http2, Way::Grpc] {
        what_is_held_goes_on_when_it_is_approved(&lab, way);
        what_is_held_ends_when_it_is_denied(&lab, way);
        an_approval_is_for_one_use_of_one_body(&lab, way);
        an_approval_that_expires_is_good_for_nothing(&lab, way);
        an_approval_that_is_taken_back_is_good_for_nothing(&lab, way);
        who_has_left_may_come_back(&lab, way);
        an_approval_comes_back_when_the_model_server_fails(&lab, way);
    }
}

fn what_is_held_goes_on_when_it_is_approved(lab: &Lab, way: Way) {
    let subject = way.subject("approved");
    let begun = lab.guarded.model.begun();
    let client = way.client(lab.guarded.mesh.port());
    let held = client.start(way.request(&subject, "Hi")).unwrap();
    let question = lab.desk.pending(&subject);
    assert!(!held.answered(), "{subject} was not held");
    assert_eq!(lab.guarded.model.begun(), begun, "{subject}");
    lab.desk.decide(&question, "approve", "");
    assert_eq!(way.said(held.response().unwrap().read()), Said::Passed);
    assert_eq!(lab.guarded.model.begun(), begun + 1, "{subject}");
    assert_eq!(lab.shown(&question)["state"], "used", "{subject}");
}

fn what_is_held_ends_when_it_is_denied(lab: &Lab, way: Way) {
    let subject = way.subject("denied");
    let begun = lab.guarded.model.begun();
    let client = way.client(lab.guarded.mesh.port());
    let held = client.start(way.request(&subject, "Hi")).unwrap();
    let question = lab.desk.pending(&subject);
    lab.desk.decide(&question, "deny", "not on a Friday");
    let again = lab.send(way, HELD, way.request(&subject, "Hi"));
    for said in [way.said(held.response().unwrap().read()), again] {
        let Said::Denied(text) = &said else {
            panic!("{subject}: {said:?}");
        };
        assert!(text.contains("not on a Friday"), "{subject}: {text}");
    }
    assert_eq!(lab.guarded.model.begun(), begun, "{subject}");
}

fn an_approval_is_for_one_use_of_one_body(lab: &Lab, way: Way) {
    let subject = way.subject("once");
    let begun = lab.guarded.model.begun();
    let question = lab.ask(way, SOON, &subject);
    lab.desk.decide(&question, "approve", "");
    let changed = lab.send(way, SOON, way.request(&subject, "Hi, and more"));
    let Said::Pending(other) = changed else {
        panic!("{subject}: {changed:?}");
    };
    assert_ne!(question["id"], other.as_str(), "{subject}");
    assert_eq!(lab.guarded.model.begun(), begun, "{subject}");
    let approved = lab.send(way, SOON, way.request(&subject, "Hi"));
    assert_eq!(approved, Said::Passed, "{subject}");
    assert_eq!(lab.guarded.model.begun(), begun + 1, "{subject}");
    lab.asks_anew(way, SOON, &subject, &question);
}

fn an_approval_that_expires_is_good_for_nothing(lab: &Lab, way: Way) {
    let subject = way.subject("expired");
    let question = lab.ask(way, BRIEF, &subject);
    lab.desk.decide(&question, "approve", "");
    let expired = || lab.shown(&question)["state"] == "expired";
    wait::until("the approval to expire", PATIENCE, expired).unwrap();
    lab.asks_anew(way, BRIEF, &subject, &question);
}

fn an_approval_that_is_taken_back_is_good_for_nothing(lab: &Lab, way: Way) {
    let subject = way.subject("revoked");
    let question = lab.ask(way, SOON, &subject);
    lab.desk.decide(&question, "approve", "");
    lab.desk.decide(&question, "revoke", "a mistake");
    assert_eq!(lab.shown(&question)["state"], "revoked", "{subject}");
    lab.asks_anew(way, SOON, &subject, &question);
}

fn who_has_left_may_come_back(lab: &Lab, way: Way) {
    let subject = way.subject("back");
    let begun = lab.guarded.model.begun();
    let client = way.client(lab.guarded.mesh.port());
    let held = client.start(way.request(&subject, "Hi")).unwrap();
    let question = lab.desk.pending(&subject);
    drop((held, client));
    let left = || lab.shown(&question)["waiting"] == 0;
    wait::until("the desk to hear of it", PATIENCE, left).unwrap();
    lab.desk.decide(&question, "approve", "");
    assert_eq!(lab.guarded.model.begun(), begun, "{subject}");
    let back = lab.send(way, HELD, way.request(&subject, "Hi"));
    assert_eq!(back, Said::Passed, "{subject}");
    assert_eq!(lab.guarded.model.begun(), begun + 1, "{subject}");
}

fn an_approval_comes_back_when_the_model_server_fails(lab: &Lab, way: Way) {
    let subject = way.subject("failed");
    let question = lab.ask(way, SOON, &subject);
    lab.desk.decide(&question, "approve", "");
    lab.guarded.model.answer(&way.path(), way.failure());
    let failed = lab.send(way, SOON, way.request(&subject, "Hi"));
    assert_eq!(failed, Said::Failed, "{subject}");
    lab.guarded.model.answer_as_usual(&way.path());
    let back = || lab.shown(&question)["state"] == "approved";
    wait::until("the approval to come back", PATIENCE, back).unwrap();
    let passed = lab.send(way, SOON, way.request(&subject, "Hi"));
    assert_eq!(passed, Said::Passed, "{subject}");
    lab.asks_anew(way, SOON, &subject, &question);
}
