//! `/routes` of the policy: routes of servers that no dialect has.

use base::operation::{OPERATIONS, operation};
use base::policy::{Form, Key, Node, Usual};

use super::catalog::{Described, Route, Routes};
use super::{DIALECTS, Dialect, OPENAI};

/// `/routes`.
pub static ROUTES: Form = Form::list(&ROUTE);

static ROUTE: Form = Form::object(&[
    Key::required("method", "Its method, in upper case; `*` for any.", &METHOD),
    Key::required(
        "path",
        "Its path. `{model}` is one segment that names the model and `{}` any one; at the end, `{model...}` is one or two that name the model, and `{...}` all that follow.",
        &PATH,
    ),
    Key::required("operation", "What it asks for.", &OPERATION),
    Key::usually(
        "dialect",
        Usual::Text("openai"),
        "Whose errors its clients read.",
        &DIALECT,
    ),
    Key::usually(
        "body",
        Usual::Text("json"),
        "How its bodies are written: `json`, `multipart`, `any` for what the content-type says, or `none` if nothing in them matters.",
        &KIND,
    ),
    Key::usually(
        "model",
        Usual::Text("/model"),
        "Where a body names the model: a JSON pointer, in which `*` stands for each element of a list. `none` if no model is concerned.",
        &MODEL,
    ),
    Key::optional(
        "text",
        "Where text stands that reaches the model, in the order in which it is read. All other text is looked at too, but not together with its neighbours.",
        &PLACES,
    ),
    Key::optional(
        "items",
        "Where inputs stand that are counted: a list, or a number that is the count.",
        &PLACE,
    ),
]);

static METHOD: Form = Form::text_like(
    "a method in upper case, or *",
    "^([!#$%&'+.^_`|~0-9A-Z-]+|\\*)$",
);
static PATH: Form = Form::text_like("a path that begins with /", "^/");
static OPERATION: Form = Form::names(OPERATIONS);
static KIND: Form = Form::names(KINDS);
static PLACES: Form = Form::list(&PLACE);
static PLACE: Form = Form::text_like("a JSON pointer of names and *", "^/.");
static MODEL: Form = Form::text_like("a JSON pointer of names and *, or none", "^(/.|none$)");
static DIALECT: Form = Form::names(NAMES);

const KINDS: &[&str] = &["json", "multipart", "any", "none"];

/// The names of [`DIALECTS`], in their order.
const NAMES: &[&str] = &[
    "anthropic",
    "bedrock",
    "chroma",
    "cohere",
    "gemini",
    "grpc",
    "huggingface",
    "kserve",
    "mcp",
    "milvus",
    "mistral",
    "mlflow",
    "ollama",
    "openai",
    "qdrant",
    "tei",
    "tfserving",
    "tgi",
    "torchserve",
    "weaviate",
];

/// Reads `/routes`.
#[must_use]
pub fn read(node: &Node<'_>) -> Routes {
    let mut routes = Routes::default();
    for item in node.items() {
        let Some(route) = read_route(&item) else {
            continue;
        };
        if let Err(why) = routes.add(route) {
            item.problem(
                format!("a route that can't be added: {why}"),
                "a route of its own",
            );
        }
    }
    routes
}

fn read_route(node: &Node<'_>) -> Option<Route> {
    let object = node.object()?;
    let method = object.text("method");
    let path = object.text("path");
    let asks = object.get("operation").and_then(|node| {
        let name = node.name()?;
        OPERATIONS.get(name).and_then(|name| operation(name))
    });
    let dialect: &'static Dialect = object
        .name("dialect")
        .and_then(|place| DIALECTS.get(place).copied())
        .unwrap_or(&OPENAI);
    let kind = object
        .name("body")
        .and_then(|place| KINDS.get(place).copied());
    let body = match kind {
        Some("none") => super::Body::Nothing,
        kind => {
            let mut described = Described::new("policy", kind.unwrap_or("json"))?;
            let mut add = |key: &str, nodes: &[Node<'_>]| {
                for node in nodes {
                    let _ = node.parsed(|text| {
                        let none = (key == "model" && text == "none").then_some(text);
                        let place = none.or_else(|| text.strip_prefix('/'))?;
                        described.add(key, &[place])
                    });
                }
            };
            add("model", object.get("model").as_slice());
            if let Some(list) = object.get("text") {
                add("text", &list.items());
            }
            for key in ["lists", "times"] {
                add(key, object.get("items").as_slice());
            }
            described.body()
        }
    };
    Some(Route::new(&method?, &path?, asks?, dialect, body))
}
