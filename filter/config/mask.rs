//! What a mask of the policy asks for, after checking.

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
];

/// How a match is written in the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Style {
    /// `[EMAIL]`: the detector's label in brackets.
    Label,
    /// As many asterisks as the match has characters.
    Stars,
    /// Asterisks, but for the last four characters.
    Partial,
    /// Nothing at all.
    Remove,
}

/// Where a detector's definition comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Detector {
    /// One of [`BUILT_IN_DETECTORS`].
    BuiltIn(&'static str),
    /// A regular expression of the policy's own, matched on bytes, without Unicode classes.
    Pattern {
        /// The name under `/detectors`.
        name: String,
        /// The expression; its longest match is bounded.
        pattern: String,
        /// The label that takes a match's place.
        label: String,
    },
    /// A list of words or phrases of the policy's own, matched whole and without regard to ASCII case.
    Words {
        /// The name under `/detectors`.
        name: String,
        /// The words; none is empty.
        words: Vec<String>,
        /// The label that takes a match's place.
        label: String,
    },
}

/// One detector of a mask with the style that the mask gives it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Detection {
    /// What is looked for.
    pub detector: Detector,
    /// What is written in its place.
    pub style: Style,
}
