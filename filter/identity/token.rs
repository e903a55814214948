//! The compact form of a signed token (RFC 7515, section 7.1), read strictly.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::Refusal;
use crate::config::identity::Algorithm;
use crate::json;

/// Longer tokens are refused before they cost anything. Envoy limits all headers together to
/// 60 KiB by default.
const LONGEST: usize = 16 << 10;

/// Header parameters that would change what is signed, or let the token bring its own key.
const NOT_SUPPORTED: &[&str] = &["crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc"];

/// A token whose form is right and whose signature has not been checked.
#[derive(Debug)]
pub(super) struct Unverified<'a> {
    pub(super) algorithm: Option<Algorithm>,
    pub(super) key_id: Option<String>,
    pub(super) claims: Map<String, Value>,
    pub(super) message: &'a [u8],
    pub(super) signature: Vec<u8>,
}

impl<'a> Unverified<'a> {
    pub(super) fn parse(token: &'a str) -> Result<Self, Refusal> {
        if token.len() > LONGEST {
            return Err(Refusal::TokenMalformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Refusal::TokenMalformed)?;
        let (header, claims) = message.split_once('.').ok_or(Refusal::TokenMalformed)?;
        let header = object(header)?;
        if NOT_SUPPORTED.iter().any(|name| header.contains_key(*name)) {
            return Err(Refusal::HeaderNotSupported);
        }
        let name = header
            .get("alg")
            .and_then(Value::as_str)
            .ok_or(Refusal::TokenMalformed)?;
        let key_id = match header.get("kid") {
            None => None,
            Some(Value::String(id)) => Some(id.clone()),
            Some(_) => return Err(Refusal::TokenMalformed),
        };
        Ok(Self {
            algorithm: Algorithm::NAMES
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, algorithm)| *algorithm),
            key_id,
            claims: object(claims)?,
            message: message.as_bytes(),
            signature: decode(signature)?,
        })
    }
}

fn object(part: &str) -> Result<Map<String, Value>, Refusal> {
    match json::parse(&decode(part)?) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(Refusal::TokenMalformed),
    }
}

/// Unpadded base64url; bits left over at the end must be zero, so that a token has one form.
fn decode(part: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_| Refusal::TokenMalformed)
}
