//! `portcullis token explain`: a token, judged by the filter's own code.

mod print;
pub(crate) mod time;

use core::time::Duration;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use portcullis::exchange::CompiledPolicy;
use portcullis::identity::Verifier;
use portcullis::identity::section::{KeySource, Provider};
use portcullis::policy::Policy;
use serde_json::Value;

use crate::check::Report;
use crate::policy;

/// The longest token or key set that is read, in bytes.
const MAX_INPUT_BYTES: u64 = 1 << 20;

/// The arguments of the command.
#[derive(Clone, Debug)]
pub struct Options {
    /// The policy's file.
    pub policy: PathBuf,
    /// Key sets of providers whose keys are fetched: `FILE`, or `NAME=FILE` where the policy has
    /// several such providers.
    pub keys: Vec<String>,
    /// The time as of which the token is judged, in RFC 3339 or seconds since 1970; now if absent.
    pub at: Option<String>,
    /// Whether `${NAME}` in the policy is taken from the environment.
    pub environment: bool,
}

/// Explains the token in `input`. The status is 0 if it is accepted, 1 if it is refused, 2 if
/// something can't be read or the policy is wrong, 3 if the keys that would tell are missing.
#[must_use]
pub fn explain(options: &Options, input: impl Read) -> Report {
    match judge(options, input) {
        Ok((output, status)) => Report {
            output,
            error: String::new(),
            status,
        },
        Err(error) => Report {
            output: String::new(),
            error,
            status: 2,
        },
    }
}

fn judge(options: &Options, input: impl Read) -> Result<(String, u8), String> {
    let fail = |problem: String| format!("portcullis: {problem}\n");
    let now = match &options.at {
        None => since_1970(),
        Some(text) => time::read(text).ok_or_else(|| {
            fail(format!(
                "--at {text:?} is no time: RFC 3339 or seconds since 1970 are expected"
            ))
        })?,
    };
    let name = policy::name(&options.policy);
    if options.policy.as_os_str() == "-" {
        return Err(fail(
            "the token comes from standard input, so the policy can't".to_owned(),
        ));
    }
    let text = policy::read(&options.policy)
        .map_err(|error| fail(format!("{name} can't be read: {error}")))?;
    let variable = |variable: &str| policy::variable(variable, options.environment);
    let compiled =
        CompiledPolicy::load(&text, &variable).map_err(|found| policy::problems(&name, &found))?;
    let policy = compiled.policy();
    let verifier =
        Verifier::new(&policy.identity, None).map_err(|found| policy::problems(&name, &found))?;
    for keys in &options.keys {
        bring_keys(&verifier, policy, keys).map_err(fail)?;
    }
    let input = policy::read_from(input, MAX_INPUT_BYTES)
        .map_err(|error| fail(format!("the token can't be read: {error}")))?;
    let token = token(&input);
    if token.is_empty() {
        return Err(fail("there is no token on standard input".to_owned()));
    }
    let explanation = verifier.explain(token, now);
    let provider = policy
        .identity
        .providers
        .iter()
        .find(|one| Some(&one.name) == explanation.provider.as_ref());
    if let Some(provider) = provider.filter(|one| has_placeholder(one)) {
        return Err(fail(format!(
            "the secret keys of the provider {:?} come from the environment: give --env",
            provider.name
        )));
    }
    Ok(print::lines(&explanation, policy))
}

fn since_1970() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// The token without the line end and the scheme, which are often copied along.
fn token(input: &str) -> &str {
    let text = input.trim();
    match text.split_once(' ') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => rest.trim(),
        _ => text,
    }
}

fn bring_keys(verifier: &Verifier, policy: &Policy, argument: &str) -> Result<(), String> {
    let fetched: Vec<&str> = policy
        .identity
        .providers
        .iter()
        .filter(|one| matches!(one.keys, KeySource::Fetched(_)))
        .map(|one| one.name.as_str())
        .collect();
    let known = |name: &str| policy.identity.providers.iter().any(|one| one.name == name);
    let (provider, file) = match (argument.split_once('='), fetched.as_slice()) {
        (Some((name, file)), _) if known(name) => (name, file),
        (_, [only]) => (*only, argument),
        (_, []) => {
            return Err(format!(
                "--keys {argument}: the keys of all providers stand in the policy"
            ));
        }
        (_, several) => {
            return Err(format!(
                "--keys {argument}: whose keys? NAME=FILE is expected, with one of {}",
                several.join(", ")
            ));
        }
    };
    let file = Path::new(file);
    std::fs::File::open(file)
        .map_err(|error| error.to_string())
        .and_then(|open| policy::read_from(open, MAX_INPUT_BYTES))
        .and_then(|text| verifier.bring_keys(provider, text.as_bytes()))
        .map(|_| ())
        .map_err(|problem| {
            format!(
                "--keys {} for the provider {provider}: {problem}",
                file.display()
            )
        })
}

fn has_placeholder(provider: &Provider) -> bool {
    let KeySource::Inline(keys) = &provider.keys else {
        return false;
    };
    keys.iter().any(|key| {
        let secret = key.jwk.get("k").and_then(Value::as_str);
        secret.is_some_and(policy::is_placeholder)
    })
}
