//! `portcullis doctor`: what is wrong with a set-up, told from Envoy's admin port and the policy.
//!
//! `envoy` asks the admin port, `setup` finds what matters in the configuration that it tells, and each
//! file of `checks` looks at one subject. Configurations hold credentials: a finding has names, numbers
//! and places, and never a value that could be one.

mod checks;
mod envoy;
mod finding;
mod guard;
mod loaded;
mod places;
mod routes;
mod setup;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use crate::check::Report;

pub use finding::{Finding, Severity};

use envoy::Envoy;
use guard::Guard;
use loaded::Loaded;
use setup::Setup;

/// The arguments of the command.
#[derive(Clone, Debug)]
pub struct Options {
    /// Envoy's admin address.
    pub admin: String,
    /// The policy that Envoy should have.
    pub policy: Option<PathBuf>,
    /// Whether JSON is printed.
    pub json: bool,
}

/// What all checks look at.
struct Patient<'a> {
    envoy: &'a Envoy,
    setup: &'a Setup<'a>,
    /// The filter, wherever it is, each with its policy.
    guards: &'a [Guard<'a>],
    /// The policies of those, by the guards' places.
    policies: &'a [Option<Loaded>],
    /// The policy that should be there.
    wanted: Option<&'a Loaded>,
    /// Whether servers that the policy names are called.
    calls: bool,
}

impl<'a> Patient<'a> {
    /// Each guard with its policy, where that can be read.
    fn guarded(&self) -> impl Iterator<Item = (&'a Guard<'a>, &'a Loaded)> {
        let pairs = self.guards.iter().zip(self.policies);
        pairs.filter_map(|(guard, policy)| Some((guard, policy.as_ref()?)))
    }

    /// The policies that count: the one that should be there, or all that are.
    fn counting(&self) -> Vec<&'a Loaded> {
        match self.wanted {
            Some(wanted) => vec![wanted],
            None => loaded::each_once(self.policies),
        }
    }
}

/// Looks at an Envoy. The status is 0 when nothing is wrong, 1 when something is, 2 when it can't be told.
#[must_use]
pub fn examine(options: &Options) -> Report {
    match look(options) {
        Ok((findings, about)) => {
            let wrong = findings.iter().any(|one| one.severity != Severity::Note);
            Report {
                output: match options.json {
                    true => finding::json(&findings, &about),
                    false => finding::text(&findings, &about),
                },
                error: String::new(),
                status: u8::from(wrong),
            }
        }
        Err(error) => Report {
            output: String::new(),
            error: format!("portcullis: {error}\n"),
            status: 2,
        },
    }
}

fn look(options: &Options) -> Result<(Vec<Finding>, finding::About), String> {
    let wanted =
        match &options.policy {
            None => None,
            Some(path) => {
                let name = crate::policy::name(path);
                let text = crate::policy::read(path)
                    .map_err(|error| format!("{name} can't be read: {error}"))?;
                Some(Loaded::read(&name, &text).map_err(|problems| {
                    crate::policy::problems(&name, &problems).trim().to_owned()
                })?)
            }
        };
    let envoy = Envoy::ask(&options.admin)?;
    Ok(judge(&envoy, wanted.as_ref(), true))
}

/// All that is found, the gravest first.
fn judge(envoy: &Envoy, wanted: Option<&Loaded>, calls: bool) -> (Vec<Finding>, finding::About) {
    let setup = Setup::of(&envoy.dump);
    let guards = guard::all(&setup);
    let mut findings = Vec::new();
    let policies: Vec<Option<Loaded>> = guards
        .iter()
        .map(|guard| checks::policy::read(guard, &mut findings))
        .collect();
    let patient = Patient {
        envoy,
        setup: &setup,
        guards: &guards,
        policies: &policies,
        wanted,
        calls,
    };
    for check in checks::ALL {
        check(&patient, &mut findings);
    }
    findings.sort_by_key(|one| one.severity);
    let about = finding::About {
        envoy: envoy.version().unwrap_or_default(),
        guarded: setup
            .managers
            .iter()
            .filter(|manager| {
                guards
                    .iter()
                    .any(|guard| guard.manager.place == manager.place)
            })
            .map(|manager| manager.listener.clone())
            .collect(),
        policies: loaded::each_once(&policies)
            .iter()
            .map(|policy| policy.digest.clone())
            .collect(),
    };
    (findings, about)
}
