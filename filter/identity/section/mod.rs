//! `/identity` of the policy: who may issue tokens, and where a request carries one.

mod algorithm;
mod claims;
mod keys;
mod provider;

pub use algorithm::Algorithm;
pub use claims::{ClaimPath, Claims};
pub use keys::{Document, Fetch, InlineKey, KeySource};
pub use provider::Provider;
pub(crate) use provider::media_type;

#[cfg(test)]
mod tests;

use base::policy::{Form, HEADER, Key, Node, TEXT, Usual, header_name};
use provider::PROVIDER;

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
pub struct Section {
    /// Providers in the policy's order; issuers are unique.
    pub providers: Vec<Provider>,
    /// Places to look for a token, in order.
    pub token: Vec<TokenPlace>,
    /// What verifies signatures.
    pub verify_with: VerifyWith,
    /// How many verified tokens each worker keeps.
    pub cache: usize,
}

const MAX_CACHED_TOKENS: u64 = 65_536;

/// `/identity`.
pub static IDENTITY: Form = Form::object(&[
    Key::required("providers", "Who may issue tokens.", &PROVIDERS),
    Key::usually(
        "token",
        Usual::Words("`authorization`, with the scheme `Bearer`"),
        "Where a request carries its token. All places are searched, and exactly one token must be found.",
        &TOKEN_PLACES,
    ),
    Key::usually(
        "verify_with",
        Usual::Text("auto"),
        "What verifies signatures. `auto`: Envoy's cryptography where it has the algorithm, else the filter's. `host`: the same, but an Envoy without any is an error at start. `filter`: always the filter's own.",
        &VERIFY_WITH,
    ),
    Key::usually(
        "cache",
        Usual::Whole(4096),
        "How many verified tokens each worker keeps.",
        &CACHE,
    ),
]);

static PROVIDERS: Form = Form::list(&PROVIDER);
static TOKEN_PLACES: Form = Form::list(&TOKEN_PLACE);
static TOKEN_PLACE: Form = Form::object(&[
    Key::required("header", "The header.", &HEADER),
    Key::optional(
        "scheme",
        "The scheme in front of the token (RFC 9110, section 11.1), in any case.",
        &TEXT,
    ),
]);
static VERIFY_WITH: Form = Form::names(&["auto", "host", "filter"]);
static CACHE: Form = Form::whole(0, MAX_CACHED_TOKENS);

/// Reads `/identity`.
#[must_use]
pub fn read(node: &Node<'_>) -> Option<Section> {
    let object = node.object()?;
    let providers = object.get("providers");
    let providers = providers.map(|list| read_providers(&list));
    let token = object.get("token").map_or_else(
        || {
            vec![TokenPlace {
                header: "authorization".to_owned(),
                scheme: Some("Bearer".to_owned()),
            }]
        },
        |list| list.items().iter().filter_map(read_place).collect(),
    );
    let verify_with = match object.name("verify_with") {
        Some(1) => VerifyWith::Host,
        Some(2) => VerifyWith::Filter,
        _ => VerifyWith::Auto,
    };
    let cache = object.whole("cache");
    Some(Section {
        providers: providers?,
        token,
        verify_with,
        cache: usize::try_from(cache?).ok()?,
    })
}

fn read_providers(list: &Node<'_>) -> Vec<Provider> {
    let mut providers: Vec<Provider> = Vec::new();
    for item in list.items() {
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
    let header = object.get("header").and_then(|node| header_name(&node));
    Some(TokenPlace {
        header: header?,
        scheme: object.text("scheme"),
    })
}
