//! The compact form of a signed token (RFC 7515, section 7.1), read strictly.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::Refusal;
use crate::identity::section::Algorithm;
use base::json;

/// Longer tokens are refused before any work is done for them. Envoy limits all headers together to
/// 60 KiB by default.
pub(super) const MAX_TOKEN_BYTES: usize = 16 << 10;

/// Header parameters that would change what is signed, or let the token bring its own key.
pub(super) const NOT_SUPPORTED: &[&str] =
    &["crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc"];

/// What a token's header says.
#[derive(Debug)]
pub(super) struct Header {
    /// `None` for an algorithm that no policy can name.
    pub(super) algorithm: Option<Algorithm>,
    pub(super) key_id: Option<String>,
    /// The `typ`.
    pub(super) media_type: Option<String>,
}

impl Header {
    fn parse(part: &str) -> Result<Self, Refusal> {
        let header = object(&decode(part)?)?;
        if NOT_SUPPORTED.iter().any(|name| header.contains_key(*name)) {
            return Err(Refusal::HeaderNotSupported);
        }
        let name = text(&header, "alg")?.ok_or(Refusal::TokenMalformed)?;
        Ok(Self {
            algorithm: Algorithm::named(&name),
            key_id: text(&header, "kid")?,
            media_type: text(&header, "typ")?,
        })
    }
}

/// The header that was read last. All tokens that one key signs have the same, so it is seldom
/// read twice.
#[derive(Debug, Default)]
pub(super) struct LastHeader(Option<(String, Rc<Header>)>);

impl LastHeader {
    fn read(&mut self, part: &str) -> Result<Rc<Header>, Refusal> {
        if let Some((last, header)) = &self.0
            && last == part
        {
            return Ok(Rc::clone(header));
        }
        let header = Rc::new(Header::parse(part)?);
        self.0 = Some((part.to_owned(), Rc::clone(&header)));
        Ok(header)
    }
}

/// A token whose form is right and whose signature has not been checked.
#[derive(Debug)]
pub(super) struct Compact<'a> {
    pub(super) header: Rc<Header>,
    pub(super) payload: Vec<u8>,
    /// What the signature is over.
    pub(super) message: &'a [u8],
    pub(super) signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, Refusal> {
        Self::parse_after(token, &mut LastHeader::default())
    }

    /// As [`Self::parse`], with the header that was read before.
    pub(super) fn parse_after(token: &'a str, last: &mut LastHeader) -> Result<Self, Refusal> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Refusal::TokenMalformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::TokenMalformed)?;
        let (header, payload) = message.split_once('.').ok_or(Refusal::TokenMalformed)?;
        Ok(Self {
            header: last.read(header)?,
            payload: decode(payload)?,
            message: message.as_bytes(),
            signature: decode(signature)?,
        })
    }

    /// The payload as a set of claims (RFC 7519, section 4).
    pub(super) fn claims(&self) -> Result<Map<String, Value>, Refusal> {
        object(&self.payload)
    }
}

fn text(header: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::TokenMalformed),
    }
}

fn object(part: &[u8]) -> Result<Map<String, Value>, Refusal> {
    match json::parse(part) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Refusal::TokenMalformed),
    }
}

/// Unpadded base64url; bits left over at the end must be zero, so that a token has one form.
pub(super) fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| Refusal::TokenMalformed)
}
