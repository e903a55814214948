//! The invariant on every example of every detector: however a body is cut into pieces, and
//! however its text is spread over events, the same comes out as for the whole.
//!
//! Where trying everything would take minutes, an even part of it is tried, and how much is
//! printed; with `PORTCULLIS_EXHAUSTIVE` in the environment, all of it.
#![cfg(not(target_arch = "wasm32"))]

#[path = "../../tests/invariant/machine.rs"]
mod machine;

mod justified;
mod split;
mod spread;
mod volume;

use std::env;

use testbed::amazon::Operation;
use testbed::streams::Escapes;

use super::detectors::tests::{built_ins, examples};
use super::{CompiledMask, Format, GrpcMessage, TensorFrame, TensorList, Walker};
use crate::policy::Style;

const EXHAUSTIVE: &str = "PORTCULLIS_EXHAUSTIVE";

/// How many bytes a test masks at most, unless it is to try everything.
const EFFORT: usize = 3 << 20;

/// How many of the things to try are left out after each one that is tried, where all of them
/// are so many bytes.
fn stride(bytes: usize) -> usize {
    match env::var_os(EXHAUSTIVE) {
        Some(_) => 1,
        None => 1 + bytes / EFFORT,
    }
}

fn mask() -> CompiledMask {
    CompiledMask::new(&built_ins(Style::Label)).unwrap()
}

/// The examples' texts, each with something in front and behind, since matches end where a text
/// does.
fn texts() -> Vec<String> {
    let examples = examples().into_iter().map(|(text, _)| text);
    let mut texts: Vec<String> = examples
        .flat_map(|text| [format!("é {text}, \"\\日"), text])
        .collect();
    texts.sort();
    texts.dedup();
    texts
}

/// A body masked, in these pieces.
fn masked<'a>(
    mask: &CompiledMask,
    format: Format,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> Vec<u8> {
    let mut walker = Walker::new(format);
    let mut out = Vec::new();
    for piece in pieces {
        walker.push(mask, piece, &mut out).unwrap();
    }
    walker.finish(mask, &mut out).unwrap();
    assert_eq!(walker.held(), 0, "something is held behind the end");
    out
}

/// The body masked in one piece.
fn whole(mask: &CompiledMask, format: Format, body: &[u8]) -> Vec<u8> {
    masked(mask, format, [body])
}

/// A text masked as it is.
fn plainly(mask: &CompiledMask, text: &str) -> String {
    String::from_utf8(whole(mask, Format::Text, text.as_bytes())).unwrap()
}

/// A text masked in a string: a number in it that is masked is a string behind it, if the text is JSON.
fn in_a_string(mask: &CompiledMask, text: &str) -> String {
    let masked = plainly(mask, text);
    let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
    if !value.is_some_and(|value| value.is_object() || value.is_array()) {
        return masked;
    }
    let mut quoted = String::new();
    let mut rest = masked.as_str();
    while let Some((before, behind)) = rest.split_once(":[") {
        let (label, behind) = behind.split_once(']').unwrap();
        quoted.push_str(&format!("{before}:\"[{label}]\""));
        rest = behind;
    }
    quoted + rest
}

/// The text in a body of each format.
fn bodies(text: &str) -> Vec<(Format, Vec<u8>)> {
    let mut bodies = vec![(Format::Text, text.as_bytes().to_vec())];
    for escapes in Escapes::EACH {
        let string = escapes.string(text);
        bodies.extend([
            (
                Format::Json,
                format!("{{\"a\":[{string}],\"n\":1.5}}").into_bytes(),
            ),
            (
                Format::Events,
                format!("data: {{\"delta\":{string}}}\n\n: end\n\n").into_bytes(),
            ),
            (Format::Lines, format!("{{\"a\":{string}}}\n").into_bytes()),
        ]);
    }
    for references in [false, true] {
        let text = referenced(text, references);
        let markup = format!("<p title=\"{text}\">a<br/>{text}</p>").into_bytes();
        bodies.extend([(Format::Html, markup.clone()), (Format::Xml, markup)]);
    }
    let message = GrpcMessage::ModelInferResponse;
    bodies.push((Format::Grpc(message), response(text)));
    let amazon = Operation::EACH.map(|one| [one.token(text, Escapes::Few), one.end()].concat());
    bodies.extend(amazon.map(|body| (Format::AmazonEvents, body)));
    bodies.push(tensors(text));
    bodies
}

/// A tensor of bytes behind its JSON, as Triton and KServe answer, whose one element is the text
/// (triton-inference-server/server, docs/protocol/extension_binary_data.md).
fn tensors(text: &str) -> (Format, Vec<u8>) {
    let length = u32::try_from(text.len()).unwrap().to_le_bytes();
    let json = serde_json::json!({"model_name": "m", "outputs": [{"name": "text", "datatype": "BYTES",
        "shape": [1], "parameters": {"binary_data_size": 4 + text.len()}}]});
    let json = json.to_string();
    let frame = TensorFrame {
        json_bytes: json.len(),
        list: TensorList::Outputs,
    };
    let body = [json.as_bytes(), &length, text.as_bytes()].concat();
    (Format::Tensors(frame), body)
}

/// A text as HTML and XML write it: what must be, or all of it, in references.
fn referenced(text: &str, all: bool) -> String {
    let one = |letter: char| match letter {
        '<' | '>' | '&' | '"' => format!("&#{};", u32::from(letter)),
        _ if all => format!("&#x{:X};", u32::from(letter)),
        _ => letter.to_string(),
    };
    text.chars().map(one).collect()
}

/// A `ModelInferResponse` with the text, in its frame.
fn response(text: &str) -> Vec<u8> {
    testbed::grpc::framed(&machine::infer_response(text))
}
