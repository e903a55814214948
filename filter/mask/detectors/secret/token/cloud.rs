//! Cloud providers.

use super::row::{Form, Length, Row, base64, hexadecimal, percent_encoded, upper_or_digit};
use crate::detectors::detect::{alphanumeric, base64url};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "secret.aws_access_key",
        label: "AWS_ACCESS_KEY",
        forms: &[
            // IAM: "unique ID prefixes".
            Form {
                prefixes: &["AKIA", "ASIA", "ABIA", "ACCA"],
                class: upper_or_digit,
                length: Length::Exactly(16),
            },
            // Amazon Bedrock: API keys.
            Form {
                prefixes: &["ABSK", "bedrock-api-key-"],
                class: base64,
                length: Length::From(40, b""),
            },
        ],
    },
    Row {
        name: "secret.gcp_api_key",
        label: "GCP_API_KEY",
        forms: &[
            // Google Cloud: API keys.
            Form {
                prefixes: &["AIza"],
                class: base64url,
                length: Length::Exactly(35),
            },
        ],
    },
    Row {
        name: "secret.gcp_oauth_token",
        label: "GCP_OAUTH_TOKEN",
        forms: &[
            // Google: access tokens, refresh tokens, client secrets.
            Form {
                prefixes: &["ya29.", "1//0"],
                class: base64url,
                length: Length::From(20, b"."),
            },
            Form {
                prefixes: &["GOCSPX-"],
                class: base64url,
                length: Length::From(20, b""),
            },
        ],
    },
    Row {
        name: "secret.azure_key",
        label: "AZURE_KEY",
        forms: &[
            // Azure: connection strings of storage accounts and of messaging.
            Form {
                prefixes: &["AccountKey=", "SharedAccessKey=", "SharedAccessSignature="],
                class: base64,
                length: Length::From(40, b""),
            },
            // Shared access signatures.
            Form {
                prefixes: &["sig="],
                class: percent_encoded,
                length: Length::From(40, b""),
            },
        ],
    },
    Row {
        name: "secret.cloud_token",
        label: "CLOUD_TOKEN",
        forms: &[
            // DigitalOcean: "Token formats".
            Form {
                prefixes: &["dop_v1_", "doo_v1_", "dor_v1_"],
                class: hexadecimal,
                length: Length::From(64, b""),
            },
            // Alibaba Cloud: access key identifiers.
            Form {
                prefixes: &["LTAI"],
                class: alphanumeric,
                length: Length::From(16, b""),
            },
            // Cloudflare: origin CA keys.
            Form {
                prefixes: &["v1.0-"],
                class: hexadecimal,
                length: Length::From(24, b"-"),
            },
            // Heroku, Fly.io, Render, PlanetScale, Databricks, Scaleway.
            Form {
                prefixes: &["HRKU-"],
                class: base64url,
                length: Length::From(36, b""),
            },
            Form {
                prefixes: &["fo1_", "fm1a_", "fm1r_", "fm2_"],
                class: base64,
                length: Length::From(40, b"-_"),
            },
            Form {
                prefixes: &["rnd_"],
                class: alphanumeric,
                length: Length::From(24, b""),
            },
            Form {
                prefixes: &["pscale_tkn_", "pscale_pw_", "pscale_oauth_"],
                class: base64url,
                length: Length::From(32, b".="),
            },
            Form {
                prefixes: &["dapi", "dkea"],
                class: hexadecimal,
                length: Length::From(32, b"-"),
            },
            Form {
                prefixes: &["SCW"],
                class: upper_or_digit,
                length: Length::Exactly(17),
            },
        ],
    },
];

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    (
        concat!("id AKIA", "IOSFODNN7EXAMPLE."),
        "id [AWS_ACCESS_KEY].",
    ),
    (concat!("ASIA", "IOSFODNN7EXAMPLE"), "[AWS_ACCESS_KEY]"),
    (
        concat!(
            "ABSK",
            "QmVkcm9ja0FQSUtleS0xMjM0NTY3ODkwYWJjZGVmZ2hpamtsbW5v=="
        ),
        "[AWS_ACCESS_KEY]",
    ),
    (
        concat!("key=AIza", "SyA-0123456789abcdefghijklmnopqrstu&x"),
        "key=[GCP_API_KEY]&x",
    ),
    (
        concat!("ya29.", "a0AfH6SMBx-0123456789_abcdef.gh"),
        "[GCP_OAUTH_TOKEN]",
    ),
    (
        concat!("GOCSPX-", "0123456789abcdefghij_-klmnop"),
        "[GCP_OAUTH_TOKEN]",
    ),
    (
        concat!(
            "EndpointSuffix=x;AccountKey=",
            "0123456789abcdefghijABCDEFGHIJ0123456789/+0123456789abcdefghijABCDEFGHIJ0123456789+0123==;"
        ),
        "EndpointSuffix=x;[AZURE_KEY];",
    ),
    (
        concat!(
            "?sv=2024&sig=",
            "0123456789abcdefghijABCDEFGHIJ0123456789%2B01%3D&se=2"
        ),
        "?sv=2024&[AZURE_KEY]&se=2",
    ),
    (
        concat!(
            "dop_v1_",
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        ),
        "[CLOUD_TOKEN]",
    ),
    (concat!("LTAI", "5tABCDEFGHIJKLMNOPQRST!"), "[CLOUD_TOKEN]!"),
    (
        concat!("dapi", "0123456789abcdef0123456789abcdef-2"),
        "[CLOUD_TOKEN]",
    ),
    (
        concat!("AKIA", "IOSFODNN7EXAMPLE1"),
        concat!("AKIA", "IOSFODNN7EXAMPLE1"),
    ),
    (
        concat!("AKIA", "IOSFODNN7EXAMPL"),
        concat!("AKIA", "IOSFODNN7EXAMPL"),
    ),
    (
        concat!("XAKIA", "IOSFODNN7EXAMPLE"),
        concat!("XAKIA", "IOSFODNN7EXAMPLE"),
    ),
    (
        concat!("AIza", "SyA-0123456789abcdefghijklmnopqrstuv"),
        concat!("AIza", "SyA-0123456789abcdefghijklmnopqrstuv"),
    ),
    ("ya29.short", "ya29.short"),
    ("AccountKey=short", "AccountKey=short"),
    ("&sig=abc", "&sig=abc"),
    ("dop_v1_abc", "dop_v1_abc"),
    ("dapi", "dapi"),
    ("LTAIR is a name", "LTAIR is a name"),
];
