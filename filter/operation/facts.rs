//! What a JSON body says that rules and quotas ask for.

use serde_json::{Map, Value};

use super::catalog::Shape;
use crate::json;

/// What is known of a request from its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The model that is asked for.
    pub model: Option<String>,
    /// How many predictions are asked for; at least 1.
    pub items: u64,
    /// Texts that may reach the model.
    pub prompts: Vec<String>,
}

/// Why no facts could be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactsError {
    /// The body isn't what its route takes. The text says where, and quotes nothing of it.
    Malformed(String),
    /// This version can't read this kind of body.
    NotReadable(&'static str),
}

/// What is said of a request whose body is a stream.
pub const STREAMED: &str = "A streamed request can't be judged by its body.";

/// Takes the facts from a whole body.
///
/// # Errors
/// A body that isn't strict JSON, or whose members are not what the route takes: what can't be
/// read with certainty is not passed to a server that may read it in another way.
pub fn take(shape: Shape, body: &[u8]) -> Result<Facts, FactsError> {
    match shape {
        Shape::Opaque => {
            return Ok(Facts {
                items: 1,
                ..Facts::default()
            });
        }
        Shape::TensorsGrpc => return super::tensors::take(body),
        Shape::TensorsGrpcStream => {
            return Err(FactsError::NotReadable(STREAMED));
        }
        _ => {}
    }
    let value = json::parse(body)
        .map_err(|error| FactsError::Malformed(format!("The body is not valid JSON: {error}")))?;
    let Value::Object(members) = &value else {
        return Err(malformed("The body is not a JSON object."));
    };
    let mut prompts = Vec::new();
    collect(&value, &mut prompts);
    let items = match shape {
        Shape::Chat => positive(members, "n")?,
        Shape::Completion => {
            let choices = positive(members, "n")?.max(positive(members, "best_of")?);
            inputs(members.get("prompt")).saturating_mul(choices)
        }
        Shape::Embedding => inputs(members.get("input")),
        Shape::Tensors => rows(members)?,
        _ => 1,
    };
    let model = match members.get("model") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(_) => return Err(malformed("\"model\" is not a string.")),
    };
    Ok(Facts {
        model,
        items: items.max(1),
        prompts,
    })
}

fn malformed(message: &str) -> FactsError {
    FactsError::Malformed(message.to_owned())
}

/// Every string value, whatever member holds it: tool results and system prompts reach the
/// model as much as what the user wrote. Depth is bounded by the parser.
fn collect(value: &Value, prompts: &mut Vec<String>) {
    match value {
        Value::String(text) => prompts.push(text.clone()),
        Value::Array(items) => {
            // A model reads the parts of a message as one text, so a pattern must see them so.
            let parts: Vec<&str> = items.iter().filter_map(part).collect();
            if parts.len() > 1 {
                prompts.push(parts.concat());
            }
            for item in items {
                collect(item, prompts);
            }
        }
        Value::Object(members) => {
            for member in members.values() {
                collect(member, prompts);
            }
        }
        _ => {}
    }
}

fn part(item: &Value) -> Option<&str> {
    match item {
        Value::String(text) => Some(text),
        Value::Object(members) => members.get("text")?.as_str(),
        _ => None,
    }
}

fn positive(members: &Map<String, Value>, name: &str) -> Result<u64, FactsError> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(1),
        Some(value) => value
            .as_u64()
            .filter(|number| *number >= 1)
            .ok_or_else(|| malformed(&format!("{name:?} is not a whole number of 1 or more."))),
    }
}

/// One text or one list of tokens is one input; a list of either is as many as it holds.
fn inputs(value: Option<&Value>) -> u64 {
    match value {
        Some(Value::Array(items)) if items.iter().any(|item| !item.is_number()) => {
            items.len().try_into().unwrap_or(u64::MAX)
        }
        _ => 1,
    }
}

/// The first dimension of a tensor counts its rows; the largest of all inputs is taken.
fn rows(members: &Map<String, Value>) -> Result<u64, FactsError> {
    let Some(Value::Array(tensors)) = members.get("inputs") else {
        return Err(malformed("\"inputs\" is not a list."));
    };
    let mut most = 1;
    for tensor in tensors {
        let shape = tensor
            .get("shape")
            .and_then(Value::as_array)
            .ok_or_else(|| malformed("An input has no \"shape\"."))?;
        if let Some(first) = shape.first() {
            let rows = first
                .as_u64()
                .ok_or_else(|| malformed("An input's \"shape\" is not a list of whole numbers."))?;
            most = most.max(rows);
        }
    }
    Ok(most)
}
