//! Providers of models.

use super::row::{Form, Length, Row, hexadecimal, lower_hexadecimal, word};
use crate::detectors::detect::{alphanumeric, base64url};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "secret.openai_key",
        label: "OPENAI_KEY",
        forms: &[
            // Project, service account and admin keys.
            Form {
                prefixes: &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"],
                class: base64url,
                length: Length::From(20, b""),
            },
            // The older ones without a kind, which others give out too, are letters and digits
            // only: so `sk-` in front of a slug is no key.
            Form {
                prefixes: &["sk-"],
                class: alphanumeric,
                length: Length::From(32, b""),
            },
        ],
    },
    Row {
        name: "secret.anthropic_key",
        label: "ANTHROPIC_KEY",
        forms: &[
            // API and admin keys.
            Form {
                prefixes: &["sk-ant-"],
                class: base64url,
                length: Length::From(20, b""),
            },
        ],
    },
    Row {
        name: "secret.huggingface_token",
        label: "HUGGINGFACE_TOKEN",
        forms: &[
            // "User access tokens", and the older ones of organizations.
            Form {
                prefixes: &["hf_", "api_org_"],
                class: alphanumeric,
                length: Length::From(30, b""),
            },
        ],
    },
    Row {
        name: "secret.ai_key",
        label: "AI_KEY",
        forms: &[
            // OpenRouter, Langfuse, Helicone, LangSmith.
            Form {
                prefixes: &["sk-or-", "sk-lf-", "sk-helicone-"],
                class: base64url,
                length: Length::From(20, b""),
            },
            Form {
                prefixes: &["lsv2_pt_", "lsv2_sk_"],
                class: hexadecimal,
                length: Length::From(32, b"_"),
            },
            // Groq, Replicate, Perplexity, xAI, NVIDIA, Cerebras, Fireworks, Together, Pinecone,
            // ElevenLabs.
            Form {
                prefixes: &["gsk_", "xai-", "csk-", "tgp_v1_", "pcsk_"],
                class: word,
                length: Length::From(32, b"-"),
            },
            Form {
                prefixes: &["r8_"],
                class: alphanumeric,
                length: Length::From(32, b""),
            },
            Form {
                prefixes: &["pplx-"],
                class: alphanumeric,
                length: Length::From(40, b""),
            },
            Form {
                prefixes: &["nvapi-"],
                class: base64url,
                length: Length::From(40, b""),
            },
            Form {
                prefixes: &["fw_"],
                class: alphanumeric,
                length: Length::From(22, b""),
            },
            Form {
                prefixes: &["sk_"],
                class: lower_hexadecimal,
                length: Length::Exactly(48),
            },
            // Tavily, Jina, Voyage, Weights & Biases.
            Form {
                prefixes: &["tvly-"],
                class: base64url,
                length: Length::From(24, b""),
            },
            Form {
                prefixes: &["jina_"],
                class: word,
                length: Length::From(40, b""),
            },
            Form {
                prefixes: &["pa-"],
                class: base64url,
                length: Length::Exactly(43),
            },
            Form {
                prefixes: &["wandb_v1_"],
                class: word,
                length: Length::From(40, b""),
            },
        ],
    },
];

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    (
        concat!("sk-", "0123456789abcdefghijABCDEFGHIJ0123456789abcdefgh"),
        "[OPENAI_KEY]",
    ),
    (
        concat!("sk-", "proj-abc_def-0123456789abcdefghij."),
        "[OPENAI_KEY].",
    ),
    (
        concat!("sk-", "ant-api03-0123456789abcdef_ABC-DEFAA'"),
        "[ANTHROPIC_KEY]'",
    ),
    (
        concat!("hf_", "abcdefghijklmnopqrstuvwxyzABCDEFGH"),
        "[HUGGINGFACE_TOKEN]",
    ),
    (
        concat!(
            "sk-or-",
            "v1-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        ),
        "[AI_KEY]",
    ),
    (
        concat!("gsk_", "0123456789abcdefghijABCDEFGHIJ0123456789"),
        "[AI_KEY]",
    ),
    (
        concat!("r8_", "0123456789abcdefghijABCDEFGHIJ0123456"),
        "[AI_KEY]",
    ),
    (
        concat!("pplx-", "0123456789abcdefghijABCDEFGHIJ0123456789"),
        "[AI_KEY]",
    ),
    (
        concat!("xai-", "0123456789abcdefghijABCDEFGHIJ0123456789."),
        "[AI_KEY].",
    ),
    (
        concat!("nvapi-", "0123456789abcdefghijABCDEFGHIJ0123456789-_01"),
        "[AI_KEY]",
    ),
    (
        concat!("lsv2_pt_", "0123456789abcdef0123456789abcdef_0123456789"),
        "[AI_KEY]",
    ),
    (
        concat!("sk-", "this-is-a-rather-long-slug-for-a-page"),
        concat!("sk-", "this-is-a-rather-long-slug-for-a-page"),
    ),
    (
        concat!("task-", "0123456789abcdefghijABCDEFGHIJ0123456789"),
        concat!("task-", "0123456789abcdefghijABCDEFGHIJ0123456789"),
    ),
    (concat!("sk-", "ant-api03"), concat!("sk-", "ant-api03")),
    (concat!("hf_", "abc"), concat!("hf_", "abc")),
    ("gsk_abc", "gsk_abc"),
    ("r8_0123", "r8_0123"),
    ("sk-or-not", "sk-or-not"),
    ("pa-system", "pa-system"),
];
