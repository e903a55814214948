//! `portcullis check`, `schema` and `reference`: the policy, by the filter's own code.

use std::path::Path;

use portcullis::exchange::CompiledPolicy;

use crate::{development, policy};

/// The outcome of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// For standard output.
    pub output: String,
    /// For standard error: what could not be read, or warnings; empty otherwise.
    pub error: String,
    /// The exit status: 0 right, 1 wrong, 2 unreadable; others by command.
    pub status: u8,
}

/// Checks the policy in a file, or on standard input for `-`. With `environment`, a `${NAME}`
/// whose variable is not set is a problem; without, every variable is taken to be there. With
/// `strict`, warnings are problems, and so is an issuer for development.
#[must_use]
pub fn check(policy: &Path, environment: bool, strict: bool) -> Report {
    let name = policy::name(policy);
    match policy::read(policy) {
        Ok(text) => judge(&name, &text, environment, strict),
        Err(error) => Report {
            output: String::new(),
            error: format!("portcullis: {name} can't be read: {error}\n"),
            status: 2,
        },
    }
}

fn judge(name: &str, text: &str, environment: bool, strict: bool) -> Report {
    let variable = |variable: &str| policy::variable(variable, environment);
    let compiled = CompiledPolicy::load(text, &variable).and_then(|compiled| {
        let warned = match strict {
            true => [
                development::problems(compiled.policy()).as_slice(),
                compiled.warnings(),
            ]
            .concat(),
            false => Vec::new(),
        };
        match warned.is_empty() {
            true => Ok(compiled),
            false => Err(warned),
        }
    });
    match compiled {
        Ok(compiled) => Report {
            output: format!("{name}: right: {}\n", compiled.policy().summary()),
            error: policy::problems(&format!("{name}: warning"), compiled.warnings()),
            status: 0,
        },
        Err(problems) => Report {
            output: policy::problems(name, &problems),
            error: String::new(),
            status: 1,
        },
    }
}

/// The JSON Schema of policies.
#[must_use]
pub fn schema() -> Report {
    Report {
        output: format!("{:#}\n", portcullis::policy::schema()),
        error: String::new(),
        status: 0,
    }
}

/// The reference of all keys of a policy, as Markdown.
#[must_use]
pub fn reference() -> Report {
    Report {
        output: portcullis::policy::reference(),
        error: String::new(),
        status: 0,
    }
}
