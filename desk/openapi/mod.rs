//! The protocol of approvals as an OpenAPI 3.1 document, for those who write a service or a client of their own.
//!
//! The schemas come from the types that the desk itself reads and writes; what can be called stands in tables
//! below. A test drives a desk through all of it, and holds each request and each answer against the document.

mod examples;
mod filters;
mod operation;
mod quotas;
mod refused;
mod reviewers;
mod schemas;
mod who;

use serde_json::{Map, Value, json};

use self::operation::Operation;
use self::schemas::Schemas;
use crate::check::Report;

/// What the document says in front.
const ABOUT: &str = "How filters ask people, and how people answer. Times between a filter and the service \
are how much is left, in milliseconds, since their clocks differ; what people see is RFC 3339. Members that \
aren't known are carried or ignored, never refused, except in what people send. An error is an `error` with a \
`code` for programs and a `message` for people. docs/approvals.md tells the rest: what a filter does with each \
answer, and what a service has to promise.";

/// The document.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for operation in operations() {
        let written = operation.write(&mut schemas);
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(operation.method.to_owned(), written);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portcullis approvals",
            "version": "2",
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "http://127.0.0.1:7070", "description": "A desk with its usual address." }],
        "tags": [
            { "name": "filters", "description": "What filters call: a key or a certificate of a filter." },
            { "name": "reviewers", "description": "What people call: a reviewer's key." },
        ],
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A key that desk.json gives to a filter or to a reviewer.",
                },
                "certificate": {
                    "type": "mutualTLS",
                    "description": "A client certificate with the name that desk.json has for a filter.",
                },
            },
        },
    })
}

/// `portcullis openapi`: the document as text.
#[must_use]
pub fn print() -> Report {
    Report {
        output: format!("{:#}\n", document()),
        error: String::new(),
        status: 0,
    }
}

fn operations() -> impl Iterator<Item = &'static Operation> {
    let people = reviewers::OPERATIONS.iter().chain(quotas::OPERATIONS);
    filters::OPERATIONS.iter().chain(people)
}

#[cfg(test)]
mod tests;
