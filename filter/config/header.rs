//! Names of headers.

use super::reader::Node;

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

/// Reads a header's name (RFC 9110, section 5.1) and gives it in lower case.
pub(super) fn header_name(node: &Node<'_>) -> Option<String> {
    let text = node.string()?;
    let token = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    let name = text.to_ascii_lowercase();
    if token && !RESERVED.contains(&name.as_str()) {
        return Some(name);
    }
    node.expected("the name of a header that is not a part of the message's framing");
    None
}
