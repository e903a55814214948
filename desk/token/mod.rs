//! `portcullis token explain`: a token, judged by the filter's own code.

mod time;

use core::time::Duration;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use portcullis::config::Policy;
use portcullis::config::identity::{KeySource, Provider};
use portcullis::config::rules::{Rule, Then};
use portcullis::exchange::{Guard, caller};
use portcullis::identity::{Explanation, Outcome, Stand, Verifier};
use portcullis::rules::{Reach, reach};
use serde_json::Value;

use crate::check::Report;
use crate::policy;

/// More than this is no token, in bytes.
const LONGEST: u64 = 1 << 20;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Options {
    /// The policy's file.
    pub policy: PathBuf,
    /// Files with key sets, each with the provider's name and `=` before it where the policy has
    /// several whose keys are fetched.
    pub keys: Vec<String>,
    /// When the token is judged, RFC 3339 or in seconds since 1970; now, if it isn't said.
    pub at: Option<String>,
    /// Whether `${NAME}` is looked up.
    pub environment: bool,
}

/// Explains the token that stands in `input`. The status is 0 for one that is accepted, 1 for one
/// that is refused, 2 if there is nothing to judge or the policy is wrong, 3 if keys are missing
/// to tell.
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
    let guard = Guard::load(&text, &variable).map_err(|found| policy::problems(&name, &found))?;
    let policy = guard.policy();
    let verifier =
        Verifier::new(&policy.identity, None).map_err(|found| policy::problems(&name, &found))?;
    for keys in &options.keys {
        bring_keys(&verifier, policy, keys).map_err(|problem| fail(problem))?;
    }
    let input = policy::read_from(input, LONGEST)
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
    Ok(print(&explanation, policy))
}

fn since_1970() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// Line ends and the scheme are often copied along.
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
        .and_then(|open| policy::read_from(open, LONGEST))
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

fn print(explanation: &Explanation, policy: &Policy) -> (String, u8) {
    let mut output = String::new();
    for step in &explanation.steps {
        let outcome = match step.outcome {
            Outcome::Ok => "ok",
            Outcome::No(_) => "no",
            Outcome::Skipped => "skipped",
        };
        line(
            &mut output,
            &format!("{outcome:<8} {:<10} {}", step.name, step.text),
        );
    }
    let (verdict, status) = match explanation.stand {
        Stand::Accepts => ("accepted".to_owned(), 0),
        Stand::Refuses(refusal) => (format!("refused: {}", refusal.code()), 1),
        Stand::Undecided => (
            "undecided: all else is right, but the signature was not checked".to_owned(),
            3,
        ),
    };
    line(&mut output, &format!("\n{verdict}"));
    let Some(identity) = &explanation.claimed else {
        line(
            &mut output,
            "\nThe claims name no caller, so no rule can be reached.",
        );
        return (output, status);
    };
    line(
        &mut output,
        if explanation.stand == Stand::Accepts {
            "\nRules, in order:"
        } else {
            "\nRules, in order, were the token accepted:"
        },
    );
    let reaches = reach(&policy.rules, &caller(identity));
    let widest = policy.rules.iter().map(|rule| rule.name.chars().count());
    let width = widest.max().unwrap_or_default().min(40);
    for (rule, reach) in policy.rules.iter().zip(&reaches) {
        let text = words(reach, &policy.rules);
        line(
            &mut output,
            &format!("{:<width$} {:<8} {text}", rule.name, then(rule)),
        );
    }
    line(&mut output, "What no rule allows is denied.");
    (output, status)
}

fn line(output: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(output, "{text}");
}

fn then(rule: &Rule) -> &'static str {
    match rule.then {
        Then::Allow { .. } => "allow",
        Then::Deny => "deny",
        Then::Approve { .. } => "approve",
    }
}

fn words(reach: &Reach, rules: &[Rule]) -> String {
    match reach {
        Reach::Applies => "applies".to_owned(),
        Reach::Depends(keys) => format!("can apply (depends on {})", keys.join(", ")),
        Reach::Unmet(keys) => format!("can't: {}", keys.join(", ")),
        Reach::Behind(index) => {
            let earlier = rules.get(*index).map_or("", |rule| rule.name.as_str());
            format!("can't: {earlier} decides before")
        }
    }
}
