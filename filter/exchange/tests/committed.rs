//! Answers whose end waits for their record.

use std::rc::Rc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Driven, bytes, code, compiled, http};
use crate::exchange::{Call, Closing, CompiledPolicy, Direction, Effect, Event, Flow, Outcome};

/// What a client has of an answer, and what the host holds of it, as Envoy does.
struct Through {
    driven: Driven,
    /// What went to the client.
    body: Vec<u8>,
    head: bool,
    ended: bool,
    /// What is held, and whether the end is with it.
    held: Vec<u8>,
    end_held: bool,
    /// The call to the recorder.
    asked: Option<Call>,
    replied: Option<Outcome>,
    cut: bool,
}

impl Through {
    fn new(compiled: &Rc<CompiledPolicy>) -> Self {
        let mut driven = Driven::new(compiled);
        driven.bodies = crate::exchange::Bodies::HandedOver;
        let outcome = driven.chat();
        assert_eq!(outcome.flow, Flow::Continue, "{outcome:?}");
        Self {
            driven,
            body: Vec::new(),
            head: false,
            ended: false,
            held: Vec::new(),
            end_held: false,
            asked: None,
            replied: None,
            cut: false,
        }
    }

    fn head(&mut self, headers: &[(&str, &str)], end: bool) {
        let mut all = vec![(":status", "200")];
        all.extend(headers);
        let headers = bytes(&all);
        let event = Event::ResponseHead {
            cluster: None,
            headers: &headers,
            end,
        };
        self.end_held |= end;
        self.take(event, None);
    }

    fn piece(&mut self, piece: &[u8], end: bool) {
        if self.driven.exchange.wants_response_body() {
            self.end_held |= end;
            self.take(Event::ResponseBody { piece, end }, Some(piece.to_vec()));
        } else {
            self.body.extend(piece);
            self.ended |= end;
        }
    }

    fn trailers(&mut self) {
        let trailers = bytes(&[("grpc-status", "0")]);
        self.end_held = true;
        if self.driven.exchange.wants_response_trailers() {
            self.take(
                Event::ResponseTrailers {
                    trailers: &trailers,
                },
                Some(Vec::new()),
            );
        } else {
            self.go();
        }
    }

    fn tick(&mut self) {
        self.take(Event::Tick, None);
    }

    fn answer(&mut self, answer: Option<(u16, &[u8])>) {
        let call = self.asked.take().unwrap();
        let event = Event::CallAnswered {
            purpose: call.purpose,
            number: call.number,
            answer: answer.map_or(crate::call::Answer::Failed, |(status, body)| {
                crate::call::Answer::Http {
                    status,
                    coding: b"",
                    body,
                }
            }),
        };
        self.take(event, None);
    }

    fn go(&mut self) {
        assert!(self.replied.is_none() && !self.cut, "something went on");
        self.head = true;
        self.body.append(&mut self.held);
        self.ended |= self.end_held;
    }

    fn take(&mut self, event: Event<'_>, piece: Option<Vec<u8>>) {
        let own = !matches!(event, Event::Tick | Event::CallAnswered { .. });
        let mut piece = piece;
        let outcome = self.driven.handle_as_host(event);
        for effect in &outcome.effects {
            match effect {
                Effect::ReplaceResponseBody(bytes) if piece.is_some() => {
                    piece = Some(bytes.clone());
                }
                Effect::ReplaceResponseBody(bytes) => self.held.clone_from(bytes),
                Effect::Resume(Direction::Response) => self.go(),
                Effect::ReadClosing => {
                    let closing = Closing {
                        peer: Some("10.0.0.9:999"),
                        ..Closing::default()
                    };
                    let told = self.driven.handle_as_host(Event::Closing {
                        number: 7,
                        closing: &closing,
                    });
                    let [Effect::Call(call)] = told.effects.as_slice() else {
                        panic!("{told:?}");
                    };
                    assert!(self.asked.replace((**call).clone()).is_none(), "twice");
                }
                Effect::Reply(_) => self.replied = Some(outcome.clone()),
                Effect::CutResponse => self.cut = true,
                _ => {}
            }
        }
        if self.replied.is_some() || self.cut {
            return;
        }
        self.held.extend(piece.unwrap_or_default());
        if own && outcome.flow == Flow::Continue {
            self.go();
        }
    }
}

fn policy(masked: bool) -> Rc<CompiledPolicy> {
    let mut rule = json!({"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"});
    if masked {
        rule["mask"] = json!(["m"]);
    }
    compiled(&json!({
        "masks": {"m": {"detect": ["email"]}},
        "sessions": {"delivery": "committed", "desk": {"cluster": "desk", "credential": "Bearer ${KEY}"}},
        "rules": [rule],
    }))
}

const CHUNKED: &[(&str, &str)] = &[
    ("content-type", "application/json"),
    ("transfer-encoding", "chunked"),
];
const EVENTS: &[(&str, &str)] = &[("content-type", "text/event-stream")];
const CALL: &[(&str, &str)] = &[("content-type", "application/grpc")];
const BODY: &[u8] = b"{\"choices\":[{\"message\":{\"content\":\"ask bob\"}}]}";
const STREAM: &[u8] =
    b"data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ask bob\"}}]}\n\ndata: [DONE]\n\n";

#[test]
fn the_end_waits_for_the_record_and_goes_with_it() {
    let mut through = Through::new(&policy(true));
    through.head(CHUNKED, false);
    through.piece(BODY, false);
    through.piece(b"", true);
    assert!(!through.ended && through.body.len() < BODY.len());
    let call = through.asked.clone().unwrap();
    let (method, path, headers, body) = http(&call);
    assert_eq!(
        (method, path, &*call.cluster),
        ("POST", "/v1/records", "desk")
    );
    assert!(headers.contains(&("authorization", "Bearer service-key".to_owned())));
    let record: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(record["number"], 7);
    assert_eq!(record["ended"]["how"], "complete");
    assert_eq!(record["mesh"]["peer"], "10.0.0.9:999");
    assert_eq!(record["response"]["bytes_received"], BODY.len());
    through.answer(Some((200, b"{}")));
    assert!(through.ended);
    assert_eq!(through.body, BODY);
    let last = through.driven.record();
    assert_eq!(last["response"]["code"], Value::Null);
    assert_eq!(
        (&last["id"], &last["number"]),
        (&record["id"], &record["number"])
    );
}

#[test]
fn an_answer_of_which_nothing_has_gone_is_refused_without_its_record() {
    let mut through = Through::new(&policy(false));
    through.head(CHUNKED, true);
    assert!(!through.head && !through.ended);
    through.answer(Some((503, b"{}")));
    assert_eq!(code(through.replied.as_ref().unwrap()), "record_not_kept");
    let record = through.driven.record();
    assert_eq!(record["response"]["code"], "record_not_kept");
    assert_eq!(record["ended"]["how"], "refused");
}

#[test]
fn an_answer_that_has_begun_is_broken_off_without_its_record() {
    let mut through = Through::new(&policy(true));
    through.head(CHUNKED, false);
    through.piece(&BODY[..9], false);
    through.piece(&BODY[9..], true);
    through.answer(None);
    assert!(through.cut && !through.ended);
    let sent = through.body.len();
    let record = through.driven.record();
    assert_eq!(record["response"]["code"], "record_not_kept");
    assert_eq!(record["ended"]["how"], "cut");
    assert_eq!(record["response"]["bytes_sent"], sent);
    assert_eq!(record["response"]["digest"], Value::Null);
}

#[test]
fn a_rule_says_otherwise_than_the_policy() {
    let desk = json!({"cluster": "desk"});
    for (all, one, waits) in [
        ("stream", Some("committed"), true),
        ("committed", Some("stream"), false),
        ("stream", None, false),
    ] {
        let mut rule = json!({"name": "all", "then": "allow"});
        if let Some(one) = one {
            rule["sessions"] = json!({"delivery": one});
        }
        let policy = compiled(&json!({
            "sessions": {"delivery": all, "desk": desk},
            "rules": [rule],
        }));
        let mut through = Through::new(&policy);
        through.head(CHUNKED, false);
        through.piece(BODY, true);
        assert_eq!(through.asked.is_some(), waits, "{all} {one:?}");
        assert_eq!(through.ended, !waits);
    }
}

#[test]
fn a_session_is_refused_since_it_has_no_end_that_could_wait() {
    let mut driven = Driven::new(&policy(false));
    let outcome = driven.head(
        "GET",
        "/v1/realtime",
        &[("upgrade", "websocket"), ("connection", "upgrade")],
        false,
    );
    assert_eq!(code(&outcome), "session_not_committable");
}

#[test]
fn the_filters_own_answers_wait_for_nothing() {
    let policy = compiled(&json!({
        "sessions": {"delivery": "committed", "desk": {"cluster": "desk"}},
        "rules": [{"name": "none", "then": "deny"}],
    }));
    let mut driven = Driven::new(&policy);
    assert_eq!(code(&driven.chat()), "denied");
    let headers = bytes(&[(":status", "403"), ("content-type", "application/json")]);
    let head = driven.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    });
    assert_eq!((head.flow, head.effects.len()), (Flow::Continue, 0));
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Chunked,
    Sized,
    Http2,
    Events,
    EventsWithTrailers,
    Grpc,
}

fn form() -> impl Strategy<Value = Form> {
    prop::sample::select(vec![
        Form::Chunked,
        Form::Sized,
        Form::Http2,
        Form::Events,
        Form::EventsWithTrailers,
        Form::Grpc,
    ])
}

fn grpc_body() -> Vec<u8> {
    // One message with one field of text.
    let mut message = vec![0x0a, 7];
    message.extend(b"ask bob");
    let mut body = vec![0, 0, 0, 0, 9];
    body.extend(message);
    body
}

proptest! {
    #[test]
    fn no_client_sees_an_end_before_the_record_is_kept(
        form in form(),
        masked: bool,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..5),
        ticks in prop::collection::vec(any::<bool>(), 8),
        answer in prop::sample::select(vec![None, Some(200_u16), Some(201), Some(500), Some(302)]),
        empty_end: bool,
    ) {
        let body = match form {
            Form::Chunked | Form::Sized | Form::Http2 => BODY.to_vec(),
            Form::Events | Form::EventsWithTrailers => STREAM.to_vec(),
            Form::Grpc => grpc_body(),
        };
        let length = body.len().to_string();
        let sized = [("content-type", "application/json"), ("content-length", &*length)];
        let mut through = Through::new(&policy(masked));
        through.head(match form {
            Form::Chunked => CHUNKED,
            Form::Sized => &sized,
            Form::Http2 => &CHUNKED[..1],
            Form::Events | Form::EventsWithTrailers => EVENTS,
            Form::Grpc => CALL,
        }, false);
        let trailers = matches!(form, Form::EventsWithTrailers | Form::Grpc);
        let mut at: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len())).collect();
        at.extend([0, body.len()]);
        at.sort_unstable();
        at.dedup();
        let mut ticks = ticks.into_iter().cycle();
        let last = at.len() - 2;
        for (index, pair) in at.windows(2).enumerate() {
            let end = index == last && !trailers && !empty_end;
            through.piece(&body[pair[0]..pair[1]], end);
            if ticks.next().unwrap() {
                through.tick();
            }
        }
        if trailers {
            through.trailers();
        } else if empty_end {
            through.piece(b"", true);
        }
        through.tick();
        prop_assert!(through.asked.is_some());
        prop_assert!(!through.ended);
        prop_assert!(body.starts_with(&through.body));
        prop_assert!(matches!(form, Form::Grpc) || through.body.len() < body.len());
        let kept = matches!(answer, Some(200..=299));
        through.answer(answer.map(|status| (status, &b"{}"[..])));
        if kept {
            through.tick();
            through.tick();
            prop_assert_eq!(&through.body, &body);
            prop_assert!(through.ended && through.replied.is_none() && !through.cut);
        } else {
            prop_assert!(!through.ended);
            prop_assert!(through.replied.is_some() || through.cut);
        }
    }
}
