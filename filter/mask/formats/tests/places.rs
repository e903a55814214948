//! What a dialect's layout says of a body, in JSON that is whole and in events.

use super::*;
use crate::policy::{Coverage, Options, Reasoning};
use crate::{Framing, Layout};

const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

fn layout() -> &'static Layout {
    let layout = Layout::read(
        "
        data       /data/*/b64
        data       /data/*/vector
        file       /data/*/file
        data       /delta             audio.delta
        signed     /delta/thinking
        signed     /thinking
        reasoning  /reasoning
        arguments  /call
        citations  /sources
        numbers    /outputs/*/data
        reasoning  /parts/*/text      thought=true
        reasoning  /part/text         type=reasoning_text
        arguments  /delta             call.delta
        ",
    );
    Box::leak(Box::new(layout.expect("the layout can be read")))
}

/// The body masked in one piece, after checking that it is the same in single bytes.
fn placed(mask: &CompiledMask, format: Format, body: &str) -> String {
    let framing = Framing {
        layout: Some(layout()),
        ..Framing::default()
    };
    let run = |size: usize| {
        let mut walker = Walker::framed(format, framing);
        let mut out = Vec::new();
        for piece in body.as_bytes().chunks(size) {
            walker
                .push(mask, piece, &mut out)
                .expect("it can be masked");
        }
        walker.finish(mask, &mut out).expect("it can be masked");
        assert_eq!(walker.held(), 0);
        String::from_utf8(out).expect("the output is UTF-8")
    };
    let whole = run(body.len());
    for size in [1, 2, 3, 7] {
        assert_eq!(run(size), whole, "in pieces of {size}");
    }
    whole
}

/// Checks what becomes of JSON, whole and as the data of an event.
fn becomes(mask: &CompiledMask, json: &str, masked: &str) {
    assert_eq!(placed(mask, Format::Json, json), masked);
    let event = |json: &str| format!("data: {json}\n\n");
    assert_eq!(placed(mask, Format::Events, &event(json)), event(masked));
}

fn stays(mask: &CompiledMask, json: &str) {
    becomes(mask, json, json);
}

fn with(coverage: Coverage) -> CompiledMask {
    mask().with(&Options {
        coverage,
        ..Options::default()
    })
}

#[test]
fn what_is_no_text_stays_where_its_dialect_has_none() {
    let mask = mask();
    stays(
        &mask,
        &format!(r#"{{"data":[{{"b64":"aGk/{KEY}+aGk="}},{{"b64":"aGk\/{KEY}\n"}}]}}"#),
    );
    stays(
        &mask,
        &format!(r#"{{"data":[{{"file":"aGk/{KEY}+aGk="}}]}}"#),
    );
    stays(
        &mask,
        r#"{"data":[{"vector":[4111111111111111,-0.0415,5.5e-7]}]}"#,
    );
    // The same elsewhere is text, and so is what only has its name.
    for place in [
        r#"{"b64":"@"}"#,
        r#"{"data":{"b64":"@"}}"#,
        r#"{"data":[[{"b64":"@"}]]}"#,
        r#"{"other":[{"b64":"@"}]}"#,
        r#"{"data":[{"b65":"@"}],"data2":[{"b64":"@"}]}"#,
        r#"{"a":{"data":[{"b64":"@"}]}}"#,
    ] {
        let json = |text: &str| place.replace('@', text);
        becomes(
            &mask,
            &json(&format!("x/{KEY}+x")),
            &json("x/[AWS_ACCESS_KEY]+x"),
        );
    }
}

#[test]
fn prose_where_a_dialect_has_none_is_text() {
    becomes(
        &mask(),
        r#"{"data":[{"b64":"it is: write to ana@example.com"},{"b64":"a \"b\" bo@example.com"}]}"#,
        r#"{"data":[{"b64":"it is: write to [EMAIL]"},{"b64":"a \"b\" [EMAIL]"}]}"#,
    );
    becomes(
        &mask(),
        r#"{"data":[{"b64":"ana@example.com"},{"vector":["bo@example.com"]}],"u":"data:image/png;base64,bo@example.com"}"#,
        r#"{"data":[{"b64":"[EMAIL]"},{"vector":["[EMAIL]"]}],"u":"data:image/png;base64,[EMAIL]"}"#,
    );
    let long = "aGkh".repeat(80);
    becomes(
        &mask(),
        &format!(r#"{{"data":[{{"b64":"{long} bo@example.com"}}]}}"#),
        &format!(r#"{{"data":[{{"b64":"{long} [EMAIL]"}}]}}"#),
    );
}

#[test]
fn some_places_have_no_text_in_some_events() {
    let mask = mask();
    let event = |kind: &str, delta: &str| {
        format!("data: {{\"type\":\"{kind}\",\"delta\":\"{delta}\"}}\n\n")
    };
    let sound = event("audio.delta", &format!("aGk/{KEY}+aGk="));
    assert_eq!(placed(&mask, Format::Events, &sound), sound);
    assert_eq!(
        placed(
            &mask,
            Format::Events,
            &event("text.delta", &format!("x/{KEY}+x"))
        ),
        event("text.delta", "x/[AWS_ACCESS_KEY]+x")
    );
}

#[test]
fn a_data_url_of_what_has_no_text_stays() {
    let mask = mask();
    for media in [
        "image/png",
        "image\\/jpeg",
        "audio/wav;rate=8000",
        "font/woff2",
    ] {
        stays(
            &mask,
            &format!(r#"{{"any":["data:{media};base64,aGk/{KEY}+aGk="]}}"#),
        );
    }
    becomes(
        &mask,
        r#"{"any":"data:image/png;base64,aGk= and ana@example.com"}"#,
        r#"{"any":"data:image/png;base64,aGk= and [EMAIL]"}"#,
    );
    becomes(
        &mask,
        &format!(r#"{{"any":"data: {KEY}","d":"data:text/plain,{KEY}"}}"#),
        r#"{"any":"data: [AWS_ACCESS_KEY]","d":"data:text/plain,[AWS_ACCESS_KEY]"}"#,
    );
}

/// As models write pictures into their answers.
#[test]
fn a_data_url_in_a_text_stays_however_it_comes() {
    let mask = mask();
    let url = format!(
        "data:image/png;base64,iVBO/{KEY}/{}+{KEY}=",
        "A".repeat(120)
    );
    let markdown = format!("From ana@example.com: ![it]({url}) to bo@example.com.");
    let seen = |text: &str| {
        let text = text.replace("ana@example.com", "[EMAIL]");
        text.replace("bo@example.com", "[EMAIL]")
    };
    assert_eq!(masked_text(&mask, Format::Text, &markdown), seen(&markdown));
    let html = format!("<p>ana@example.com<img src=\"{url}\" alt=\"bo@example.com\"></p>");
    assert_eq!(masked_text(&mask, Format::Html, &html), seen(&html));
    let quoted = html.replace('"', "\\\"");
    let json = format!(r#"{{"text":"{quoted}","code":"{{\"html\":\"{markdown}\"}}"}}"#);
    becomes(&mask, &json, &seen(&json));
    let event = |text: &str| {
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
    };
    for at in 1..markdown.len() {
        let (front, behind) = markdown.split_at(at);
        let body = event(front) + &event(behind);
        let out = try_pieces(&mask, Format::Events, body.as_bytes(), &[]).expect("masked");
        let out = String::from_utf8(out).expect("the output is UTF-8");
        let texts = out.lines().filter_map(|line| {
            line.strip_prefix("data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"")?
                .strip_suffix("\"}}]}")
        });
        assert_eq!(texts.collect::<String>(), seen(&markdown), "cut at {at}");
    }
}

#[test]
fn files_of_text_are_read_where_that_is_asked_for() {
    let reading = mask().with(&Options {
        base64: true,
        ..Options::default()
    });
    // `Mail ana@example.com now` and `Mail [EMAIL] now`
    let (said, seen) = (
        "TWFpbCBhbmFAZXhhbXBsZS5jb20gbm93",
        "TWFpbCBbRU1BSUxdIG5vdw==",
    );
    for json in [
        r#"{"any":"data:text/plain;base64,@"}"#,
        r#"{"data":[{"file":"@"}]}"#,
        r#"{"data":[{"file":"data:application/pdf;base64,@"}]}"#,
    ] {
        becomes(&reading, &json.replace('@', said), &json.replace('@', seen));
        stays(&mask(), &json.replace('@', said));
    }
    stays(
        &reading,
        &format!(r#"{{"data":[{{"b64":"{said}"}},{{"file":"aGk/{KEY}+aGk="}}]}}"#),
    );
    stays(
        &reading,
        &format!(r#"{{"any":"data:image/png;base64,{said}"}}"#),
    );
}

#[test]
fn reasoning_that_is_signed_passes_unless_it_is_said() {
    let json =
        r#"{"thinking":"ana@example.com","reasoning":"ana@example.com","text":"ana@example.com"}"#;
    let of = |thinking: &str, reasoning: &str| {
        format!(r#"{{"thinking":"{thinking}","reasoning":"{reasoning}","text":"[EMAIL]"}}"#)
    };
    let with = |reasoning| {
        with(Coverage {
            reasoning,
            ..Coverage::default()
        })
    };
    let (came, masked) = ("ana@example.com", "[EMAIL]");
    becomes(&with(None), json, &of(came, masked));
    becomes(&with(Some(Reasoning::Mask)), json, &of(masked, masked));
    becomes(&with(Some(Reasoning::Pass)), json, &of(came, came));
    becomes(&with(Some(Reasoning::Drop)), json, &of("", ""));
}

#[test]
fn reasoning_in_events_is_left_out_or_passes_at_once() {
    let event = |text: &str| {
        format!("data: {{\"type\":\"d\",\"delta\":{{\"type\":\"t\",\"thinking\":\"{text}\"}}}}\n\n")
    };
    let said = [event("I ask ana"), event("@example.com"), event(" so")].concat();
    let drop = with(Coverage {
        reasoning: Some(Reasoning::Drop),
        ..Coverage::default()
    });
    assert_eq!(placed(&drop, Format::Events, &said), event("").repeat(3));
    assert_eq!(placed(&mask(), Format::Events, &said), said);
    let mut walker = Walker::framed(
        Format::Events,
        Framing {
            layout: Some(layout()),
            ..Framing::default()
        },
    );
    let mut out = Vec::new();
    let first = event("I ask ana");
    walker
        .push(&mask(), first.as_bytes(), &mut out)
        .expect("it can be masked");
    assert_eq!(String::from_utf8_lossy(&out), first, "nothing waits");
}

#[test]
fn a_mask_may_cover_some_places_only() {
    let json = r#"{"call":{"to":"ana@example.com"},"sources":["ana@example.com"],"text":"ana@example.com"}"#;
    let of = |call: &str, sources: &str, text: &str| {
        let of = |covered: &str| {
            if covered.is_empty() {
                "ana@example.com"
            } else {
                "[EMAIL]"
            }
        };
        json.replacen("ana@example.com", of(call), 1)
            .replacen("[\"ana@example.com\"", &format!("[\"{}\"", of(sources)), 1)
            .replacen(
                "\"text\":\"ana@example.com\"",
                &format!("\"text\":\"{}\"", of(text)),
                1,
            )
    };
    for (text, arguments, citations) in [
        (true, true, true),
        (true, false, false),
        (false, true, false),
        (false, false, true),
        (false, false, false),
    ] {
        let coverage = Coverage {
            text,
            arguments,
            citations,
            reasoning: None,
        };
        let say = |covered: bool| if covered { "x" } else { "" };
        becomes(
            &with(coverage),
            json,
            &of(say(arguments), say(citations), say(text)),
        );
    }
}

#[test]
fn a_tensor_of_numbers_stays_one() {
    becomes(
        &mask(),
        r#"{"outputs":[{"datatype":"INT64","data":[4111111111111111,[7,5500005555555559]]},{"data":["4111111111111111"]}],"n":4111111111111111}"#,
        r#"{"outputs":[{"datatype":"INT64","data":[0,[7,0]]},{"data":["[CREDIT_CARD]"]}],"n":"[CREDIT_CARD]"}"#,
    );
}

/// Gemini's parts and OpenAI's items say what their text is, in front of it or behind it.
#[test]
fn a_member_may_tell_what_another_one_is() {
    let json = r#"{"parts":[{"text":"I ask ana@example.com, ","thought":true},{"thought" : true,"text":"I ask \"}{ana@example.com","n":[{"text":"ana@example.com"}]},{"text":"ana@example.com"},{"thought":false,"text":"ana@example.com"}],"part":{"text":"ana@example.com","type":"reasoning_text"}}"#;
    let of = |thought: [&str; 3]| {
        let [one, two, three] = thought;
        format!(
            r#"{{"parts":[{{"text":"{one}","thought":true}},{{"thought" : true,"text":"{two}","n":[{{"text":"[EMAIL]"}}]}},{{"text":"[EMAIL]"}},{{"thought":false,"text":"[EMAIL]"}}],"part":{{"text":"{three}","type":"reasoning_text"}}}}"#
        )
    };
    let with = |reasoning| {
        with(Coverage {
            reasoning,
            ..Coverage::default()
        })
    };
    let masked = of(["I ask [EMAIL], ", r#"I ask \"}{[EMAIL]"#, "[EMAIL]"]);
    let came = of([
        "I ask ana@example.com, ",
        r#"I ask \"}{ana@example.com"#,
        "ana@example.com",
    ]);
    becomes(&with(None), json, &masked);
    becomes(&with(Some(Reasoning::Mask)), json, &masked);
    becomes(&with(Some(Reasoning::Pass)), json, &came);
    becomes(&with(Some(Reasoning::Drop)), json, &of(["", "", ""]));
}

/// What ends too soon, is no JSON or is too long is text.
#[test]
fn what_is_not_told_is_text() {
    let drop = with(Coverage {
        reasoning: Some(Reasoning::Drop),
        ..Coverage::default()
    });
    for (json, masked) in [
        (
            r#"{"parts":[{"thought":true,"text":"ana@example.com"#,
            r#"{"parts":[{"thought":true,"text":"[EMAIL]"#,
        ),
        (
            r#"{"parts":[{"thought":true,"logprobs":[12"#,
            r#"{"parts":[{"thought":true,"logprobs":[12"#,
        ),
        (
            r#"{"parts":[{"text":"ana@example.com",,"thought":true}]}"#,
            r#"{"parts":[{"text":"",,"thought":true}]}"#,
        ),
        (r#"{"parts":[{"#, r#"{"parts":[{"#),
    ] {
        assert_eq!(placed(&drop, Format::Json, json), masked);
    }
    let long = |text: &str| {
        let rest = "x ".repeat(600_000);
        format!(r#"{{"parts":[{{"text":"{text}","rest":"{rest}","thought":true}}]}}"#)
    };
    let long_one = long("ana@example.com");
    for size in [long_one.len(), 100_000, 4093] {
        let mut walker = Walker::framed(
            Format::Json,
            Framing {
                layout: Some(layout()),
                ..Framing::default()
            },
        );
        let mut out = Vec::new();
        for piece in long_one.as_bytes().chunks(size) {
            walker
                .push(&drop, piece, &mut out)
                .expect("it can be masked");
        }
        walker.finish(&drop, &mut out).expect("it can be masked");
        assert!(out == long("[EMAIL]").as_bytes(), "in pieces of {size}");
    }
}

/// What is another thing in some events is covered as such.
#[test]
fn what_depends_on_its_event_is_covered_as_what_it_is_there() {
    let event =
        |kind: &str, text: &str| format!("data: {{\"type\":\"{kind}\",\"delta\":\"{text}\"}}\n\n");
    let arguments = with(Coverage {
        text: false,
        ..Coverage::default()
    });
    let mut said = [
        event("call.delta", "to ana@exa"),
        event("call.delta", "mple.com,"),
    ]
    .concat();
    let masked = [event("call.delta", "to [EMAIL]"), event("call.delta", ",")].concat();
    assert_eq!(placed(&arguments, Format::Events, &said), masked);
    said = event("other.delta", "ana@example.com");
    assert_eq!(placed(&arguments, Format::Events, &said), said);
}
