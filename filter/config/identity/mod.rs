//! `/identity` of the policy: who may issue tokens, and where a request carries one.

mod algorithm;
mod claims;
mod keys;
mod provider;

pub use algorithm::Algorithm;
pub use claims::{ClaimPath, Claims};
pub use keys::{Document, Fetch, InlineKey, KeySource};
pub(crate) use provider::media_type;
pub use provider::{Kind, Provider};

#[cfg(test)]
mod tests;

use super::header::header_name;
use super::reader::Node;

/// Where a token may stand in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPlace {
    /// The header, in lower case.
    pub header: String,
    /// The scheme before the token (RFC 9110, section 11.1), compared without regard to case.
    pub scheme: Option<String>,
}

/// What verifies signatures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VerifyWith {
    /// Envoy's own cryptography for the algorithms that it was found to have, and the filter's
    /// for the others.
    #[default]
    Auto,
    /// As [`Self::Auto`], but an Envoy that has none is an error at start.
    Host,
    /// The filter's own for all.
    Filter,
}

/// `/identity`.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Providers in the policy's order; issuers are unique.
    pub providers: Vec<Provider>,
    /// Places to look for a token, in order.
    pub token: Vec<TokenPlace>,
    /// What verifies signatures.
    pub verify_with: VerifyWith,
    /// How many verified tokens each worker keeps.
    pub cache: usize,
}

const USUAL_CACHE: usize = 4096;
const MAX_CACHED_TOKENS: usize = 65_536;

pub(super) fn read(node: &Node<'_>) -> Option<Identity> {
    let object = node.object()?;
    let providers = object
        .required("providers")
        .map(|list| read_providers(&list))
        .unwrap_or_default();
    let token = object.optional("token").map_or_else(
        || {
            vec![TokenPlace {
                header: "authorization".to_owned(),
                scheme: Some("Bearer".to_owned()),
            }]
        },
        |list| {
            list.non_empty_array()
                .iter()
                .filter_map(read_place)
                .collect()
        },
    );
    let verify_with = object
        .optional("verify_with")
        .and_then(|node| node.one_of(&["auto", "host", "filter"]))
        .map_or(VerifyWith::Auto, |index| match index {
            1 => VerifyWith::Host,
            2 => VerifyWith::Filter,
            _ => VerifyWith::Auto,
        });
    let cache = object.optional("cache").map_or(Some(USUAL_CACHE), |node| {
        let size = node
            .value()
            .as_u64()
            .and_then(|size| usize::try_from(size).ok());
        let size = size.filter(|size| *size <= MAX_CACHED_TOKENS);
        if size.is_none() {
            node.expected(format!("a number of tokens, from 0 to {MAX_CACHED_TOKENS}"));
        }
        size
    });
    object.close();
    Some(Identity {
        providers,
        token,
        verify_with,
        cache: cache?,
    })
}

fn read_providers(list: &Node<'_>) -> Vec<Provider> {
    let mut providers: Vec<Provider> = Vec::new();
    for item in list.non_empty_array() {
        let Some(provider) = provider::read(&item) else {
            continue;
        };
        if providers.iter().any(|other| other.name == provider.name) {
            item.problem(
                format!("a second provider named {:?}", provider.name),
                "a name of its own",
            );
        }
        if providers
            .iter()
            .any(|other| other.issuer == provider.issuer)
        {
            item.problem(
                format!("a second provider with the issuer {:?}", provider.issuer),
                "an issuer of its own, since tokens are told apart by it",
            );
        }
        providers.push(provider);
    }
    providers
}

fn read_place(node: &Node<'_>) -> Option<TokenPlace> {
    let object = node.object()?;
    let header = object
        .required("header")
        .and_then(|node| header_name(&node));
    let scheme = object
        .optional("scheme")
        .and_then(|node| node.string().map(str::to_owned));
    object.close();
    Some(TokenPlace {
        header: header?,
        scheme,
    })
}
