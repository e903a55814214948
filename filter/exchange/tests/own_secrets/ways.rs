//! The guard's own secrets, by every way on which an answer may come.

use super::*;

fn media(name: &'static str) -> [(&'static str, &'static str); 2] {
    [(":status", "200"), ("content-type", name)]
}

/// A message of a server's own, with a string as field 1.
fn message(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    [&[0, 0, 0, 0, length + 2, 0x0a, length][..], text.as_bytes()].concat()
}

/// `ModelStreamInferResponse` of Triton (`grpc_service.proto`): `infer_response` (2) with `outputs` (5),
/// each with `name` (1), `datatype` (2) and `contents` (5), whose `bytes_contents` are field 8.
fn triton(text: &str) -> Vec<u8> {
    let counted = |tag: u8, inside: &[u8]| {
        let length = u8::try_from(inside.len()).unwrap();
        [&[tag, length][..], inside].concat()
    };
    let contents = counted(0x2a, &counted(0x42, text.as_bytes()));
    let output = [&b"\x0a\x04text\x12\x05BYTES"[..], &contents].concat();
    let message = counted(0x12, &counted(0x2a, &output));
    let length = u8::try_from(message.len()).unwrap();
    [&[0, 0, 0, 0, length][..], &message].concat()
}

#[test]
fn a_secret_that_is_spread_over_messages_of_grpc_does_not_come_out() {
    type Write = fn(&str) -> Vec<u8>;
    let known = "/inference.GRPCInferenceService/ModelStreamInfer";
    let lax = guarded(json!({"mask": ["lax"]}));
    for policy in rules().iter().chain([&lax]) {
        for (path, write) in [
            ("/mill.Models/Say", message as Write),
            (known, triton as Write),
        ] {
            for cut in [1, 5, KEY.len() - 1] {
                let (front, back) = KEY.split_at(cut);
                let mut exchange = Driven::new(policy);
                let grpc = ("content-type", "application/grpc");
                exchange.head("POST", path, &[grpc], false);
                respond(&mut exchange, &media("application/grpc"), false);
                let whole = [write("It is "), write(front), write(back), write("!")].concat();
                let out = sent(&mut exchange, &whole, whole.len() / 2);
                let expected = [write("It is "), write(STARS), write(""), write("!")].concat();
                assert_eq!(
                    String::from_utf8_lossy(&out),
                    String::from_utf8_lossy(&expected),
                    "{path}, {cut}"
                );
            }
        }
    }
}

#[test]
fn messages_of_grpc_that_can_not_be_read_go_on_where_no_mask_is() {
    let compressed = [&[1, 0, 0, 0, 3][..], b"abc"].concat();
    let long = [&[0, 0xff, 0, 0, 0][..], b"abc service-"].concat();
    let broken = [&[0, 0, 0, 0, 2][..], b"\x0a\x7f", b"\x07"].concat();
    for whole in [compressed, long, broken, message("servic")] {
        for at in 0..=whole.len() {
            let mut exchange = passed(&guarded(json!({})));
            let encoding = ("grpc-encoding", "gzip");
            let head = [&media("application/grpc")[..], &[encoding]].concat();
            assert_eq!(respond(&mut exchange, &head, false).effects, []);
            assert_eq!(sent(&mut exchange, &whole, at), whole, "cut at {at}");
        }
    }
}

/// What openai-python puts together of a tool's call (lib/streaming/_deltas.py).
#[test]
fn a_secret_does_not_come_out_in_pieces_of_a_label() {
    let name = |text: &str| json!({"index": 0, "function": {"name": text, "arguments": ""}});
    let id = |text: &str| json!({"index": 0, "id": text, "type": "function"});
    let lax = guarded(json!({"mask": ["lax"]}));
    for policy in rules().iter().chain([&lax]) {
        for write in [&name as &dyn Fn(&str) -> Value, &id] {
            let chunk = |text: &str| {
                let delta = json!({"tool_calls": [write(text)]});
                let chunk = json!({"id": "c", "choices": [{"index": 0, "delta": delta}]});
                format!("data: {chunk}\n\n")
            };
            let whole = [chunk("get_"), chunk("service"), chunk("-key"), chunk("_x")].concat();
            let mut exchange = passed(policy);
            respond(&mut exchange, &media("text/event-stream"), false);
            let out = sent(&mut exchange, whole.as_bytes(), whole.len() / 2);
            let expected = [chunk("get_"), chunk(STARS), chunk(""), chunk("_x")].concat();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}

#[test]
fn a_secret_does_not_come_out_in_lines_of_an_answer_that_has_a_length() {
    let ollama = |text: &str| {
        let message = json!({"role": "assistant", "content": text});
        format!("{}\n", json!({"message": message, "done": false}))
    };
    let coded = |text: &str| format!("0:{}\n", json!(text));
    let gemini = |text: &str| {
        let content = json!({"parts": [{"text": text}], "role": "model"});
        let chunk = json!({"candidates": [{"index": 0, "content": content}]});
        let open = if text.starts_with("It") { "[" } else { "," };
        format!("{open}{chunk}{}", if text == "!" { "]" } else { "" })
    };
    let line = |text: &str| format!("{}\n", json!({"text": text}));
    let event = |text: &str| format!("data: {}\n\n", json!({"text": text}));
    type Write<'a> = &'a dyn Fn(&str) -> String;
    let policies = rules();
    let [alone, _, watched, _] = &policies;
    for (path, name, write, keeps) in [
        ("/api/chat", "application/json", &ollama as Write<'_>, true),
        ("/api/chat", "application/x-ndjson", &ollama, false),
        ("/v1/chat/completions", "text/plain", &coded, true),
        ("/say", "application/json", &line, true),
        ("/say", "text/plain", &line, true),
        ("/say", "text/html", &event, true),
        ("/say", "application/json", &event, true),
        (
            "/v1beta/models/m:streamGenerateContent",
            "application/json",
            &gemini,
            true,
        ),
    ] {
        let parts = ["It is ", "serv", "ice-key", "!"];
        let whole = parts.map(write).concat();
        let length = whole.len().to_string();
        for policy in &policies {
            for at in [0, 1, whole.len() / 2] {
                let mut exchange = Driven::new(policy);
                let json = ("content-type", "application/json");
                exchange.head("POST", path, &[json], false);
                let head = [&media(name)[..], &[("content-length", &length)]].concat();
                let outcome = respond(&mut exchange, &head, false);
                let out = String::from_utf8(sent(&mut exchange, whole.as_bytes(), at)).unwrap();
                assert_eq!(out, ["It is ", STARS, "", "!"].map(write).concat());
                let gone = Effect::RemoveResponseHeader("content-length".to_owned());
                let stays = !outcome.effects.contains(&gone);
                assert!(!stays || out.len() == whole.len(), "{path}");
                let passes = Rc::ptr_eq(policy, alone) || Rc::ptr_eq(policy, watched);
                assert_eq!(stays, keeps && passes, "{path}");
            }
        }
    }
    // Escapes are longer than the asterisks over them: blanks make up for that.
    let whole = "{\"response\":\"\\u0073erv\"}\n{\"response\":\"ice-\\u006bey\"}\n";
    let length = whole.len().to_string();
    let mut exchange = Driven::new(&guarded(json!({})));
    let json = ("content-type", "application/json");
    exchange.head("POST", "/api/generate", &[json], false);
    let head = [
        &media("application/json")[..],
        &[("content-length", &length)],
    ]
    .concat();
    assert_eq!(respond(&mut exchange, &head, false).effects, []);
    let out = String::from_utf8(sent(&mut exchange, whole.as_bytes(), 10)).unwrap();
    let blanks = " ".repeat(10);
    let expected = format!("{{\"response\":\"{STARS}\"}}\n{{\"response\":\"\"}}{blanks}\n");
    assert_eq!(out, expected);
}

#[test]
fn what_a_mask_lets_pass_unread_is_looked_at() {
    let policies = [guarded(json!({})), guarded(json!({"mask": ["pii"]}))];
    for policy in &policies {
        for name in ["image/png", "audio/mpeg", "video/mp4", "font/woff2"] {
            let whole = b"\x89PNG\0service-key\xfe servic";
            for at in 0..=whole.len() {
                let mut exchange = passed(policy);
                assert_eq!(respond(&mut exchange, &media(name), false).effects, []);
                let out = sent(&mut exchange, whole, at);
                assert_eq!(out, b"\x89PNG\0***********\xfe servic");
            }
        }
        // A form's parts (RFC 2046, section 5.1.1), one of which is no text.
        let whole = b"--b\r\ncontent-type: text/plain\r\n\r\nno service-key\r\n--b\r\n\
                      content-type: image/png\r\n\r\n\x89service-key\r\n--b--\r\n";
        let mut exchange = passed(policy);
        respond(&mut exchange, &media("multipart/mixed; boundary=b"), false);
        let out = sent(&mut exchange, whole, 40);
        let out = String::from_utf8_lossy(&out);
        assert_eq!(out.matches(STARS).count(), 2, "{out}");
        assert!(!out.contains(KEY), "{out}");
    }
}

#[test]
fn a_part_of_an_answer_is_looked_at() {
    let mut exchange = passed(&guarded(json!({})));
    let range = ("content-range", "bytes 4-20/30");
    let head = [(":status", "206"), ("content-type", "text/plain"), range];
    assert_eq!(respond(&mut exchange, &head, false).effects, []);
    let out = sent(&mut exchange, b"no service-key so", 8);
    assert_eq!(out, b"no *********** so");
}

#[test]
fn in_a_tunnel_nothing_waits_that_is_no_secret() {
    // WebSocket over HTTP/2 (RFC 8441, section 5), and any other tunnel.
    let mut exchange = Driven::new(&guarded(json!({})));
    exchange.head(
        "CONNECT",
        "/v1/realtime",
        &[(":protocol", "websocket")],
        false,
    );
    respond(&mut exchange, &[(":status", "200")], false);
    for piece in [&b"\x81\x01s"[..], b"\x81\x0bservice-key"] {
        let outcome = exchange.handle(Event::ResponseBody { piece, end: false });
        assert_eq!(outcome.flow, Flow::Continue);
        let expected = String::from_utf8_lossy(piece).replace("vice-key", "********");
        assert_eq!(String::from_utf8_lossy(&body(&outcome)), expected);
    }
}

#[test]
fn messages_of_websocket_are_not_compressed() {
    let extensions = "sec-websocket-extensions";
    let upgrade = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        (extensions, "permessage-deflate"),
    ];
    let removes = |policy: &Rc<CompiledPolicy>| {
        let mut exchange = Driven::new(policy);
        let outcome = exchange.head("GET", "/v1/realtime?model=m", &upgrade, true);
        let gone = Effect::RemoveRequestHeader(extensions.to_owned());
        outcome.effects.contains(&gone)
    };
    assert!(removes(&guarded(json!({}))));
    assert!(!removes(&compiled(&json!({}))));
}

#[test]
fn a_cookie_or_a_name_with_a_secret_goes() {
    for policy in rules() {
        let mut exchange = passed(&policy);
        let head = [
            (":status", "302"),
            ("set-cookie", "a=1; Path=/"),
            ("set-cookie", "k=service-key"),
            ("x-service-key", "1"),
            ("location", "/?k=service-key"),
        ];
        let outcome = respond(&mut exchange, &head, true);
        let gone = |name: &str| Effect::RemoveResponseHeader(name.to_owned());
        let location = Effect::SetResponseHeader {
            name: "location".to_owned(),
            value: format!("/?k={STARS}").into_bytes(),
        };
        let expected = [location, gone("set-cookie"), gone("x-service-key")];
        assert_eq!(outcome.effects, expected);
        let trailers = bytes(&[("x-service-key", "1"), ("x-a", "1")]);
        let outcome = exchange.handle(Event::ResponseTrailers {
            trailers: &trailers,
        });
        let name = "x-service-key".to_owned();
        assert!(
            outcome
                .effects
                .contains(&Effect::RemoveResponseTrailer(name))
        );
    }
}
