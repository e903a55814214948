//! Secrets in parts of every size, wherever clients put these together.

use serde_json::{Value, json};

use super::*;

/// How a text comes in parts, and where a client takes them from.
#[derive(Clone, Copy, Debug)]
struct Form {
    format: Format,
    /// A part as it is sent; the first one, if so.
    write: fn(&Value, bool) -> Vec<u8>,
    /// What the body begins and ends with.
    around: (&'static [u8], &'static [u8]),
    read: Read,
    /// Whether it keeps its length.
    sized: bool,
}

#[derive(Clone, Copy, Debug)]
enum Read {
    /// A member of each event's or line's JSON, behind so many bytes of code.
    Json(usize, &'static str),
    /// A member of each element.
    Array(&'static str),
    /// The string of each message of gRPC.
    Grpc,
}

fn event(data: &Value) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

/// openai-python, types/chat/chat_completion_chunk.py.
fn choice(delta: &Value) -> Vec<u8> {
    let choice = json!({"index": 0, "delta": delta});
    event(&json!({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}))
}

/// A message with field 4 as a string, in a frame.
fn message(part: &str) -> Vec<u8> {
    let length = u8::try_from(part.len()).unwrap();
    let inside = [&[8, 1, 0x22, length][..], part.as_bytes()].concat();
    let frame = u32::try_from(inside.len()).unwrap().to_be_bytes();
    [&[0][..], &frame, &inside].concat()
}

const NONE: (&[u8], &[u8]) = (b"", b"");

fn forms() -> Vec<Form> {
    let of = |format, write, read| Form {
        format,
        write,
        around: NONE,
        read,
        sized: false,
    };
    let of_delta = |write, read| of(Format::Events, write, Read::Json(6, read));
    let coded = of(
        Format::Text,
        |part, _| format!("0:{part}\n").into_bytes(),
        Read::Json(2, ""),
    );
    let array = Form {
        around: (b"[", b"]"),
        ..of(
            Format::Json,
            |part, first| {
                let content = json!({"parts": [{"text": part}]});
                let chunk = json!({"candidates": [{"index": 0, "content": content}]});
                format!("{}{chunk}", if first { "" } else { ",\n" }).into_bytes()
            },
            Read::Array("/candidates/0/content/parts/0/text"),
        )
    };
    vec![
        of_delta(
            |part, _| choice(&json!({"content": part})),
            "/choices/0/delta/content",
        ),
        of_delta(
            |part, _| {
                let call = json!({"index": 0, "function": {"name": part, "arguments": ""}});
                choice(&json!({"tool_calls": [call]}))
            },
            "/choices/0/delta/tool_calls/0/function/name",
        ),
        of_delta(
            |part, _| choice(&json!({"tool_calls": [{"index": 0, "id": part}]})),
            "/choices/0/delta/tool_calls/0/id",
        ),
        // anthropic-sdk-python, types/signature_delta.py.
        of_delta(
            |part, _| {
                let delta = json!({"type": "signature_delta", "signature": part});
                event(&json!({"type": "content_block_delta", "index": 0, "delta": delta}))
            },
            "/delta/signature",
        ),
        // ollama, docs/api.md.
        of(
            Format::Lines,
            |part, _| {
                let message = json!({"role": "assistant", "content": part});
                format!("{}\n", json!({"message": message, "done": false})).into_bytes()
            },
            Read::Json(0, "/message/content"),
        ),
        coded,
        Form {
            sized: true,
            ..coded
        },
        array,
        Form {
            sized: true,
            ..array
        },
        of(
            Format::Grpc(crate::GrpcMessage::Any),
            |part, _| message(part.as_str().unwrap()),
            Read::Grpc,
        ),
    ]
}

impl Form {
    fn body(&self, parts: &[&str]) -> Vec<u8> {
        let mut body = self.around.0.to_vec();
        for (index, part) in parts.iter().enumerate() {
            body.extend((self.write)(&json!(part), index == 0));
        }
        body.extend(self.around.1);
        body
    }

    /// What a client puts together.
    fn text(&self, body: &[u8]) -> String {
        let string = |value: &Value, at: &str| {
            let found = value.pointer(at).and_then(Value::as_str);
            found.unwrap().to_owned()
        };
        let text = || core::str::from_utf8(body).unwrap();
        match self.read {
            Read::Json(code, at) => {
                let lines = text().lines().filter(|line| !line.is_empty());
                let read = |line: &str| serde_json::from_str(line.split_at(code).1).unwrap();
                lines.map(|line| string(&read(line), at)).collect()
            }
            Read::Array(at) => {
                let chunks: Vec<Value> = serde_json::from_str(text()).unwrap();
                chunks.iter().map(|chunk| string(chunk, at)).collect()
            }
            Read::Grpc => {
                let mut rest = body;
                let mut text = String::new();
                while let Some((head, behind)) = rest.split_first_chunk::<9>() {
                    let [0, 0, 0, 0, frame, 8, 1, 0x22, length] = *head else {
                        panic!("{head:?}");
                    };
                    assert_eq!(frame, length + 4);
                    let (part, behind) = behind.split_at(usize::from(length));
                    text += core::str::from_utf8(part).unwrap();
                    rest = behind;
                }
                assert!(rest.is_empty());
                text
            }
        }
    }
}

/// A body without a mask, in two pieces.
fn alone(secrets: &Rc<Secrets>, form: &Form, body: &[u8], at: usize) -> Vec<u8> {
    let mask = Rc::new(CompiledMask::of_secrets(secrets));
    let mut spread = SpreadSecrets::new(&mask, form.format, Framing::default());
    if form.sized {
        spread = spread.sized();
    }
    let mut scrub = Scrub::default();
    let mut out = Vec::new();
    let (head, tail) = body.split_at(at);
    for (piece, end) in [(head, false), (tail, true)] {
        let mut texts = Vec::new();
        spread.push(piece, end, &mut texts).unwrap();
        scrub.push(secrets, &texts, end, &mut out);
    }
    if form.sized {
        assert_eq!(out.len(), body.len(), "lengths stay");
    }
    out
}

/// The same under a mask.
fn masked(secrets: &Rc<Secrets>, form: &Form, body: &[u8], at: usize) -> Vec<u8> {
    let plan = Plan {
        detections: vec![Detection {
            detector: Detector::BuiltIn("email"),
            style: Style::Label,
        }],
        ..Plan::default()
    };
    let masks = Masks::guarding(&plan, Some(secrets)).unwrap();
    let mut pass = Pass::new(&masks, (form.format, Framing::default()), None);
    let mut scrub = Scrub::default();
    let mut out = Vec::new();
    let (head, tail) = body.split_at(at);
    for (piece, end) in [(head, false), (tail, true)] {
        let mut texts = Vec::new();
        pass.push(&masks, piece, &mut texts).unwrap();
        if end {
            pass.finish(&masks, &mut texts).unwrap();
        }
        scrub.push(secrets, &texts, end, &mut out);
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn no_client_puts_a_secret_together(
        secret in "[a-zA-Z0-9+/=_\"\\\\&%<-]{8,40}",
        front in "[ ,;!]{0,4}",
        behind in "[ ,;!]{0,4}",
        cuts in proptest::collection::vec(0.0..1.0f64, 0..12),
        at in 0.0..1.0f64,
        form in proptest::sample::select(forms()),
    ) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let place = |share: f64, length: usize| (share * length as f64) as usize;
        let text = format!("{front}{secret}{behind}");
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| place(*cut, text.len())).collect();
        cuts.push(text.len());
        cuts.sort_unstable();
        let mut from = 0;
        let mut parts = Vec::new();
        for to in cuts {
            parts.push(text.get(from..to).unwrap_or_default());
            from = to;
        }
        let body = form.body(&parts);
        prop_assert_eq!(&form.text(&body), &text);
        let at = place(at, body.len());
        let secrets = Rc::new(Secrets::new([secret.as_str()]));
        let expected = format!("{front}{}{behind}", "*".repeat(secret.len()));
        for out in [alone(&secrets, &form, &body, at), masked(&secrets, &form, &body, at)] {
            prop_assert_eq!(form.text(&out), expected.clone(), "{:?}", form.read);
        }
    }
}

#[test]
fn a_backslash_in_front_of_another_escape_hides_nothing() {
    for first in ["\\&#115;", "\\%73", "\\n\\u0073", "\\\"\\x73"] {
        let text = format!("{first}{}", KEY.split_at(1).1);
        let (out, found) = scrubbed(&Secrets::new([KEY]), &text);
        assert!(found == 1 && !out.contains("mill"), "{text}");
    }
}
