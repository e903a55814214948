//! The detectors that come with the filter.

/// The detectors that need no definition in the policy, in the order in which they are
/// tried where two of them could match at the same place.
pub const BUILT_IN_DETECTORS: &[&str] = &[
    "secret.private_key",
    "secret.jwt",
    "secret.aws_access_key",
    "secret.gcp_api_key",
    "secret.github_token",
    "secret.gitlab_token",
    "secret.slack_token",
    "secret.stripe_key",
    "secret.openai_key",
    "secret.anthropic_key",
    "secret.huggingface_token",
    "email",
    "iban",
    "credit_card",
    "us_ssn",
    "ip",
    "phone",
];
