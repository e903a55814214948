use std::rc::Rc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Masks, Pass, Stop};
use crate::policy::{Detection, Detector, Gate, Plan, Style};
use crate::{Format, Framing, Originals, TensorFrame, TensorList};

const KEY: &[u8] = b"a key of tests, long enough to be one";

fn detection(name: &'static str, style: Style) -> Detection {
    Detection {
        detector: Detector::BuiltIn(name),
        style,
    }
}

/// The detector of everything between angle brackets.
fn angles() -> Detection {
    Detection {
        detector: Detector::Pattern {
            name: "angles".to_owned(),
            pattern: "<[^>]{0,99}>".to_owned(),
            near: Vec::new(),
            label: "ANGLES".to_owned(),
        },
        style: Style::Label,
    }
}

fn masks(plan: &Plan) -> Masks {
    let masks = Masks::new(plan).unwrap();
    masks.set_pseudonym_key(KEY);
    masks
}

/// What becomes of a body that comes in these pieces.
fn run(
    masks: &Masks,
    format: Format,
    originals: Option<&Originals>,
    pieces: &[&[u8]],
) -> (String, Pass) {
    let originals = originals.cloned().map(Rc::new);
    let mut pass = Pass::new(masks, (format, Framing::default()), originals.as_ref());
    let mut out = Vec::new();
    for piece in pieces {
        pass.push(masks, piece, &mut out).unwrap();
    }
    pass.finish(masks, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), pass)
}

/// A request's body masked, and what its pseudonyms stand for.
fn request(masks: &Masks, format: Format, body: &str) -> (String, Originals) {
    let mut out = Vec::new();
    let mut pass = Pass::of_request(masks, (format, Framing::default()));
    pass.push(masks, body.as_bytes(), &mut out).unwrap();
    pass.finish(masks, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), pass.take_originals())
}

/// Masks a request with pseudonyms of e-mail addresses.
fn ask(text: &str) -> (String, Originals) {
    let masks = masks(&Plan {
        detections: vec![detection("email", Style::Pseudonym)],
        ..Plan::default()
    });
    request(&masks, Format::Text, text)
}

#[test]
fn what_is_only_counted_stays_and_hides_nothing() {
    let masks = masks(&Plan {
        detections: vec![detection("email", Style::Label)],
        alerts: vec![angles(), detection("email", Style::Label)],
        ..Plan::default()
    });
    let text = b"write <to ana@example.com> or <nobody>";
    let (out, pass) = run(&masks, Format::Text, None, &[text]);
    assert_eq!(out, "write <to [EMAIL]> or <nobody>");
    assert_eq!(json!(pass.matches(&masks)), json!({"email": 1}));
    assert_eq!(json!(pass.alerts(&masks)), json!({"angles": 2}));
    assert!(!masks.only_count());
}

#[test]
fn a_plan_that_only_counts_changes_nothing() {
    let masks = masks(&Plan {
        alerts: vec![detection("email", Style::Label)],
        ..Plan::default()
    });
    assert!(masks.only_count());
    let body = b"{\"a\": \"ana@example.com\" , nonsense \"bob@example.com\"";
    let (out, pass) = run(&masks, Format::Json, None, &[&body[..9], &body[9..]]);
    assert_eq!(out.as_bytes(), body);
    assert_eq!(json!(pass.alerts(&masks)), json!({"email": 2}));
}

#[test]
fn a_cut_ends_the_body_before_its_match_wherever_it_is_split() {
    let masks = masks(&Plan {
        detections: vec![
            detection("ip", Style::Label),
            detection("email", Style::Label),
        ],
        cuts: vec![1],
        ..Plan::default()
    });
    assert!(masks.may_cut());
    let text = b"from 203.0.113.7 to ana@example.com and more";
    for at in 0..=text.len() {
        let mut pass = Pass::new(&masks, (Format::Text, Framing::default()), None);
        let mut out = Vec::new();
        let (head, tail) = text.split_at(at);
        let stopped = [head, tail].into_iter().find_map(|piece| {
            let mut sent = Vec::new();
            let result = pass.push(&masks, piece, &mut sent);
            if result.is_ok() {
                out.extend(sent);
            }
            result.err()
        });
        assert_eq!(stopped, Some(Stop::Cut), "{at}");
        let out = String::from_utf8(out).unwrap();
        assert!("from [IP] to ".starts_with(&out), "{at}: {out}");
        assert_eq!(pass.matches(&masks)["email"], 1);
    }
}

#[test]
fn what_waits_is_counted_and_stays() {
    let masks = masks(&Plan {
        detections: vec![detection("ip", Style::Label)],
        gate: Gate {
            detections: vec![detection("email", Style::Label)],
            reviewers: vec!["leads".to_owned()],
        },
        ..Plan::default()
    });
    assert!(masks.may_wait());
    let (out, pass) = run(&masks, Format::Text, None, &[b"203.0.113.7"]);
    assert!(pass.gated(&masks).is_empty());
    assert_eq!(out, "[IP]");
    let (out, pass) = run(
        &masks,
        Format::Text,
        None,
        &[b"203.0.113.7 ana@example.com"],
    );
    assert_eq!(json!(pass.gated(&masks)), json!({"email": 1}));
    assert_eq!(out, "[IP] ana@example.com");
    assert_eq!(json!(pass.matches(&masks)), json!({"email": 1, "ip": 1}));
}

/// Ways in which a model writes a pseudonym that it was given as `[EMAIL_...]`.
fn spellings(name: &str) -> Vec<String> {
    let bare = name.trim_matches(['[', ']']);
    vec![
        name.to_owned(),
        bare.to_owned(),
        name.to_lowercase(),
        bare.to_uppercase(),
        name.replace('_', "\\_"),
        format!("\\[{}\\]", bare.replace('_', "\\_")),
        bare.replace('_', " "),
        bare.replace('_', "-"),
        format!("**{bare}**"),
        format!("({bare})"),
        format!("[{bare}"),
    ]
}

#[test]
fn a_pseudonym_is_put_back_however_a_model_writes_it_and_wherever_it_is_split() {
    let (masked, originals) = ask("Ana.Silva@example.com");
    let plan = Masks::default();
    for spelling in spellings(&masked) {
        let text = format!("Dear {spelling}, hello.");
        let around = ["**", "(", "["].into_iter().find(|mark| {
            let whole = spelling.starts_with('[') && spelling.ends_with(']');
            spelling.starts_with(mark) && !whole
        });
        let around = match around {
            Some("**") => "**Ana.Silva@example.com**",
            Some("(") => "(Ana.Silva@example.com)",
            Some(_) => "[Ana.Silva@example.com",
            None => "Ana.Silva@example.com",
        };
        for at in 0..=text.len() {
            let (head, tail) = text.as_bytes().split_at(at);
            let (out, pass) = run(&plan, Format::Text, Some(&originals), &[head, tail]);
            assert_eq!(out, format!("Dear {around}, hello."), "{spelling} at {at}");
            assert_eq!(pass.restored(), 1);
        }
    }
}

#[test]
fn what_stands_for_nothing_stays() {
    let (masked, originals) = ask("ana@example.com");
    let bare = masked.trim_matches(['[', ']']).to_owned();
    for text in [
        "[EMAIL_2bcdfghjkm]".to_owned(),
        "EMAIL".to_owned(),
        "[EMAIL]".to_owned(),
        format!("x{bare}"),
        format!("{bare}x"),
        bare.split_at(bare.len() - 1).0.to_owned(),
        bare.replace('_', ""),
    ] {
        let (out, pass) = run(
            &Masks::default(),
            Format::Text,
            Some(&originals),
            &[text.as_bytes()],
        );
        assert_eq!((out, pass.restored()), (text, 0));
    }
    // Another request's table knows nothing of it.
    let (_, others) = ask("bob@example.com");
    let (out, _) = run(
        &Masks::default(),
        Format::Text,
        Some(&others),
        &[bare.as_bytes()],
    );
    assert_eq!(out, bare);
}

#[test]
fn what_is_put_back_is_not_masked_again_and_everything_else_is() {
    let (masked, originals) = ask("ana@example.com");
    let masks = masks(&Plan {
        detections: vec![detection("email", Style::Label)],
        ..Plan::default()
    });
    let text = format!("{masked} and bob@example.com");
    let (out, pass) = run(&masks, Format::Text, Some(&originals), &[text.as_bytes()]);
    assert_eq!(out, "ana@example.com and [EMAIL]");
    assert_eq!(json!(pass.matches(&masks)), json!({"email": 1}));
}

#[test]
fn each_request_keeps_its_own_values_and_an_answer_none() {
    let masks = masks(&Plan {
        detections: vec![detection("email", Style::Pseudonym)],
        ..Plan::default()
    });
    let form = (Format::Text, Framing::default());
    let mut out = Vec::new();
    let mut first = Pass::of_request(&masks, form);
    let mut second = Pass::of_request(&masks, form);
    let mut answer = Pass::new(&masks, form, None);
    first.push(&masks, b"ana@example.com ", &mut out).unwrap();
    second.push(&masks, b"bob@example.com ", &mut out).unwrap();
    answer.push(&masks, b"eve@example.com ", &mut out).unwrap();
    first.finish(&masks, &mut out).unwrap();
    let values = |pass: &mut Pass| {
        let originals = pass.take_originals();
        let names = originals.names();
        let values = names.filter_map(|name| originals.get(name).map(str::to_owned));
        values.collect::<Vec<_>>()
    };
    assert_eq!(values(&mut first), ["ana@example.com"]);
    assert_eq!(values(&mut second), ["bob@example.com"]);
    assert_eq!(values(&mut answer), [""; 0]);
}

#[test]
fn what_is_put_back_is_escaped_for_json() {
    let masks = masks(&Plan {
        detections: vec![Detection {
            style: Style::Pseudonym,
            ..angles()
        }],
        ..Plan::default()
    });
    let asked = json!({"a": "<say \"hi\"\n>"}).to_string();
    let (masked, originals) = request(&masks, Format::Json, &asked);
    let (out, _) = run(
        &Masks::default(),
        Format::Json,
        Some(&originals),
        &[masked.as_bytes()],
    );
    assert_eq!(
        serde_json::from_str::<Value>(&out).unwrap()["a"],
        "<say \"hi\"\n>"
    );
}

/// The events of a chat answer whose content comes in these pieces.
fn events(pieces: &[&str]) -> String {
    let event = |piece: &&str| {
        let delta = json!({"choices": [{"index": 0, "delta": {"content": piece}}]});
        format!("data: {delta}\n\n")
    };
    let mut events: String = pieces.iter().map(event).collect();
    events.push_str("data: [DONE]\n\n");
    events
}

/// The content of such an answer.
fn content(events: &str) -> String {
    let data = events
        .lines()
        .filter_map(|line| line.strip_prefix("data: "));
    let values = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    values
        .map(|value| {
            value["choices"][0]["delta"]["content"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect()
}

proptest! {
    /// However a model spreads a pseudonym over events, and however the body comes.
    #[test]
    fn a_pseudonym_is_put_back_over_events(
        cuts in prop::collection::vec(0..60_usize, 0..6),
        size in 1..200_usize,
        upper in any::<bool>(),
    ) {
        let (masked, originals) = ask("ana@example.com, bob@example.com");
        let masked = if upper { masked.to_uppercase() } else { masked };
        let text = format!("Mail {masked} now");
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&str> = cuts.windows(2).map(|pair| text.get(pair[0]..pair[1]).unwrap()).collect();
        let body = events(&pieces);
        let chunks: Vec<&[u8]> = body.as_bytes().chunks(size).collect();
        let (out, pass) = run(&Masks::default(), Format::Events, Some(&originals), &chunks);
        prop_assert_eq!(content(&out), "Mail ana@example.com, bob@example.com now");
        prop_assert_eq!(pass.restored(), 2);
    }
}

/// Matches of known length, and ones whose end is not known when they are certain.
fn values() -> String {
    let token = concat!("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxIn0", ".c2lnbmF0dXJl");
    format!("to Ana@example.com, 4111 1111 1111 1111; {token}, then 2001:DB8::1 or 203.0.113.7!")
}

fn named() -> Masks {
    let names = ["email", "credit_card", "secret.jwt", "ip"];
    masks(&Plan {
        detections: names.map(|name| detection(name, Style::Pseudonym)).into(),
        ..Plan::default()
    })
}

#[test]
fn pseudonyms_do_not_depend_on_where_the_text_is_split() {
    let (masks, text) = (named(), values());
    let (whole, _) = run(&masks, Format::Text, None, &[text.as_bytes()]);
    assert!(whole.contains("; [JWT], then [IP_"), "{whole}");
    assert_eq!(whole.matches('[').count(), 5, "{whole}");
    for first in 0..=text.len() {
        for second in first..=text.len() {
            let (head, rest) = text.as_bytes().split_at(first);
            let (middle, tail) = rest.split_at(second - first);
            let (out, _) = run(&masks, Format::Text, None, &[head, middle, tail]);
            assert_eq!(out, whole, "{first}, {second}");
        }
    }
    let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    assert_eq!(run(&masks, Format::Text, None, &bytes).0, whole);
}

#[test]
fn pseudonyms_are_the_same_in_every_form_of_body() {
    let (masks, text) = (named(), values());
    let (whole, _) = run(&masks, Format::Text, None, &[text.as_bytes()]);
    let body = json!({"a": text}).to_string().replace('@', "\\u0040");
    let (out, _) = run(&masks, Format::Json, None, &[body.as_bytes()]);
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["a"], whole);
    for size in [1, 2, 3, 5, 1000] {
        let characters: Vec<char> = text.chars().collect();
        let pieces: Vec<String> = characters
            .chunks(size)
            .map(|piece| piece.iter().collect())
            .collect();
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        let (out, _) = run(&masks, Format::Events, None, &[events(&pieces).as_bytes()]);
        assert_eq!(content(&out), whole, "tokens of {size}");
    }
}

#[test]
fn values_are_put_back_in_names_of_members() {
    let (masked, originals) = ask("I am ana@example.com");
    let name = masked.strip_prefix("I am ").unwrap();
    let masks = Masks::default();
    let inner = |name: &str| json!({"id": name, name: [name, {name: 1}]}).to_string();
    for (format, body) in [
        (Format::Json, inner(name)),
        (
            Format::Events,
            format!("data: {}\n\n", inner(name)).repeat(3),
        ),
        (Format::Lines, format!("{}\n", inner(name)).repeat(3)),
        (Format::Json, json!({"arguments": inner(name)}).to_string()),
    ] {
        let expected = body.replace(name, "ana@example.com");
        assert_ne!(body, expected);
        for size in [1, 7, 1000] {
            let pieces: Vec<&[u8]> = body.as_bytes().chunks(size).collect();
            let (out, pass) = run(&masks, format, Some(&originals), &pieces);
            assert_eq!(out, expected);
            let times = body.matches(name).count();
            assert_eq!(pass.restored(), u64::try_from(times).unwrap());
        }
    }
}

/// What an answer of Triton's with one text behind its JSON is, and how long its JSON is.
fn tensors(text: &str) -> (usize, Vec<u8>) {
    let length = u32::try_from(text.len()).unwrap();
    let bytes = [&length.to_le_bytes()[..], text.as_bytes()].concat();
    let size = bytes.len();
    let json = json!({"outputs": [
        {"name": text, "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": size}},
    ]});
    let json = json.to_string();
    (json.len(), [json.as_bytes(), &bytes].concat())
}

#[test]
fn tensors_behind_json_are_followed_through_all_that_changes_them() {
    let email = |style| detection("email", style);
    let plan = masks(&Plan {
        detections: vec![email(Style::Pseudonym), angles()],
        alerts: vec![detection("ip", Style::Label)],
        ..Plan::default()
    });
    let (masked, originals) = request(&plan, Format::Text, "ana@example.com");
    let form = |json_bytes| {
        let list = TensorList::Outputs;
        let frame = TensorFrame { json_bytes, list };
        (Format::Tensors(frame), Framing::default())
    };
    let said = format!("{masked} <and more> of 203.0.113.7");
    let (json, body) = tensors(&said);
    let expected = tensors("ana@example.com [ANGLES] of 203.0.113.7");
    let originals = Rc::new(originals);
    for cut in 0..=body.len() {
        let mut pass = Pass::new(&plan, form(json), Some(&originals));
        let mut out = Vec::new();
        pass.push(&plan, &body[..cut], &mut out).unwrap();
        assert_eq!(pass.json_bytes().is_some(), !out.is_empty());
        pass.push(&plan, &body[cut..], &mut out).unwrap();
        pass.finish(&plan, &mut out).unwrap();
        assert_eq!((pass.json_bytes(), &out), (Some(expected.0), &expected.1));
        assert_eq!(pass.alerts(&plan).get("ip"), Some(&2));
        assert_eq!(pass.restored(), 2);
    }
    // What only counts leaves it as it came.
    let plan = masks(&Plan {
        alerts: vec![detection("ip", Style::Label)],
        ..Plan::default()
    });
    let mut pass = Pass::new(&plan, form(json), None);
    let mut out = Vec::new();
    pass.push(&plan, &body, &mut out).unwrap();
    pass.finish(&plan, &mut out).unwrap();
    assert_eq!((pass.json_bytes(), out), (Some(json), body));
    assert_eq!(pass.alerts(&plan).get("ip"), Some(&2));
}
