//! An explanation as lines for a terminal.

use std::fmt::Write as _;

use portcullis::base::code::Code;
use portcullis::exchange::unwritable;
use portcullis::identity::{Explanation, Outcome, Stand};
use portcullis::policy::Policy;
use portcullis::rules::{Reach, reach};
use portcullis::rules::{Rule, Then};

/// What is printed, and the exit status.
pub(super) fn lines(explanation: &Explanation, policy: &Policy) -> (String, u8) {
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
    let unwritable = explanation
        .claimed
        .as_ref()
        .map(|identity| unwritable(&policy.upstream, identity))
        .unwrap_or_default();
    if !unwritable.is_empty() {
        let text = format!(
            "what {} would say can't be written in a header",
            unwritable.join(", ")
        );
        line(
            &mut output,
            &format!("{:<8} {:<10} {text}", "no", "headers"),
        );
    }
    let (verdict, status) = match explanation.stand {
        Stand::Accepts | Stand::Undecided if !unwritable.is_empty() => {
            (format!("refused: {}", Code::IdentityNotAHeader), 1)
        }
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
            "\nThe claims name no caller of a provider, so no rule can be reached.",
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
    let reaches = reach(&policy.rules, identity);
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
        Then::Approve(_) => "approve",
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
