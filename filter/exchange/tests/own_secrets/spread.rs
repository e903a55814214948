//! The guard's own secrets, spread over what a stream brings.

use super::*;

fn chunk(text: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
    )
}

#[test]
fn a_secret_that_is_spread_over_events_does_not_come_out() {
    for policy in rules() {
        for cut in 1..KEY.len() {
            let (front, back) = KEY.split_at(cut);
            let whole = [chunk("It is "), chunk(front), chunk(back), chunk("!")].concat();
            let expected = [chunk("It is "), chunk(STARS), chunk(""), chunk("!")].concat();
            let mut exchange = passed(&policy);
            let media = ("content-type", "text/event-stream");
            respond(&mut exchange, &[(":status", "200"), media], false);
            let out = sent(&mut exchange, whole.as_bytes(), cut * 30);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}

#[test]
fn a_secret_does_not_come_out_where_a_mask_lets_texts_pass() {
    let thought = |text: &str| {
        let delta = json!({"reasoning_content": text});
        format!(
            "data: {}\n\n",
            json!({"choices": [{"index": 0, "delta": delta}]})
        )
    };
    let whole = [thought("It is service"), thought("-key"), thought(", no?")].concat();
    let mut exchange = passed(&guarded(json!({"mask": ["lax"]})));
    respond(
        &mut exchange,
        &[(":status", "200"), ("content-type", "text/event-stream")],
        false,
    );
    let out = String::from_utf8(sent(&mut exchange, whole.as_bytes(), 70)).unwrap();
    assert!(!out.contains("-key") && out.contains(", no?"), "{out}");
}

#[test]
fn a_secret_that_is_spread_over_gemini_s_chunks_does_not_come_out() {
    // As models.streamGenerateContent answers without alt=sse (ai.google.dev/api/generate-content).
    let chunks = |one: &str, other: &str| {
        let chunk = |text| json!({"candidates":[{"index":0,"content":{"parts":[{"text":text}],"role":"model"}}]});
        format!("[{},\n{}]", chunk(one), chunk(other))
    };
    let mut exchange = passed(&guarded(json!({})));
    let media = ("content-type", "application/json");
    let head = [(":status", "200"), media, ("transfer-encoding", "chunked")];
    assert_eq!(respond(&mut exchange, &head, false).effects, []);
    let out = sent(&mut exchange, chunks("serv", "ice-key!").as_bytes(), 1);
    assert_eq!(String::from_utf8(out).unwrap(), chunks(STARS, "!"));
}

/// What a server streams for a piece of text, and where that is asked for.
struct Streamed {
    path: &'static str,
    media: &'static str,
    write: fn(&str) -> Vec<u8>,
}

/// Every way in which a text goes on, masked or not.
const STREAMED: [Streamed; 6] = [
    // anthropic-sdk-python, types/signature_delta.py.
    Streamed {
        path: "/v1/messages",
        media: "text/event-stream",
        write: |text| {
            let delta = json!({"type": "signature_delta", "signature": text});
            let event = json!({"type": "content_block_delta", "index": 0, "delta": delta});
            format!("event: content_block_delta\ndata: {event}\n\n").into_bytes()
        },
    },
    // vercel/ai, packages/ui-utils/src/data-stream-parts.ts.
    Streamed {
        path: "/v1/chat/completions",
        media: "text/plain; charset=utf-8",
        write: |text| format!("0:{}\n", json!(text)).into_bytes(),
    },
    Streamed {
        path: "/v1/chat/completions",
        media: "text/event-stream",
        write: |text| format!("data: {}\n\n", json!(text)).into_bytes(),
    },
    // As a proxy in front of Ollama may call its lines (ollama, docs/api.md).
    Streamed {
        path: "/api/chat",
        media: "application/json",
        write: |text| {
            let message = json!({"role": "assistant", "content": text});
            format!("{}\n", json!({"message": message, "done": false})).into_bytes()
        },
    },
    Streamed {
        path: "/api/chat",
        media: "application/x-ndjson",
        write: |text| {
            let message = json!({"role": "assistant", "thinking": text});
            format!("{}\n", json!({"message": message, "done": false})).into_bytes()
        },
    },
    // Bedrock's ConverseStream.
    Streamed {
        path: "/model/m/converse-stream",
        media: "application/vnd.amazon.eventstream",
        write: super::super::amazon_events::delta,
    },
];

#[test]
fn a_secret_does_not_come_out_piece_by_piece_whatever_streams_it() {
    let lax = guarded(json!({"mask": ["lax"]}));
    for policy in rules().iter().chain([&lax]) {
        for streamed in &STREAMED {
            let write = streamed.write;
            for cut in [1, 4, KEY.len() - 1] {
                let (front, back) = KEY.split_at(cut);
                let mut exchange = Driven::new(policy);
                let json = ("content-type", "application/json");
                exchange.head("POST", streamed.path, &[json], false);
                let media = ("content-type", streamed.media);
                let head = [(":status", "200"), media, ("transfer-encoding", "chunked")];
                respond(&mut exchange, &head, false);
                let whole = [write("It is "), write(front), write(back), write("!")].concat();
                let out = sent(&mut exchange, &whole, whole.len() / 2);
                let expected = [write("It is "), write(STARS), write(""), write("!")].concat();
                assert_eq!(
                    String::from_utf8_lossy(&out),
                    String::from_utf8_lossy(&expected),
                    "{} {}",
                    streamed.path,
                    streamed.media
                );
            }
        }
    }
}

#[test]
fn a_secret_does_not_come_out_in_escapes() {
    let each = |write: &dyn Fn(u32) -> String| -> String {
        KEY.chars().map(|letter| write(u32::from(letter))).collect()
    };
    let written = [
        each(&|letter| format!("\\u{letter:04x}")),
        each(&|letter| format!("\\\\u{letter:04x}")),
        each(&|letter| format!("&#{letter};")),
        each(&|letter| format!("%{letter:02X}")),
        BASE64_STANDARD.encode(format!("Bearer {KEY}")),
    ];
    for policy in rules() {
        for written in &written {
            for length in [None, Some(refused(written).len().to_string())] {
                let mut exchange = passed(&policy);
                let media = ("content-type", "application/json");
                let mut head = vec![(":status", "401"), media];
                head.extend(length.as_deref().map(|it| ("content-length", it)));
                respond(&mut exchange, &head, false);
                let whole = refused(written);
                let out = sent(&mut exchange, whole.as_bytes(), whole.len() / 2);
                let read: Value = serde_json::from_slice(&out).unwrap();
                let message = read["error"]["message"].as_str().unwrap();
                assert!(message.contains("****"), "{message}");
                assert!(
                    !out.windows(8).any(|part| written
                        .as_bytes()
                        .windows(8)
                        .skip(12)
                        .any(|it| it == part)),
                    "{message}"
                );
            }
        }
    }
}
