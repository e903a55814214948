//! Why a token is or isn't accepted, step by step, for those who run the filter.
//!
//! The verdict is that of [`Verifier::verify`]. The steps call the same checks in the same order
//! and put them in words; they go on after the first that fails. Callers are never told so much.

mod claimed;
mod form;
mod signed;
mod words;

#[cfg(test)]
mod tests;

use core::time::Duration;

use super::caller;
use super::key::KeySet;
use super::provider::Provider;
use super::{Identity, NoNative, Refusal, Unverified, Verifier};
use form::Parts;

/// How one check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds.
    Ok,
    /// It fails; alone, it would cause this refusal.
    No(Refusal),
    /// It can't be made.
    Skipped,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is checked, in one word.
    pub name: &'static str,
    /// How it went.
    pub outcome: Outcome,
    /// What was found, and what is expected. One line, without control characters.
    pub text: String,
}

impl Step {
    fn new(name: &'static str, result: Result<(), Refusal>, text: String) -> Self {
        let outcome = result.map_or_else(Outcome::No, |()| Outcome::Ok);
        Self {
            name,
            outcome,
            text,
        }
    }

    fn skipped(name: &'static str, text: &str) -> Self {
        Self {
            name,
            outcome: Outcome::Skipped,
            text: text.to_owned(),
        }
    }
}

/// How the filter stands to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It accepts it.
    Accepts,
    /// It refuses it.
    Refuses(Refusal),
    /// It would accept it if the signature is right, for which keys are missing.
    Undecided,
}

/// What became of a token, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The filter's verdict.
    pub stand: Stand,
    /// The checks, in the filter's order: the first that fails makes the verdict.
    pub steps: Vec<Step>,
    /// The provider that the token's issuer names.
    pub provider: Option<String>,
    /// Whom the claims name, whether or not the token is accepted; verified only if it is.
    pub claimed: Option<Identity>,
}

impl Verifier {
    /// Takes a JSON Web Key Set for the provider of this name, as if it had been fetched, and
    /// gives the number of its usable keys.
    ///
    /// # Errors
    /// There is no such provider, its keys stand in the policy, or why the document is no key set with
    /// a key that can be used.
    pub fn bring_keys(&self, provider: &str, document: &[u8]) -> Result<usize, String> {
        let mut providers = self.providers.borrow_mut();
        let provider = providers
            .iter_mut()
            .find(|one| one.settings.name == provider)
            .ok_or("the policy has no such provider")?;
        if !provider.awaits_keys() {
            return Err("the provider has its keys already".to_owned());
        }
        let keys = KeySet::published(document, &KeySet::default())?;
        let count = keys.len();
        provider.settle(keys);
        Ok(count)
    }

    /// Says how the filter stands to a token at a time since 1970, and why.
    #[must_use]
    pub fn explain(&self, token: &str, now: Duration) -> Explanation {
        let verdict = self.verify(token, now, now, &NoNative);
        let parts = Parts::of(token);
        let providers = self.providers.borrow();
        let found = parts
            .claims
            .as_ref()
            .and_then(|claims| providers.iter().find(|one| one.issued(claims)));
        let stand = match verdict {
            Ok(_) => Stand::Accepts,
            Err(Unverified::Refused(refusal)) => Stand::Refuses(refusal),
            Err(Unverified::Wait(_)) => refused_anyhow(token, found, now),
        };
        let mut steps = parts.steps.clone();
        steps.push(claimed::issuer(&parts, &providers, found));
        // With one provider in the policy, an issuer that is misspelt is all that need be wrong.
        let judge = found.or(match providers.as_slice() {
            [only] => Some(only),
            _ => None,
        });
        signed::steps(token, &parts, judge, &mut steps);
        claimed::steps(&parts, judge, now, &mut steps);
        Explanation {
            stand,
            steps,
            provider: found.map(|one| one.settings.name.clone()),
            claimed: found
                .zip(parts.claims.as_ref())
                .and_then(|(one, claims)| caller::identity(&one.settings, claims).ok()),
        }
    }
}

/// Where keys are missing: whether the token is refused whatever they say.
fn refused_anyhow(token: &str, provider: Option<&Provider>, now: Duration) -> Stand {
    let refusal = provider.and_then(|provider| {
        let token = super::Compact::parse(token).ok()?;
        let claims = token.claims().ok()?;
        provider.accept(&token, &claims, now).err()
    });
    refusal.map_or(Stand::Undecided, Stand::Refuses)
}
