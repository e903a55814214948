//! Services for running and writing software.

use super::row::{Form, Length, Row, base64, hexadecimal, lower_or_digit, upper_or_digit};
use crate::detectors::detect::{alphanumeric, base64url};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "secret.vault_token",
        label: "VAULT_TOKEN",
        forms: &[
            // HashiCorp Vault: service, batch and recovery tokens.
            Form {
                prefixes: &["hvs.", "hvb.", "hvr."],
                class: base64url,
                length: Length::From(20, b""),
            },
            // Doppler: personal, service, CLI and SCIM tokens.
            Form {
                prefixes: &[
                    "dp.pt.",
                    "dp.st.",
                    "dp.sa.",
                    "dp.ct.",
                    "dp.scim.",
                    "dp.audit.",
                ],
                class: alphanumeric,
                length: Length::From(40, b"_-."),
            },
            // 1Password: service accounts and secret keys. age: identities. Infisical.
            Form {
                prefixes: &["ops_eyJ"],
                class: base64,
                length: Length::From(40, b"-_"),
            },
            Form {
                prefixes: &["AGE-SECRET-KEY-1"],
                class: upper_or_digit,
                length: Length::From(58, b""),
            },
        ],
    },
    Row {
        name: "secret.service_token",
        label: "SERVICE_TOKEN",
        forms: &[
            // Grafana, New Relic, Sentry, Dynatrace.
            Form {
                prefixes: &["glsa_", "glc_"],
                class: base64,
                length: Length::From(32, b"_"),
            },
            Form {
                prefixes: &["NRAK-", "NRJS-", "NRII-", "NRAA-"],
                class: upper_or_digit,
                length: Length::From(19, b""),
            },
            Form {
                prefixes: &["sntrys_", "sntryu_"],
                class: base64,
                length: Length::From(40, b"_-"),
            },
            Form {
                prefixes: &["dt0c01.", "dt0s16."],
                class: upper_or_digit,
                length: Length::From(24, b"."),
            },
            // Linear, Notion, Airtable, Postman, Asana, Figma, HubSpot, ReadMe.
            Form {
                prefixes: &["lin_api_", "lin_oauth_"],
                class: alphanumeric,
                length: Length::From(32, b""),
            },
            Form {
                prefixes: &["ntn_", "secret_"],
                class: alphanumeric,
                length: Length::From(40, b""),
            },
            Form {
                prefixes: &["PMAK-"],
                class: hexadecimal,
                length: Length::From(24, b"-"),
            },
            Form {
                prefixes: &["figd_", "figo_", "figu_"],
                class: base64url,
                length: Length::From(32, b""),
            },
            Form {
                prefixes: &["pat-na1-", "pat-eu1-"],
                class: hexadecimal,
                length: Length::From(8, b"-"),
            },
            Form {
                prefixes: &["rdme_"],
                class: lower_or_digit,
                length: Length::From(60, b""),
            },
            // Dropbox, Facebook, Contentful, Frame.io, Duffel, OpenShift, Okta, PostHog, Supabase.
            Form {
                prefixes: &["sl."],
                class: base64url,
                length: Length::From(60, b""),
            },
            Form {
                prefixes: &["EAAM", "EAAC"],
                class: alphanumeric,
                length: Length::From(100, b""),
            },
            Form {
                prefixes: &["CFPAT-"],
                class: base64url,
                length: Length::From(40, b""),
            },
            Form {
                prefixes: &["duffel_live_", "duffel_test_"],
                class: base64url,
                length: Length::From(40, b"="),
            },
            Form {
                prefixes: &["sha256~"],
                class: base64url,
                length: Length::Exactly(43),
            },
            Form {
                prefixes: &["phx_", "phc_"],
                class: alphanumeric,
                length: Length::From(32, b""),
            },
            Form {
                prefixes: &["sbp_"],
                class: hexadecimal,
                length: Length::From(40, b""),
            },
            Form {
                prefixes: &["sb_secret_"],
                class: base64url,
                length: Length::From(20, b""),
            },
        ],
    },
];

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    (
        concat!("hvs.", "CAESIJ0123456789abcdefghij-_."),
        "[VAULT_TOKEN].",
    ),
    (
        concat!("dp.pt.", "0123456789abcdefghijABCDEFGHIJ0123456789abc"),
        "[VAULT_TOKEN]",
    ),
    (
        concat!(
            "AGE-SECRET-KEY-1",
            "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE"
        ),
        "[VAULT_TOKEN]",
    ),
    (
        concat!(
            "ops_",
            "eyJ0123456789abcdefghijABCDEFGHIJ01234567890123456789abcdefghijABCDEFGHIJ0123456789"
        ),
        "[VAULT_TOKEN]",
    ),
    (
        concat!("glsa_", "0123456789abcdef0123456789abcdef_01234567"),
        "[SERVICE_TOKEN]",
    ),
    (
        concat!("NRAK-", "0123456789ABCDEFGHIJKLMNOPQ"),
        "[SERVICE_TOKEN]",
    ),
    (
        concat!(
            "sntrys_",
            "eyJpYXQiO0123456789abcdefghijABCDEFGHIJ0123456789=_0123456789abcdefghijABCDEFGHIJ0123456789"
        ),
        "[SERVICE_TOKEN]",
    ),
    (
        concat!("lin_api_", "0123456789abcdefghijABCDEFGHIJ0123456789"),
        "[SERVICE_TOKEN]",
    ),
    (
        concat!("ntn_", "0123456789abcdefghijABCDEFGHIJ01234567890123456789"),
        "[SERVICE_TOKEN]",
    ),
    (
        concat!(
            "PMAK-",
            "0123456789abcdef01234567-0123456789abcdef0123456789abcdef01"
        ),
        "[SERVICE_TOKEN]",
    ),
    ("hvs.short", "hvs.short"),
    ("dp.pt.x", "dp.pt.x"),
    (
        concat!("AGE-SECRET-KEY-1", "QPZ"),
        concat!("AGE-SECRET-KEY-1", "QPZ"),
    ),
    ("secret_access", "secret_access"),
    ("glsa_abc", "glsa_abc"),
    ("sha256~abc", "sha256~abc"),
    ("sl. is a language", "sl. is a language"),
];
