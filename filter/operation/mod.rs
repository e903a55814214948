//! What is being asked: the path in one form, and the operation that it names.
//!
//! | here | what it is |
//! |---|---|
//! | `path`, `query` | the one form of a path, and what in its query counts |
//! | `method` | the one form of a method |
//! | `host` | the one form of a host |
//! | `models` | `/models` of the policy: the one name of a model |

mod host;
mod method;
mod models;
mod path;
mod query;

#[cfg(test)]
mod tests;

use base::operation::{Model, UNKNOWN};

use crate::dialect::{self, Body, Dialect, Found, Routes};

pub use host::host;
pub use method::{MethodError, method};
pub use models::{MODELS, Models};
pub use path::{Path, PathError, normalize};
pub use query::texts as query_texts;

/// What a request asks for, as far as its head tells.
#[derive(Clone, Debug)]
pub struct Operation {
    /// A name of [`base::operation::OPERATIONS`]; what the route is for, where its body says more.
    pub name: &'static str,
    /// How the caller wants errors.
    pub dialect: &'static Dialect,
    /// What can be told from the body.
    pub body: Body,
    /// The model, where the path or its query names it.
    pub model: Model,
    /// Names of more models, which some servers would take in its place.
    pub others: Vec<String>,
    /// How many answers each input gets, as the query says.
    pub times: u64,
}

impl Operation {
    /// What stands where in its bodies, if its dialect says so. Of a route that nobody knows, nothing
    /// is said.
    #[must_use]
    pub fn layout(&self) -> Option<&'static mask::Layout> {
        let known = self.name != UNKNOWN;
        known.then(|| dialect::layout(self.dialect)).flatten()
    }
}

/// The operation of files of weights.
pub const EXPORT: &str = "model.export";

/// Names what a request asks for, by a policy's own routes and those of all dialects.
///
/// # Errors
/// A path that some servers would take for another one.
pub fn name(routes: &Routes, method: &str, path: &Path) -> Result<Operation, PathError> {
    let found = find(routes, method, path)?;
    let weights = asks_for_weights(method, path, found.as_ref());
    let Some(found) = found else {
        return Ok(Operation {
            name: if weights { EXPORT } else { UNKNOWN },
            dialect: &dialect::OPENAI,
            body: if weights {
                Body::Nothing
            } else {
                dialect::unknown_body()
            },
            model: Model::Unnamed,
            others: other_models(None, path),
            times: 1,
        });
    };
    let route = &found.route;
    Ok(Operation {
        name: if weights { EXPORT } else { route.operation },
        // Who asks for a file is no client of the route that its path happens to fit.
        dialect: if weights && route.operation != EXPORT {
            &dialect::OPENAI
        } else {
            route.dialect
        },
        body: if weights && !route.body.names_operation() {
            Body::Nothing
        } else {
            route.body.clone()
        },
        model: named_model(&found, path)?,
        others: other_models(Some(&found), path),
        times: times(&found, path),
    })
}

/// The route of a path, however servers read its escapes.
fn find(routes: &Routes, method: &str, path: &Path) -> Result<Option<Found>, PathError> {
    let all = [routes, dialect::built_in()];
    let look = |segments: &[&str]| {
        let mut all = all.iter();
        all.find_map(|routes| routes.find(method, segments))
    };
    // A route with places for any text may fit what is a known path but for its case.
    let look = |segments: &[&str]| {
        let found = look(segments);
        let mut all = all.iter();
        let folded = all.find_map(|routes| routes.find_in_any_case(method, segments));
        match (&found, &folded) {
            (_, None) => Ok(found),
            (Some(one), Some(other)) if one.route.is(&other.route) => Ok(found),
            _ => Err(PathError::OtherCase),
        }
    };
    let segments: Vec<&str> = path.path.split('/').skip(1).collect();
    let found = look(&segments)?;
    if path.has_escaped_slash() {
        return match (found, look(&path.segments())?) {
            (Some(one), Some(other)) if one.route.is(&other.route) && one.model == other.model => {
                Ok(Some(one))
            }
            (None, Some(other)) if other.route.dialect.escaped_slashes => Ok(Some(other)),
            _ => Err(PathError::EscapedSlash),
        };
    }
    Ok(found)
}

/// The model that a path names, without its escapes.
fn named_model(found: &Found, path: &Path) -> Result<Model, PathError> {
    let mut names: Vec<String> = Vec::new();
    if let Some(name) = &found.model {
        names.push(query::unescaped(name).ok_or(PathError::Malformed)?);
    }
    // Of several parameters, the first that is there names it; the others take part.
    let mut parameters = found.route.model_parameters().iter();
    let named = parameters.find_map(|parameter| {
        let mut values = query::values(path.query.as_deref(), parameter);
        values.retain(|value| !value.is_empty());
        (!values.is_empty()).then_some(values)
    });
    names.extend(named.into_iter().flatten());
    names.retain(|name| !name.is_empty());
    names.dedup();
    if !names.iter().all(|name| dialect::has_sound_ends(name)) {
        return Err(PathError::ModelName);
    }
    match names.as_slice() {
        [] => Ok(Model::Unnamed),
        [name] => Ok(Model::Named(name.clone())),
        _ => Err(PathError::TwoModels),
    }
}

/// Parameters of a query by which servers may let a caller name a model, whatever their reference says.
const MODEL_PARAMETERS: &[&str] = &["model", "model_name", "model_id"];

/// The models that a query names besides.
fn other_models(found: Option<&Found>, path: &Path) -> Vec<String> {
    let own = found.map_or(&[] as &[String], |found| found.route.model_parameters());
    let names = MODEL_PARAMETERS.iter().copied();
    let names = names.chain(own.iter().map(String::as_str));
    let values = names.flat_map(|name| query::values(path.query.as_deref(), name));
    values.filter(|name| !name.is_empty()).collect()
}

/// The largest of the numbers that a query says; what is no number counts as one that no limit has.
fn times(found: &Found, path: &Path) -> u64 {
    let parameters = found.route.times_parameters().iter();
    let values = parameters.flat_map(|name| query::values(path.query.as_deref(), name));
    let numbers = values.map(|value| value.trim().parse().unwrap_or(u64::MAX));
    numbers.max().unwrap_or(1).max(1)
}

/// Whether a request is about a file of weights, under whatever method and behind whatever suffix. A
/// model that is called like one is none, where the path goes on behind its name.
fn asks_for_weights(method: &str, path: &Path, found: Option<&Found>) -> bool {
    let reads = matches!(method, "GET" | "HEAD");
    let model = found.and_then(|found| {
        let goes_on = !(found.ends_in_model && reads);
        found.model.as_deref().filter(|_| goes_on)
    });
    let is_model = |segment: &str| {
        model.is_some_and(|model| model.split('/').any(|part| segment.starts_with(part)))
    };
    let mut segments = path.path.split('/');
    if segments.any(|segment| dialect::names_weights(segment) && !is_model(segment)) {
        return true;
    }
    // What names the model there is no file.
    let asks = found.is_some_and(|found| !found.route.model_parameters().is_empty());
    !asks && query::texts(path.query.as_deref()).any(|text| dialect::names_weights(&text))
}
