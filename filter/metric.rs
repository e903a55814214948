//! What is counted for operators, with its name. (How much memory a VM has, only the adapter knows:
//! `filter/host/metrics.rs`.)
//!
//! Envoy has no labels for what a filter counts, only names. So a name has its labels in it, as
//! `portcullis_decisions.action=allow.rule=chat`, and `stats_tags` of Envoy's bootstrap take them out
//! again for Prometheus. How many names there are is the policy's choice, never a caller's.

use base::code::Code;
use core::fmt::{self, Write as _};

/// What the host makes of the amounts that it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Adds them up.
    Counter,
    /// Adds them up, and some are below zero.
    Gauge,
    /// Keeps how they are distributed.
    Histogram,
}

/// A number of the whole Envoy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Requests by what was decided.
    Decisions {
        /// `allow`, `deny`, or `none` when the client left before there was one.
        action: &'static str,
        /// The rule that decided.
        rule: Option<String>,
        /// Why it was refused.
        code: Option<Code>,
    },
    /// Requests that were refused with 401.
    TokensRefused {
        /// Why.
        code: Code,
    },
    /// Values that were masked, or only counted, in either direction.
    Matches {
        /// The detector that found them.
        detector: String,
    },
    /// What was taken from quotas, in what each of them counts.
    Charged {
        /// The quota.
        quota: String,
    },
    /// Tokens that answers say they took.
    Tokens {
        /// The model's name, if the policy gives it one; `other` for all others, which callers could
        /// make up.
        model: String,
        /// `prompt`, `completion` or `cached`.
        kind: &'static str,
    },
    /// Milliseconds until the first byte of an answer's body went on: a histogram.
    FirstByte,
    /// Records that were written.
    Records,
    /// Times that tokens were looked for among those that were verified.
    TokenLookups {
        /// Whether it was there: `hit` or `miss`.
        outcome: &'static str,
    },
    /// Times that a provider's keys were asked for.
    KeyRefreshes {
        /// Its name.
        provider: String,
        /// `ok` or `failed`.
        outcome: &'static str,
    },
    /// Answers that were refused or cut off.
    AnswersRefused {
        /// Why.
        code: Code,
    },
    /// Questions about what stands at the desk that it didn't answer.
    StandingFailed,
    /// Calls to the approval service that came to nothing.
    ApprovalFailures {
        /// Why.
        code: Code,
    },
    /// Requests and answers that began to wait for a person.
    ApprovalsAsked,
    /// Those that wait no more.
    ApprovalsDecided {
        /// `approved`, `denied`, `gone` for what was used by another one or has expired, `late` where nobody
        /// decided in time, `failed` where the desk couldn't say, or `left` when the client did.
        outcome: &'static str,
    },
    /// Those that wait: a gauge.
    ApprovalsWaiting,
    /// Milliseconds that those waited which were told what came of it: a histogram.
    ApprovalWait,
    /// Times that the desk was asked for an answer that may be kept.
    KeptLookups {
        /// Whether there was one: `hit` or `miss`.
        outcome: &'static str,
    },
    /// Requests that took from a quota, by how much of it was used then.
    QuotaUsed {
        /// The quota.
        quota: String,
        /// The most that it may have been, in percent.
        used: &'static str,
    },
    /// Requests that a quota refused.
    QuotaRefused {
        /// The quota.
        quota: String,
    },
    /// How often a count was changed by another worker while it was being changed.
    QuotaRetries,
    /// Bytes that are held of bodies: a gauge.
    BufferedBytes,
    /// VMs that have a policy, of which there is one in each worker and one in the main thread: a
    /// gauge. While Envoy drains a configuration, its policy still counts.
    PolicyVms {
        /// The policy's digest, in hex, as records have it.
        digest: String,
    },
}

impl Metric {
    /// What the host makes of it.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::BufferedBytes | Self::PolicyVms { .. } | Self::ApprovalsWaiting => Kind::Gauge,
            Self::FirstByte | Self::ApprovalWait => Kind::Histogram,
            _ => Kind::Counter,
        }
    }
}

/// A label's value: what `stats_tags` can't take for anything else.
struct Label<'a>(&'a str);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            let safe = byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            f.write_char(if safe { char::from(byte) } else { '_' })?;
        }
        Ok(())
    }
}

impl fmt::Display for Metric {
    /// The name with its labels.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, labels): (_, &[(&str, Option<&str>)]) = match self {
            Self::Decisions { action, rule, code } => (
                "decisions",
                &[
                    ("action", Some(action)),
                    ("rule", rule.as_deref()),
                    ("code", code.map(Code::name)),
                ],
            ),
            Self::TokensRefused { code } => ("tokens_refused", &[("code", Some(code.name()))]),
            Self::Matches { detector } => ("matches", &[("detector", Some(detector))]),
            Self::Charged { quota } => ("quota_charged", &[("quota", Some(quota))]),
            Self::Tokens { model, kind } => {
                ("tokens", &[("model", Some(model)), ("kind", Some(kind))])
            }
            Self::FirstByte => ("first_byte_milliseconds", &[]),
            Self::Records => ("records", &[]),
            Self::TokenLookups { outcome } => ("token_lookups", &[("outcome", Some(outcome))]),
            Self::KeyRefreshes { provider, outcome } => (
                "key_refreshes",
                &[("provider", Some(provider)), ("outcome", Some(outcome))],
            ),
            Self::AnswersRefused { code } => ("answers_refused", &[("code", Some(code.name()))]),
            Self::StandingFailed => ("standing_failed", &[]),
            Self::ApprovalFailures { code } => {
                ("approval_failures", &[("code", Some(code.name()))])
            }
            Self::ApprovalsAsked => ("approvals_asked", &[]),
            Self::ApprovalsDecided { outcome } => {
                ("approvals_decided", &[("outcome", Some(outcome))])
            }
            Self::ApprovalsWaiting => ("approvals_waiting", &[]),
            Self::ApprovalWait => ("approval_wait_milliseconds", &[]),
            Self::KeptLookups { outcome } => ("kept_lookups", &[("outcome", Some(outcome))]),
            Self::QuotaUsed { quota, used } => (
                "quota_used",
                &[("quota", Some(quota)), ("used", Some(used))],
            ),
            Self::QuotaRefused { quota } => ("quota_refused", &[("quota", Some(quota))]),
            Self::QuotaRetries => ("quota_retries", &[]),
            Self::BufferedBytes => ("buffered_bytes", &[]),
            Self::PolicyVms { digest } => ("policy_vms", &[("digest", Some(digest))]),
        };
        write!(f, "portcullis_{name}")?;
        for (label, value) in labels {
            if let Some(value) = value {
                write!(f, ".{label}={}", Label(value))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use base::code::Code;

    use super::Metric;

    #[test]
    fn labels_stand_in_the_name_and_can_not_be_taken_for_others() {
        let metric = Metric::Decisions {
            action: "deny",
            rule: Some("no.exports=now ü".to_owned()),
            code: Some(Code::Denied),
        };
        assert_eq!(
            metric.to_string(),
            "portcullis_decisions.action=deny.rule=no_exports_now___.code=denied"
        );
        let metric = Metric::Matches {
            detector: "secret.aws".to_owned(),
        };
        assert_eq!(metric.to_string(), "portcullis_matches.detector=secret_aws");
    }
}
