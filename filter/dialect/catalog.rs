//! The catalog: a tree of path segments, made by `build.rs` from each dialect's `routes.txt`.
//!
//! Each line of those is `METHOD PATH OPERATION BODY`:
//!
//! - PATH is a template; `{model}` is one segment that names the model, `{}` any one segment;
//! - OPERATION is one of [`base::operation::OPERATIONS`];
//! - BODY is `texts` or `opaque` ([`Body`]), or the name of a body in the dialect's `mod.rs`, in lower
//!   case.
//!
//! A route for GET is one for HEAD too. `weights.txt` has how files of weights end.

use super::{Body, Dialect};

struct Node {
    literals: &'static [(&'static str, usize)],
    any: Option<(usize, bool)>,
    routes: &'static [Route],
}

/// A route of a server.
#[derive(Debug)]
pub struct Route {
    method: &'static str,
    /// What it asks for.
    pub operation: &'static str,
    /// Whose route it is.
    pub dialect: &'static Dialect,
    /// What it takes.
    pub body: Body,
}

include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// Deeper paths are in no catalog.
const MAX_SEGMENTS: usize = 16;

/// The route of a method and a normalized path, with the model that the path names. `None` for what
/// no dialect has.
#[must_use]
pub fn find(method: &str, path: &str) -> Option<(&'static Route, Option<String>)> {
    let mut segments = path.split('/');
    segments.next();
    let segments: Vec<&str> = segments.collect();
    if segments.len() > MAX_SEGMENTS {
        return None;
    }
    walk(0, read_as(method), &segments)
}

/// Whether a method and a normalized path ask for a file of weights.
#[must_use]
pub fn is_weights(method: &str, path: &str) -> bool {
    let mut segments = path.rsplit('/');
    // OpenAI's form of a download puts the word behind the file's name.
    let file = segments.find(|segment| *segment != "content");
    let file = file.unwrap_or_default().to_ascii_lowercase();
    read_as(method) == "GET" && WEIGHTS.iter().any(|ending| file.ends_with(ending))
}

fn read_as(method: &str) -> &str {
    if method == "HEAD" { "GET" } else { method }
}

fn walk(at: usize, method: &str, segments: &[&str]) -> Option<(&'static Route, Option<String>)> {
    let node = NODES.get(at)?;
    let Some((first, rest)) = segments.split_first() else {
        let mut routes = node.routes.iter();
        let route = routes.find(|route| route.method == method)?;
        return Some((route, None));
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
    let (route, mut model) = walk(child, method, rest)?;
    if names_model && model.is_none() {
        model = Some((*first).to_owned());
    }
    Some((route, model))
}

/// All routes of all dialects.
#[cfg(test)]
pub(super) fn routes() -> impl Iterator<Item = &'static Route> {
    NODES.iter().flat_map(|node| node.routes)
}
