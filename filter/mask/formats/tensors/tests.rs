//! Bodies as Triton writes them: `InferRequestClass::FinalizeResponse` and `SetResponseHeader` in
//! <https://github.com/triton-inference-server/server/blob/main/src/http_server.cc>.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::tests::{mask, mask_with, masked, plainly, try_pieces};
use super::super::{Format, TensorFrame, TensorList, WalkError, Walker};
use crate::CompiledMask;
use crate::policy::{FieldRules, Options, Pointer, Segment, Style};
use base::wire::Elements;

/// The bytes of a tensor whose elements are texts.
fn texts<T: AsRef<[u8]>>(elements: &[T]) -> Vec<u8> {
    let element = |text: &T| {
        let length = u32::try_from(text.as_ref().len()).expect("short");
        [&length.to_le_bytes()[..], text.as_ref()].concat()
    };
    elements.iter().flat_map(element).collect()
}

/// A tensor that stands behind the JSON.
fn output(name: &str, datatype: &str, bytes: &[u8]) -> Value {
    json!({
        "name": name,
        "datatype": datatype,
        "shape": [1],
        "parameters": {"binary_data_size": bytes.len()},
    })
}

/// How long the JSON is, and the body.
type Body = (usize, Vec<u8>);

fn with_json(json: &str, behind: &[&[u8]]) -> Body {
    let body = [json.as_bytes(), &behind.concat()].concat();
    (json.len(), body)
}

fn answer(outputs: &[Value], behind: &[&[u8]]) -> Body {
    let json = json!({"model_name": "m", "model_version": "1", "outputs": outputs});
    with_json(&json.to_string(), behind)
}

fn format(json_bytes: usize) -> Format {
    Format::Tensors(TensorFrame {
        json_bytes,
        list: TensorList::Outputs,
    })
}

/// The body masked, alike in all pieces, and how long its JSON is then.
fn masked_body(mask: &CompiledMask, (json, body): &Body) -> Body {
    let out = masked(mask, format(*json), body);
    let mut walker = Walker::new(format(*json));
    let mut unused = Vec::new();
    assert_eq!(walker.json_bytes(), None);
    walker.push(mask, body, &mut unused).expect("a body");
    walker.finish(mask, &mut unused).expect("a body");
    (walker.json_bytes().expect("something is written"), out)
}

fn refused((json, body): &Body) -> Option<WalkError> {
    let mask = mask();
    let whole = try_pieces(&mask, format(*json), body, &[]);
    let cuts: Vec<usize> = (0..body.len()).collect();
    assert_eq!(try_pieces(&mask, format(*json), body, &cuts), whole);
    whole.err()
}

#[test]
fn texts_are_masked_and_lengths_follow() {
    let floats: Vec<u8> = [1.5_f32, 4.1e12]
        .iter()
        .flat_map(|one| one.to_le_bytes())
        .collect();
    let body = |mail: &str, long: &str, wire: &str| {
        let first = texts(&[mail, "", long, "\u{e9}"]);
        let second = texts(&[wire; 40]);
        answer(
            &[
                output("scores", "FP32", &floats),
                output("text_output", "BYTES", &first),
                json!({"name": "n", "datatype": "BYTES", "shape": [1], "data": [mail]}),
                output("card", "INT64", b"41111111"),
                output("empty", "BYTES", b""),
                output("more", "BYTES", &second),
                output("last", "UINT8", b"4111111111111111"),
            ],
            &[&floats, &first, b"41111111", &second, b"4111111111111111"],
        )
    };
    let before = body("to ana@example.com!", "4111 1111 1111 1111", "Q1");
    for (style, mail, card, long) in [
        (
            Style::Label,
            "to [EMAIL]!",
            "[CREDIT_CARD]",
            "[LONGER THAN WHAT IT STANDS FOR]",
        ),
        (Style::Remove, "to !", "", ""),
        (
            Style::Stars,
            "to ***************!",
            "*******************",
            "**",
        ),
    ] {
        let mask = mask_with(&[("LONGER THAN WHAT IT STANDS FOR", "Q[0-9]")], style);
        assert_eq!(masked_body(&mask, &before), body(mail, card, long));
    }
}

#[test]
fn with_nothing_to_mask_every_byte_stays() {
    let tensor = texts(&["", "nothing", "\u{0}\u{7f}"]);
    for json in [
        format!(
            " {{\"outputs\" :[\n{{\"parameters\": {{\"x\":[1, {{}}],\"binary_data_size\" : {} }},\"data\\u0074ype\":\"B\\u0059TES\"}} ] }}\r\n",
            tensor.len()
        ),
        format!(
            "{{\"outputs\":[{{}},{{\"parameters\":null}},{{\"parameters\":{{\"binary_data_size\":{}}}}}],\"inputs\":[1],\"parameters\":{{\"binary_data_size\":1}}}}",
            tensor.len()
        ),
    ] {
        let body = with_json(&json, &[&tensor]);
        assert_eq!(masked_body(&mask(), &body), body);
    }
    for json in ["{}", "{\"outputs\":[]}", "{\"outputs\":[{\"data\":[1]}]}"] {
        let body = with_json(json, &[]);
        assert_eq!(masked_body(&mask(), &body), body);
    }
}

#[test]
fn the_json_is_masked_as_json() {
    let tensor = texts(&["x"]);
    let body = |mail: &str| {
        let json = json!({
            "id": mail,
            "parameters": {"note": format!("to \"{mail}\"\n")},
            "outputs": [output(mail, "BYTES", &tensor)],
        });
        with_json(&json.to_string(), &[&tensor])
    };
    assert_eq!(
        masked_body(&mask(), &body("ana@example.com")),
        body("[EMAIL]")
    );
}

/// Generative models answer with JSON in a text.
#[test]
fn a_text_that_is_json_stays_json() {
    let body = |text: &str| {
        let tensor = texts(&[text]);
        answer(&[output("a", "BYTES", &tensor)], &[&tensor])
    };
    assert_eq!(
        masked_body(&mask(), &body(r#"{"card":4111111111111111}"#)),
        body(r#"{"card":"[CREDIT_CARD]"}"#)
    );
}

#[test]
fn a_size_stays_one_whatever_the_mask_finds_in_it() {
    let mask = mask_with(&[("DIGITS", "[0-9]{2,}")], Style::Label);
    let body = |text: &str| {
        let tensor = texts(&[text]);
        answer(
            &[
                output("a", "BYTES", &tensor),
                output("b", "INT8", b"0123456789"),
            ],
            &[&tensor, b"0123456789"],
        )
    };
    assert_eq!(masked_body(&mask, &body("no. 4711")), body("no. [DIGITS]"));
}

#[test]
fn requests_have_them_in_another_list() {
    let mask = mask();
    let body = |mail: &str| {
        let tensor = texts(&[mail]);
        let json = json!({
            "inputs": [output("text_input", "BYTES", &tensor)],
            "outputs": [{"name": "text_output", "parameters": {"binary_data": true}}],
        });
        with_json(&json.to_string(), &[&tensor])
    };
    let (json_bytes, before) = body("ana@example.com");
    let format = Format::Tensors(TensorFrame {
        json_bytes,
        list: TensorList::Inputs,
    });
    assert_eq!(masked(&mask, format, &before), body("[EMAIL]").1);
}

#[test]
fn numbers_behind_the_last_text_are_not_held() {
    let mask = mask();
    let tensor = texts(&["ana@example.com"]);
    let numbers = vec![7; 3 << 20];
    let (json, body) = answer(
        &[output("a", "BYTES", &tensor), output("b", "FP32", &numbers)],
        &[&tensor, &numbers],
    );
    let mut walker = Walker::new(format(json));
    let mut out = Vec::new();
    let behind = json + tensor.len();
    walker.push(&mask, &body[..behind - 1], &mut out).unwrap();
    assert_eq!((out.len(), walker.held()), (0, behind - 1));
    walker
        .push(&mask, &body[behind - 1..behind + 9], &mut out)
        .unwrap();
    assert_eq!(walker.held(), 0);
    assert!(out.ends_with(&[7; 9]) && !out.ends_with(&[7; 10]));
    walker.push(&mask, &body[behind + 9..], &mut out).unwrap();
    walker.finish(&mask, &mut out).unwrap();
    assert!(out.ends_with(&numbers));
}

#[test]
fn what_does_not_add_up_is_refused() {
    let tensor = texts(&["ana@example.com"]);
    let size = tensor.len();
    let good = answer(&[output("a", "BYTES", &tensor)], &[&tensor]);
    assert_eq!(refused(&good), None);
    // Less than the head says, and less than the JSON does.
    assert_eq!(
        refused(&(good.1.len() + 1, good.1.clone())),
        Some(WalkError::Truncated)
    );
    assert_eq!(refused(&(2, b"".to_vec())), Some(WalkError::Truncated));
    for cut in 1..good.1.len() {
        let body = (good.0, good.1[..cut].to_vec());
        assert_eq!(refused(&body), Some(WalkError::Truncated), "{cut}");
    }
    let short = answer(&[output("a", "INT8", b"12345")], &[b"1234"]);
    assert_eq!(refused(&short), Some(WalkError::Truncated));
    // Too many.
    let long = (good.0, [good.1.as_slice(), b"x"].concat());
    assert_eq!(refused(&long), Some(WalkError::Malformed));
    // Where the JSON ends elsewhere.
    for json in [0, 1, good.0 - 1, good.0 + 1] {
        assert_eq!(
            refused(&(json, good.1.clone())),
            Some(WalkError::Malformed),
            "{json}"
        );
    }
    // Elements that go beyond their tensor.
    for bytes in [
        &[1, 0, 0][..],
        &[2, 0, 0, 0, b'x'],
        &[0xff; 4],
        b"ana@example.com",
    ] {
        for datatype in ["BYTES", "TEXT", ""] {
            let body = answer(&[output("a", datatype, bytes)], &[bytes]);
            assert_eq!(refused(&body), Some(WalkError::Malformed), "{bytes:?}");
        }
    }
    let tensor = String::from_utf8(tensor).expect("short texts have short lengths");
    for json in [
        // Twice, also where the second one is written in another way.
        format!(r#"{{"outputs":[{{"parameters":{{"binary_data_size":{size},"binary_data_size":{size}}}}}]}}"#),
        format!(r#"{{"outputs":[{{"parameters":{{"binary_data_size":{size},"binary_data_siz\u0065":0}}}}]}}"#),
        format!(r#"{{"outputs":[{{"parameters":{{"binary_data_size":{size}}},"parameters":{{}}}}]}}"#),
        format!(r#"{{"outputs":[{{"parameters":{{"binary_data_size":{size}}}}}],"outputs":[]}}"#),
        format!(r#"{{"outputs":[{{"datatype":"INT8","datatype":"BYTES","parameters":{{"binary_data_size":{size}}}}}]}}"#),
        // A name that some readers would take for one, and others refuse.
        format!(r#"{{"outputs":[{{"parameters":{{"\binary_data_size":{size},"\z":1}}}}]}}"#),
        // Of other types.
        format!(r#"{{"outputs":{{"parameters":{{"binary_data_size":{size}}}}}}}"#),
        format!(r#"{{"outputs":[[{{"parameters":{{"binary_data_size":{size}}}}}]]}}"#),
        format!(r#"{{"outputs":[{{"parameters":[{{"binary_data_size":{size}}}]}}]}}"#),
        format!(r#"[{{"outputs":[{{"parameters":{{"binary_data_size":{size}}}}}]}}]"#),
        format!(r#"{{"outputs":[{{"parameters":{{"binary_data_size":"{size}"}}}}]}}"#),
        format!(r#"{{"outputs":[{{"parameters":{{"binary_data_size":{size}.0}}}}]}}"#),
        format!(r#"{{"outputs":[{{"parameters":{{"binary_data_size":{size}e0}}}}]}}"#),
        format!(r#"{{"outputs":[{{"parameters":{{"binary_data_size":0{size}}}}}]}}"#),
        format!(r#"{{"outputs":[{{"parameters":{{"binary_data_size":[{size}]}}}}]}}"#),
        r#"{"outputs":[{"parameters":{"binary_data_size":null}}]}"#.to_owned(),
        r#"{"outputs":[{"parameters":{"binary_data_size":-19}}]}"#.to_owned(),
        r#"{"outputs":[{"parameters":{"binary_data_size":99999999999999999999}}]}"#.to_owned(),
        r#"{"outputs":[{"datatype":"INT8","parameters":{"binary_data_size":18446744073709551615}},{"parameters":{"binary_data_size":1}}]}"#.to_owned(),
        format!(r#"{{"outputs":[{{"datatype":7,"parameters":{{"binary_data_size":{size}}}}}]}}"#),
        r#"{"outputs":[{"parameters":1}]}"#.to_owned(),
        r#"{"outputs":[1]}"#.to_owned(),
        r#"{"outputs":null}"#.to_owned(),
        "1".to_owned(),
        String::new(),
        // Of a request, and beside the outputs.
        format!(r#"{{"inputs":[{{"parameters":{{"binary_data_size":{size}}}}}]}}"#),
        format!(r#"{{"outputs":[{{"binary_data_size":{size}}}],"parameters":{{"binary_data_size":{size}}}}}"#),
        // No JSON, and more than one.
        format!(r#"{{"outputs":[{{"parameters":{{"binary_data_size":{size}}}}}]"#),
        format!(r#"{{"outputs":[{{"parameters":{{"binary_data_size":{size}}}}}]}}{{}}"#),
        format!(r#"{{"outputs":[{{"parameters":{{"binary_data_size":{size}}}}}],}}"#),
    ] {
        let body = with_json(&json, &[tensor.as_bytes()]);
        assert_eq!(refused(&body), Some(WalkError::Malformed), "{json}");
    }
    let latin = [&b"{\"a\":\"\xe9\"}"[..]].concat();
    assert_eq!(refused(&(latin.len(), latin)), Some(WalkError::Malformed));
}

#[test]
fn what_is_too_much_is_refused() {
    let mask = mask();
    let refused = |body: &Body| try_pieces(&mask, format(body.0), &body.1, &[]).err();
    assert_eq!(
        refused(&((1 << 20) + 1, b"{".to_vec())),
        Some(WalkError::TooLarge)
    );
    let most = |tensor: usize| {
        let bytes = texts(&["x".repeat(tensor - 4)]);
        answer(&[output("a", "BYTES", &bytes)], &[&bytes])
    };
    let json = most(1_000_000).0;
    assert_eq!(refused(&most((1 << 20) - json)), None);
    assert_eq!(
        refused(&most((1 << 20) - json + 1)),
        Some(WalkError::TooLarge)
    );
    // Its bytes need not come for that.
    let (json, body) = most(1 << 21);
    assert_eq!(
        refused(&(json, body[..json].to_vec())),
        Some(WalkError::TooLarge)
    );
    let many = answer(&vec![output("a", "INT8", b""); 1025], &[]);
    assert_eq!(refused(&many), Some(WalkError::TooManyTexts));
    // A request may be longer, but its texts are counted too.
    let bytes = vec![0; 4 * ((1 << 18) + 1)];
    let json = json!({"inputs": [output("a", "BYTES", &bytes)]}).to_string();
    let (json_bytes, body) = with_json(&json, &[&bytes]);
    let list = TensorList::Inputs;
    let request = Format::Tensors(TensorFrame { json_bytes, list });
    assert_eq!(
        try_pieces(&mask, request, &body, &[]).err(),
        Some(WalkError::TooManyTexts)
    );
}

/// A rule for fields that takes out what says that a tensor is there leaves its bytes without a name.
#[test]
fn a_tensor_can_not_be_taken_out_of_the_json_alone() {
    let tensor = texts(&["x"]);
    let (json, body) = answer(
        &[output("a", "BYTES", &tensor), output("b", "INT8", b"1")],
        &[&tensor, b"1"],
    );
    let step = |step: &str| match step {
        "*" => Segment::Any,
        name => Segment::Name(name.to_owned()),
    };
    let run = |pointer: &str| {
        let fields = FieldRules {
            remove: vec![Pointer(pointer.split('/').skip(1).map(step).collect())],
            ..FieldRules::default()
        };
        let options = Options {
            fields,
            ..Options::default()
        };
        try_pieces(&mask().with(&options), format(json), &body, &[])
    };
    assert_eq!(run("/outputs/1"), Err(WalkError::Malformed));
    assert_eq!(run("/outputs/*/parameters"), Err(WalkError::Malformed));
    let (_, without) = with_json(
        &String::from_utf8(body[..json].to_vec())
            .unwrap()
            .replace(r#""model_version":"1","#, ""),
        &[&body[json..]],
    );
    assert_eq!(run("/model_version"), Ok(without));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn random_tensors_are_masked_element_by_element(
        tensors in prop::collection::vec(prop_oneof![
            prop::collection::vec(prop::sample::select(vec![
                "ana@example.com", "4111 1111 1111 1111", "", "x", "call 10.1.2.3 now", "\u{e9}\n",
            ]), 0..5).prop_map(Ok),
            prop::collection::vec(any::<u8>(), 0..12).prop_map(Err),
        ], 0..5),
        style in prop::sample::select(vec![Style::Label, Style::Stars, Style::Partial, Style::Remove]),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mask = mask_with(&[], style);
        let body = |mask: Option<&CompiledMask>| {
            let mut outputs = Vec::new();
            let mut behind = Vec::new();
            for tensor in &tensors {
                let (datatype, bytes) = match tensor {
                    Ok(elements) => {
                        let of = |text: &&str| mask.map_or((*text).to_owned(), |mask| plainly(mask, text));
                        ("BYTES", texts(&elements.iter().map(of).collect::<Vec<_>>()))
                    }
                    Err(bytes) => ("UINT8", bytes.clone()),
                };
                outputs.push(output("a", datatype, &bytes));
                behind.push(bytes);
            }
            answer(&outputs, &behind.iter().map(Vec::as_slice).collect::<Vec<_>>())
        };
        let (json, before) = body(None);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(before.len())).collect();
        cuts.sort_unstable();
        prop_assert_eq!(try_pieces(&mask, format(json), &before, &cuts), Ok(body(Some(&mask)).1));
    }

    #[test]
    fn whatever_comes_is_read_alike_in_all_pieces(
        parts in prop::collection::vec(prop_oneof![
            prop::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"outputs\":[", "{\"parameters\":{\"binary_data_size\":",
                "\"datatype\":\"BYTES\"", "5", "12", "}}", "\\", "\"", " ", "null", "ana@example.com",
            ]).prop_map(|text| text.as_bytes().to_vec()),
            any::<u8>().prop_map(|byte| vec![byte]),
            Just(texts(&["ana@example.com"])),
        ], 0..14),
        json in 0..60_usize,
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let mask = mask();
        let body = parts.concat();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len() + 1)).collect();
        cuts.sort_unstable();
        let whole = try_pieces(&mask, format(json), &body, &[]);
        prop_assert_eq!(try_pieces(&mask, format(json), &body, &cuts), whole);
    }
}

/// What clients read: each element behind its length, in the tensor's own bytes.
#[test]
fn the_elements_of_a_masked_tensor_can_be_read() {
    let tensor = texts(&["a", "ana@example.com", "b"]);
    let body = answer(&[output("a", "BYTES", &tensor)], &[&tensor]);
    let (json, body) = masked_body(&mask(), &body);
    let head: Value = serde_json::from_slice(&body[..json]).expect("JSON");
    let size = head["outputs"][0]["parameters"]["binary_data_size"].as_u64();
    assert_eq!(size, u64::try_from(body.len() - json).ok());
    let mut elements = Elements::new(&body, (json, body.len()));
    let mut found = Vec::new();
    while let Some((_, (start, end))) = elements.read_next().expect("elements") {
        found.push(&body[start..end]);
    }
    assert_eq!(found, [&b"a"[..], b"[EMAIL]", b"b"]);
}
