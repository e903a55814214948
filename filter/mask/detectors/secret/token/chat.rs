//! Chat, mail and messages.

use super::row::{Form, Length, Row, hexadecimal, lower_hexadecimal, path, word};
use crate::detectors::detect::base64url;

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "secret.slack_token",
        label: "SLACK_TOKEN",
        forms: &[
            // "Tokens", token types.
            Form {
                prefixes: &[
                    "xoxa-", "xoxb-", "xoxc-", "xoxd-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-",
                ],
                class: base64url,
                length: Length::From(15, b"%"),
            },
            Form {
                prefixes: &["xoxe.xoxb-", "xoxe.xoxp-", "xapp-"],
                class: base64url,
                length: Length::From(15, b""),
            },
        ],
    },
    Row {
        name: "secret.webhook",
        label: "WEBHOOK",
        forms: &[
            // Slack, Discord and Teams: whoever knows the address may write.
            Form {
                prefixes: &[
                    "hooks.slack.com/services/",
                    "hooks.slack.com/workflows/",
                    "hooks.slack.com/triggers/",
                ],
                class: path,
                length: Length::From(20, b""),
            },
            Form {
                prefixes: &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"],
                class: path,
                length: Length::From(20, b""),
            },
            Form {
                prefixes: &["webhook.office.com/webhookb2/"],
                class: path,
                length: Length::From(20, b""),
            },
        ],
    },
    Row {
        name: "secret.mail_key",
        label: "MAIL_KEY",
        forms: &[
            // SendGrid, Mailgun, Brevo, Resend, Mailchimp and Mandrill, Postmark.
            Form {
                prefixes: &["SG."],
                class: base64url,
                length: Length::From(20, b"."),
            },
            Form {
                prefixes: &["key-"],
                class: lower_hexadecimal,
                length: Length::Exactly(32),
            },
            Form {
                prefixes: &["xkeysib-", "xsmtpsib-"],
                class: hexadecimal,
                length: Length::From(40, b"-"),
            },
            Form {
                prefixes: &["re_"],
                class: word,
                length: Length::From(32, b""),
            },
            Form {
                prefixes: &["md-"],
                class: base64url,
                length: Length::Exactly(22),
            },
        ],
    },
    Row {
        name: "secret.twilio_key",
        label: "TWILIO_KEY",
        forms: &[
            // API keys and account identifiers.
            Form {
                prefixes: &["SK", "AC"],
                class: lower_hexadecimal,
                length: Length::Exactly(32),
            },
        ],
    },
];

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    (
        concat!("xoxb", "-1234567890-1234567890-abcdefghijklmnop)"),
        "[SLACK_TOKEN])",
    ),
    (
        concat!("xoxe.", "xoxp-1-Mi0yLTEyMzQ1Njc4OTA"),
        "[SLACK_TOKEN]",
    ),
    (
        concat!(
            "https://hooks.slack.com/",
            "services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX."
        ),
        "https://[WEBHOOK].",
    ),
    (
        concat!(
            "https://discord.com/",
            "api/webhooks/123456789012345678/abc-DEF_0123456789 ok"
        ),
        "https://[WEBHOOK] ok",
    ),
    (
        concat!(
            "SG.",
            "0123456789abcdefghijkl.0123456789abcdefghijABCDEFGHIJ0123456789-_a"
        ),
        "[MAIL_KEY]",
    ),
    (
        concat!("key-", "0123456789abcdef0123456789abcdef"),
        "[MAIL_KEY]",
    ),
    (
        concat!(
            "xkeysib-",
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef-0123456789abcdef"
        ),
        "[MAIL_KEY]",
    ),
    (
        concat!(
            "SK",
            "0123456789abcdef0123456789abcdef and AC",
            "0123456789abcdef0123456789abcdef"
        ),
        "[TWILIO_KEY] and [TWILIO_KEY]",
    ),
    (concat!("xoxb-", "1-2"), concat!("xoxb-", "1-2")),
    (
        concat!("xoxz", "-1234567890-1234567890"),
        concat!("xoxz", "-1234567890-1234567890"),
    ),
    ("hooks.slack.com/services/", "hooks.slack.com/services/"),
    ("SG.short", "SG.short"),
    (
        "key-value-store-with-a-long-name",
        "key-value-store-with-a-long-name",
    ),
    (
        "SK0123456789abcdef0123456789abcdef0",
        "SK0123456789abcdef0123456789abcdef0",
    ),
    ("re_use", "re_use"),
];
