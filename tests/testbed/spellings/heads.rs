//! Methods, queries, and headers by which frameworks take a request for another one.

use super::{Fate, Place, Spelling, Thing};

/// What headers that claim another method or path are called, with `-` for `_`.
pub const CLAIMS: &[&str] = &[
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-original-uri",
    "x-rewrite-url",
];

/// Headers that claim a method, in the ways in which they are written.
const METHOD_HEADERS: &[&str] = &[
    "X-HTTP-Method-Override",
    "x-http-method",
    "X-Method-Override",
    "x_http_method_override",
    "X-HTTP_Method-Override",
];

/// Headers that claim a path.
const PATH_HEADERS: &[&str] = &[
    "X-Original-URL",
    "X-Rewrite-URL",
    "x-original-uri",
    "x_original_url",
    "X_Rewrite-Url",
];

/// Queries that say nothing.
const IDLE_QUERIES: &[&str] = &[
    "x=1",
    "x=/../..",
    "x=1?y=%2F",
    "%",
    "x=%00&y=;",
    "&&",
    "x[]=1&X=2",
];

/// Queries that claim a method, which stands where `VERB` is.
const METHOD_QUERIES: &[&str] = &[
    "_method=VERB",
    "_METHOD=VERB",
    "%5Fmethod=VERB",
    "x=1&_method=VERB",
    "x=1;_method=VERB",
    "_method=VERB&_method=VERB",
    "%5f%6dethod=VERB&x=1",
];

pub(super) fn of(thing: &'static Thing) -> Vec<Spelling> {
    let mut all = methods(thing);
    all.extend(queries(thing));
    all.extend(harmless_headers(thing));
    all.extend(claims(thing));
    all
}

/// The thing's path with one more query.
fn queried(thing: &Thing, query: &str) -> String {
    match thing.query {
        "" => format!("{}?{query}", thing.path),
        own => format!("{}?{own}&{query}", thing.path),
    }
}

fn methods(thing: &'static Thing) -> Vec<Spelling> {
    let method = thing.method;
    let lower = method.to_ascii_lowercase();
    let mut others = vec![lower.clone()];
    for at in 0..method.len() {
        let (before, behind) = method.split_at(at);
        let one = behind.get(..1).unwrap_or_default().to_ascii_lowercase();
        let rest = behind.get(1..).unwrap_or_default();
        others.push(format!("{before}{one}{rest}"));
        others.push(format!("{}{}", before.to_ascii_lowercase(), behind));
    }
    others.push(format!("{method}%20"));
    others.push(format!(
        "%{:02x}{}",
        method.bytes().next().unwrap_or_default(),
        method.get(1..).unwrap_or_default()
    ));
    others.sort();
    others.dedup();
    others.retain(|other| other != method);
    let mut all: Vec<Spelling> = others
        .into_iter()
        .map(|other| Spelling::crooked(thing, format!("{other} as its method")).method(other))
        .collect();
    if method == "GET" {
        let head = Spelling::plain(thing, "HEAD as its method").method("HEAD");
        all.push(head.arrives());
        let head = Spelling::plain(thing, "HEAD and a slash").method("HEAD");
        all.push(head.path(&format!("{}/", thing.path)).arrives());
        all.push(Spelling::crooked(thing, "head as its method").method("head"));
    }
    all
}

fn queries(thing: &'static Thing) -> Vec<Spelling> {
    let mut all = Vec::new();
    if thing.query.is_empty() {
        all.push(
            Spelling::plain(thing, "an empty query")
                .target(format!("{}?", thing.path))
                .arrives(),
        );
        all.push(
            Spelling::plain(thing, "two question marks")
                .target(format!("{}??", thing.path))
                .arrives(),
        );
    }
    for query in IDLE_QUERIES {
        let spelling = Spelling::plain(thing, format!("{query:?} in the query"));
        all.push(spelling.target(queried(thing, query)).arrives());
    }
    // Whoever is told another method by the query is told it in vain.
    for query in METHOD_QUERIES {
        let query = query.replace("VERB", "OPTIONS");
        let spelling = Spelling::plain(thing, format!("{query:?} in the query"));
        all.push(spelling.target(queried(thing, &query)).arrives());
    }
    let fragment = queried(thing, "x=1#y");
    all.push(Spelling::crooked(thing, "a fragment behind the query").target(fragment));
    all
}

/// Headers beside the thing that claim something harmless.
fn harmless_headers(thing: &'static Thing) -> Vec<Spelling> {
    let mut all = Vec::new();
    for name in METHOD_HEADERS {
        let spelling = Spelling::plain(thing, format!("{name}: OPTIONS"));
        all.push(spelling.header(name, "OPTIONS").arrives());
    }
    for name in PATH_HEADERS {
        let spelling = Spelling::plain(thing, format!("{name}: /health"));
        all.push(spelling.header(name, "/health").arrives());
    }
    for (name, value) in [
        ("x-forwarded-host", "other.test"),
        ("x-forwarded-prefix", "/other"),
        ("x-forwarded-proto", "https"),
        ("forwarded", "host=other.test;proto=https"),
        ("x-host", "other.test"),
        ("content-location", "/health"),
        ("upgrade-insecure-requests", "1"),
    ] {
        let spelling = Spelling::plain(thing, format!("{name}: {value}"));
        all.push(spelling.header(name, value).arrives());
    }
    all
}

/// Other requests with something beside them that claims the thing.
fn claims(thing: &'static Thing) -> Vec<Spelling> {
    // A host is what it is under every method and path; so are weights under every method.
    let any_method = thing.place == Place::Host || thing.operation == "model.export";
    // An escaped slash has a meaning under the methods of its route, and under no other.
    let any_method = any_method || thing.path.contains("%2F");
    let disarmed = |what: String| Spelling::new(thing, Fate::Disarmed, what);
    let mut all = Vec::new();
    if !any_method {
        let other = match thing.method {
            "POST" => "PUT",
            _ => "POST",
        };
        for name in METHOD_HEADERS {
            let what = format!("{other} with {name}: {}", thing.method);
            all.push(disarmed(what).method(other).header(name, thing.method));
            let lower = thing.method.to_ascii_lowercase();
            let what = format!("{other} with {name}: {lower}");
            all.push(disarmed(what).method(other).header(name, &lower));
        }
        for query in METHOD_QUERIES {
            let query = query.replace("VERB", thing.method);
            let what = format!("{other} with {query:?} in the query");
            all.push(disarmed(what).method(other).target(queried(thing, &query)));
        }
    }
    if thing.place != Place::Host {
        for name in PATH_HEADERS {
            let target = thing.target();
            let what = format!("another path with {name}");
            let spelling = disarmed(what).target("/health").header(name, &target);
            all.push(spelling);
        }
    }
    all
}
