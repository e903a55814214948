//! A policy compiled for use: what all exchanges under it share.

use crate::config::{self, Environment, Policy, Problem};
use crate::identity::Verifier;
use crate::mask::Engine;

/// A policy with its keys and masks compiled.
#[derive(Debug)]
pub struct Guard {
    pub(super) policy: Policy,
    pub(super) verifier: Verifier,
    pub(super) engines: Vec<Engine>,
}

impl Guard {
    /// Reads and compiles a policy. `environment` gives the values that `${NAME}` stands for.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its JSON path.
    pub fn load(text: &str, environment: &Environment<'_>) -> Result<Self, Vec<Problem>> {
        let policy = config::load(text, environment)?;
        let mut problems = Vec::new();
        let verifier = Verifier::new(&policy.identity)
            .map_err(|found| problems.extend(found))
            .ok();
        let mut engines = Vec::new();
        for plan in &policy.masks {
            match Engine::new(plan) {
                Ok(engine) => engines.push(engine),
                Err(error) => problems.push(Problem {
                    path: format!("/detectors/{}", error.detector),
                    found: error.reason,
                    expected: "a detector whose longest match is bounded".to_owned(),
                }),
            }
        }
        problems.dedup();
        match verifier {
            Some(verifier) if problems.is_empty() => Ok(Self {
                policy,
                verifier,
                engines,
            }),
            _ => Err(problems),
        }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}
