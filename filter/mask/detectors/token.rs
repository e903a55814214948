//! Keys and tokens that announce themselves by a prefix.
//!
//! Sources: each issuer's description of its formats, named beside its row. What a row asks
//! for is the least that every generation of the issuer's tokens has.
//!
//! Validation: the prefix and as many characters as the shortest token has.
//! Whole: no letter or digit in front; a token of fixed length has none behind either.
//!
//! Bound: the prefix, the shortest token, and one byte. A token of open length is certain
//! by then, and what follows of it is masked as it arrives, however long it is.

use super::{Detect, Hit, Miss, Start, Tail, Window, alphanumeric, base64url, hit};

/// One form of a family's tokens.
struct Form {
    prefixes: &'static [&'static str],
    class: fn(u8) -> bool,
    /// How many characters follow the prefix: exactly, or at least.
    length: Length,
}

#[derive(Clone, Copy)]
enum Length {
    Exactly(usize),
    /// At least so many; the rest may hold single bytes of the second part between its
    /// characters.
    From(usize, &'static [u8]),
}

/// A family of tokens.
pub(super) struct Token {
    forms: &'static [Form],
}

/// AWS: access key identifiers, IAM's "unique ID prefixes".
const AWS: &[Form] = &[Form {
    prefixes: &["AKIA", "ASIA", "ABIA", "ACCA"],
    class: upper_or_digit,
    length: Length::Exactly(16),
}];

/// Google Cloud: API keys.
const GCP: &[Form] = &[Form {
    prefixes: &["AIza"],
    class: base64url,
    length: Length::Exactly(35),
}];

/// GitHub: "Authenticating to GitHub", token formats. The longer ones of apps hold a JWT.
const GITHUB: &[Form] = &[
    Form {
        prefixes: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"],
        class: word,
        length: Length::From(36, b"-."),
    },
    Form {
        prefixes: &["github_pat_"],
        class: word,
        length: Length::From(22, b""),
    },
];

/// GitLab: "Token overview", token prefixes. Routable tokens have parts with dots between.
const GITLAB: &[Form] = &[Form {
    prefixes: &[
        "glpat-", "gloas-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-",
        "glsoat-", "glffct-",
    ],
    class: base64url,
    length: Length::From(20, b"."),
}];

/// Slack: "Tokens", token types.
const SLACK: &[Form] = &[
    Form {
        prefixes: &[
            "xoxa-", "xoxb-", "xoxc-", "xoxd-", "xoxe-", "xoxo-", "xoxp-", "xoxr-", "xoxs-",
        ],
        class: base64url,
        length: Length::From(10, b"%"),
    },
    Form {
        prefixes: &["xoxe.xoxb-", "xoxe.xoxp-", "xapp-"],
        class: base64url,
        length: Length::From(10, b""),
    },
];

/// Stripe: "API keys", secret and restricted keys; webhook signing secrets.
const STRIPE: &[Form] = &[Form {
    prefixes: &["sk_live_", "rk_live_", "sk_test_", "rk_test_", "whsec_"],
    class: alphanumeric,
    length: Length::From(16, b""),
}];

/// OpenAI: project, service account and admin keys, and the older ones without a kind,
/// which are letters and digits only: so `sk-` in front of a slug is no key.
const OPENAI: &[Form] = &[
    Form {
        prefixes: &["sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"],
        class: base64url,
        length: Length::From(20, b""),
    },
    Form {
        prefixes: &["sk-"],
        class: alphanumeric,
        length: Length::From(32, b""),
    },
];

/// Anthropic: API and admin keys.
const ANTHROPIC: &[Form] = &[Form {
    prefixes: &["sk-ant-"],
    class: base64url,
    length: Length::From(20, b""),
}];

/// Hugging Face: "User access tokens", and the older ones of organizations.
const HUGGING_FACE: &[Form] = &[Form {
    prefixes: &["hf_", "api_org_"],
    class: alphanumeric,
    length: Length::From(30, b""),
}];

/// The family of a built-in detector's name, and its label.
pub(super) fn built_in(name: &str) -> Option<(Token, &'static str)> {
    let (forms, label) = match name {
        "secret.aws_access_key" => (AWS, "AWS_ACCESS_KEY"),
        "secret.gcp_api_key" => (GCP, "GCP_API_KEY"),
        "secret.github_token" => (GITHUB, "GITHUB_TOKEN"),
        "secret.gitlab_token" => (GITLAB, "GITLAB_TOKEN"),
        "secret.slack_token" => (SLACK, "SLACK_TOKEN"),
        "secret.stripe_key" => (STRIPE, "STRIPE_KEY"),
        "secret.openai_key" => (OPENAI, "OPENAI_KEY"),
        "secret.anthropic_key" => (ANTHROPIC, "ANTHROPIC_KEY"),
        "secret.huggingface_token" => (HUGGING_FACE, "HUGGINGFACE_TOKEN"),
        _ => return None,
    };
    Some((Token { forms }, label))
}

fn upper_or_digit(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl Form {
    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        for prefix in self.prefixes {
            if !window.literal(0, prefix.as_bytes())? {
                continue;
            }
            let start = prefix.len();
            match self.length {
                Length::Exactly(count) => {
                    // One more than there may be: then it is a part of something longer.
                    if window.run(start, count + 1, self.class)? == count
                        && !window.word_at(start + count)?
                    {
                        return Ok(hit(start + count));
                    }
                }
                Length::From(count, joiners) => {
                    if window.run(start, count, self.class)? == count {
                        let class = self.class;
                        return Ok(Hit {
                            len: start + count,
                            tail: Some(Tail::Run { class, joiners }),
                        });
                    }
                }
            }
        }
        Err(Miss::No)
    }
}

impl Detect for Token {
    fn starts(&self, first: u8) -> Start {
        let mut prefixes = self.forms.iter().flat_map(|form| form.prefixes);
        if prefixes.any(|prefix| prefix.as_bytes().first() == Some(&first)) {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        for form in self.forms {
            match form.find(window) {
                Err(Miss::No) => {}
                answer => return answer,
            }
        }
        Err(Miss::No)
    }

    fn bound(&self) -> usize {
        let longest = |form: &Form| {
            let prefix = form.prefixes.iter().map(|prefix| prefix.len()).max();
            let (Length::Exactly(count) | Length::From(count, _)) = form.length;
            prefix.unwrap_or(0) + count + 1
        };
        self.forms.iter().map(longest).max().unwrap_or(0)
    }
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(super) const EXAMPLES: &[(&str, &str)] = &[
    (
        concat!("id AKIA", "IOSFODNN7EXAMPLE."),
        "id [AWS_ACCESS_KEY].",
    ),
    (concat!("ASIA", "IOSFODNN7EXAMPLE"), "[AWS_ACCESS_KEY]"),
    (
        concat!("key=AIza", "SyA-0123456789abcdefghijklmnopqrstu&x"),
        "key=[GCP_API_KEY]&x",
    ),
    (
        concat!("ghp_", "16C7e42F292c6912E7710c838347Ae178B4a gho_x"),
        "[GITHUB_TOKEN] gho_x",
    ),
    (
        concat!(
            "github_",
            "pat_11ABCDEFG0123456789abc_defghijklmnopqrstuvwxyz0123456789."
        ),
        "[GITHUB_TOKEN].",
    ),
    (
        concat!("ghs_", "16C7e42F292c6912E7710c838347Ae178B4a.eyJh.b-c!"),
        "[GITHUB_TOKEN]!",
    ),
    (concat!("glpat-", "0123456789_abcdefghi-"), "[GITLAB_TOKEN]"),
    (
        concat!("glrt-", "0123456789abcdefghijklmno.01.0x2y3z4, "),
        "[GITLAB_TOKEN], ",
    ),
    (
        concat!("xoxb", "-1234567890-1234567890-abcdefghijklmnop)"),
        "[SLACK_TOKEN])",
    ),
    (
        concat!("xoxe.", "xoxp-1-Mi0yLTEyMzQ1Njc4OTA"),
        "[SLACK_TOKEN]",
    ),
    (
        concat!("sk_", "live_51H8abcdefghijklmnop \n"),
        "[STRIPE_KEY] \n",
    ),
    (concat!("rk_", "test_0123456789abcdef"), "[STRIPE_KEY]"),
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
        concat!("\\nghp_", "16C7e42F292c6912E7710c838347Ae178B4a"),
        concat!("\\n", "[GITHUB_TOKEN]"),
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
    (concat!("ghp_", "16C7e42F"), concat!("ghp_", "16C7e42F")),
    (
        concat!("xghp_", "16C7e42F292c6912E7710c838347Ae178B4a"),
        concat!("xghp_", "16C7e42F292c6912E7710c838347Ae178B4a"),
    ),
    (concat!("glpat-", "short"), concat!("glpat-", "short")),
    (concat!("xoxb-", "1-2"), concat!("xoxb-", "1-2")),
    (
        concat!("xoxz", "-1234567890-1234567890"),
        concat!("xoxz", "-1234567890-1234567890"),
    ),
    (
        concat!("pk_", "live_51H8abcdefghijklmnop"),
        concat!("pk_", "live_51H8abcdefghijklmnop"),
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
];
