//! Bodies that are called something else than they are.

use serde_json::{Value, json};

use super::*;
use crate::formats::{Called, Front, Shape};

const NAMES: [Format; 5] = [
    Format::Json,
    Format::Text,
    Format::Html,
    Format::Lines,
    Format::Events,
];

fn objects(pieces: &[&str]) -> Vec<String> {
    let object = |piece: &&str| json!({"text": piece}).to_string();
    pieces.iter().map(object).collect()
}

/// The pieces of a text in each form of stream.
fn streams(pieces: &[&str]) -> Vec<(Format, String)> {
    let event = |data: &str, end: &str| format!("data: {data}{end}{end}");
    let whole = |pieces: Vec<String>, front: &str, end: &str| {
        let events = pieces.iter().map(|data| event(data, end));
        format!("{front}{}", events.collect::<String>())
    };
    let words = || pieces.iter().map(|piece| (*piece).to_owned()).collect();
    let coded = |piece: &&str| format!("0:{}\n", Value::from(*piece));
    vec![
        (Format::Events, whole(objects(pieces), "", "\n")),
        (Format::Events, whole(objects(pieces), ": ping\n\n", "\n")),
        (Format::Events, whole(objects(pieces), "\u{feff}", "\r\n")),
        (
            Format::Events,
            whole(objects(pieces), "retry: 1\nid: 1\n", "\r"),
        ),
        (Format::Events, whole(words(), "", "\n")),
        (Format::Events, whole(words(), "retry: 5\n\n", "\r\n")),
        (
            Format::Events,
            whole(objects(pieces), ": {\"status\": \"queued\"}\n\n", "\n"),
        ),
        (
            Format::Events,
            whole(objects(pieces), ": [keep-alive]\n\n", "\n"),
        ),
        (
            Format::Events,
            whole(objects(pieces), "", "\n").replace("\n\n", "\n"),
        ),
        (Format::Lines, objects(pieces).join("\n")),
        (
            Format::Lines,
            "\u{feff}".to_owned() + &objects(pieces).join("\n"),
        ),
        (
            Format::Lines,
            objects(pieces).join("\n").replace('}', ", \"n\": NaN}"),
        ),
        (
            Format::Lines,
            "\u{1e}".to_owned() + &objects(pieces).join("\n\u{1e}"),
        ),
        (Format::Lines, objects(pieces).join("\r\n") + "\n"),
        (Format::Lines, objects(pieces).join("\n\n") + "\n"),
        (
            Format::Text,
            "\u{feff}".to_owned() + &pieces.iter().map(coded).collect::<String>(),
        ),
        (
            Format::Text,
            pieces.iter().map(coded).collect::<String>() + "d:{}\n",
        ),
    ]
}

#[test]
fn streams_are_masked_alike_whatever_they_are_called() {
    let mask = mask();
    let text = [
        "use 43219",
        "8765",
        "4321092 ",
        "and bob@exam",
        "ple.com, ok",
    ];
    for (own, body) in streams(&text) {
        let expected = masked_text(&mask, own, &body);
        for hidden in ["8765", "ple.com"] {
            assert!(!expected.contains(hidden), "{expected}");
        }
        for name in NAMES {
            // LMDeploy's lines that are called events need no more than their line ends.
            if name == Format::Events && own == Format::Lines && body.contains("\n\n") {
                continue;
            }
            assert_eq!(
                masked_text(&mask, name, &body),
                expected,
                "{name:?}: {body}"
            );
        }
    }
}

#[test]
fn values_without_lines_between_them_go_on() {
    let mask = mask();
    let text = ["use 43219", "8765", "4321092 ", "ok"];
    for between in ["", " ", "\0", "\0\n", "\u{1e}", " \r"] {
        let body = objects(&text).join(between) + between;
        for name in [Format::Json, Format::Text, Format::Lines] {
            if name == Format::Lines && between.contains('\n') {
                continue;
            }
            let masked = masked_text(&mask, name, &body);
            assert_eq!(
                masked,
                objects(&["use [CREDIT_CARD]", "", " ", "ok"]).join(between) + between,
                "{name:?}"
            );
        }
    }
}

#[test]
fn lines_of_lists_and_strings_are_lines_where_json_is_to_be_expected() {
    let mask = mask();
    let said = ["use 43219", "8765", "4321092 ", "ok"];
    let seen = ["use [CREDIT_CARD]", "", " ", "ok"];
    let lists = |texts: [&str; 4]| texts.map(|it| format!("{}\n", json!([{"text": it}])));
    let strings = |texts: [&str; 4]| texts.map(|it| format!("{}\n", Value::from(it)));
    for name in [Format::Json, Format::Lines] {
        assert_eq!(
            masked_text(&mask, name, &lists(said).concat()),
            lists(seen).concat()
        );
        assert_eq!(
            masked_text(&mask, name, &strings(said).concat()),
            strings(seen).concat()
        );
    }
}

#[test]
fn json_that_is_called_something_else_stays_json() {
    let mask = mask();
    let value = json!({"name": "bob@example.com", "card": 4_111_111_111_111_111_u64, "ok": true});
    let list = json!([value, {"bob@example.com": 1}]);
    for body in [
        value.to_string(),
        format!("{value}\n"),
        format!("{value:#}"),
        list.to_string(),
        format!("{list:#}\n"),
    ] {
        for name in NAMES.into_iter().filter(|name| *name != Format::Html) {
            let masked = masked_text(&mask, name, &body);
            let read: Value = serde_json::from_str(&masked).expect("JSON");
            let first = if read.is_array() { &read[0] } else { &read };
            let expected = json!({"name": "[EMAIL]", "card": "[CREDIT_CARD]", "ok": true});
            assert_eq!(first, &expected, "{name:?}");
            // Where somebody calls it text, so are its names.
            if name == Format::Text {
                assert!(!masked.contains("bob@"), "{masked}");
            }
        }
    }
}

#[test]
fn text_that_begins_like_something_else_stays_text() {
    let mask = mask();
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD9\nq2n8\n-----END RSA PRIVATE KEY-----";
    for front in [
        "data: the oil of our days\nlies in: ",
        "- \"bob\"\n- \"ana@example.com\"\n- \"buy milk\"\n",
        "> \"yes\"\n",
        "data: {tls.crt: x}\ntls.key: |\n",
        "data: [docs](http://x)\n",
        "data: {\n",
        "id: bob@example.com\ndata: {role: admin}\n",
        "event: dinner with bob@example.com\nid: 4111111111111111\ndata: [salad]\n",
        "data: yaml\nid: 5\nkey: |\n",
        "data:\nkey:\n",
        "data: x\n\nkey:\n",
        "event: tonight, at bob's\n",
        "id",
        ":-) ",
        ": \n",
        "retry: 3\n\nthen ",
        "{name} ",
        "{\"name\"} is not JSON: ",
        "{\"a\": 1} is JSON, and this is not: ",
        "{\"a\": 1}\nis a line of it, and this is not: ",
        "[1] says ",
        "[\"one\"] says ",
        "\"Yes\", he said,\n\"it is ",
        "0: none\n",
    ] {
        let body = format!("{front}{key}\nand bob@example.com.");
        assert_eq!(
            masked_text(&mask, Format::Text, &body),
            plainly(&mask, &body),
            "{front}"
        );
    }
    let long = format!("data: {} bob@example.com\n\ndata: x", "x ".repeat(5000));
    let masked = try_pieces(&mask, Format::Text, long.as_bytes(), &[]).expect("a text");
    assert_eq!(
        String::from_utf8(masked).expect("UTF-8"),
        plainly(&mask, &long)
    );
}

#[test]
fn what_turns_out_to_be_something_else_is_text_from_there_on() {
    let mask = mask();
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD9\nq2n8\n-----END RSA PRIVATE KEY-----";
    for front in [
        "{\"level\": \"info\"}\n{\"level\": \"info\"}\n",
        "{}\n{}\n",
        "{} {} ",
        "{\"a\": 1}\n[link](x)\n",
        "{\"a\": 1}\n{\"a\": 2}\n\"Quote,\" he said,\n",
        "data: is here\n\nid: is there, and so\n",
        "data: {\"a\": 1}\nkey: |\n",
        "data: {}\n\n",
        "0:\"a\"\n",
        "a:{} is\n",
        &":param x: the one\n".repeat(600),
    ] {
        for name in [Format::Text, Format::Json, Format::Html] {
            let body = format!("{front}{key}\nand bob@example.com, ");
            let masked = try_pieces(&mask, name, body.as_bytes(), &[]).expect("a text");
            let masked = String::from_utf8(masked).expect("UTF-8");
            let expected = body.replace(key, "[PRIVATE_KEY]");
            assert_eq!(
                masked,
                expected.replace("bob@example.com", "[EMAIL]"),
                "{name:?}"
            );
        }
    }
    // A key that begins in a line of the stream, and goes on behind it.
    let (begins, rest) = key.split_once('\n').unwrap();
    for front in [
        "{\"m\": 1}\n{\"m\": \"@\"}\n",
        "data: hello\n\ndata: @\n",
        "data: {\"a\": 1}\n\nid: @\n",
        "0:\"@\"\n",
    ] {
        let body = format!("{}{rest}\nand", front.replace('@', begins));
        let masked = masked_text(&mask, Format::Text, &body);
        assert!(
            !masked.contains("MIIB") && !masked.contains("q2n8"),
            "{masked}"
        );
        assert!(masked.ends_with("[PRIVATE_KEY]\nand"), "{masked}");
    }
    // What says how to read a stream is text in what isn't called one.
    let body = "id: bob@example.com\nevent: eve@example.com\ndata: {\"a\": \"al@example.com\"}\n\ndata: {}\n\n";
    for name in [Format::Text, Format::Json, Format::Html] {
        let masked = masked_text(&mask, name, body);
        assert_eq!(
            masked, "id: [EMAIL]\nevent: [EMAIL]\ndata: {\"a\": \"[EMAIL]\"}\n\ndata: {}\n\n",
            "{name:?}"
        );
    }
    let page = "{\"a\": 1}\n{\"b\": 2}\n<p>bob&#64;example.com</p>\n";
    let masked = masked_text(&mask, Format::Html, page);
    assert_eq!(masked, page.replace("bob&#64;example.com", "[EMAIL]"));
    // A line may be as long as a text.
    for front in ["data: {}\n", "{\"a\": 1}\n{\"b\": 2}\n"] {
        let long = format!("{front}{}", "word ".repeat(1_000_000));
        let masked = try_pieces(&mask, Format::Text, long.as_bytes(), &[]).expect("a text");
        assert!(masked == long.as_bytes());
    }
}

#[test]
fn it_is_known_as_soon_as_it_can_be() {
    let mask = mask();
    // What has come, and whether anything of it has gone.
    for (name, body, goes) in [
        (Format::Text, "hello you ", true),
        (Format::Text, "id. ", true),
        (Format::Text, "\u{feff}id. ", true),
        (Format::Html, "<p>id. ", true),
        (Format::Text, "{name} is ", true),
        (Format::Text, "{\"a\": \"b c ", false),
        (Format::Text, "{\n\"a\": \"b c ", true),
        (
            Format::Text,
            "[{\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"ok \"}]}}]}",
            true,
        ),
        (Format::Text, "data: {\"text\": \"ok \"}\n\n", true),
        (Format::Text, ": ping\n\n", false),
        (Format::Text, "data: {\"text\": \"ok \"}", false),
        (Format::Json, "\n\n\n\n", true),
        (Format::Events, "\n\n\n\n", true),
        (
            Format::Text,
            ": ping\n\ndata: {\"text\": \"ok \"}\n\n",
            true,
        ),
        (Format::Text, "data: ok \n\n", false),
        (Format::Text, "data: ok \n\ndata:", true),
        (Format::Json, "{\"text\": \"ok \"}\n", false),
        (Format::Json, "{\"text\": \"ok \"}\n{\"a\"", true),
        (Format::Json, "{\"text\": \"ok \"}\n{\"a\": 1}\n", true),
        (Format::Json, "{\n\"text\": \"ok \"", true),
        (Format::Json, "[1, 2, 3", false),
        (Format::Json, "data: {\"text\": \"ok \"}\n\n", true),
        (Format::Lines, "{\"text\": \"ok \"}\n", true),
        (Format::Events, "data: {\"text\": \"ok \"}\n\n", true),
    ] {
        let mut walker = Walker::new(name);
        let mut out = Vec::new();
        walker
            .push(&mask, body.as_bytes(), &mut out)
            .expect("a body");
        assert_eq!(!out.is_empty(), goes, "{name:?}: {body}");
        assert!(walker.held() <= body.len());
    }
    // It isn't waited for ever.
    for (name, most) in [
        (Format::Text, 1024),
        (Format::Json, 8192),
        (Format::Lines, 8192),
    ] {
        let body = format!("{{\"text\": \"{}", "ok ".repeat(4000));
        let mut walker = Walker::new(name);
        let mut out = Vec::new();
        let mut come = 0;
        while out.is_empty() && come < body.len() {
            walker
                .push(&mask, &body.as_bytes()[come..come + 1], &mut out)
                .expect("a body");
            come += 1;
        }
        let held = if name == Format::Lines {
            body.len()
        } else {
            most
        };
        assert_eq!(come, held, "{name:?}");
    }
}

#[test]
fn a_mark_of_utf8_may_come_byte_by_byte() {
    let body = "\u{feff}data: {\"a\": 1}\n";
    for called in [Called::Text, Called::Json, Called::Html] {
        let mut front = Front::new(called);
        let mut shape = None;
        for byte in body.as_bytes() {
            assert_eq!(shape, None, "{called:?}");
            shape = front.push(&[*byte], false).1;
        }
        assert_eq!(shape, Some(Shape::Events), "{called:?}");
    }
}

#[test]
fn blanks_in_front_say_nothing() {
    for (body, shape) in [
        ("\n 0:\"a\"", Shape::CodedLines),
        (" \ndata: {}\n", Shape::Events),
        ("\n{}\n{", Shape::Lines),
    ] {
        let mut front = Front::new(Called::Text);
        assert_eq!(front.push(body.as_bytes(), false).1, Some(shape), "{body}");
    }
}
