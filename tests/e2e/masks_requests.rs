//! Prompts under a mask: what the model server gets, what comes back of it, and pseudonyms that are
//! the same wherever the key is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use testbed::body::{self, Step};
use testbed::grpc;
use testbed::http::{Client, Request};
use testbed::model::{Answer, Echo};

use crate::support::{Desk, Guarded, ana, chat, chat_body, code, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(prompts_are_masked, workers_agree_on_pseudonyms);

const KEY: &str = "a key of tests, long enough to be one";

fn masks() -> Value {
    json!({
        "names": {"detect": ["email", "credit_card"], "style": "pseudonym"},
        "labels": {"detect": ["email", "ip"]},
    })
}

/// A listener that masks prompts, `back`, which puts originals back too, and `other`, the same
/// with another key.
fn start(version: &str) -> Guarded {
    let with = |rule: Value, key: &str| {
        let mut all =
            json!({"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"});
        let members = rule.as_object().unwrap().clone();
        all.as_object_mut().unwrap().extend(members);
        policy(&json!({"masks": masks(), "pseudonyms": {"key": key}, "rules": [all]}))
    };
    let back = json!({"mask_request": ["names"], "restore": true, "mask": ["labels"]});
    let only = with(json!({"mask_request": ["names"]}), KEY);
    Guarded::start_with(version, &only, |builder| {
        builder
            .listener("back", with(back, KEY))
            .listener(
                "other",
                with(json!({"mask_request": ["names"]}), &KEY.replace('a', "b")),
            )
            .listener("labels", with(json!({"mask_request": ["labels"]}), KEY))
    })
}

/// The prompt that the model server got last.
fn prompt(guarded: &Guarded) -> String {
    let received = guarded.model.received();
    let last = received.last().unwrap();
    assert!(last.complete);
    let body = last.json();
    assert_eq!(
        last.header("content-length"),
        Some(last.body.len().to_string().as_str())
    );
    body["messages"][0]["content"].as_str().unwrap().to_owned()
}

fn prompts_are_masked(version: &str) {
    let guarded = start(version);
    the_model_never_sees_what_is_masked(&guarded);
    lengths_stay_right_on_one_connection(&guarded);
    a_value_has_one_name_under_one_key(&guarded);
    the_caller_gets_back_what_it_sent(&guarded);
    values_come_back_in_names_of_members(&guarded);
    prompts_in_pieces_are_masked(&guarded);
    prompts_over_grpc_are_masked(&guarded);
    what_cannot_be_masked_is_refused(&guarded);
    a_prompt_is_no_picture_because_its_sender_says_so(&guarded);
}

/// In pieces of any size, and with trailers behind them.
fn prompts_in_pieces_are_masked(guarded: &Guarded) {
    let client = Client::http2(guarded.mesh.port_of("labels").unwrap()).unwrap();
    let body = chat_body("I am ana@example.com.").to_string();
    for trailers in [false, true] {
        let mut steps = body::split(body.as_bytes(), 7);
        if trailers {
            steps.push(Step::Trailers(vec![("x-end".to_owned(), "1".to_owned())]));
        }
        let request = Request::post("/v1/chat/completions")
            .bearer(&ana())
            .header("content-type", "application/json")
            .steps(steps);
        let answer = client.send(request).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let received = guarded.model.received();
        let prompt = &received.last().unwrap().json()["messages"][0]["content"];
        assert_eq!(prompt, "I am [EMAIL].", "trailers: {trailers}");
    }
}

fn prompts_over_grpc_are_masked(guarded: &Guarded) {
    guarded.model.forget();
    let bearer = format!("Bearer {}", ana());
    let headers = [("authorization", bearer.as_str())];
    let text = "I am ana@example.com, from 203.0.113.7.";
    let client = Client::http2(guarded.mesh.port_of("labels").unwrap()).unwrap();
    let answer = grpc::infer(&client, "small-1", text, &headers).unwrap();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let received = guarded.model.received();
    let body = String::from_utf8_lossy(&received[0].body);
    assert!(body.contains("I am [EMAIL], from [IP]."), "{body:?}");
    assert!(!body.contains("ana@"), "{body:?}");
}

fn the_model_never_sees_what_is_masked(guarded: &Guarded) {
    let text = "I am ana@example.com, from 203.0.113.7.";
    let answer = guarded.send_to("labels", chat(&ana(), text).header("host", "label.test"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(prompt(guarded), "I am [EMAIL], from [IP].");
    let record = guarded.record("label.test");
    assert_eq!(record["request"]["matches"], json!({"email": 1, "ip": 1}));
    assert_eq!(record["request"]["masked"], true);
    assert_eq!(record["response"]["matches"], json!({}));
    assert!(!record.to_string().contains("ana@"), "{record}");
}

/// A body that shrinks or grows under a wrong length would be read into the next request.
fn lengths_stay_right_on_one_connection(guarded: &Guarded) {
    let client = Client::http1(guarded.mesh.port_of("labels").unwrap()).unwrap();
    for round in 0..4 {
        let addresses = vec!["someone.with.a.long.name@example.com"; round * 3];
        let text = format!("{round}: {} and 1.2.3.4", addresses.join(" "));
        let answer = client.send(chat(&ana(), &text)).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        let masked = text.replace(addresses.first().unwrap_or(&"-"), "[EMAIL]");
        assert_eq!(prompt(guarded), masked.replace("1.2.3.4", "[IP]"));
    }
}

fn a_value_has_one_name_under_one_key(guarded: &Guarded) {
    let ask = |listener: Option<&str>, text: &str| {
        let answer = match listener {
            None => guarded.send(chat(&ana(), text)),
            Some(listener) => guarded.send_to(listener, chat(&ana(), text)),
        };
        assert_eq!(answer.status, 200, "{}", answer.text());
        prompt(guarded)
    };
    let name = ask(None, "ana@example.com");
    assert!(name.starts_with("[EMAIL_") && name.ends_with(']'), "{name}");
    assert_eq!(ask(None, "ANA@example.com"), name);
    assert_eq!(ask(Some("back"), "ana@Example.com"), name);
    assert_ne!(ask(Some("other"), "ana@example.com"), name);
    let both = ask(None, "4111 1111 1111 1111 4111111111111111 bob@example.com");
    let parts: Vec<&str> = both.split(' ').collect();
    assert_eq!(parts[0], parts[1]);
    assert!(
        parts[2].starts_with("[EMAIL_") && parts[2] != name,
        "{both}"
    );
}

/// The text of a streamed answer.
fn streamed(guarded: &Guarded, listener: &str, text: &str, host: &str) -> (String, usize) {
    let mut body = chat_body(text);
    body["stream"] = json!(true);
    let request = Request::post("/v1/chat/completions")
        .bearer(&ana())
        .header("host", host)
        .json(&body);
    let answer = guarded.send_to(listener, request);
    assert_eq!(
        (answer.status, answer.broken.clone()),
        (200, None),
        "{}",
        answer.text()
    );
    let events = answer.text();
    let data = events
        .lines()
        .filter_map(|line| line.strip_prefix("data: {"));
    let values = data.map(|data| serde_json::from_str::<Value>(&format!("{{{data}")).unwrap());
    let pieces: Vec<String> = values
        .filter_map(|value| {
            let content = &value["choices"][0]["delta"]["content"];
            content.as_str().map(str::to_owned)
        })
        .collect();
    (pieces.concat(), pieces.len())
}

fn values_come_back_in_names_of_members(guarded: &Guarded) {
    let path = "/v1/embeddings";
    let ask = |host: &str| {
        let body = json!({"model": "small-1", "input": "ana@example.com"});
        let request = Request::post(path).bearer(&ana()).json(&body);
        guarded.send_to("back", request.header("host", host)).json()
    };
    ask("names-0.test");
    let received = guarded.model.received();
    let input = received.last().unwrap().json()["input"].clone();
    let name = input.as_str().unwrap();
    assert!(name.starts_with("[EMAIL_"), "{name}");
    let said = |name: &str| json!({"by_input": {name: [{"of": name}]}, "other": {"x": 1}});
    guarded.model.answer(path, Answer::json(&said(name)));
    assert_eq!(ask("names-1.test"), said("ana@example.com"));
    let record = guarded.record("names-1.test");
    assert_eq!(record["response"]["restored"], 2, "{record}");
    // The control: what nobody asked for stays.
    let other = said("[EMAIL_aaaaaaaaaa]");
    guarded.model.answer(path, Answer::json(&other));
    assert_eq!(ask("names-2.test"), other);
}

fn the_caller_gets_back_what_it_sent(guarded: &Guarded) {
    let said = "Ana (Ana@Example.com) pays with 4111 1111 1111 1111.";
    // A model that repeats its prompt in tokens of any size, in another case, and without brackets.
    for (size, change) in [
        (1, str::to_owned as fn(&str) -> String),
        (2, str::to_owned),
        (3, |text: &str| text.replace(['[', ']'], "")),
        (4, |text: &str| text.replace('_', "\\_")),
        (1000, str::to_owned),
    ] {
        guarded.model.echo(Echo::pieces(size).changed(change));
        let host = format!("back-{size}.test");
        let (text, events) = streamed(guarded, "back", said, &host);
        assert_eq!(text, said, "pieces of {size}");
        assert!(size > 4 || events > 5, "{events} events");
        assert!(!prompt(guarded).contains("4111"));
        let record = guarded.record(&host);
        assert_eq!(
            record["request"]["matches"],
            json!({"credit_card": 1, "email": 1})
        );
        assert_eq!(record["response"]["restored"], 2, "{record}");
        assert_eq!(record["response"]["matches"], json!({}));
        // Four digits may be those of a port.
        assert!(!record.to_string().contains("4111 1111"));
    }
    // The whole answer at once, in capitals: all but what was put back.
    guarded
        .model
        .echo(Echo::pieces(1).changed(|text| text.to_uppercase()));
    let answer = guarded.send_to("back", chat(&ana(), "mail ana@example.com"));
    let content = &answer.json()["choices"][0]["message"]["content"];
    assert_eq!(content, "MAIL ana@example.com");
    // What the model adds is under the answer's mask; and nobody else gets a value back.
    guarded.model.echo(Echo::pieces(5));
    let (name, _) = streamed(guarded, "other", "ana@example.com", "other.test");
    let (text, _) = streamed(
        guarded,
        "back",
        &format!("{name} bob@example.com"),
        "mixed.test",
    );
    assert_eq!(text, format!("{name} bob@example.com"));
    let known = prompt(guarded);
    guarded
        .model
        .say_tokens(&["carl@exam", "ple.com and ", &known]);
    let (text, _) = streamed(guarded, "back", "hello", "stranger.test");
    assert_eq!(text, format!("[EMAIL] and {known}"));
    guarded.model.say("Hello.");
}

fn what_cannot_be_masked_is_refused(guarded: &Guarded) {
    let before = guarded.model.begun();
    for (media, reason) in [
        ("multipart/form-data; boundary=x", "body_not_readable"),
        ("application/octet-stream", "media_type_not_supported"),
    ] {
        let request = Request::post("/v1/audio/transcriptions")
            .bearer(&ana())
            .header("content-type", media)
            .body(b"--x\r\ncontent-type: x/y\r\n\r\nana@example.com\r\n--x--\r\n".to_vec());
        let answer = guarded.send(request);
        assert_eq!(
            (answer.status, code(&answer).as_str()),
            (415, reason),
            "{media}"
        );
    }
    assert_eq!(
        guarded.model.begun(),
        before,
        "nothing of it reached the model server"
    );
}

/// Many servers parse JSON whatever its content-type is.
fn a_prompt_is_no_picture_because_its_sender_says_so(guarded: &Guarded) {
    let before = guarded.model.begun();
    let prompt = chat_body("I am ana@example.com.").to_string();
    let ask = |path: &str, types: &[&str], body: &str| {
        let mut request = Request::post(path).bearer(&ana());
        for media in types {
            request = request.header("content-type", media);
        }
        guarded.send_to("labels", request.body(body))
    };
    for types in [
        &["image/png"][..],
        &["AUDIO/wav"],
        &["video/mp4; x=y"],
        &["font/woff2"],
    ] {
        let answer = ask("/v1/anything", types, &prompt);
        let refused = (answer.status, code(&answer));
        let expected = (415, "media_type_not_supported".to_owned());
        assert_eq!(refused, expected, "{types:?}");
    }
    for charset in [
        "application/json; charset=utf-16",
        "text/plain; charset=utf-7",
    ] {
        let answer = ask("/v1/chat/completions", &[charset], &prompt);
        assert_eq!(answer.status, 415, "{charset}: {}", answer.text());
    }
    let escaped = prompt.replace('@', "\\u0040");
    let answer = ask("/v1/anything", &["text/plain"], &escaped);
    assert_eq!(answer.status, 415, "{}", answer.text());
    assert_eq!(
        guarded.model.begun(),
        before,
        "nothing of it reached the model server"
    );
    for media in [
        "Application/JSON;charset=UTF-8",
        "application/vnd.x+json",
        "image/png",
        "text/plain",
        "multipart/form-data; boundary=x",
    ] {
        let answer = ask("/v1/chat/completions", &[media], &escaped);
        assert_eq!(answer.status, 200, "{media}: {}", answer.text());
        let received = guarded.model.received();
        let body = String::from_utf8_lossy(&received.last().unwrap().body).into_owned();
        assert!(body.contains("I am [EMAIL]."), "{media}: {body}");
    }
}

/// Without a key in the policy, the workers draw one; two connections are two workers, sooner or
/// later.
fn workers_agree_on_pseudonyms(version: &str) {
    let desk = Desk::start();
    let shared = policy(&json!({
        "masks": masks(),
        "approvals": {"cluster": "desk", "credential": "Bearer ${DESK_KEY}"},
        "rules": [
            {
                "name": "gate",
                "when": {"model": ["large-1"]},
                "then": {"approve": {"reviewers": ["ml-leads"]}},
            },
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask_request": ["names"]},
        ],
    }));
    let guarded = Guarded::start_with(version, &shared, |builder| {
        builder.cluster_http2("desk", desk.port)
    });
    let mut names = BTreeSet::new();
    let mut workers: BTreeMap<String, u32> = BTreeMap::new();
    for round in 0..64 {
        let host = format!("round-{round}.test");
        let answer = guarded.send(chat(&ana(), "ana@example.com").header("host", &host));
        assert_eq!(answer.status, 200, "{}", answer.text());
        names.insert(prompt(&guarded));
        let worker = guarded.record(&host)["worker"].as_str().unwrap().to_owned();
        *workers.entry(worker).or_default() += 1;
        if workers.len() > 1 && round > 8 {
            break;
        }
    }
    assert!(workers.len() > 1, "one worker took everything: {workers:?}");
    assert_eq!(names.len(), 1, "{names:?}");
    let name = names.pop_first().unwrap();
    assert!(name.starts_with("[EMAIL_"), "{name}");

    // A prompt that a person approves first is masked after that, under the same name.
    let mut body = chat_body("ana@example.com");
    body["model"] = json!("large-1");
    let request = Request::post("/v1/chat/completions")
        .bearer(&ana())
        .json(&body);
    let answer = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| guarded.send(request));
        desk.decide(&desk.pending("ana"), "approve", "fine");
        waiting.join().unwrap()
    });
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(prompt(&guarded), name);
}
