//! The names of the built-in detectors, and which of them wins.

use std::sync::LazyLock;

use super::national;

/// The detectors that need no definition in the policy, in the order in which they are
/// tried where two of them could match at the same place.
pub static BUILT_IN_DETECTORS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let front = BEFORE_NUMBERS.iter().copied();
    let behind = BEHIND_NUMBERS.iter().copied();
    front.chain(national::names()).chain(behind).collect()
});

/// What is tried before the numbers that states give to people.
const BEFORE_NUMBERS: &[&str] = &[
    "secret.private_key",
    "secret.jwt",
    "secret.aws_access_key",
    "secret.gcp_api_key",
    "secret.gcp_oauth_token",
    "secret.azure_key",
    "secret.cloud_token",
    "secret.github_token",
    "secret.gitlab_token",
    "secret.package_token",
    "secret.build_token",
    "secret.slack_token",
    "secret.webhook",
    "secret.mail_key",
    "secret.twilio_key",
    "secret.stripe_key",
    "secret.shopify_token",
    "secret.payment_key",
    "secret.openai_key",
    "secret.anthropic_key",
    "secret.huggingface_token",
    "secret.ai_key",
    "secret.vault_token",
    "secret.service_token",
    "secret.discord_token",
    "secret.telegram_token",
    "secret.database_url",
    "secret.url_credentials",
    "crypto.bitcoin",
    "crypto.ethereum",
    "email",
    "secret.terraform_token",
    "secret.entra_secret",
    "secret.aws_secret_key",
    "iban",
    "credit_card",
    "us_ssn",
];

/// What is tried behind them.
const BEHIND_NUMBERS: &[&str] = &[
    "ip",
    "mac",
    "coordinates",
    "date_of_birth",
    "passport",
    "phone",
    "secret.generic",
];
