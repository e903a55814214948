//! The service credential, which model servers quote, in what callers get.

use serde_json::json;
use testbed::body::{Step, split};
use testbed::http::{Request, Response};
use testbed::model::Answer;

use crate::support::{CREDENTIAL, Guarded, ana, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(a_credential_that_the_model_server_quotes_does_not_come_out);

const CHAT: &str = "/v1/chat/completions";

fn ask(guarded: &Guarded) -> Response {
    guarded.send(
        Request::post(CHAT)
            .bearer(&ana())
            .json(&json!({"model": "small-1", "messages": [{"role": "user", "content": "x"}]})),
    )
}

/// What api.openai.com answers to a key that it doesn't know (openai-python, README.md, "Handling
/// errors"), with the key as it came.
fn refused(key: &str) -> String {
    format!(
        r#"{{"error":{{"message":"Incorrect API key provided: {key}.","code":"invalid_api_key"}}}}"#
    )
}

fn chunk(text: &str) -> String {
    format!(
        "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
    )
}

fn a_credential_that_the_model_server_quotes_does_not_come_out(version: &str) {
    let stars = "*".repeat(CREDENTIAL.len());
    for mask in [json!([]), json!(["pii"])] {
        let mut rule =
            json!({"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"});
        if mask != json!([]) {
            rule["mask"] = mask;
        }
        let sections = json!({"masks": {"pii": {"detect": ["email"]}}, "rules": [rule]});
        let guarded = Guarded::start(version, &policy(&sections));

        for size in [1, 7, 1000] {
            let answer = Answer::new(401)
                .header("content-type", "application/json")
                .header("www-authenticate", format!("Bearer realm=\"{CREDENTIAL}\""))
                .steps(split(refused(CREDENTIAL).as_bytes(), size));
            guarded.model.answer(CHAT, answer);
            let came = ask(&guarded);
            assert_eq!((came.status, came.text()), (401, refused(&stars)));
            let realm = format!("Bearer realm=\"{stars}\"");
            assert_eq!(came.header("www-authenticate"), Some(realm.as_str()));
        }

        let (front, back) = CREDENTIAL.split_at(9);
        let events = [chunk("it is "), chunk(front), chunk(back), chunk(" indeed")];
        let steps = events.iter().map(|event| Step::data(event.as_bytes()));
        let answer = Answer::new(200).header("content-type", "text/event-stream");
        guarded.model.answer(CHAT, answer.steps(steps.collect()));
        let came = ask(&guarded);
        assert_eq!((came.status, &came.broken), (200, &None));
        let expected = [chunk("it is "), chunk(&stars), chunk(""), chunk(" indeed")];
        assert_eq!(came.text(), expected.concat());

        // No text, and nothing but a secret changes.
        let bytes = [b"\0\xff\x07", CREDENTIAL.as_bytes(), b"\xfe servic"].concat();
        let answer = Answer::new(200).header("content-type", "audio/mpeg");
        guarded.model.answer(CHAT, answer.steps(split(&bytes, 5)));
        let expected = [b"\0\xff\x07", stars.as_bytes(), b"\xfe servic"].concat();
        assert!(ask(&guarded).body == expected);
    }
}
