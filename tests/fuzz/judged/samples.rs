//! The dialects' samples: bodies that each vendor's reference has.

use portcullis::dialect::{Body, DIALECTS};
use serde_json::Value;
use std::sync::Arc;

use super::catalog::{Case, asked, folder, read};

/// The boundary of forms.
pub const BOUNDARY: &str = "b";

/// A sample's body.
pub struct Sample {
    pub method: String,
    pub path: String,
    /// As a tree, if it is JSON.
    pub json: Option<Value>,
    pub bytes: Vec<u8>,
    /// Whether it is a form.
    pub is_form: bool,
}

impl Sample {
    /// Which of these has the body of this one's route.
    pub fn case(&self, cases: &[Case]) -> Option<usize> {
        let asked = asked(&self.method, &self.path)?;
        cases.iter().position(|case| same(&case.body, &asked.body))
    }
}

fn same(one: &Body, other: &Body) -> bool {
    match (one, other) {
        (Body::Shaped(one), Body::Shaped(other)) => Arc::ptr_eq(one, other),
        _ => false,
    }
}

/// All of them.
pub fn all() -> Vec<Sample> {
    let mut all = Vec::new();
    for dialect in DIALECTS {
        let file = folder().join(dialect.name).join("samples.json");
        let samples: Value = serde_json::from_str(&read(&file)).expect("samples are JSON");
        let requests = samples["requests"].as_array();
        all.extend(requests.into_iter().flatten().map(sample));
    }
    all
}

fn sample(request: &Value) -> Sample {
    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    let mut sample = Sample {
        method: text("method"),
        path: text("path"),
        json: None,
        bytes: Vec::new(),
        is_form: false,
    };
    if let Some(hex) = request["hex"].as_str() {
        sample.bytes = unhex(hex);
    } else if let Some(parts) = request["parts"].as_array() {
        sample.is_form = true;
        sample.bytes = form(parts).into_bytes();
    } else if !request["body"].is_null() {
        sample.bytes = request["body"].to_string().into_bytes();
        sample.json = Some(request["body"].clone());
    }
    sample
}

fn form(parts: &[Value]) -> String {
    let mut body = String::new();
    for part in parts {
        let text = |name: &str| part[name].as_str().unwrap_or_default();
        body += &format!(
            "--{BOUNDARY}\r\ncontent-disposition: form-data; name=\"{}\"",
            text("name")
        );
        for (name, front, behind) in [
            ("filename", "; filename=\"", "\""),
            ("type", "\r\ncontent-type: ", ""),
        ] {
            if part[name].is_string() {
                body += &format!("{front}{}{behind}", text(name));
            }
        }
        body += &format!("\r\n\r\n{}\r\n", text("value"));
    }
    format!("{body}--{BOUNDARY}--\r\n")
}

fn unhex(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = core::str::from_utf8(pair).expect("hex is ASCII");
            u8::from_str_radix(pair, 16).expect("two digits")
        })
        .collect()
}
