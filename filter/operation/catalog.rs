//! The operation catalog: a tree of path segments, made by `build.rs` from `catalog.txt`.

use super::Operation;

/// How the caller's client library wants an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `{"error": {"message", "type", "param", "code"}}`.
    Openai,
    /// `{"error": "..."}`.
    Kserve,
    /// A status in trailers, which Envoy makes of the HTTP status.
    Grpc,
}

/// What of a request's body a decision can be taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// OpenAI chat completions.
    Chat,
    /// OpenAI completions.
    Completion,
    /// OpenAI embeddings.
    Embedding,
    /// JSON, every string of which may be a prompt.
    Texts,
    /// KServe V2 inference as JSON.
    Tensors,
    /// KServe V2 `ModelInfer`.
    TensorsGrpc,
    /// Triton's `ModelStreamInfer`.
    TensorsGrpcStream,
    /// Nothing: uploads, and requests without a body.
    Opaque,
}

struct Node {
    literals: &'static [(&'static str, usize)],
    any: Option<(usize, bool)>,
    routes: &'static [Route],
}

struct Route {
    method: &'static str,
    operation: &'static str,
    dialect: Dialect,
    body: Shape,
}

include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// Deeper paths are in no catalog.
const MAX_SEGMENTS: usize = 16;

/// Names what a request asks for. `path` is normalized.
#[must_use]
pub fn name(method: &str, path: &str) -> Operation {
    let method = if method == "HEAD" { "GET" } else { method };
    let mut segments = path.split('/');
    segments.next();
    let segments: Vec<&str> = segments.collect();
    let mut operation = if segments.len() <= MAX_SEGMENTS {
        walk(0, method, &segments)
    } else {
        None
    }
    .unwrap_or(Operation {
        name: "unknown",
        dialect: Dialect::Openai,
        body: Shape::Texts,
        model: None,
    });
    let file = segments
        .iter()
        .rev()
        // OpenAI's form of a download puts the word behind the file's name.
        .find(|segment| **segment != "content")
        .map(|segment| segment.to_ascii_lowercase())
        .unwrap_or_default();
    if let Some((_, export)) = SUFFIXES
        .iter()
        .find(|(suffix, _)| method == "GET" && file.ends_with(suffix))
    {
        operation.name = export;
        operation.body = Shape::Opaque;
    }
    operation
}

fn walk(at: usize, method: &str, segments: &[&str]) -> Option<Operation> {
    let node = NODES.get(at)?;
    let Some((first, rest)) = segments.split_first() else {
        return node
            .routes
            .iter()
            .find(|route| route.method == method)
            .map(|route| Operation {
                name: route.operation,
                dialect: route.dialect,
                body: route.body,
                model: None,
            });
    };
    let literal = node
        .literals
        .binary_search_by(|(text, _)| (*text).cmp(*first))
        .ok()
        .and_then(|index| node.literals.get(index))
        .and_then(|(_, child)| walk(*child, method, rest));
    if literal.is_some() {
        return literal;
    }
    let (child, names_model) = node.any?;
    if first.is_empty() {
        return None;
    }
    let mut operation = walk(child, method, rest)?;
    if names_model && operation.model.is_none() {
        operation.model = Some((*first).to_owned());
    }
    Some(operation)
}
