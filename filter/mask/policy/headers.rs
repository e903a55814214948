//! `"headers"` of a mask: headers of an answer whose values are texts.

use base::policy::{Form, Node, header_name};

/// Headers that say how a body is carried or what its bytes are, and one whose values can't be
/// joined (RFC 9110, section 5.3).
const NO_TEXTS: &[&str] = &[
    "accept-ranges",
    "content-digest",
    "content-encoding",
    "content-md5",
    "content-range",
    "digest",
    "etag",
    "grpc-encoding",
    "grpc-status",
    "keep-alive",
    "proxy-connection",
    "repr-digest",
    "set-cookie",
];

/// `"headers"` of a mask.
pub(super) static TEXT_HEADERS: Form = Form::list(&TEXT_HEADER);
static TEXT_HEADER: Form = Form::text_like(
    "the name of a header whose value is a text: not set-cookie, and none that says how the body is carried or what its bytes are",
    "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
);

/// Reads `"headers"` of a mask, in lower case.
pub(super) fn read_headers(node: &Node<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for item in node.items() {
        let Some(name) = header_name(&item) else {
            continue;
        };
        if NO_TEXTS.contains(&name.as_str()) {
            item.wrong();
        } else if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
