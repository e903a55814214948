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
pub static HEADER: Form = FORM.named("header");

/// The same beside a secret, with which it may have changed places.
pub static HEADER_OF_SECRET: Form = FORM.hidden();

const FORM: Form = Form::text_like(
    "the name of a header that is not a part of the message's framing",
    "^[!#$%&'*+.^_`|~0-9A-Za-z-]+$",
);

/// Reads a header's name (RFC 9110, section 5.1) and gives it in lower case.
#[must_use]
pub fn header_name(node: &Node<'_>) -> Option<String> {
    node.parsed(|text| header_token(text).filter(|name| !RESERVED.contains(&name.as_str())))
}

/// The name of any header (RFC 9110, section 5.1), in lower case; `None` for what is none.
#[must_use]
pub fn header_token(text: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let token = !text.is_empty() && text.bytes().all(fits);
    token.then(|| text.to_ascii_lowercase())
}
