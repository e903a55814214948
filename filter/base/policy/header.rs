//! Names of headers.

use super::form::Form;
use super::node::Node;

/// Headers that carry the message's framing or route it; a policy may neither read a token
/// from them nor set them.
const RESERVED: &[&str] = &[
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The name of a header that a policy may read or set.
pub static HEADER: Form = Form::text_like(
    "the name of a header that is not a part of the message's framing",
    "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
)
.named("header");

/// Reads a header's name (RFC 9110, section 5.1) and gives it in lower case.
#[must_use]
pub fn header_name(node: &Node<'_>) -> Option<String> {
    node.parsed(|text| {
        let token = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
        let name = text.to_ascii_lowercase();
        (token && !RESERVED.contains(&name.as_str())).then_some(name)
    })
}
