//! Payment and shops.

use super::row::{Form, Length, Row, base64, hexadecimal, lower_or_digit};
use crate::detectors::detect::{alphanumeric, base64url};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "secret.stripe_key",
        label: "STRIPE_KEY",
        forms: &[
            // "API keys", secret and restricted keys; webhook signing secrets.
            Form {
                prefixes: &["sk_live_", "rk_live_", "sk_test_", "rk_test_", "whsec_"],
                class: alphanumeric,
                length: Length::From(16, b""),
            },
        ],
    },
    Row {
        name: "secret.shopify_token",
        label: "SHOPIFY_TOKEN",
        forms: &[
            // Admin API access tokens, shared secrets.
            Form {
                prefixes: &["shpat_", "shpca_", "shppa_", "shpss_", "shprt_"],
                class: hexadecimal,
                length: Length::From(32, b""),
            },
        ],
    },
    Row {
        name: "secret.payment_key",
        label: "PAYMENT_KEY",
        forms: &[
            // Square: access tokens, application secrets.
            Form {
                prefixes: &["EAAA", "sq0atp-", "sq0csp-", "sq0idp-"],
                class: base64url,
                length: Length::From(22, b""),
            },
            // PayPal and Braintree: access tokens with their environment.
            Form {
                prefixes: &["access_token$production$", "access_token$sandbox$"],
                class: lower_or_digit,
                length: Length::From(16, b"$"),
            },
            // Flutterwave, Razorpay, Mollie, Plaid, Shippo, EasyPost, Adyen.
            Form {
                prefixes: &["FLWSECK-", "FLWSECK_TEST-"],
                class: alphanumeric,
                length: Length::From(12, b"-"),
            },
            Form {
                prefixes: &["rzp_live_", "rzp_test_"],
                class: alphanumeric,
                length: Length::From(14, b""),
            },
            Form {
                prefixes: &[
                    "access-production-",
                    "access-sandbox-",
                    "access-development-",
                ],
                class: hexadecimal,
                length: Length::From(8, b"-"),
            },
            Form {
                prefixes: &["shippo_live_", "shippo_test_"],
                class: hexadecimal,
                length: Length::From(40, b""),
            },
            Form {
                prefixes: &["EZAK", "EZTK"],
                class: alphanumeric,
                length: Length::From(54, b""),
            },
            Form {
                prefixes: &["AQE"],
                class: base64,
                length: Length::From(60, b"-"),
            },
        ],
    },
];

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    (
        concat!("sk_", "live_51H8abcdefghijklmnop \n"),
        "[STRIPE_KEY] \n",
    ),
    (concat!("rk_", "test_0123456789abcdef"), "[STRIPE_KEY]"),
    (
        concat!("shpat_", "0123456789abcdef0123456789abcdef"),
        "[SHOPIFY_TOKEN]",
    ),
    (
        concat!("sq0atp-", "0123456789abcdefghij_-"),
        "[PAYMENT_KEY]",
    ),
    (
        concat!(
            "access_token$",
            "production$0123456789abcdef$0123456789abcdef0123456789abcdef"
        ),
        "[PAYMENT_KEY]",
    ),
    (concat!("rzp_live_", "0123456789abcd"), "[PAYMENT_KEY]"),
    (
        concat!("access-sandbox-", "01234567-89ab-cdef-0123-456789abcdef"),
        "[PAYMENT_KEY]",
    ),
    (
        concat!("pk_", "live_51H8abcdefghijklmnop"),
        concat!("pk_", "live_51H8abcdefghijklmnop"),
    ),
    ("shpat_123", "shpat_123"),
    ("EAAA-short", "EAAA-short"),
    ("access-production-ready", "access-production-ready"),
];
