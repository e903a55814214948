//! Vendors' APIs: which routes a server has, what can be told from the bodies that it takes, and how
//! its clients want errors. Each has a folder of its own:
//!
//! | in the folder | what it is |
//! |---|---|
//! | `routes.txt` | its routes, and what stands where in their bodies (`catalog/parse.rs` says how) |
//! | `layout.txt` | what of the bodies that masks read is no text, and what is of a kind of its own |
//! | `samples.json` | requests as its reference has them, and what is told from each (`samples.rs`) |
//! | `mod.rs` | its [`Dialect`]: its name, how it says an error, and bodies that need code |
//!
//! `unknown.txt` says what is looked for in the bodies of routes that nobody knows.
//!
//! To add one, make the folder, say `mod` here and put it into [`DIALECTS`]. Nothing else knows of it.
//!
//! How streams of answers go on is not asked here: masking knows them by their shape, whoever sends
//! them (`mask/formats/stream_event`).

mod body;
mod catalog;
mod error;
mod layouts;
mod section;
mod usage;

mod anthropic;
mod bedrock;
mod chroma;
mod cohere;
mod gemini;
mod grpc;
mod huggingface;
mod kserve;
mod mcp;
mod milvus;
mod mistral;
mod mlflow;
mod ollama;
mod openai;
mod qdrant;
mod tei;
mod tfserving;
mod tgi;
mod torchserve;
mod weaviate;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

use core::fmt;
use std::sync::LazyLock;

pub use body::{Body, BodyHead, Facts, FactsError, See, Shape, has_sound_ends};
pub use catalog::{Found, Route, Routes, built_in, names_weights};
pub use error::{ApiError, Stream, Written};
use error::{event, none_in_stream};
pub use grpc::DIALECT as GRPC;
pub use kserve::DIALECT as KSERVE;
pub use layouts::layout;
pub use openai::DIALECT as OPENAI;
pub use section::{ROUTES, read as read_routes};
pub use usage::{UsagePlaces, UsageReader};

/// How the clients of a server speak to it, and want to be spoken to.
pub struct Dialect {
    /// Its name; no two have the same.
    pub name: &'static str,
    /// Its routes, and what stands where in their bodies.
    routes: &'static str,
    /// What stands where in the bodies that masks read.
    layout: &'static [&'static str],
    /// Bodies that need code, by their names in `routes`.
    body: fn(&str) -> Option<Body>,
    /// A header by which its clients are told from others who ask for the same route.
    pub header: Option<&'static str>,
    /// Headers by which its servers let a client name a model.
    pub model_headers: &'static [&'static str],
    /// Whether its servers take a path apart before they undo its escapes, so that an escaped slash
    /// belongs to a name.
    pub escaped_slashes: bool,
    /// Writes an error so that the clients' libraries raise their own exceptions.
    pub error: fn(&ApiError<'_>) -> Written,
    /// Writes it in the middle of a stream that answers a request for this path, where the dialect has
    /// a way of saying it there that the clients' libraries raise as well.
    pub in_stream: fn(&ApiError<'_>, Stream, &str) -> Option<String>,
}

/// All of them.
pub static DIALECTS: &[&Dialect] = &[
    &anthropic::DIALECT,
    &bedrock::DIALECT,
    &chroma::DIALECT,
    &cohere::DIALECT,
    &gemini::DIALECT,
    &grpc::DIALECT,
    &huggingface::DIALECT,
    &kserve::DIALECT,
    &mcp::DIALECT,
    &milvus::DIALECT,
    &mistral::DIALECT,
    &mlflow::DIALECT,
    &ollama::DIALECT,
    &openai::DIALECT,
    &qdrant::DIALECT,
    &tei::DIALECT,
    &tfserving::DIALECT,
    &tgi::DIALECT,
    &torchserve::DIALECT,
    &weaviate::DIALECT,
];

/// The bodies of routes that are in no catalog: they are looked at as closely as can be.
#[must_use]
pub fn unknown_body() -> Body {
    UNKNOWN_BODY.clone()
}

static UNKNOWN_BODY: LazyLock<Body> = LazyLock::new(|| {
    let routes = catalog::read(&openai::DIALECT, include_str!("unknown.txt"));
    let route = routes.into_iter().flatten().next();
    route.map_or(Body::Server, |route| route.body)
});

/// For dialects all of whose bodies stand in their files.
fn none_in_code(_name: &str) -> Option<Body> {
    None
}

impl PartialEq for Dialect {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Dialect {}

impl fmt::Debug for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}
