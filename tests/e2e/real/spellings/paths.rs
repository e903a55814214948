//! Methods, paths and queries: what is asked for, and of which model, where a path says it.

use super::{CHAT, HELLO, Must, SECRET, Spelling};

/// Ways to write the path of a chat; some servers take them for it, others don't. `HOST` stands for
/// the spelling's host.
const CHATS: &[&str] = &[
    "/v1//chat/completions",
    "//v1/chat/completions",
    "/v1/./chat/completions",
    "/v1/x/../chat/completions",
    "/v1/models/../chat/completions",
    "/v1/chat/completions/",
    "/v1/chat/completions//",
    "/v1/chat/completions/.",
    "/v1/chat/completions/x/..",
    "/v1/%63hat/completions",
    "/v1/%2563hat/completions",
    "/v1%2fchat/completions",
    "/v1/chat%2Fcompletions",
    "/v1/chat%5ccompletions",
    "/v1\\chat\\completions",
    "/v1/%2e/chat/completions",
    "/v1/x/%2e%2e/chat/completions",
    "/v1/x/.%2E/chat/completions",
    "/v1/x/%252e%252e/chat/completions",
    "/v1/x/..;/chat/completions",
    "/v1;x=y/chat/completions",
    "/v1/chat/completions;x=y",
    "/v1/chat/completions%3bx",
    "/v1/chat/completions%00",
    "/v1/chat/completions%20",
    "/v1/chat/completions%0a",
    "/v1/chat/completions%3f",
    "/v1/chat/completions%23x",
    "/v1/chat/completions#x",
    "/v1/chat/completions?",
    "/v1/chat/completions?x=/../models",
    "/v1/chat/completions?model=secret-1",
    "/V1/chat/completions",
    "/v1/Chat/Completions",
    "/v1/chat/completions.json",
    "/v1/chat/completion%c5%bf",
    "/v1/chat/%e0%80%af",
    "/v1/chat%c0%afcompletions",
    "/v1/ch%61t/completions",
    "/v1/chat/completions%",
    "/v1/chat/completions%zz",
    "http://HOST/v1/chat/completions",
    "http://HOST//v1/chat/completions",
    "*",
];

/// Ways to name a model in a path, most of them one that is denied.
const MODELS: &[(&str, Must)] = &[
    ("/v1/models", Must::Pass),
    ("/v1/models/small-1", Must::Pass),
    ("/v1/models/secret-1", Must::Refuse),
    ("/v1/models/%73ecret-1", Must::Refuse),
    ("/v1/models/%2573ecret-1", Must::Agree),
    ("/v1/models/secret-1/", Must::Agree),
    ("/v1/models//secret-1", Must::Agree),
    ("/v1/models/./secret-1", Must::Agree),
    ("/v1/models/small-1/../secret-1", Must::Agree),
    ("/v1/models/small-1%2f..%2fsecret-1", Must::Agree),
    ("/v1/models/small-1/%2e%2e/secret-1", Must::Agree),
    ("/v1/models/small-1%5c..%5csecret-1", Must::Agree),
    ("/v1/models/secret-1;x", Must::Agree),
    ("/v1/models/secret-1%3bx", Must::Agree),
    ("/v1/models/secret-1%00", Must::Agree),
    ("/v1/models/secret-1%20", Must::Agree),
    ("/v1/models/%20secret-1", Must::Agree),
    ("/v1/models/secret-1?model=small-1", Must::Refuse),
    ("/v1/models/small-1?model=secret-1", Must::Agree),
    ("/v1/models/secret-1#x", Must::Agree),
    ("/v1/models/secret%2d1", Must::Refuse),
    ("/v1/models/SECRET-1", Must::Agree),
    ("/v1/models/acme/small-1", Must::Agree),
    ("/v1/models/acme%2fsmall-1", Must::Agree),
    ("/v1/models/secret-1/x", Must::Agree),
    ("/v1/models/%e2%80%8bsecret-1", Must::Agree),
    ("/v1/models/secret-1%ff", Must::Agree),
    ("/v1/models/sm%c3%a4ll-1", Must::Agree),
    ("/v1/models/sma+ll", Must::Agree),
    ("/v1/models/sma%2bll", Must::Agree),
    ("/v1/models/", Must::Agree),
    ("/v1/models/..", Must::Agree),
    ("/v1/models/../files/file-1/content", Must::Refuse),
    ("/v1/models/%2e%2e/files/file-1/content", Must::Refuse),
];

/// Headers that some stacks take for the method, the path or the host of the request.
const OVERRIDES: &[(&str, &str)] = &[
    ("x-http-method-override", "DELETE"),
    ("X-HTTP-Method-Override", "delete"),
    ("x-http-method", "DELETE"),
    ("x-method-override", "DELETE"),
    ("x_http_method_override", "DELETE"),
];

pub(super) fn all() -> Vec<Spelling> {
    let mut all = Vec::new();
    for (index, target) in CHATS.iter().enumerate() {
        for (name, body) in [("chat", HELLO), ("secret", SECRET)] {
            let must = match name {
                "secret" => Must::Refuse,
                _ => Must::Agree,
            };
            let name = format!("path-{name}-{index}");
            all.push(Spelling::new(&name, must, "POST", target).json(body));
        }
    }
    for (index, (target, must)) in MODELS.iter().enumerate() {
        all.push(Spelling::new(
            &format!("path-model-{index}"),
            *must,
            "GET",
            target,
        ));
        // Deleting one is denied, whichever it is.
        let name = format!("path-delete-{index}");
        all.push(Spelling::new(&name, Must::Refuse, "DELETE", target));
    }
    for method in [
        "HEAD", "PUT", "PATCH", "OPTIONS", "get", "post", "Delete", "PROPFIND", "X",
    ] {
        let name = format!("method-{method}");
        all.push(Spelling::new(
            &name,
            Must::Agree,
            method,
            "/v1/models/small-1",
        ));
        let name = format!("method-{method}-chat");
        all.push(Spelling::new(&name, Must::Refuse, method, CHAT).json(SECRET));
    }
    // What a method usually has no body for.
    for method in ["GET", "HEAD", "DELETE"] {
        let name = format!("method-{method}-with-body");
        all.push(Spelling::new(&name, Must::Agree, method, "/v1/models/small-1").json(SECRET));
    }
    all.extend(overridden());
    all
}

/// Requests that are allowed as they stand, and ask for something else in another place.
fn overridden() -> Vec<Spelling> {
    let form = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\na\r\n--b--\r\n";
    // Writing a file is allowed, reading files is not.
    let write = |name: &str, target: &str| {
        let spelling = Spelling::new(name, Must::Agree, "POST", target);
        let mut spelling = spelling
            .header("content-type", "multipart/form-data; boundary=b")
            .body(form);
        spelling.form = true;
        spelling
    };
    let mut all = vec![write("override-query", "/v1/files?_method=GET")];
    for (index, (header, value)) in OVERRIDES.iter().enumerate() {
        let name = format!("override-{index}");
        all.push(write(&name, "/v1/files").header(header, "GET"));
        for (method, target) in [
            ("GET", "/v1/models/small-1"),
            ("POST", "/v1/models/small-1"),
        ] {
            let name = format!("override-{index}-{method}");
            all.push(Spelling::new(&name, Must::Agree, method, target).header(header, value));
        }
    }
    for (index, (header, value)) in [
        ("x-original-url", "/v1/models/secret-1"),
        ("x-rewrite-url", "/v1/models/secret-1"),
        ("x-envoy-original-path", "/v1/models/secret-1"),
        ("x-forwarded-prefix", "/v1/models/secret-1"),
        ("x-forwarded-host", "other.test"),
        ("model", "secret-1"),
    ]
    .into_iter()
    .enumerate()
    {
        let spelling = Spelling::new(
            &format!("elsewhere-{index}"),
            Must::Agree,
            "GET",
            "/v1/models/small-1",
        );
        all.push(spelling.header(header, value));
    }
    all
}
