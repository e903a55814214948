//! Sentences with labelled spans.

use std::ops::Range;

use serde_json::Value;

/// A text, and what of it is labelled.
#[derive(Debug)]
pub struct Sentence {
    pub text: String,
    pub labels: Vec<Label>,
}

/// A part of a text, and what it is.
#[derive(Debug)]
pub struct Label {
    pub entity: String,
    /// In bytes.
    pub span: Range<usize>,
}

/// Reads a file of sentences.
pub fn read(path: &str) -> Result<Vec<Sentence>, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let sentences = value.as_array().ok_or("not an array")?;
    let numbered = sentences.iter().enumerate();
    numbered
        .map(|(index, one)| sentence(one).ok_or(format!("sentence {index} has another form")))
        .collect()
}

fn sentence(value: &Value) -> Option<Sentence> {
    let text = value.get("full_text")?.as_str()?;
    let spans = value.get("spans")?.as_array()?;
    let labels = spans.iter().map(|span| label(span, text));
    Some(Sentence {
        text: text.to_owned(),
        labels: labels.collect::<Option<_>>()?,
    })
}

fn label(span: &Value, text: &str) -> Option<Label> {
    let byte = |name: &str| {
        let character = usize::try_from(span.get(name)?.as_u64()?).ok()?;
        let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
        starts.nth(character)
    };
    Some(Label {
        entity: span.get("entity_type")?.as_str()?.to_owned(),
        span: byte("start_position")?..byte("end_position")?,
    })
}
