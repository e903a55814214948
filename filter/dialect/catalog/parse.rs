//! The text in which a dialect says its routes and what stands where in their bodies.
//!
//! Two kinds of lines, in any order; `#` begins a comment:
//!
//! ```text
//! METHOD  PATH  OPERATION  BODY
//!
//! body NAME KIND
//!   KEY  PLACE PLACE ...
//! ```
//!
//! - PATH is a template: `{model}` is one segment that names the model and `{}` any one, also with a
//!   literal behind it (`{model}:predict`); at the end, `{model...}` is one or two that name the model,
//!   and `{...}` all that follow. What says more wins. A route for GET is one for HEAD too.
//! - OPERATION is one of [`base::operation::OPERATIONS`].
//! - BODY is `none` (the body says nothing, and no model is concerned but one in the path), `server`
//!   (nothing, and it is about the server's one model), `socket` (what is asked comes later), a body of
//!   the file, or one of those that the dialect has in code.
//! - KIND is `json`, `multipart`, `any` (what the content-type says), `rpc` (JSON-RPC), `tensors`
//!   (KServe V2's), `ndjson`, or `grpc` (places are numbers of fields) and `grpc-stream`.
//! - PLACE is names with `/` between them, `*` for each element of a list and `{*}` for each member of
//!   an object; `.`, the body itself; or `?name` for a parameter of the query.
//! - KEY is what stands there: `model` (or `model none` where none is concerned), `times` (numbers that
//!   multiply what is asked for), `lists` (of inputs), `text-lists` (the same, but not of numbers alone), `columns` (objects of lists), `text` (running
//!   text, in the order in which the model reads it), `tokens` (numbers in place of text), `files`
//!   (documents), `plain-files` (documents that may stand there as they are), `media` (sound, pictures), `others` (more models that take part: which of them answers
//!   can't be told), `elsewhere` (an address, or an id of what was stored: the text is not here), `links`
//!   (the same, unless the element of a list in which they stand is a picture by its `type`),
//!   `typed-links` (the same, unless the media type beside them is no text's), and for answers `usage` (`input=a/b,c/d`). `items unknown`
//!   and `text unknown` say what can't be told from the body.

use std::sync::Arc;

use base::operation::operation;

use super::routes::Route;
use crate::dialect::body::{Form, GrpcShape, ModelPlace, Places, Roles};
use crate::dialect::usage::UsagePlaces;
use crate::dialect::{Body, Dialect, Shape};
use base::shape::GrpcMessage;

/// Reads the routes of a dialect; for what is wrong, the line and why.
pub(in crate::dialect) fn read(
    dialect: &'static Dialect,
    text: &str,
) -> Vec<Result<Route, (usize, String)>> {
    let mut bodies: Vec<Described> = Vec::new();
    let mut routes = Vec::new();
    let mut wrong = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let number = index.saturating_add(1);
        let indented = line.starts_with([' ', '\t']);
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [] => {}
            [first, ..] if first.starts_with('#') => {}
            [key, values @ ..] if indented => match bodies.last_mut() {
                Some(body) => {
                    if body.add(key, values).is_none() {
                        wrong.push(Err((number, format!("{key:?} can't be read"))));
                    }
                }
                None => wrong.push(Err((number, "it belongs to no body".to_owned()))),
            },
            ["body", name, kind] => match Described::new(name, kind) {
                Some(body) => bodies.push(body),
                None => wrong.push(Err((number, format!("the kind {kind:?}")))),
            },
            [method, path, operation, body] => {
                routes.push((number, [*method, *path, *operation, *body]));
            }
            _ => wrong.push(Err((number, "it is no route".to_owned()))),
        }
    }
    let bodies: Vec<Known> = bodies.into_iter().map(Described::end).collect();
    for (number, words) in routes {
        wrong.push(route(dialect, words, &bodies).map_err(|why| (number, why)));
    }
    wrong
}

fn route(
    dialect: &'static Dialect,
    [method, path, name, body]: [&str; 4],
    bodies: &[Known],
) -> Result<Route, String> {
    let operation = operation(name).ok_or_else(|| format!("the operation {name:?}"))?;
    let known = bodies.iter().find(|one| one.name == body);
    let (body, model_parameters, times_parameters) = match (body, known) {
        // Nobody says what such a body is for, and text in it may reach a model all the same.
        ("none" | "server", _) if writes(method, path) => (any(body)?, Vec::new(), Vec::new()),
        ("none", _) => (Body::Nothing, Vec::new(), Vec::new()),
        ("server", _) => (Body::Server, Vec::new(), Vec::new()),
        ("socket", _) => (Body::Socket, Vec::new(), Vec::new()),
        (_, Some(one)) => (
            Body::Shaped(Arc::clone(&one.shape)),
            one.model_parameters.clone(),
            one.times_parameters.clone(),
        ),
        (name, None) => {
            let body = (dialect.body)(name).ok_or_else(|| format!("the body {name:?}"))?;
            (body, Vec::new(), Vec::new())
        }
    };
    Ok(Route {
        method: method.to_owned(),
        path: path.to_owned(),
        operation,
        dialect,
        body,
        model_parameters,
        times_parameters,
    })
}

/// Whether a request has a body that is not gRPC's.
fn writes(method: &str, path: &str) -> bool {
    let service = path.split('/').nth(1).unwrap_or_default();
    ["POST", "PUT", "PATCH"].contains(&method) && !service.contains('.')
}

/// A body of which nothing is known but whether a model is concerned.
fn any(body: &str) -> Result<Body, String> {
    let mut described = Described::new("any", "any").ok_or("a kind that is none")?;
    described
        .add("model", &[body])
        .ok_or("a model that is none")?;
    Ok(described.body())
}

/// A body that has been read.
struct Known {
    name: String,
    shape: Arc<Shape>,
    model_parameters: Vec<String>,
    times_parameters: Vec<String>,
}

/// A body as it is read.
pub(in crate::dialect) struct Described {
    name: String,
    shape: Shape,
    model_parameters: Vec<String>,
    times_parameters: Vec<String>,
    /// The body's members that hold running text, in the order in which it is read.
    read_first: Vec<String>,
}

/// Methods of gRPC whose messages nothing but their places is known of.
pub(in crate::dialect) const PLAIN_GRPC: GrpcShape = GrpcShape {
    take: None,
    request: GrpcMessage::Any,
    answer: GrpcMessage::Any,
    streams: false,
};

impl Described {
    pub(in crate::dialect) fn new(name: &str, kind: &str) -> Option<Self> {
        let form = match kind {
            "json" => Form::Json,
            "multipart" => Form::Multipart,
            "any" => Form::Any,
            "rpc" => Form::Rpc,
            "tensors" => Form::Tensors,
            "ndjson" => Form::Lines,
            "grpc" => Form::Grpc(PLAIN_GRPC),
            "grpc-stream" => Form::Grpc(GrpcShape {
                streams: true,
                ..PLAIN_GRPC
            }),
            _ => return None,
        };
        let mut places = Places::default();
        let fixed: &[(&str, Roles)] = match form {
            Form::Rpc => &[("method", Roles::METHOD), ("params/name", Roles::TOOL)],
            Form::Tensors => &[
                // The path names it; a body that names another one is refused.
                ("model", Roles::MODEL),
                ("model_name", Roles::MODEL),
                ("inputs/*", Roles::TENSOR),
                ("inputs/*/name", Roles::TENSOR_NAME),
                ("inputs/*/shape", Roles::SHAPE),
                ("inputs/*/data", Roles::DATA),
                ("inputs/*/datatype", Roles::DATATYPE),
                ("inputs/*/parameters/binary_data_size", Roles::BINARY),
            ],
            _ => &[],
        };
        for (place, role) in fixed {
            places.add(place, *role, 0, false)?;
        }
        Some(Self {
            name: name.to_owned(),
            shape: Shape {
                form,
                places,
                model: ModelPlace::Body,
                counted: true,
                unread: false,
                usage: UsagePlaces::default(),
            },
            model_parameters: Vec::new(),
            times_parameters: Vec::new(),
            read_first: Vec::new(),
        })
    }

    /// Adds a line; `None` for one that is wrong.
    pub(in crate::dialect) fn add(&mut self, key: &str, values: &[&str]) -> Option<()> {
        let role = match (key, values) {
            (_, []) => return None,
            ("model", ["none"]) => {
                self.shape.model = ModelPlace::Nothing;
                return Some(());
            }
            ("model", ["server"]) => return Some(()),
            ("items", ["unknown"]) => {
                self.shape.counted = false;
                return Some(());
            }
            ("text", ["unknown"]) => {
                self.shape.unread = true;
                return Some(());
            }
            ("usage", counts) => {
                return counts
                    .iter()
                    .try_for_each(|count| self.shape.usage.add(count));
            }
            ("model", _) => Roles::MODEL,
            ("times", _) => Roles::TIMES,
            ("lists", _) => Roles::LIST,
            ("columns", _) => Roles::COLUMNS,
            ("text", _) => Roles::TEXT,
            ("tokens", _) => Roles::TOKENS,
            ("files", _) => Roles::FILE,
            ("plain-files", _) => Roles::PLAIN_FILE,
            ("media", _) => Roles::MEDIA,
            ("text-lists", _) => Roles::TEXT_LIST,
            ("others", _) => Roles::OTHER,
            ("elsewhere", _) => Roles::ELSEWHERE,
            ("links", _) => Roles::LINK,
            ("typed-links", _) => Roles::TYPED_LINK,
            _ => return None,
        };
        for place in values {
            if let Some(parameter) = place.strip_prefix('?') {
                match role {
                    Roles::MODEL => self.model_parameters.push(parameter.to_owned()),
                    Roles::TIMES => self.times_parameters.push(parameter.to_owned()),
                    _ => return None,
                }
                continue;
            }
            let first = place.split('/').next().unwrap_or_default();
            let rank = self.rank(first, role);
            let fields = matches!(self.shape.form, Form::Grpc(_));
            self.shape.places.add(place, role, rank, fields)?;
        }
        Some(())
    }

    /// Where a place of running text stands among the others, by the member of the body in which it
    /// is.
    fn rank(&mut self, first: &str, role: Roles) -> usize {
        if role != Roles::TEXT {
            return 0;
        }
        let known = self.read_first.iter().position(|name| name == first);
        known.unwrap_or_else(|| {
            self.read_first.push(first.to_owned());
            self.read_first.len() - 1
        })
    }

    fn end(mut self) -> Known {
        self.shape.places.close();
        Known {
            name: self.name,
            shape: Arc::new(self.shape),
            model_parameters: self.model_parameters,
            times_parameters: self.times_parameters,
        }
    }

    /// The body alone.
    pub(in crate::dialect) fn body(mut self) -> Body {
        self.shape.places.close();
        Body::Shaped(Arc::new(self.shape))
    }
}
